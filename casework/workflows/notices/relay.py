"""The relay: addressing notices, composing digests, sending due messages.

Each step is a transaction of its own, and idempotent. What sends is the ``Transport`` it is given:
``adapters/notifications/channels.py``, by webhook, mail or console.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from casework.domain.clocks.calendar import day_in_seoul, morning_of
from casework.domain.clocks.standards import CITY_AREA
from casework.domain.errors import Conflict, NotFound
from casework.domain.notices.notices import (
    RUNS_REMEMBERED,
    Notice,
    addressees,
    digest_of,
    is_flood,
    notice_of_still_overdue,
    summary_of,
    told_again_since,
)
from casework.domain.notices.outbox import (
    DIGEST,
    GIVEN_UP_AFTER,
    LEASE,
    Letter,
    Message,
    MessageState,
    wait_after,
)
from casework.domain.notices.telling_again import heard_until
from casework.workflows.context import Context
from casework.workflows.notices import pausing
from casework.workflows.ports.notices import (
    Delivery,
    Notices,
    NoticeStore,
    Sending,
    Transport,
)
from casework.workflows.ports.paging import Paging
from casework.workflows.ports.results import ReleasedNotices

log = logging.getLogger("casework.notices")
BATCH = 500
# Late clocks of which one transaction looks whether they are told of again.
LOOKED_AT = 2000
EACH = 20
SAID_IN_A_DIGEST = 200
A_RUN_TAKES_AT_MOST = timedelta(minutes=10)
RELEASE, OUTBOX = "notice.release", "outbox.manage"


@dataclass(slots=True)
class Relayed:
    """The result of one round of the relay."""

    addressed: int = 0
    digests: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    is_paused: bool = False

    def note_failure(self, error: str, *, is_dead: bool) -> None:
        """Count a failed attempt."""
        self.failed += 1
        self.dead += is_dead
        self.errors[error] = self.errors.get(error, 0) + 1

    @property
    def did_something(self) -> bool:
        """Whether there was anything to do."""
        return any(asdict(self).values())


def apply_flood_limit(ctx: Context, notices: Notices, run_id: UUID | None = None) -> int:
    """Hold back notices that would flood a district; returns how many.

    For one run at its end, or for every run that ended or was interrupted without being judged.
    """
    held = 0
    with notices.store() as store:
        unjudged = store.unjudged(run_id, ctx.now - A_RUN_TAKES_AT_MOST)
        for run, counts in unjudged.items():
            for district, count in sorted(counts.items()):
                is_held = is_flood(count, store.counts_before(district, RUNS_REMEMBERED))
                store.judge(run, district, count, is_held, ctx.now)
                held += count if is_held else 0
    return held


def release_notices(ctx: Context, district_code: str) -> ReleasedNotices:
    """Release a district's held notices."""
    with ctx.work(RELEASE) as work:
        is_within_scope = work.scope.bounds.hold_district(district_code)
        is_known = district_code == CITY_AREA or work.directory.has_district(district_code)
        if not (is_within_scope and is_known):
            raise NotFound("no such district")
        released = work.notices.release(district_code, ctx.actor.id, ctx.now)
        made = ReleasedNotices(district_code=district_code, released=released)
        work.commit(made)
        return made


def replay(ctx: Context, message_id: UUID) -> UUID:
    """Send a dead letter again, under the id it has."""
    with ctx.work(OUTBOX) as work:
        message = work.notices.message(message_id)
        if message.state != MessageState.DEAD:
            raise Conflict("only a dead letter is replayed", code="not_dead", state=message.state)
        message.replay(ctx.now)
        work.notices.requeue(message)
        work.commit(message.id)
        return message.id


def relay(
    ctx: Context,
    notices: Notices,
    transport: Transport,
    *,
    clock: Callable[[], datetime],
    jitter: Callable[[], float],
    create_links: Callable[[NoticeStore], None] = lambda _book: None,
) -> Relayed:
    """Apply the flood limit, tell again, address notices, compose digests, send what is due.

    Nothing of it while the relay is paused.

    Sending takes its time, so each batch is leased from the instant that ``clock`` shows.
    ``create_links`` creates the links of messages to agencies that answer by link, before sending.
    """
    if not pausing.may_send(notices, ctx.now):
        return Relayed(is_paused=True)
    done = Relayed()
    apply_flood_limit(ctx, notices)
    _tell_again(ctx, notices)
    while count := _address(ctx, notices, create_links):
        done.addressed += count
    done.digests = _gather(ctx, notices, create_links)
    # Whoever failed is left to the next round: to a mail server that says nothing, each message
    # would take its ten seconds, and meanwhile nobody else is told of anything new.
    failed: set[UUID] = set()
    with transport.sending() as sending:
        while True:
            sending.start(_claim(notices, clock(), sending, failed), clock())
            deliveries = sending.finished()
            if not deliveries:
                return done
            failed |= _receivers_that_failed(deliveries)
            _settle_each(notices, deliveries, clock, done, jitter)


def _tell_again(ctx: Context, notices: Notices) -> None:
    """Write this morning's notices of what stays overdue, district by district.

    Each batch goes on after the one before. What is not told is not looked at again before it may
    be: where nothing is new, a round reads no clock.
    """
    with notices.store() as store:
        swept, districts = store.swept_as_of(), store.districts()
    for district in districts:
        calendar = ctx.clockwork.calendar_of(district)
        morning = digest_of(ctx.now, calendar, swept)
        if morning is None:
            continue
        for known in (True, False):
            after = _tell_some_again(ctx, notices, district, morning, known=known)
            while after is not None:
                after = _tell_some_again(ctx, notices, district, morning, known=known, after=after)


def _tell_some_again(
    ctx: Context,
    notices: Notices,
    district: str,
    morning: datetime,
    *,
    known: bool,
    after: tuple[Any, ...] | None = None,
) -> tuple[Any, ...] | None:
    """Tell again of those of a batch that it is time for; returns what the next comes after."""
    calendar = ctx.clockwork.calendar_of(district)
    since = told_again_since(morning, calendar)
    with notices.store() as store:
        found = store.still_overdue(
            district, since, Paging(limit=LOOKED_AT, after=after), known=known
        )
        heard = [(late, heard_until(late, since, ctx.now, calendar)) for late in found.rows]
        told = [late.clock for late, until in heard if until is None]
        store.add_once([notice_of_still_overdue(clock, morning) for clock in told])
        noted = [(late, until or morning) for late, until in heard]
        store.note_heard({late.clock.id: until for late, until in noted if until != late.noted})
        return found.last_key


def _address(ctx: Context, notices: Notices, create_links: Callable[[NoticeStore], None]) -> int:
    """Find the recipients of pending notices; write a message at once for urgent ones."""
    with notices.store() as store:
        waiting = store.waiting(BATCH)
        if not waiting:
            return 0
        numbers = store.case_numbers(waiting)
        people, endpoints = store.people(waiting, ctx.act.today), store.subscriptions()
        told: list[tuple[UUID, UUID, UUID | None]] = []
        for notice in waiting:
            for account_id in addressees(notice, people):
                message_id = None
                if notice.at_once:
                    said = summary_of([notice], numbers)[0]
                    message_id = _write(ctx, store, notice, said, account_id)
                told.append((notice.id, account_id, message_id))
            for endpoint in endpoints:
                if endpoint.wants_notice(notice):
                    said = summary_of([notice], numbers)[0]
                    _write(ctx, store, notice, said, None, endpoint.id)
        store.address(waiting, told, ctx.now)
        create_links(store)
        return len(waiting)


def _write(
    ctx: Context,
    store: NoticeStore,
    notice: Notice,
    said: dict[str, Any],
    account_id: UUID | None,
    subscription_id: UUID | None = None,
) -> UUID:
    """Write a message for a single notice."""
    message = Message(
        id=ctx.new_id(),
        kind=notice.kind,
        account_id=account_id,
        subscription_id=subscription_id,
        district_code=notice.district_code,
        payload=said,
        created_at=ctx.now,
        next_at=ctx.now,
    )
    store.add_message(message)
    return message.id


def _gather(ctx: Context, notices: Notices, create_links: Callable[[NoticeStore], None]) -> int:
    """Write the digests that are due this morning."""
    with notices.store() as store:
        swept = store.swept_as_of()
        waiting = store.awaiting_digest(ctx.act.today, morning_of(ctx.act.today))
    made = 0
    for account_id, district in waiting:
        morning = digest_of(ctx.now, ctx.clockwork.calendar_of(district), swept)
        if morning is not None:
            with notices.store() as store:
                made += _write_digest(ctx, store, account_id, district, morning)
                create_links(store)
    return made


def _write_digest(
    ctx: Context, store: NoticeStore, account_id: UUID, district: str | None, morning: datetime
) -> bool:
    """Write an account's digest; False where another relay wrote the day's."""
    gathered, day = store.to_gather(account_id, morning), day_in_seoul(morning)
    named = gathered[:SAID_IN_A_DIGEST]
    said = summary_of(named, store.case_numbers(named))
    message = Message(
        id=ctx.new_id(),
        kind=DIGEST,
        account_id=account_id,
        subscription_id=None,
        district_code=district,
        digest_on=day,
        payload={"on": day, "count": len(gathered), "items": said},
        created_at=ctx.now,
        next_at=ctx.now,
    )
    if not gathered or not store.add_message(message):
        return False
    store.gathered(account_id, message.id, [notice.id for notice in gathered])
    return True


def _receivers_that_failed(deliveries: Sequence[Delivery]) -> set[UUID]:
    """The people and endpoints that something could not be sent to."""
    messages = [one.letter.message for one in deliveries if one.error is not None]
    receivers = {message.subscription_id or message.account_id for message in messages}
    return {one for one in receivers if one is not None}


def _claim(
    notices: Notices, now: datetime, sending: Sending, failed: AbstractSet[UUID]
) -> list[Letter]:
    """Lease what is due for those who can be sent something now: people and endpoints apart."""
    found: list[Letter] = []
    with notices.store() as store:
        for endpoints in (False, True) if pausing.is_as_noted(store) else ():
            free = sending.free(endpoints=endpoints)
            if free:
                found += store.claim(
                    now,
                    now + LEASE,
                    endpoints=endpoints,
                    limit=free,
                    each=EACH,
                    but=sending.busy | failed,
                )
    return found


def send_one(
    notices: Notices,
    transport: Transport,
    message_id: UUID,
    *,
    clock: Callable[[], datetime],
    jitter: Callable[[], float],
) -> Relayed:
    """Send one message now, if it is due and not leased; else the relay sends it later."""
    if not pausing.may_send(notices, clock()):
        return Relayed(is_paused=True)
    done = Relayed()
    with notices.store() as store:
        letters = store.links.claim(message_id, clock(), clock() + LEASE)
    with transport.sending() as sending:
        sending.start(letters, clock())
        while deliveries := sending.finished():
            _settle_each(notices, deliveries, clock, done, jitter)
    return done


def _settle_each(
    notices: Notices,
    deliveries: Sequence[Delivery],
    clock: Callable[[], datetime],
    done: Relayed,
    jitter: Callable[[], float],
) -> None:
    """Each in a transaction of its own: what is wrong with one keeps no other from being settled.

    One that cannot be settled stays leased, and is sent again when its lease is over.
    """
    for delivery in deliveries:
        try:
            with notices.store() as store:
                _settle(store, delivery, clock(), done, jitter())
        except Exception:
            log.exception("the message %s was not settled", delivery.letter.message.id)
            done.note_failure("not_settled", is_dead=False)


def _settle(
    store: NoticeStore, delivery: Delivery, now: datetime, done: Relayed, jitter: float
) -> None:
    """Record the outcome of an attempt; a failing endpoint backs off longer each time."""
    letter, error = delivery.letter, delivery.error
    message, endpoint = letter.message, letter.subscription
    if not delivery.is_tried:
        message.put_back()
        store.settle(replace(letter, subscription=None))
        return
    if error is None:
        message.arrived(now)
        done.sent += 1
        if endpoint is not None:
            endpoint.answered(now, timedelta(seconds=delivery.took_s))
    else:
        wait = wait_after(message.tries if endpoint is None else endpoint.failures + 1, jitter)
        message.failed(error, now, wait)
        done.note_failure(error, is_dead=message.state == MessageState.DEAD)
        if endpoint is not None:
            endpoint.failed(now, wait)
    store.settle(letter)
    if endpoint is not None and error is not None:
        done.dead += store.give_up(endpoint.id, now - GIVEN_UP_AFTER, error)
