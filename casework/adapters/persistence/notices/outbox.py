"""The outbox: messages leased, sent and settled."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    and_,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.domain.errors import NotFound
from casework.domain.notices.outbox import (
    LONGEST_LEASE,
    LONGEST_WAIT,
    Letter,
    Message,
    MessageState,
    Subscription,
)
from casework.workflows.ports.paging import Page, Paging

_message = t.message


class SqlOutbox:
    """Messages in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_message(self, message: Message) -> bool:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        added = self._connection.execute(
            dialect.insert(_message)
            .values(to_row(message))
            .on_conflict_do_nothing()
            .returning(_message.c.id)
        )
        return added.first() is not None

    # Sending

    def claim(
        self,
        now: datetime,
        leased_until: datetime,
        *,
        endpoints: bool,
        limit: int,
        each: int,
        but: Set[UUID],
    ) -> list[Letter]:
        ranked = _ranked(now, endpoints=endpoints, but=but).subquery()
        ids = (
            select(ranked.c.id)
            .where(ranked.c.place <= each, or_(ranked.c.place == 1, ranked.c.failures == 0))
            .order_by(ranked.c.next_at, ranked.c.id)
            .limit(limit)
        )
        locked = (
            select(_message.c.id)
            .where(_message.c.id.in_(ids), is_due(now))
            .with_for_update(skip_locked=True)
        )
        return self._leased(list(self._connection.scalars(locked)), leased_until)

    def claim_one(self, id: UUID, now: datetime, leased_until: datetime) -> list[Letter]:
        """Lease one message that is due, if nobody else holds it."""
        one = select(_message.c.id).where(_message.c.id == id, is_due(now))
        found = self._connection.scalars(one.with_for_update(skip_locked=True))
        return self._leased(list(found), leased_until)

    def _leased(self, claimed: list[UUID], leased_until: datetime) -> list[Letter]:
        self._connection.execute(
            update(_message)
            .where(_message.c.id.in_(claimed))
            .values(leased_until=leased_until, tries=_message.c.tries + 1)
        )
        return self._letters(claimed)

    def _letters(self, ids: list[UUID]) -> list[Letter]:
        query = (
            select(_message, t.account.c.email)
            .outerjoin(t.account, t.account.c.id == _message.c.account_id)
            .where(_message.c.id.in_(ids))
            .order_by(_message.c.next_at, _message.c.id)
        )
        rows = self._connection.execute(query).all()
        endpoints = {one.id: one for one in self._endpoints({row.subscription_id for row in rows})}
        return [
            Letter(
                message=from_row(Message, row),
                subscription=endpoints.get(row.subscription_id),
                email=row.email,
            )
            for row in rows
        ]

    def _endpoints(self, ids: set[UUID | None]) -> list[Subscription]:
        query = select(t.subscription).where(t.subscription.c.id.in_(ids - {None}))
        return [
            from_row(Subscription, row, vault_of(self._connection))
            for row in self._connection.execute(query)
        ]

    def settle(self, letter: Letter) -> None:
        message, endpoint = letter.message, letter.subscription
        names = ("state", "tries", "next_at", "leased_until", "sent_at", "error")
        row = to_row(message)
        self._connection.execute(
            update(_message)
            .where(_message.c.id == message.id)
            .values({name: row[name] for name in names})
        )
        if endpoint is not None:
            self._connection.execute(
                update(t.subscription)
                .where(t.subscription.c.id == endpoint.id)
                .values(failures=endpoint.failures, retry_at=endpoint.retry_at)
            )

    def give_up(self, subscription_id: UUID, older_than: datetime, error: str) -> int:
        given_up = self._connection.execute(
            update(_message)
            .where(
                _message.c.subscription_id == subscription_id,
                text("message.state = 'waiting'"),
                _message.c.created_at < older_than,
            )
            .values(state=MessageState.DEAD, error=error, leased_until=None)
        )
        return given_up.rowcount

    # What people do about messages

    def message(self, id: UUID) -> Message:
        row = self._connection.execute(
            select(_message).where(_message.c.id == id).with_for_update()
        ).first()
        if row is None:
            raise NotFound("no such message")
        found: Message = from_row(Message, row)
        return found

    def requeue(self, message: Message) -> None:
        self.settle(Letter(message=message, subscription=None, email=None))

    def outbox(self, state: str | None, paging: Paging) -> Page:
        columns = [column for column in _message.c if column.name != "payload"]
        query = select(*columns)
        if state is not None:
            query = query.where(_message.c.state == state)
        keys = [_message.c.created_at, _message.c.id]
        return page(self._connection, query, keys, paging, newest_first=True)


def is_due(now: datetime) -> ColumnElement[bool]:
    """Waits for no instant any more, and nobody is sending it."""
    return and_(
        text("message.state = 'waiting'"),
        is_over(_message.c.next_at, now, LONGEST_WAIT),
        or_(
            _message.c.leased_until.is_(None),
            is_over(_message.c.leased_until, now, LONGEST_LEASE),
        ),
    )


def is_over(until: Column[Any], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Whether a wait is over, or can be none since no wait is so long: the clock was set back."""
    return or_(until <= now, until > now + longest)


def _ranked(now: datetime, *, endpoints: bool, but: Set[UUID]) -> Any:
    """Due messages, each with its place in its receiver's queue and how often that one failed."""
    endpoint = t.subscription
    failures = func.coalesce(endpoint.c.failures, 0)
    receiver = _message.c.subscription_id if endpoints else _message.c.account_id
    place = func.row_number().over(
        partition_by=receiver, order_by=[_message.c.next_at, _message.c.id]
    )
    return (
        select(_message.c.id, _message.c.next_at, failures.label("failures"), place.label("place"))
        .outerjoin(endpoint, endpoint.c.id == _message.c.subscription_id)
        .where(
            is_due(now),
            receiver.is_not(None),
            receiver.not_in(but),
            or_(endpoint.c.retry_at.is_(None), is_over(endpoint.c.retry_at, now, LONGEST_WAIT)),
        )
    )
