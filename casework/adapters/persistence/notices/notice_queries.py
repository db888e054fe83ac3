"""Reading the outbox, what the brake holds, and the endpoints that listen."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.notices.outbox import listening
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.access.policy import Reach, Relation
from casework.domain.errors import NotFound
from casework.domain.notices.outbox import Subscription
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging


class NoticeQueries:
    """What can be looked at of notices."""

    _connection: Connection
    reach: Reach

    def messages(self, state: str | None, paging: Paging) -> Page:
        """Messages of the outbox, newest first; what they say is left out."""
        message = t.message
        columns = [column for column in message.c if column.name != "payload"]
        query = select(*columns)
        if state is not None:
            query = query.where(message.c.state == state)
        keys = [message.c.created_at, message.c.id]
        return page(self._connection, query, keys, paging, newest_first=True)

    def held_notices(self) -> list[Row]:
        """What the brake holds within reach, longest first."""
        verdict = t.run_notices
        query = (
            select(verdict)
            .where(verdict.c.is_held, verdict.c.released_at.is_(None))
            .order_by(verdict.c.counted_at)
        )
        if self.reach.relation is Relation.DISTRICT:
            query = query.where(verdict.c.district_code == self.reach.actor.district_code)
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def subscriptions(self, paging: Paging) -> Page:
        """Endpoints within reach that listen."""
        query = listening(self.reach)
        make = partial(from_row, Subscription, vault=vault_of(self._connection))
        return page(self._connection, query, [t.subscription.c.id], paging, make=make)

    def subscription(self, id: UUID) -> Subscription:
        """One of them."""
        row = self._connection.execute(
            listening(self.reach).where(t.subscription.c.id == id)
        ).first()
        if row is None:
            raise NotFound("no such webhook")
        found: Subscription = from_row(Subscription, row, vault_of(self._connection))
        return found
