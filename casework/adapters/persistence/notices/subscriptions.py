"""The endpoints that listen."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, func, insert, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.errors import NotFound
from casework.domain.notices.outbox import Subscription
from casework.workflows.ports.paging import Page, Paging


class SqlSubscriptions:
    """The repository of endpoints for one transaction of one actor."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection, self._scope = connection, scope

    def listed(self, paging: Paging) -> Page:
        make = partial(from_row, Subscription, vault=vault_of(self._connection))
        query = _listening(self._scope)
        return page(self._connection, query, [t.subscription.c.id], paging, make=make)

    def get(self, id: UUID, *, lock: bool = False) -> Subscription:
        query = _listening(self._scope).where(t.subscription.c.id == id)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such webhook")
        found: Subscription = from_row(Subscription, row, vault_of(self._connection))
        return found

    def number_of(self, provider_id: UUID) -> int:
        agency = select(t.provider.c.id).where(t.provider.c.id == provider_id)
        self._connection.execute(agency.with_for_update(key_share=True))
        query = select(func.count()).where(
            t.subscription.c.provider_id == provider_id, t.subscription.c.ended_at.is_(None)
        )
        return int(self._connection.execute(query).scalar_one())

    def add(self, subscription: Subscription) -> None:
        self._connection.execute(
            insert(t.subscription), [stored(subscription, vault_of(self._connection))]
        )

    def end(self, subscription: Subscription) -> None:
        row = stored(subscription, vault_of(self._connection))
        update_row(self._connection, t.subscription, row)
        self._connection.execute(
            delete(t.message).where(
                t.message.c.subscription_id == subscription.id,
                text("message.state = 'waiting'"),
            )
        )


def _listening(scope: Scope) -> Select[Any]:
    """Endpoints that the actor may see, and that are not ended."""
    endpoint = t.subscription
    return select(endpoint).where(endpoint.c.ended_at.is_(None), seen(endpoint, scope))
