"""Notices, whom they are for, and the outbox: each step a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.mapper import from_row, to_row
from casework.domain.access import Reach, Relation, Role
from casework.domain.errors import NotFound
from casework.domain.notices import Notice, People
from casework.domain.outbox import Letter, Message, State, Subscription
from casework.workflows.ports import NoticeBook

_notice, _verdict, _message = t.notice, t.run_notices, t.message
# Spelt out, so that the planner of either store sees that the partial index fits.
_WAITS = text("notice.addressed_at IS NULL")


class SqlNoticeBook:
    """Notices and messages in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # The brake

    def unjudged(self, run_id: UUID | None, begun_before: datetime) -> dict[UUID, dict[str, int]]:
        """How many notices each run gives each district, where nobody has judged it yet."""
        run = t.job_run
        over = or_(run.c.ended_at.is_not(None), run.c.error.is_not(None))
        which = or_(over, run.c.started_at < begun_before) if run_id is None else run.c.id == run_id
        query = (
            select(_notice.c.run_id, _notice.c.district_code, func.count())
            .join(run, run.c.id == _notice.c.run_id)
            .where(_WAITS, ~_notice.c.at_once, which, ~exists().where(*_judges()))
            .group_by(_notice.c.run_id, _notice.c.district_code)
        )
        found: dict[UUID, dict[str, int]] = defaultdict(dict)
        for run, district, count in self._connection.execute(query):
            found[run][district] = count
        return found

    def counts_before(self, district_code: str, limit: int) -> list[int]:
        """The counts of a district's last runs that raised anything, newest first."""
        query = (
            select(_verdict.c.notices)
            .where(_verdict.c.district_code == district_code)
            .order_by(_verdict.c.counted_at.desc())
            .limit(limit)
        )
        return list(self._connection.scalars(query))

    def judge(self, run_id: UUID, district_code: str, count: int, held: bool, at: datetime) -> None:
        """Note a run's count for a district, and whether the brake holds it."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = {
            "run_id": run_id,
            "district_code": district_code,
            "counted_at": at,
            "notices": count,
            "is_held": held,
        }
        self._connection.execute(dialect.insert(_verdict).on_conflict_do_nothing(), [row])

    def release(self, district_code: str, by: UUID | None, at: datetime) -> int:
        """Let what is held of a district go; the number of notices that were."""
        freed = self._connection.execute(
            update(_verdict)
            .where(
                _verdict.c.district_code == district_code,
                _verdict.c.is_held,
                _verdict.c.released_at.is_(None),
            )
            .values(released_at=at, released_by=by)
            .returning(_verdict.c.notices)
        )
        return sum(freed.scalars())

    # Finding whom a notice is for

    def waiting(self, limit: int) -> list[Notice]:
        """Notices that nobody holds back and nobody was found for yet, oldest first, locked."""
        free = or_(_verdict.c.is_held.is_(False), _verdict.c.released_at.is_not(None))
        query = (
            select(_notice)
            .where(
                _WAITS,
                or_(
                    _notice.c.run_id.is_(None),
                    _notice.c.at_once,
                    exists().where(*_judges(), free),
                ),
            )
            .order_by(_notice.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=_notice)
        )
        return [from_row(Notice, row) for row in self._connection.execute(query)]

    def people(self, notices: Sequence[Notice], today: date) -> People:
        """The accounts these notices may be for."""
        away = t.absence
        workers = {notice.worker_id for notice in notices if notice.worker_id}
        deputies = dict(
            self._connection.execute(
                select(away.c.worker_id, away.c.deputy_id)
                .where(
                    away.c.worker_id.in_(workers), away.c.from_on <= today, away.c.to_on >= today
                )
                .order_by(away.c.recorded_at)
            ).all()
        )
        account = t.account
        districts = {notice.district_code for notice in notices}
        agencies = {notice.provider_id for notice in notices if notice.provider_id}
        query = select(*account.c["id", "role", "district_code", "provider_id", "is_head"]).where(
            account.c.is_active,
            or_(
                account.c.id.in_(workers | set(deputies.values())),
                and_(
                    account.c.district_code.in_(districts),
                    account.c.role.in_([Role.SUPERVISOR, Role.ASSESSOR]),
                ),
                account.c.provider_id.in_(agencies),
            ),
        )
        return _people(self._connection.execute(query.order_by(account.c.id)).all(), deputies)

    def subscriptions(self) -> list[Subscription]:
        """The endpoints that listen."""
        query = select(t.subscription).where(t.subscription.c.ended_at.is_(None))
        return [from_row(Subscription, row) for row in self._connection.execute(query)]

    def address(
        self,
        notices: Sequence[Notice],
        told: Sequence[tuple[UUID, UUID, UUID | None]],
        at: datetime,
    ) -> None:
        """Note for whom notices are: notice, account, and the message where it has one."""
        names = ("notice_id", "account_id", "message_id")
        if told:
            rows = [dict(zip(names, one, strict=True)) for one in told]
            self._connection.execute(insert(t.addressee), rows)
        self._connection.execute(
            update(_notice)
            .where(_notice.c.id.in_([notice.id for notice in notices]))
            .values(addressed_at=at)
        )

    def add_message(self, message: Message) -> bool:
        """A new message; False where the account has a digest of that day already."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        added = self._connection.execute(
            dialect.insert(_message)
            .values(to_row(message))
            .on_conflict_do_nothing()
            .returning(_message.c.id)
        )
        return added.first() is not None

    # Digests

    def swept_as_of(self) -> datetime | None:
        """The latest instant as of which a sweep has ended."""
        run = t.job_run
        query = (
            select(run.c.as_of)
            .where(run.c.job == "overdue", run.c.ended_at.is_not(None), ~run.c.dry_run)
            .order_by(run.c.started_at.desc())
            .limit(1)
        )
        return self._connection.scalar(query)

    def awaiting_digest(self, today: date, until: datetime) -> list[tuple[UUID, str | None]]:
        """Accounts (and their districts) with something to tell by then and no digest today.

        A digest of a later day counts too: a clock that was set back says nothing again.
        """
        account, told = t.account, t.addressee
        has_one = exists().where(
            _message.c.account_id == account.c.id, _message.c.digest_on >= today
        )
        waits = exists().where(
            told.c.account_id == account.c.id,
            told.c.message_id.is_(None),
            _notice.c.id == told.c.notice_id,
            _notice.c.since <= until,
        )
        query = (
            select(account.c.id, account.c.district_code)
            .where(waits, ~has_one)
            .order_by(account.c.id)
        )
        return [(id, district) for id, district in self._connection.execute(query)]

    def to_gather(self, account_id: UUID, until: datetime) -> list[Notice]:
        """What an account is to be told by then and no message says yet, oldest first."""
        query = (
            select(_notice)
            .join(t.addressee, t.addressee.c.notice_id == _notice.c.id)
            .where(
                t.addressee.c.account_id == account_id,
                t.addressee.c.message_id.is_(None),
                _notice.c.since <= until,
            )
            .order_by(_notice.c.since, _notice.c.id)
        )
        return [from_row(Notice, row) for row in self._connection.execute(query)]

    def gathered(self, account_id: UUID, message_id: UUID, notice_ids: Sequence[UUID]) -> None:
        """These notices are in that message."""
        told = t.addressee
        self._connection.execute(
            update(told)
            .where(told.c.account_id == account_id, told.c.notice_id.in_(notice_ids))
            .values(message_id=message_id)
        )

    # Sending

    def claim(self, now: datetime, leased_until: datetime, limit: int, each: int) -> list[Letter]:
        """Lease messages that are due: at most ``each`` for one receiver, one where it fails."""
        ranked = _ranked(now).subquery()
        ids = (
            select(ranked.c.id)
            .where(ranked.c.place <= each, or_(ranked.c.place == 1, ranked.c.failures == 0))
            .order_by(ranked.c.next_at, ranked.c.id)
            .limit(limit)
        )
        locked = (
            select(_message.c.id)
            .where(_message.c.id.in_(ids), _is_due(now))
            .with_for_update(skip_locked=True)
        )
        claimed = list(self._connection.scalars(locked))
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
        return [from_row(Subscription, row) for row in self._connection.execute(query)]

    def settle(self, letter: Letter) -> None:
        """Write down how a message, and its endpoint, stand after a try."""
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
        """Give up what has waited that long at an endpoint that fails."""
        given_up = self._connection.execute(
            update(_message)
            .where(
                _message.c.subscription_id == subscription_id,
                text("message.state = 'waiting'"),
                _message.c.created_at < older_than,
            )
            .values(state=State.DEAD, error=error, leased_until=None)
        )
        return given_up.rowcount

    # What people do about messages and endpoints

    def message(self, id: UUID) -> Message:
        """A message, locked."""
        row = self._connection.execute(
            select(_message).where(_message.c.id == id).with_for_update()
        ).first()
        if row is None:
            raise NotFound("no such message")
        found: Message = from_row(Message, row)
        return found

    def requeue(self, message: Message) -> None:
        """Write down that a message is to be sent again."""
        self.settle(Letter(message=message, subscription=None, email=None))

    def add_subscription(self, subscription: Subscription) -> None:
        """A new endpoint."""
        self._connection.execute(insert(t.subscription), [to_row(subscription)])

    def subscription(self, id: UUID, reach: Reach) -> Subscription:
        """An endpoint within reach that still listens, locked."""
        row = self._connection.execute(
            listening(reach).where(t.subscription.c.id == id).with_for_update()
        ).first()
        if row is None:
            raise NotFound("no such webhook")
        found: Subscription = from_row(Subscription, row)
        return found

    def end_subscription(self, subscription: Subscription) -> None:
        """Write down that an endpoint no longer listens; what waits for it is dropped."""
        self._connection.execute(
            update(t.subscription)
            .where(t.subscription.c.id == subscription.id)
            .values(ended_at=subscription.ended_at, version=subscription.version)
        )
        self._connection.execute(
            delete(_message).where(
                _message.c.subscription_id == subscription.id, text("message.state = 'waiting'")
            )
        )


class SqlNotices:
    """Where notices are worked on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def book(self) -> Iterator[NoticeBook]:
        """A transaction, committed at its end."""
        with self._engine.begin() as connection:
            yield SqlNoticeBook(connection)


def listening(reach: Reach) -> Select[Any]:
    """Endpoints that the asker may see: an agency its own, an admin all."""
    endpoint = t.subscription
    query = select(endpoint).where(endpoint.c.ended_at.is_(None))
    if reach.relation is Relation.OWN_AGENCY:
        query = query.where(endpoint.c.provider_id == reach.actor.provider_id)
    return query


def _judges() -> tuple[ColumnElement[bool], ...]:
    return (
        _verdict.c.run_id == _notice.c.run_id,
        _verdict.c.district_code == _notice.c.district_code,
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        text("message.state = 'waiting'"),
        _message.c.next_at <= now,
        or_(_message.c.leased_until.is_(None), _message.c.leased_until <= now),
    )


def _ranked(now: datetime) -> Any:
    """Due messages, each with its place in its receiver's queue and how often that one failed."""
    endpoint = t.subscription
    failures = func.coalesce(endpoint.c.failures, 0)
    receiver = func.coalesce(_message.c.subscription_id, _message.c.account_id)
    place = func.row_number().over(
        partition_by=receiver, order_by=[_message.c.next_at, _message.c.id]
    )
    return (
        select(_message.c.id, _message.c.next_at, failures.label("failures"), place.label("place"))
        .outerjoin(endpoint, endpoint.c.id == _message.c.subscription_id)
        .where(
            _is_due(now),
            or_(endpoint.c.retry_at.is_(None), endpoint.c.retry_at <= now),
        )
    )


def _people(accounts: Sequence[Any], deputies: dict[UUID, UUID]) -> People:
    workers: set[UUID] = set()
    by_place: dict[str, dict[Any, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for account in accounts:
        if account.role == Role.WORKER:
            workers.add(account.id)
        elif account.role == Role.PROVIDER:
            by_place[account.role][account.provider_id].append(account.id)
        else:
            by_place[account.role][account.district_code].append(account.id)
            if account.is_head:
                by_place["head"][account.district_code].append(account.id)
    return People(
        workers=frozenset(workers),
        deputies=deputies,
        supervisors=by_place[Role.SUPERVISOR],
        heads=by_place["head"],
        assessors=by_place[Role.ASSESSOR],
        agencies=by_place[Role.PROVIDER],
    )
