"""Bulk inserts: seeded data and the shipped reference data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.bodies import answer_rows, answers_of
from casework.adapters.persistence.rows.mapper import TABLES, from_row, stored, stored_as
from casework.domain.clocks.standards import Standard
from casework.domain.directory.directory import Centre, District, Offering, Service
from casework.domain.programme.bodies import Body

T = TypeVar("T")


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of at most ``size``."""
    batch: list[T] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def insert_all(connection: Connection, things: Iterable[Any]) -> int:
    """Insert domain objects, one statement per class, in the order of foreign keys."""
    vault = vault_of(connection)
    by_class: dict[type, list[Any]] = defaultdict(list)
    for thing in things:
        by_class[stored_as(thing)].append(thing)
    for cls in sorted(by_class, key=_ORDER.__getitem__):
        rows = [stored(thing, vault) for thing in by_class[cls]]
        connection.execute(insert(TABLES[cls]), rows)
        if cls is Offering:
            covers = [
                {"offering_id": one.id, "centre_code": code}
                for one in by_class[cls]
                for code in one.centres
            ]
            connection.execute(insert(t.offering_centre), covers)
        if cls is Body:
            rows = [row for one in by_class[cls] for row in answer_rows(one, answers_of(one))]
            if rows:
                connection.execute(insert(t.body_answers), rows)
    return sum(map(len, by_class.values()))


_SORTED = list(t.metadata.sorted_tables)
_ORDER = {cls: _SORTED.index(table) for cls, table in TABLES.items()}


def load_facts(
    engine: Engine,
    districts: list[District],
    centres: list[Centre],
    services: list[Service],
    standards: Iterable[Standard],
) -> None:
    """The organisation, the catalogue and the shipped standards, where they are missing."""
    with engine.begin() as connection:
        for table, key, things in (
            (t.district, "code", districts),
            (t.centre, "code", centres),
            (t.service, "code", services),
        ):
            known = set(connection.scalars(select(table.c[key])))
            insert_all(connection, [one for one in things if getattr(one, key) not in known])
        # By what they are for: an installation may have set one of its own in the meantime.
        rows = connection.execute(select(t.standard))
        scopes = {from_row(Standard, row).scope for row in rows}
        insert_all(connection, [one for one in standards if one.scope not in scopes])


def is_demo(engine: Engine) -> bool:
    """Whether the demo was ever seeded here: its accounts are marked, and none is ever deleted."""
    with engine.connect() as connection:
        marked = select(t.account.c.id).where(t.account.c.is_demo).limit(1)
        return connection.execute(marked).first() is not None


def is_empty(engine: Engine) -> bool:
    """Whether nobody can sign in yet: nothing was ever seeded here."""
    with engine.connect() as connection:
        return connection.execute(select(t.account.c.id).limit(1)).first() is None
