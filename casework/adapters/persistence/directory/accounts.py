"""Accounts that work can be given to."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.accounts import KNOWN_ACCOUNT, known_account
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.accounts import Account, canonical_username
from casework.domain.access.policy import Role, Scope
from casework.domain.cases.absences import CAN_BE_AWAY
from casework.workflows.ports.paging import Page, Paging


class SqlAccounts:
    """Accounts that work can be given to."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection, self._scope = connection, scope

    def worker_of(self, id: UUID, centre_code: str) -> Account | None:
        return self._worker(t.account.c.id == id, centre_code)

    def worker_named(self, username: str, centre_code: str) -> Account | None:
        return self._worker(t.account.c.username == canonical_username(username), centre_code)

    def _worker(self, which: ColumnElement[bool], centre_code: str) -> Account | None:
        query = select(*KNOWN_ACCOUNT).where(
            which,
            t.account.c.role == Role.WORKER,
            t.account.c.is_active,
            t.account.c.centre_code == centre_code,
        )
        # Not disabled or moved by another transaction between this look and the commit.
        row = self._connection.execute(query.with_for_update(read=True)).first()
        return None if row is None else known_account(row)

    def still_carries(self, id: UUID | None, centre_code: str) -> UUID | None:
        found = None if id is None else self.worker_of(id, centre_code)
        return None if found is None else found.id

    def worker_within_scope(self, id: UUID, scope: Scope, *, active: bool = True) -> Account | None:
        return self._within(scope, id, {Role.WORKER}, active=active)

    def colleague(self, id: UUID, scope: Scope, *, active: bool = True) -> Account | None:
        return self._within(scope, id, CAN_BE_AWAY, active=active)

    def _within(
        self, scope: Scope, id: UUID, roles: Collection[Role], *, active: bool
    ) -> Account | None:
        query = select(*KNOWN_ACCOUNT).where(
            t.account.c.id == id,
            t.account.c.role.in_(roles),
            t.account.c.district_code == scope.actor.district_code,
        )
        if active:
            query = query.where(t.account.c.is_active)
        row = self._connection.execute(query).first()
        return None if row is None else known_account(row)

    def listed(self, role: str | None, centre: str | None, paging: Paging) -> Page:
        account = t.account
        query = select(
            *account.c[
                "id", "username", "name", "role", "centre_code", "district_code", "provider_id"
            ]
        ).where(account.c.is_active, seen(account, self._scope))
        if role is not None:
            query = query.where(account.c.role == role)
        if centre is not None:
            query = query.where(account.c.centre_code == centre)
        return page(self._connection, query, [account.c.username], paging)
