"""Schedulers: their configuration, and that several of them run each slot once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers import base
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.scheduler import Scheduled, WakingJobs, every, make_scheduler
from casework.background_jobs import JOBS
from casework.bootstrap import utc_now
from casework.domain.clocks.schedule import slot_of
from casework.settings import Settings
from tests.api.conftest import Api

MOMENT = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)
TICKS_WITHIN_S = 20


def overdue(minutes: int, run: Callable[[], None] = lambda: None) -> list[Scheduled]:
    """The sweep alone, every so many minutes, as the table of jobs has it."""
    (job,) = (job for job in JOBS if job.name == "overdue")
    return [Scheduled(name=job.name, rhythm=every(minutes), run=run, at_start=job.at_start)]


def test_a_late_tick_still_runs_missed_ones_run_as_one_and_none_overlaps() -> None:
    scheduler = make_scheduler(overdue(5), background=True, now=lambda: MOMENT)
    (job,) = scheduler.get_jobs()
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
    assert job.next_run_time == MOMENT, "at once"


@pytest.mark.parametrize("minutes", [1, 5, 7, 59, 60])
def test_it_wakes_when_the_next_slot_begins(minutes: int) -> None:
    scheduler = make_scheduler(overdue(minutes), background=True, now=lambda: MOMENT)
    (job,) = scheduler.get_jobs()
    following = job.trigger.get_next_fire_time(None, MOMENT)
    hour = following.hour - MOMENT.astimezone(following.tzinfo).hour
    assert (hour, following.minute, following.second) == {
        1: (0, 3, 0), 5: (0, 5, 0), 7: (0, 7, 0), 59: (0, 59, 0), 60: (1, 0, 0),
    }[minutes]  # fmt: skip


def test_answers_are_measured_at_once_and_then_every_hour() -> None:
    (measure,) = (job for job in JOBS if job.name == "measure")
    assert measure.at_start
    rhythm = measure.rhythm(Settings())
    jobs = [Scheduled(name="measure", rhythm=rhythm, run=lambda: None, at_start=True)]
    scheduler = make_scheduler(jobs, background=True, now=lambda: MOMENT)
    job = scheduler.get_job("measure")
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
    assert job.next_run_time == MOMENT, "at once"
    first = job.trigger.get_next_fire_time(None, MOMENT)
    second = job.trigger.get_next_fire_time(first, first)
    assert (second - first).total_seconds() == 3600


def slots_of_two_schedulers(
    api: Api, moment: datetime, sweep: Callable[[datetime], Any]
) -> tuple[list[Any], list[Any]]:
    """Two schedulers tick at the same moment: what each got, and the slots on record.

    The moment is now: APScheduler goes through all the times that it missed since.
    """
    got: list[Any] = []
    both, done = threading.Barrier(2), threading.Semaphore(0)

    def tick(slot: datetime) -> None:
        try:
            both.wait(TICKS_WITHIN_S)
            got.append(sweep(slot))
        finally:
            done.release()

    jobs = overdue(5, lambda: tick(slot_of(moment, 5)))
    schedulers = [make_scheduler(jobs, background=True, now=lambda: moment) for _ in range(2)]
    for scheduler in schedulers:
        scheduler.start()
    assert all(done.acquire(timeout=TICKS_WITHIN_S) for _ in schedulers)
    for scheduler in schedulers:
        scheduler.shutdown()
    with api.engine.connect() as connection:
        return got, list(connection.scalars(select(t.job_run.c.slot)))


def test_two_schedulers_with_one_slot_run_one_tick(api: Api) -> None:
    moment = utc_now()
    got, slots = slots_of_two_schedulers(
        api, moment, lambda slot: api.application.sweep(api.application.context(), slot=slot)
    )
    assert slots == [slot_of(moment, 5)]
    assert [one is None for one in got].count(True) == 1


def test_the_control_without_a_slot_both_run(api: Api) -> None:
    got, slots = slots_of_two_schedulers(
        api, utc_now(), lambda _slot: api.application.sweep(api.application.context())
    )
    assert slots == [None, None]
    assert None not in got


def test_a_run_ends_when_it_has_ended(api: Api) -> None:
    began = api.clock.now
    ctx = api.application.context()
    api.clock.forward(seconds=7)  # as if it had taken so long
    assert api.application.sweep(ctx) is not None
    with api.engine.connect() as connection:
        (run,) = connection.execute(select(t.job_run.c.started_at, t.job_run.c.ended_at)).all()
    assert (run.started_at, run.ended_at) == (began, api.clock.now)


# The machine's clock


class Machine:
    """The clock by which APScheduler wakes, which can be set back."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self, zone: tzinfo) -> datetime:
        """The instant that the machine shows."""
        return datetime.now(zone) + self.by


def runs_after_two_days_back(monkeypatch: pytest.MonkeyPatch, within_s: float) -> int:
    """How often a job of each second runs after the clock went back two days."""
    machine, ran = Machine(), threading.Semaphore(0)
    monkeypatch.setattr(base, "datetime", machine)
    jobs = [Scheduled(name="each", rhythm={"second": "*"}, run=ran.release)]
    scheduler = make_scheduler(jobs, background=True, now=utc_now)
    scheduler.start()
    try:
        assert ran.acquire(timeout=TICKS_WITHIN_S)
        machine.by = timedelta(days=-2)
        time.sleep(0.2)
        while ran.acquire(blocking=False):
            pass  # what began before
        return sum(ran.acquire(timeout=within_s) for _ in range(2))
    finally:
        scheduler.shutdown()


def test_a_scheduler_goes_on_when_the_clock_is_set_back_two_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert runs_after_two_days_back(monkeypatch, TICKS_WITHIN_S) == 2


def test_a_scheduler_goes_on_when_the_clock_is_set_back_while_it_computes_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine()
    monkeypatch.setattr(base, "datetime", machine)
    monkeypatch.setattr("casework.adapters.scheduler.LOOKS_AGAIN_S", 0.1)
    ran = threading.Semaphore(0)

    def set_back_at_once() -> None:
        machine.by = timedelta(days=-2)
        ran.release()

    proper = WakingJobs.get_due_jobs

    def due(self: WakingJobs, now: datetime) -> list[Any]:
        found: list[Any] = proper(self, now)
        if found and not machine.by:
            set_back_at_once()
        return found

    monkeypatch.setattr(WakingJobs, "get_due_jobs", due)
    jobs = [Scheduled(name="each", rhythm={"second": "*"}, run=ran.release)]
    scheduler = make_scheduler(jobs, background=True, now=utc_now)
    scheduler.start()
    try:
        assert all(ran.acquire(timeout=TICKS_WITHIN_S) for _ in range(4))
    finally:
        scheduler.shutdown()


def test_the_control_apschedulers_own_store_waits_for_two_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(WakingJobs, "get_due_jobs", MemoryJobStore.get_due_jobs)
    assert runs_after_two_days_back(monkeypatch, 1.2) == 0


@pytest.mark.parametrize(("back_s", "runs"), [(0, 1), (1, 1), (299, 1), (301, 2)])
def test_a_clock_that_was_off_by_less_than_a_run_brings_none_forward(
    back_s: int, runs: int
) -> None:
    (job,) = overdue(5)
    scheduler = make_scheduler([replace(job, at_start=False)], background=True, now=lambda: MOMENT)
    scheduler.start(paused=True)
    try:
        store, slot = scheduler._jobstores["default"], datetime(2026, 3, 2, 1, 5, tzinfo=UTC)
        scheduler.modify_job("overdue", next_run_time=slot)
        assert [one.id for one in store.get_due_jobs(slot)] == ["overdue"]
        scheduler.modify_job("overdue", next_run_time=slot + timedelta(minutes=5))
        store.get_due_jobs(slot - timedelta(seconds=back_s))
        brought = scheduler.get_job("overdue").next_run_time < slot + timedelta(minutes=5)
        assert 1 + brought == runs
    finally:
        scheduler.shutdown()
