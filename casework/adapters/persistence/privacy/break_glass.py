"""Break-glass accesses to residents out of scope: who made them and who must review them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, exists, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.facts import facts_of
from casework.adapters.persistence.scope.row_conditions import is_live
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.adapters.persistence.tables.privacy import break_glass
from casework.domain.access.policy import Scope
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.notices.notices import Notice
from casework.domain.privacy.break_glass import BreakGlass
from casework.domain.residents.resident import Resident
from casework.workflows.ports.break_glass import OpeningView, ResidentOutOfScope
from casework.workflows.ports.unit_of_work import Page, Paging
from casework.workflows.ports.vault import Vault

_glass = break_glass.c


class SqlOpenings:
    """The repository of break-glass accesses for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def outsider(self, resident_id: UUID, usual: Scope) -> ResidentOutOfScope:
        self._about.add(resident_id)
        session_context.allow_residents(self._connection, [resident_id])
        mine = and_(
            _glass.resident_id == resident_id, is_live(break_glass, facts_of(usual, self._now))
        )
        query = select(
            t.resident,
            seen(t.resident, usual, self._now).label("is_within_scope"),
            exists().where(mine).label("is_open"),
        ).where(t.resident.c.id == resident_id)
        row = self._connection.execute(query.with_for_update(of=t.resident)).first()
        if row is None:
            raise NotFound("no such resident")
        return ResidentOutOfScope(
            resident=from_row(Resident, row, vault_of(self._connection)),
            is_within_scope=bool(row.is_within_scope),
            is_open=bool(row.is_open),
        )

    def get(self, id: UUID) -> BreakGlass:
        query = (
            select(break_glass)
            .where(_glass.id == id, seen(break_glass, self._scope))
            .with_for_update()
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such opening")
        found: BreakGlass = from_row(BreakGlass, row, vault_of(self._connection))
        self._about.add(found.resident_id)
        session_context.allow_residents(self._connection, [found.resident_id])
        return found

    def add(self, opening: BreakGlass, event: Event, notice: Notice) -> None:
        for table, thing in ((break_glass, opening), (t.event, event), (t.notice, notice)):
            self._connection.execute(insert(table), [stored(thing, vault_of(self._connection))])

    def save(self, opening: BreakGlass, event: Event) -> None:
        update_row(self._connection, break_glass, stored(opening, vault_of(self._connection)))
        self._connection.execute(insert(t.event), [stored(event, vault_of(self._connection))])

    def shown(self, id: UUID) -> OpeningView:
        row = self._connection.execute(_views(self._scope).where(_glass.id == id)).first()
        if row is None:
            raise NotFound("no such opening")
        found = _view(row, vault_of(self._connection))
        self._about.add(found.opening.resident_id)
        return found

    def listed(self, is_open: bool | None, paging: Paging) -> Page:
        query = _views(self._scope)
        if is_open is not None:
            reviewed = _glass.reviewed_at
            query = query.where(reviewed.is_(None) if is_open else reviewed.is_not(None))
        vault = vault_of(self._connection)
        found = page(
            self._connection,
            query,
            [_glass.id],
            paging,
            newest_first=True,
            make=lambda row: _view(row, vault),
        )
        self._about.update(one.opening.resident_id for one in found.rows)
        return found


def used(connection: Connection, scope: Scope, now: datetime, residents: Iterable[UUID]) -> str:
    """The break-glass access that a read's audit entry refers to."""
    query = (
        select(_glass.id)
        .where(_glass.resident_id.in_(list(residents)), is_live(break_glass, facts_of(scope, now)))
        .order_by(_glass.id.desc())
        .limit(1)
    )
    return f"break_glass:{connection.scalar(query)}"


def _views(scope: Scope) -> Select[Any]:
    return (
        select(break_glass, t.account.c.name.label("opener_name"))
        .join(t.account, t.account.c.id == _glass.account_id)
        .where(seen(break_glass, scope))
    )


def _view(row: Any, vault: Vault | None) -> OpeningView:
    return OpeningView(opening=from_row(BreakGlass, row, vault), opener_name=row.opener_name)
