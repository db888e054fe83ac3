"""The overdue sweep: what it raises, passes over and changes, and which locks it waits for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text, update

from casework import bootstrap
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.supervision import sweeping
from casework.adapters.persistence.supervision.raising import IS_ANY_DUE, raise_steps
from casework.domain.access.policy import EVERYTHING, SYSTEM_ROLE
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.calendar import end_of, midnight, morning_of
from casework.domain.clocks.deadlines import BREACH, REMINDER, Deadline
from casework.domain.events import Event
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.ports.supervision import RaisedCounts
from casework.workflows.supervision import overdue
from casework.workflows.supervision.batches import Batches
from casework.workflows.supervision.overdue import SweepResult
from casework.workflows.supervision.reviews import review_deadline
from tests.adapters.looking import (
    changes,
    count,
    passed_over,
    planned,
    raised,
    steps,
    stored,
    the_clock,
    told,
)
from tests.api.acts import a_case, a_referral, a_supported_case, clock, make_room, moved
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api, seoul

SECOND = timedelta(seconds=1)
# A survey of an application on 2 March is due on the 9th: reminder on the 6th, first tier on the
# 10th, second on the 12th, each at 09:00.
REMINDED, TOLD, TOLD_AGAIN = "2026-03-06T09:00", "2026-03-10T09:00", "2026-03-12T09:00"


def sweep(api: Api, at: str | datetime | None = None, **how: Any) -> SweepResult:
    """The sweep at a moment, to which the clock goes; now if None."""
    if at is not None:
        api.clock.now = seoul(at) if isinstance(at, str) else at
    result = api.application.sweep(api.application.context(), **how)
    assert result is not None
    return result


def a_survey(api: Api) -> UUID:
    """The ``survey`` clock of a new case."""
    return clock(api, "survey", a_case(api))


# Steps


def test_each_step_is_raised_once_at_its_instant_and_not_before(api: Api) -> None:
    survey = a_survey(api)
    for at, tiers in (
        (seoul(REMINDED) - SECOND, []),
        (seoul(REMINDED), [REMINDER]),
        (end_of(date(2026, 3, 9)), [REMINDER]),
        (end_of(date(2026, 3, 9)) + SECOND, [REMINDER, BREACH]),
        (seoul(TOLD) - SECOND, [REMINDER, BREACH]),
        (seoul(TOLD), [REMINDER, BREACH, 1]),
        (seoul(TOLD_AGAIN), [REMINDER, BREACH, 1, 2]),
        (seoul("2026-06-01T09:00"), [REMINDER, BREACH, 1, 2]),
    ):
        before = len(told(api, survey))
        first, again = sweep(api, at), sweep(api)
        assert told(api, survey) == tiers
        assert first.found == first.changed == len(tiers) - before
        assert (again.found, again.changed, again.failed) == (0, 0, 0)
    assert passed_over(api, survey) == []
    assert all(one.raised_at == one.at for one in steps(api, survey)[:-1])


def test_the_highest_due_step_is_raised_and_the_lower_ones_are_passed_over_for_good(
    api: Api,
) -> None:
    survey = a_survey(api)
    result = sweep(api, TOLD_AGAIN)
    assert (result.found, result.changed) == (1, 1), "the unit is a deadline"
    assert (raised(api, survey), passed_over(api, survey)) == ([2], [REMINDER, BREACH, 1])
    assert {one.raised_at for one in steps(api, survey)} == {seoul(TOLD_AGAIN)}
    assert {one.run_id for one in steps(api, survey)} == {result.run_id}
    assert not any(one.quiet for one in steps(api, survey))
    assert told(api, survey) == [2]
    sweep(api, "2026-03-20T09:00")
    assert told(api, survey) == [2]


def test_an_escalation_is_an_event_of_the_system_that_says_whom_to_tell(api: Api) -> None:
    survey = a_survey(api)
    sweep(api, TOLD)
    (step,) = [one for one in steps(api, survey) if one.tier == 1]
    notice = stored(api, Event, step.id)
    assert (notice.name, notice.subject_type, notice.subject_id) == (
        "EscalationRaised", "deadline", survey,
    )  # fmt: skip
    assert (notice.by_id, notice.by_role, notice.at) == (None, SYSTEM_ROLE, seoul(TOLD))
    assert notice.data == {"tier": 1, "tell": ["worker"]} == {"tier": step.tier, "tell": step.tell}
    assert (notice.case_id, notice.resident_id) == (
        the_clock(api, survey).case_id, the_clock(api, survey).resident_id,
    )  # fmt: skip


def test_the_breach_is_the_due_date_that_was_passed_and_a_reminder_is_none(api: Api) -> None:
    survey = a_survey(api)
    sweep(api, REMINDED)
    assert the_clock(api, survey).breached_at is None
    sweep(api, TOLD_AGAIN)
    assert the_clock(api, survey).breached_at == end_of(date(2026, 3, 9))


def test_a_clock_that_was_met_in_time_is_never_heard_of(api: Api) -> None:
    referral = a_referral(api)
    response = clock(api, "response", referral)
    moved(api, referral, "accept", PROVIDER)
    sweep(api, "2026-03-10T09:00")
    assert told(api, response) == []
    assert the_clock(api, response).breached_at is None


def test_a_missed_tick_costs_delay_and_never_an_omission(api: Api) -> None:
    """Three days without a sweep: then all of it, each clock by its highest step."""
    api.clock.set("2026-03-03T10:00")
    clocks = [a_survey(api)]
    for day in range(4, 9):
        api.clock.set(f"2026-03-0{day}T10:00")
        clocks.append(a_survey(api))
    sweep(api, "2026-03-11T09:05")
    last_tick = api.clock.now
    due = {
        id: max(one.tier for one in steps(api, id) if last_tick < one.at <= morning)
        for morning in [morning_of(date(2026, 3, 14))]
        for id in clocks
        if any(last_tick < one.at <= morning for one in steps(api, id))
    }
    before = {id: told(api, id) for id in clocks}
    assert len(due) >= 4
    result = sweep(api, "2026-03-14T09:05")
    assert result.changed == len(due)
    for id in clocks:
        assert told(api, id) == before[id] + ([due[id]] if id in due else [])
    assert count(api, t.escalation, t.escalation.c.raised_at.is_(None),
                 t.escalation.c.at <= api.clock.now) == 0  # fmt: skip


def test_ticks_now_and_then_end_where_one_tick_at_the_end_would(api: Api) -> None:
    often, seldom = a_survey(api), a_survey(api)
    with api.engine.begin() as connection:  # hidden until the end
        hidden = update(t.escalation).where(t.escalation.c.deadline_id == seldom)
        connection.execute(hidden.values(raised_at=api.clock.now))
    for day in range(3, 16):
        sweep(api, f"2026-03-{day:02}T09:00")
    with api.engine.begin() as connection:
        connection.execute(hidden.values(raised_at=None))
    sweep(api)
    assert (told(api, often), passed_over(api, often)) == ([REMINDER, 1, 2], [BREACH])
    assert told(api, seldom) == [2]
    assert the_clock(api, often).breached_at == the_clock(api, seldom).breached_at
    assert planned(api, often) == planned(api, seldom) == []


# As of another instant, dry, and by slots


def test_a_sweep_as_of_another_instant_raises_what_is_due_then_and_says_so(api: Api) -> None:
    survey = a_survey(api)
    now = api.clock.now
    result = sweep(api, as_of=seoul(TOLD))
    assert (result.as_of, result.changed) == (seoul(TOLD), 1)
    assert {one.raised_at for one in steps(api, survey) if one.raised_at} == {seoul(TOLD)}
    with api.engine.connect() as connection:
        (run,) = connection.execute(select(t.job_run)).all()
    assert (run.id, run.as_of, run.started_at, run.ended_at) == (
        result.run_id, seoul(TOLD), now, now,
    )  # fmt: skip
    assert (run.found, run.changed, run.failed, run.held, run.error) == (1, 1, 0, 0, None)
    sweep(api, REMINDED)
    assert told(api, survey) == [1], "what was raised before its time is not raised again"


def test_a_dry_run_counts_and_writes_its_record_alone(api: Api) -> None:
    survey, silent, held = a_survey(api), a_referral(api), a_referral(api)
    moved(api, held, "accept", PROVIDER)
    moved(api, held, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    with changes(api.application.engine) as sent:
        dry = sweep(api, "2026-03-17T09:00", dry_run=True)
    assert [statement.split()[2] for statement in sent] == ["job_run", "SET"]
    assert (dry.dry_run, dry.changed, dry.failed) == (True, 0, 0)
    assert (told(api, survey), stored(api, Referral, silent).status) == ([], "requested")
    wet = sweep(api)
    assert (wet.found, wet.changed, wet.failed) == (dry.found, dry.found, 0)
    assert stored(api, Referral, silent).status == "lapsed"
    assert stored(api, Referral, held).status == "accepted"
    assert sweep(api, dry_run=True).found == 0


def test_of_several_ticks_for_one_slot_one_runs(api: Api) -> None:
    survey = a_survey(api)
    slot = api.clock.set(TOLD)
    ctx = api.application.context()
    assert api.application.sweep(ctx, slot=slot) is not None
    for _ in range(3):
        assert api.application.sweep(ctx, slot=slot) is None
    assert count(api, t.job_run) == 1
    assert api.application.sweep(ctx, slot=slot + timedelta(minutes=5)) is not None
    assert told(api, survey) == [1]


def test_runs_by_hand_and_dry_runs_take_no_slot(api: Api) -> None:
    slot = api.clock.set(TOLD)
    for how in ({}, {"dry_run": True}, {"as_of": slot}) * 2:
        sweep(api, **how)
    assert api.application.sweep(api.application.context(), slot=slot) is not None
    assert count(api, t.job_run) == 7


def test_a_sweep_that_breaks_leaves_a_record_that_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = a_survey(api)

    def broken(*_args: Any) -> Any:
        raise RuntimeError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(sweeping.SqlSweepStore, "raise_due", broken)
        with pytest.raises(RuntimeError):
            sweep(api, TOLD)
    with api.engine.connect() as connection:
        (run,) = connection.execute(select(t.job_run)).all()
    assert (run.ended_at, run.error, run.changed) == (None, "RuntimeError", None)
    sweep(api)
    assert told(api, survey) == [1], "the next tick finds what this one left"


# Lapses and holds


def test_a_lapse_is_dated_as_of_the_sweep_and_starts_the_disposition_clock(api: Api) -> None:
    referral = a_referral(api)
    response = clock(api, "response", referral)
    lapse_at = stored(api, Referral, referral).lapse_at
    assert lapse_at == end_of(date(2026, 3, 16)) + SECOND
    sweep(api, lapse_at - SECOND)
    assert stored(api, Referral, referral).status == "requested"
    api.clock.set("2026-03-25T10:00")
    as_of = seoul("2026-03-18T09:00")
    result = sweep(api, as_of=as_of)
    assert result.failed == 0
    found = stored(api, Referral, referral)
    assert (found.status, found.ended_at, found.lapse_at) == ("lapsed", as_of, None)
    assert the_clock(api, response).cancelled_at == as_of
    assert the_clock(api, response).breached_at == end_of(date(2026, 3, 5))
    disposition = the_clock(api, clock(api, "disposition", referral))
    assert disposition.started_at == as_of
    assert disposition.due_at == end_of(date(2026, 3, 23))
    with api.engine.connect() as connection:
        (lapse,) = connection.execute(
            select(t.event).where(t.event.c.name == "ReferralLapsed")
        ).all()
    assert (lapse.subject_id, lapse.at, lapse.by_role) == (referral, as_of, SYSTEM_ROLE)


def test_the_steps_of_what_lapses_are_raised_before_it_lapses(api: Api) -> None:
    referral = a_referral(api)
    response = clock(api, "response", referral)
    sweep(api, "2026-03-18T09:00")
    assert told(api, response) == [2], "the supervisor is told, and then it is given up"
    assert stored(api, Referral, referral).status == "lapsed"


def test_a_hold_that_ran_out_resumes_by_itself_dated_the_day_after(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    start = the_clock(api, clock(api, "start", referral))
    sweep(api, midnight(date(2026, 3, 11)) - SECOND)
    assert stored(api, Referral, referral).status == "on_hold"
    assert sweep(api, "2026-03-13T11:00").failed == 0
    found = stored(api, Referral, referral)
    assert (found.status, found.hold_until, found.resume_at) == ("accepted", None, None)
    assert the_clock(api, start.id) == start, "it moves only the state"
    with api.engine.connect() as connection:
        (back,) = connection.execute(
            select(t.event).where(t.event.c.name == "ReferralResumed")
        ).all()
    assert (back.data["resumed_on"], back.data["by_itself"]) == ("2026-03-11", True)
    assert back.at == api.clock.now


def test_a_referral_that_fails_is_counted_and_stops_nobody(api: Api) -> None:
    broken, held, lapsing, survey = (
        a_referral(api), a_referral(api), a_referral(api), a_survey(api),
    )  # fmt: skip
    moved(api, held, "accept", PROVIDER)
    moved(api, held, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    with api.engine.begin() as connection:  # nothing of it leads to a lapse any more
        connection.execute(
            update(t.referral).where(t.referral.c.id == broken).values(status="completed")
        )
    noted: list[tuple[UUID, str]] = []
    api.clock.set("2026-03-18T09:00")
    result = overdue.sweep_overdue(
        api.application.context(),
        sweeping.SqlSweepStore(api.application.engine),
        note_failure=lambda id, error: noted.append((id, type(error).__name__)),
    )
    assert result is not None
    assert (result.failed, result.changed) == (1, result.found - 1)
    assert noted == [(broken, "NotAllowedInState")]
    assert stored(api, Referral, lapsing).status == "lapsed"
    assert stored(api, Referral, held).status == "accepted"
    assert told(api, survey) == [2]
    again = sweep(api)
    assert (again.found, again.changed, again.failed) == (1, 0, 1), "it is found until mended"


# Pauses and reviews


def test_nobody_is_told_of_a_paused_clock_until_the_pause_is_over(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    start = clock(api, "start", referral)  # due on 16 March
    api.clock.set("2026-03-13T10:00")
    moved(api, referral, "hold", PROVIDER, reason="hospitalised", until=date(2026, 3, 31))
    for at in ("2026-03-17T09:00", "2026-03-19T09:00", "2026-03-31T23:59"):
        sweep(api, at)
        assert told(api, start) == []
    assert the_clock(api, start).due_at == end_of(date(2026, 4, 2))
    sweep(api, "2026-04-01T09:00")
    assert told(api, start) == [REMINDER], "the day before the new due day"
    assert the_clock(api, start).breached_at is None
    sweep(api, "2026-04-03T09:00")
    assert told(api, start) == [REMINDER, 1]
    assert the_clock(api, start).breached_at == end_of(date(2026, 4, 2))


def test_a_clock_that_was_overdue_before_its_pause_goes_on_after_it(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    start = clock(api, "start", referral)
    sweep(api, "2026-03-17T09:00")
    moved(api, referral, "hold", PROVIDER, reason="away", until=date(2026, 3, 25))
    sweep(api, "2026-03-24T09:00")
    assert told(api, start) == [1]
    sweep(api, "2026-03-26T09:00")
    assert told(api, start) == [1, 2], "the second tier waited for the morning after the pause"


def review(api: Api, id: UUID, action: str, **facts: Any) -> None:
    verdict = ReviewDecision(action=action, cause="provider_slow", **facts)
    review_deadline(api.context(SUPERVISOR), id, verdict)


def test_a_chase_puts_further_tiers_off_until_its_day(api: Api) -> None:
    response = clock(api, "response", a_referral(api))
    sweep(api, "2026-03-06T09:00")
    review(api, response, "chase", until=date(2026, 3, 12))
    sweep(api, "2026-03-12T08:59")
    assert told(api, response) == [1]
    sweep(api, "2026-03-12T09:00")
    assert told(api, response) == [1, 2]


def test_an_excused_clock_raises_no_more_and_stays_overdue(api: Api) -> None:
    response = clock(api, "response", a_referral(api))
    sweep(api, "2026-03-06T09:00")
    review(api, response, "excuse")
    sweep(api, "2026-03-13T09:00")
    assert told(api, response) == [1]
    assert the_clock(api, response).is_overdue(api.clock.now)


def test_an_extended_clock_is_told_anew_for_its_new_due_date(api: Api) -> None:
    response = clock(api, "response", a_referral(api))
    sweep(api, "2026-03-06T09:00")
    review(api, response, "extend", until=date(2026, 3, 9))
    sweep(api, "2026-03-10T09:00")
    assert told(api, response) == [1, 1]
    assert {(one.tier, one.due_at) for one in steps(api, response) if one.raised_at} == {
        (REMINDER, end_of(date(2026, 3, 5))),  # the next would have fallen before the extension
        *((tier, end_of(date(2026, 3, day))) for tier in (BREACH, 1) for day in (5, 9)),
    }


# Batches


def many(api: Api, number: int, *, apart: timedelta = timedelta(minutes=1)) -> list[UUID]:
    """That many ``survey`` clocks, begun after one another."""
    found = []
    for _ in range(number):
        found.append(a_survey(api))
        api.clock.now += apart
    return found


@pytest.mark.parametrize("batch", [1, 3])
def test_batches_smaller_than_what_is_due_leave_nothing_out(
    api: Api, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(overdue, "BATCHES", Batches(first=batch, least=batch, most=batch))
    clocks = many(api, 11)
    result = sweep(api, TOLD_AGAIN)
    assert (result.found, result.changed) == (11, 11)
    for id in clocks:
        assert (told(api, id), passed_over(api, id)) == ([2], [REMINDER, BREACH, 1])
    assert sweep(api).found == 0


def test_a_batch_whose_steps_are_all_lower_ones_does_not_end_the_sweep(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reminders and breaches of all come first; the highest step of each lies far behind."""
    monkeypatch.setattr(overdue, "BATCHES", Batches(first=1, least=1, most=1))
    clocks = many(api, 9)
    done: list[tuple[int, int]] = []
    raise_due = sweeping.SqlSweepStore.raise_due

    def watched(self: Any, *args: Any) -> Any:
        result = raise_due(self, *args)
        done.append((result.steps, result.clocks))
        return result

    monkeypatch.setattr(sweeping.SqlSweepStore, "raise_due", watched)
    result = sweep(api, TOLD_AGAIN)
    if api.engine.dialect.name == "sqlite":
        assert any(steps and not clocks for steps, clocks in done)
    assert len(done) > 3
    assert sum(clocks for _, clocks in done) == result.changed == 9
    assert sum(steps for steps, _ in done) == 36
    assert all(told(api, id) == [2] for id in clocks)


class Stopwatch:
    """Seconds that pass while a batch is raised: the next of a list, and then its last again."""

    def __init__(self, *takes: float) -> None:
        self._takes, self._now, self._is_running = list(takes), 0.0, False

    def __call__(self) -> float:
        if self._is_running:
            self._now += self._takes.pop(0) if len(self._takes) > 1 else self._takes[0]
        self._is_running = not self._is_running
        return self._now


def sizes_of_a_sweep(
    api: Api, monkeypatch: pytest.MonkeyPatch, batches: Batches, *takes: float
) -> tuple[SweepResult, list[int]]:
    """A sweep whose batches take so many seconds, and how large each of them may have been."""
    monkeypatch.setattr(overdue, "BATCHES", batches)
    asked: list[int] = []

    class Watched(sweeping.SqlSweepStore):
        def raise_due(self, run_id: UUID, as_of: datetime, limit: int) -> RaisedCounts:
            asked.append(limit)
            return super().raise_due(run_id, as_of, limit)

    monkeypatch.setattr(
        bootstrap, "SqlSweepStore", lambda engine: Watched(engine, Stopwatch(*takes))
    )
    return sweep(api, "2026-06-01T09:00"), asked


def all_told_once(api: Api, clocks: list[UUID]) -> bool:
    return all(told(api, id) == [2] for id in clocks)


@pytest.mark.both_stores
def test_after_a_slow_batch_the_next_is_smaller_and_after_quick_ones_they_grow_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = many(api, 30, apart=timedelta(days=1))
    batches = Batches(first=8, least=1, most=8, seconds=1.0)
    result, asked = sizes_of_a_sweep(api, monkeypatch, batches, 4.0, 0.1)
    assert asked[:5] == [8, 2, 3, 4, 5], "a quarter where it took four times as long"
    assert max(asked) <= 8
    assert (result.found, result.changed) == (30, 30)
    assert all_told_once(api, clocks)


@pytest.mark.both_stores
def test_a_sweep_ends_however_long_each_of_its_batches_takes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = many(api, 5, apart=timedelta(days=1))
    batches = Batches(first=2, least=1, most=4, seconds=0.001)
    result, asked = sizes_of_a_sweep(api, monkeypatch, batches, 3600.0)
    assert (asked[0], set(asked[1:])) == (2, {1})
    assert result.changed == 5
    assert all_told_once(api, clocks)
    assert sweep(api).found == 0


# A sweep and an aggregate at once

ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)


@ON_POSTGRES
def test_a_clock_that_someone_holds_is_left_to_them_and_not_lost(api: Api) -> None:
    """SQLite has one writer at a time: there the sweep waits its turn."""
    clocks = many(api, 3)
    api.clock.set(TOLD)
    held = the_clock(api, clocks[0])
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = work.files.of_deadline(held.id)
        file.deadlines[held.id].worker_id = api.id_of(WORKER)
        file.deadlines[held.id].deferred_until = date(2026, 3, 10)
        work.files.save(file, api.clock.now)
        result = sweep(api)
        assert (result.found, result.changed, result.failed) == (3, 2, 0)
        assert [told(api, id) for id in clocks] == [[], [1], [1]]
        work.commit()
    assert sweep(api).changed == 1
    assert [told(api, id) for id in clocks] == [[1], [1], [1]]


@ON_POSTGRES
def test_a_sweep_waits_a_moment_for_a_clock_that_is_soon_let_go(api: Api) -> None:
    (survey,) = many(api, 1)
    api.clock.set(TOLD)
    with api.engine.connect() as connection:
        held = select(t.deadline).where(t.deadline.c.id == survey)
        connection.execute(held.with_for_update())
        release = threading.Timer(0.3, connection.rollback)
        release.start()
        assert sweep(api).changed == 1
        release.join()
    assert told(api, survey) == [1]


@ON_POSTGRES
def test_an_act_waits_for_the_sweep_that_holds_its_clock_and_keeps_what_it_raised(
    api: Api,
) -> None:
    referral = a_referral(api)
    response = clock(api, "response", referral)
    api.clock.set("2026-03-06T09:00")
    store = sweeping.SqlSweepStore(api.application.engine)
    run = store.begin_run(
        "overdue", api.clock.now, api.clock.now, dry_run=False, slot=None, started_by=None
    )
    assert run is not None
    accepted = threading.Thread(target=moved, args=(api, referral, "accept", PROVIDER))
    with api.engine.begin() as connection:
        raise_steps(connection, run, api.clock.now, 10)
        accepted.start()
        time.sleep(0.3)
        assert accepted.is_alive(), "it waits for the clock's row"
    accepted.join()
    assert stored(api, Referral, referral).status == "accepted"
    assert (raised(api, response), told(api, response)) == ([1], [1])
    found = the_clock(api, response)
    assert (found.met_at, found.breached_at) == (api.clock.now, end_of(date(2026, 3, 5)))


@ON_POSTGRES
def test_an_act_that_plans_the_same_steps_again_and_a_sweep_do_not_block_each_other(
    api: Api,
) -> None:
    """A second chase to the same day changes no column of the clock, but its steps' rows.

    The sweep comes when the act has taken the old steps away and not yet put the new ones down.
    """
    response = clock(api, "response", a_referral(api))
    sweep(api, "2026-03-06T09:00")
    api.clock.set("2026-03-10T08:00")
    review(api, response, "chase", until=date(2026, 3, 10))
    api.clock.set("2026-03-10T09:00")
    sweeps: list[threading.Thread] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "INSERT INTO escalation" in statement and not sweeps:
            sweeps.append(threading.Thread(target=sweep, args=(api,)))
            sweeps[0].start()
            time.sleep(0.3)

    event.listen(api.application.engine, "before_cursor_execute", meanwhile)
    try:
        review(api, response, "chase", until=date(2026, 3, 10))
    finally:
        event.remove(api.application.engine, "before_cursor_execute", meanwhile)
    sweeps[0].join()
    assert told(api, response) == [1, 2], "the sweep waited, and then raised what was due"


ROUNDS = 12


@ON_POSTGRES
def test_under_many_acts_and_sweeps_at_once_no_step_is_lost_or_doubled(api: Api) -> None:
    """Half the threads sweep, half hold, resume and review; each clock's steps must add up."""
    make_room(api)
    referrals = [a_referral(api, a_supported_case(api)) for _ in range(6)]
    for referral in referrals:
        moved(api, referral, "accept", PROVIDER)
    starts = [clock(api, "start", referral) for referral in referrals]
    api.clock.set("2026-03-18T09:00")
    failures: list[BaseException] = []

    def guarded(work: Callable[[Random], None], seed: int) -> None:
        rng = Random(seed)
        for _ in range(ROUNDS):
            try:
                work(rng)
            except BaseException as error:
                failures.append(error)

    def act(rng: Random) -> None:
        id = rng.choice(starts)
        how = rng.choice(["chase", "chase", "extend"])
        days = {"chase": [date(2026, 3, 18), date(2026, 3, 19)], "extend": [date(2026, 3, 18)]}
        if the_clock(api, id).is_overdue(api.clock.now):
            try:
                review(api, id, how, until=rng.choice(days[how]))
            except Exception as error:
                if type(error).__name__ != "Conflict":  # another extended it first
                    raise

    def tick(_rng: Random) -> None:
        result = sweep(api)
        assert result.failed == 0

    threads = [
        threading.Thread(target=guarded, args=(work, seed))
        for seed, work in enumerate([act, tick, act, tick])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sweep(api)
    for id in starts:
        found = Counter((one.tier, one.due_at) for one in steps(api, id))
        assert set(found.values()) == {1}
        assert Counter(told(api, id)) == Counter(raised(api, id)), "one event for each raised step"
        assert not [one for one in steps(api, id) if not one.raised_at and one.at <= api.clock.now]
        assert the_clock(api, id).breached_at == end_of(date(2026, 3, 16))


def test_a_sweep_with_nothing_due_takes_no_lock_and_writes_its_record_alone(api: Api) -> None:
    a_survey(api)
    with changes(api.application.engine) as sent:
        assert sweep(api).found == 0
    assert len(sent) == 2
    assert all("job_run" in statement for statement in sent)


def test_the_steps_of_a_clock_are_found_by_their_index(api: Api) -> None:
    """Steps planned for later must cost a sweep nothing, however many there are."""
    many(api, 3)
    query = IS_ANY_DUE.params(as_of=api.clock.now)
    compiled = query.compile(api.engine, compile_kwargs={"literal_binds": True})
    with api.engine.connect() as connection:
        if api.engine.dialect.name == "sqlite":
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = connection.execute(text(f"EXPLAIN {compiled}")).all()
    assert "ix_escalation_planned" in str(plan)


def test_every_kind_of_clock_knows_its_steps_by_due_date(api: Api) -> None:
    """Stored steps equal those that the domain computes again."""
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    with api.engine.connect() as connection:
        ids = list(connection.scalars(select(t.deadline.c.id).where(t.deadline.c.met_at.is_(None))))
    assert len(ids) >= 3
    for id in ids:
        found: Deadline = the_clock(api, id)
        expected = api.application.clockwork().steps(found)
        assert {(one.tier, one.due_at, one.at) for one in steps(api, id)} == {
            (one.tier, one.due_at, one.at) for one in expected
        }
