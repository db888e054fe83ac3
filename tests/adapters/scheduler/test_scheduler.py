"""Schedulers: their configuration, and that several of them run each slot once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.scheduler import Scheduled, every, make_scheduler
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
