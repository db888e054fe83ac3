"""The staff accounts of one agency, for the account that leads it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Scope
from casework.domain.errors import NotFound
from casework.workflows.ports.unit_of_work import Page, Paging

ACCOUNT = t.account.c


class SqlStaff:
    """The accounts of the actor's agency, in one transaction of the account that leads it."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection, self._scope = connection, scope

    def _own(self) -> ColumnElement[bool]:
        """The accounts of people of the agency that the actor leads."""
        return seen(t.account, self._scope)

    def listed(self, paging: Paging) -> Page:
        query = select(t.account).where(self._own())
        return page(
            self._connection,
            query,
            [ACCOUNT.username],
            paging,
            make=lambda row: from_row(Account, row),
        )

    def get(self, id: UUID) -> Account:
        return self._one(select(t.account).where(ACCOUNT.id == id, self._own()))

    def locked(self, id: UUID) -> Account:
        query = select(t.account).where(ACCOUNT.id == id, self._own())
        return self._one(query.with_for_update(key_share=True))

    def _one(self, query: Any) -> Account:
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such account")
        account: Account = from_row(Account, row)
        return account

    def agency(self) -> str:
        query = select(t.provider.c.slug).where(t.provider.c.id == self._scope.actor.provider_id)
        slug: str = self._connection.execute(query).scalar_one()
        return slug

    def leads(self) -> list[UUID]:
        """Locked in one order: of two who end each other, one waits."""
        query = select(ACCOUNT.id).where(self._own(), ACCOUNT.is_head, ACCOUNT.is_active)
        locking = query.order_by(ACCOUNT.id).with_for_update(key_share=True)
        return list(self._connection.scalars(locking))
