"""APScheduler only ticks: it wakes the jobs, and the database decides what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apscheduler.job import Job
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from casework.domain.clocks.calendar import SEOUL

LOOKS_AGAIN_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A job and its schedule: cron fields, in Seoul time; ``at_start`` also runs it at once."""

    name: str
    rhythm: Mapping[str, str]
    run: Callable[[], None]
    at_start: bool = False


class WakingJobs(MemoryJobStore):  # type: ignore[misc]  # ships no types
    """The jobs of a scheduler, which go on when the machine's clock is set back."""

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """What is due; first, what waits for more than the run after the next one is put forward.

        APScheduler would let it wait for that instant: for two days, where two were taken back.
        """
        for job in self.get_all_jobs():
            following = job.trigger.get_next_fire_time(None, now)
            after = job.trigger.get_next_fire_time(following, following)
            if job.next_run_time is not None and job.next_run_time > after:
                job.modify(next_run_time=following)
        due: list[Job] = super().get_due_jobs(now)
        return due


class _LooksOften(BaseScheduler):  # type: ignore[misc]  # ships no types
    """Looks at the clock again after some seconds at most, whatever it computed to wait.

    The clock may be set back between the two looks from which APScheduler computes it.
    """

    def _process_jobs(self) -> float | None:
        wait_s: float | None = super()._process_jobs()
        return None if wait_s is None else min(wait_s, LOOKS_AGAIN_S)


class _Background(_LooksOften, BackgroundScheduler):  # type: ignore[misc]
    """In a thread of its own."""


class _Blocking(_LooksOften, BlockingScheduler):  # type: ignore[misc]
    """In the thread that starts it."""


def every(minutes: int) -> dict[str, str]:
    """The cron fields for every so many minutes, 1 to 60."""
    return {"minute": "0" if minutes == 60 else f"*/{minutes}"}


def make_scheduler(
    jobs: Iterable[Scheduled], *, background: bool, now: Callable[[], datetime]
) -> BaseScheduler:
    """A scheduler of these jobs, not yet started.

    A run that comes late still happens, several missed ones run as one, and none overlaps; a clock
    that is set back is noticed within some seconds.
    """
    kind = _Background if background else _Blocking
    scheduler = kind(timezone=SEOUL, jobstores={"default": WakingJobs()})
    for job in jobs:
        at_start: dict[str, Any] = {"next_run_time": now()} if job.at_start else {}
        scheduler.add_job(
            job.run,
            CronTrigger(**job.rhythm, timezone=SEOUL),
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            **at_start,
        )
    return scheduler
