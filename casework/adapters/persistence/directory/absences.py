"""Absences: who is away from when to when."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import Connection, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.standing_in import covers
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.cases.absences import Absence
from casework.domain.errors import NotFound
from casework.workflows.ports.paging import Page, Paging

_away = t.absence


class SqlAbsences:
    """Absences, for one transaction of one actor."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection, self._scope = connection, scope

    def alone(self, *account_ids: UUID) -> None:
        query = select(t.account.c.id).where(t.account.c.id.in_(account_ids))
        self._connection.execute(
            query.order_by(t.account.c.id).with_for_update(key_share=True)
        ).all()

    def get(self, id: UUID, *, lock: bool = False) -> Absence:
        query = select(_away).where(_away.c.id == id, seen(_away, self._scope))
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such absence")
        absence: Absence = from_row(Absence, row)
        return absence

    def of_district(self, district_code: str, since: date) -> list[Absence]:
        query = select(_away).where(_away.c.district_code == district_code, _away.c.to_on >= since)
        return [from_row(Absence, row) for row in self._connection.execute(query)]

    def listed(self, worker: UUID | None, on: date | None, paging: Paging) -> Page:
        query = select(_away).where(seen(_away, self._scope))
        if worker is not None:
            query = query.where(_away.c.worker_id == worker)
        if on is not None:
            query = query.where(covers(_away, on))
        keys = [_away.c.from_on, _away.c.id]
        return page(self._connection, query, keys, paging, newest_first=True)

    def add(self, absence: Absence) -> None:
        self._connection.execute(insert(_away), [to_row(absence)])

    def save(self, absence: Absence) -> None:
        update_row(self._connection, _away, to_row(absence))
