"""The queue of pairs that may be one person, and those whose duplicates are still to be found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.errors import NotFound
from casework.domain.residents.resident import Resident
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

_pair, _check = t.duplicate_suspicion, t.duplicate_check
# What tells one of a pair from another, in scope.
SHOWN: Final = ("name", "birth_date", "died_on")


class SqlDuplicates:
    """The repository of duplicates for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about
        self._dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite

    # Whose are to be found

    def queue_check(self, resident_id: UUID) -> None:
        """One already queued is written again: nobody takes them before this commits."""
        row = {"resident_id": resident_id, "asked_at": self._now}
        ask = self._dialect.insert(_check).values(row)
        self._connection.execute(
            ask.on_conflict_do_update(index_elements=["resident_id"], set_={"asked_at": self._now})
        )

    def queue_checks(self, after: UUID | None, limit: int) -> UUID | None:
        one = t.resident
        query = select(one.c.id).where(one.c.merged_into_id.is_(None))
        if after is not None:
            query = query.where(one.c.id > after)
        ids = list(self._connection.scalars(query.order_by(one.c.id).limit(limit)))
        if not ids:
            return None
        chosen = select(one.c.id, literal(self._now, Instant)).where(one.c.id.in_(ids))
        ask = self._dialect.insert(_check).from_select(["resident_id", "asked_at"], chosen)
        self._connection.execute(ask.on_conflict_do_nothing())
        last: UUID = ids[-1]
        return last

    def waiting(self) -> int:
        return self._connection.scalar(select(func.count()).select_from(_check)) or 0

    def take(self, limit: int) -> list[Resident]:
        query = select(_check.c.resident_id).order_by(_check.c.asked_at, _check.c.resident_id)
        locked = query.limit(limit).with_for_update(skip_locked=True)
        ids = list(self._connection.scalars(locked))
        self._connection.execute(delete(_check).where(_check.c.resident_id.in_(ids)))
        rows = self._connection.execute(
            select(t.resident)
            .where(t.resident.c.id.in_(ids), t.resident.c.merged_into_id.is_(None))
            .order_by(t.resident.c.id)
        )
        return [from_row(Resident, row, vault_of(self._connection)) for row in rows]

    # The queue

    def add(self, suspicions: Iterable[Suspicion]) -> int:
        rows = [stored(one, vault_of(self._connection)) for one in suspicions]
        if not rows:
            return 0
        put = self._dialect.insert(_pair).values(rows).on_conflict_do_nothing()
        return len(self._connection.scalars(put.returning(_pair.c.id)).all())

    def get(self, id: UUID, *, lock: bool = False) -> Suspicion:
        query = select(_pair).where(_pair.c.id == id, self._sees(), ~_pair.c.is_parked)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such pair")
        found: Suspicion = from_row(Suspicion, row, vault_of(self._connection))
        self._about |= {found.resident_id, found.other_id}
        return found

    def save(self, suspicion: Suspicion) -> None:
        update_row(self._connection, _pair, stored(suspicion, vault_of(self._connection)))

    def knows(self, one: UUID, other: UUID) -> bool:
        both = or_(
            and_(_pair.c.resident_id == one, _pair.c.other_id == other),
            and_(_pair.c.resident_id == other, _pair.c.other_id == one),
        )
        query = select(exists().where(both, self._sees(), ~_pair.c.is_parked))
        return bool(self._connection.scalar(query))

    def shown(self, id: UUID) -> Row:
        self.get(id)
        row = self._connection.execute(self._pairs().where(_pair.c.id == id)).one()
        return decrypt_row(_pair, dict(row._mapping), row.id, vault_of(self._connection))

    def listed(self, state: str | None, paging: Paging) -> Page:
        query = self._pairs().where(self._sees(), ~_pair.c.is_parked)
        if state is not None:
            query = query.where(_pair.c.state == state)
        found = page(self._connection, query, [_pair.c.id], paging, newest_first=True)
        vault = vault_of(self._connection)
        for row in found.rows:
            decrypt_row(_pair, row, row["id"], vault)
            self._about |= {row["resident_id"], row["other_id"]}
        return found

    def _pairs(self) -> Select[Any]:
        """Each pair; who they are, and whether they died, of those within scope only."""
        one, other = t.resident.alias("one"), t.resident.alias("another")
        return (
            select(
                _pair,
                *(one.c[name].label(f"one_{name}") for name in SHOWN),
                *(other.c[name].label(f"another_{name}") for name in SHOWN),
            )
            .outerjoin(one, and_(one.c.id == _pair.c.resident_id, self._within(one)))
            .outerjoin(other, and_(other.c.id == _pair.c.other_id, self._within(other)))
        )

    def _within(self, resident: Any) -> ColumnElement[bool]:
        return seen(resident, self._scope, self._now)

    def _sees(self) -> ColumnElement[bool]:
        return seen(_pair, self._scope)
