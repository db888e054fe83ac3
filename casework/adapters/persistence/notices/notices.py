"""Notices, their recipients, and the outbox: each step in its own transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
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
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.notices import relay_state
from casework.adapters.persistence.notices.outbox import SqlOutbox
from casework.adapters.persistence.notices.still_overdue import note_heard, still_overdue
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.standing_in import stand_ins
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Role, Scope
from casework.domain.access.standing_in import StandIns
from casework.domain.clocks.standards import CITY_AREA
from casework.domain.notices.notices import Notice, Recipients
from casework.domain.notices.outbox import Subscription
from casework.domain.notices.pausing import RelayState
from casework.workflows.ports.links import Links
from casework.workflows.ports.notices import NoticeStore
from casework.workflows.ports.paging import Page, Paging, Row

_notice, _verdict, _message = t.notice, t.run_notices, t.message
# Spelt out, so that both databases' planners match it to the partial index.
_WAITS = text("notice.addressed_at IS NULL")


class SqlNoticeStore(SqlOutbox):
    """Notices and messages in one transaction."""

    def __init__(self, connection: Connection, links: Callable[[Connection], Links]) -> None:
        super().__init__(connection)
        self._links = links

    @property
    def links(self) -> Links:
        return self._links(self._connection)

    # The flood limit: holds back an unusual number of notices

    def unjudged(self, run_id: UUID | None, begun_before: datetime) -> dict[UUID, dict[str, int]]:
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
        query = (
            select(_verdict.c.notices)
            .where(_verdict.c.district_code == district_code)
            .order_by(_verdict.c.counted_at.desc())
            .limit(limit)
        )
        return list(self._connection.scalars(query))

    def judge(self, run_id: UUID, district_code: str, count: int, held: bool, at: datetime) -> None:
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

    def held(self, scope: Scope) -> list[Row]:
        query = (
            select(_verdict)
            .where(_verdict.c.is_held, _verdict.c.released_at.is_(None), seen(_verdict, scope))
            .order_by(_verdict.c.counted_at)
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    # Whether anything is sent

    def database_identity(self) -> str:
        return relay_state.database_identity(self._connection)

    def relay_state(self, *, lock: bool = False) -> RelayState:
        return relay_state.read_relay_state(self._connection, lock=lock)

    def save_relay_state(self, state: RelayState) -> None:
        relay_state.save_relay_state(self._connection, state)

    # What is told again

    def districts(self) -> list[str]:
        """The city comes last, as one more."""
        return [*self._connection.scalars(select(t.district.c.code)), CITY_AREA]

    def still_overdue(
        self, district: str, told_before: datetime, paging: Paging, *, known: bool
    ) -> Page:
        session_context.set_system_context(self._connection)
        return still_overdue(self._connection, district, told_before, paging, known=known)

    def note_heard(self, until: Mapping[UUID, datetime]) -> None:
        note_heard(self._connection, until)

    def add_once(self, notices: Sequence[Notice]) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        rows = [to_row(notice) for notice in notices]
        if rows:
            self._connection.execute(dialect.insert(_notice).on_conflict_do_nothing(), rows)

    # Finding whom a notice is for

    def waiting(self, limit: int) -> list[Notice]:
        query = (
            select(_notice)
            .where(may_be_addressed())
            .order_by(_notice.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=_notice)
        )
        return [from_row(Notice, row) for row in self._connection.execute(query)]

    def case_numbers(self, notices: Sequence[Notice]) -> Mapping[UUID, str]:
        ids = {notice.case_id for notice in notices if notice.case_id is not None}
        query = select(t.care_case.c.id, t.care_case.c.number).where(t.care_case.c.id.in_(ids))
        return {row.id: row.number for row in self._connection.execute(query)} if ids else {}

    def people(self, notices: Sequence[Notice], today: date) -> Recipients:
        away = stand_ins(self._connection, today)
        workers = {notice.worker_id for notice in notices if notice.worker_id}
        acting = {away.acting_for(id) for id in workers} - {None}
        account = t.account
        districts = {notice.district_code for notice in notices}
        agencies = {notice.provider_id for notice in notices if notice.provider_id}
        tells_city = any(notice.is_of_programme for notice in notices)
        query = select(*account.c["id", "role", "district_code", "provider_id", "is_head"]).where(
            account.c.is_active,
            or_(
                *([account.c.role == Role.CITY] if tells_city else []),
                account.c.id.in_(acting),
                and_(
                    account.c.district_code.in_(districts),
                    account.c.role.in_([Role.SUPERVISOR, Role.ASSESSOR]),
                ),
                account.c.provider_id.in_(agencies),
            ),
        )
        return _people(self._connection.execute(query.order_by(account.c.id)).all(), away)

    def subscriptions(self) -> list[Subscription]:
        query = select(t.subscription).where(t.subscription.c.ended_at.is_(None))
        vault = vault_of(self._connection)
        return [from_row(Subscription, row, vault) for row in self._connection.execute(query)]

    def address(
        self,
        notices: Sequence[Notice],
        told: Sequence[tuple[UUID, UUID, UUID | None]],
        at: datetime,
    ) -> None:
        names = ("notice_id", "account_id", "message_id")
        if told:
            rows = [dict(zip(names, one, strict=True)) for one in told]
            self._connection.execute(insert(t.addressee), rows)
        self._connection.execute(
            update(_notice)
            .where(_notice.c.id.in_([notice.id for notice in notices]))
            .values(addressed_at=at)
        )

    # Digests

    def swept_as_of(self) -> datetime | None:
        run = t.job_run
        query = (
            select(run.c.as_of)
            .where(run.c.job == "overdue", run.c.ended_at.is_not(None), ~run.c.dry_run)
            .order_by(run.c.started_at.desc())
            .limit(1)
        )
        return self._connection.scalar(query)

    def awaiting_digest(self, today: date, until: datetime) -> list[tuple[UUID, str | None]]:
        """A digest of a later day counts too: a clock that was set back says nothing again."""
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
        told = t.addressee
        self._connection.execute(
            update(told)
            .where(told.c.account_id == account_id, told.c.notice_id.in_(notice_ids))
            .values(message_id=message_id)
        )


class SqlNotices:
    """Where notices are worked on."""

    def __init__(self, engine: Engine, links: Callable[[Connection], Links]) -> None:
        self._engine, self._links = engine, links

    @contextmanager
    def store(self) -> Iterator[NoticeStore]:
        with self._engine.begin() as connection:
            yield SqlNoticeStore(connection, self._links)


def may_be_addressed() -> ColumnElement[bool]:
    """A notice that waits, and that the flood limit does not hold."""
    free = or_(_verdict.c.is_held.is_(False), _verdict.c.released_at.is_not(None))
    is_judged = exists().where(*_judges(), free)
    return and_(_WAITS, or_(_notice.c.run_id.is_(None), _notice.c.at_once, is_judged))


def _judges() -> tuple[ColumnElement[bool], ...]:
    return (
        _verdict.c.run_id == _notice.c.run_id,
        _verdict.c.district_code == _notice.c.district_code,
    )


def _people(accounts: Sequence[Any], stand_ins: StandIns) -> Recipients:
    workers: set[UUID] = set()
    by_place: dict[str, dict[Any, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for account in accounts:
        if account.role == Role.WORKER:
            workers.add(account.id)
        elif account.role == Role.CITY:
            by_place[account.role][CITY_AREA].append(account.id)
        elif account.role == Role.PROVIDER:
            by_place[account.role][account.provider_id].append(account.id)
        else:
            by_place[account.role][account.district_code].append(account.id)
            if account.is_head:
                by_place["head"][account.district_code].append(account.id)
    return Recipients(
        workers=frozenset(workers),
        stand_ins=stand_ins,
        supervisors=by_place[Role.SUPERVISOR],
        heads=by_place["head"],
        assessors=by_place[Role.ASSESSOR],
        agencies=by_place[Role.PROVIDER],
        city=by_place[Role.CITY][CITY_AREA],
    )
