"""Several case files read and written at once: so many statements, however many files there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile import escalations
from casework.adapters.persistence.casefile.originals import Originals, written
from casework.adapters.persistence.engine.encrypted_columns import encrypt_row, vault_of
from casework.adapters.persistence.rows.many import (
    insert_many,
    is_one_of,
    planned_each_time,
    update_many,
)
from casework.adapters.persistence.rows.mapper import stored, table_of
from casework.adapters.persistence.rows.nested import Nested
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.directory.capacity import changes as changes_of_places
from casework.domain.notices.notice_rules import notice_of

# A file, what it was when it was loaded, and its parts.
Saved = tuple[CaseFile, Originals, list[Any]]


@cache
def cases() -> Select[Any]:
    """Cases, each with the day on which its resident died."""
    whose = t.resident.c.id == t.care_case.c.resident_id
    died_on = select(t.resident.c.died_on).where(whose).scalar_subquery().label("died_on")
    return select(t.care_case, died_on)


def locked(
    connection: Connection, ids: Sequence[UUID], sees: Callable[[Any], ColumnElement[bool]]
) -> Sequence[Any]:
    """Cases that the actor sees, locked in the order of their ids."""
    case = t.care_case
    query = cases().where(is_one_of(connection, case.c.id, ids), sees(case))
    query = planned_each_time(query.order_by(case.c.id)).with_for_update(of=case)
    return connection.execute(query).all()


def nested_parts(
    dialect: str, classes: Iterable[type], case_id: Any, *, ended_clocks: bool = False
) -> dict[type, Nested]:
    """What belongs to a case: of its clocks those that run, or all."""
    parts = {}
    for cls in classes:
        table = table_of(cls)
        query = select(table).where(table.c.case_id == case_id)
        if cls is Deadline and not ended_clocks:
            query = query.where(table.c.met_at.is_(None), table.c.cancelled_at.is_(None))
        parts[cls] = Nested(table.name, query, dialect)
    return parts


def parts_of(
    connection: Connection, ids: Sequence[UUID]
) -> tuple[dict[UUID, Any], dict[type, Nested]]:
    """What belongs to cases that are locked, with the plan: a row for each."""
    parts = _parts(connection.dialect.name)
    case = t.care_case.c.id
    query = select(case, *(one.column for one in parts.values()))
    rows = connection.execute(planned_each_time(query.where(is_one_of(connection, case, ids))))
    return {row.id: row for row in rows}, parts


@cache
def _parts(dialect: str) -> dict[type, Nested]:
    classes = (PlannedService, Referral, Deadline, PlanVersion)
    return nested_parts(dialect, classes, t.care_case.c.id)


def write(connection: Connection, saved: Sequence[Saved], at: datetime) -> None:
    """Write what changed in files that have nothing new but events, notices and steps.

    Raises TypeError for a file with more.
    """
    changed: dict[tuple[type, frozenset[str]], list[dict[str, Any]]] = defaultdict(list)
    clocks: list[tuple[Deadline, bool]] = []
    for file, originals, parts in saved:
        for thing, changes in originals.counted(parts):
            if changes is None:
                raise TypeError("a file with something new is saved by itself")
            if row := written(thing, changes):
                changed[type(thing), frozenset(row)].append({"id": thing.id} | row)
                if isinstance(thing, Deadline):
                    clocks.append((thing, False))
        was = {id: row["status"] for id, row in originals.rows.items() if id in file.referrals}
        if changes_of_places(was, file.referrals.values(), file.events):
            raise TypeError("a file that takes or frees a place is saved by itself")
    vault = vault_of(connection)
    for (cls, _), rows in changed.items():
        table = table_of(cls)
        update_many(connection, table, [encrypt_row(table, r, r["id"], vault) for r in rows])
    escalations.plan(connection, clocks, at)
    events = [(event, file) for file, _, _ in saved for event in file.events]
    told = (notice_of(event, file) for event, file in events)
    insert_many(connection, t.event, [stored(event, vault) for event, _ in events])
    insert_many(connection, t.notice, [stored(one, vault) for one in told if one is not None])
    for file, originals, parts in saved:
        file.events.clear()
        originals.remember(parts)
