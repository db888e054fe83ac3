"""APScheduler only ticks: it wakes the sweeps, and the database decides what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.schedule import slot_of


def make_scheduler(
    tick: Callable[[datetime], None],
    minutes: int,
    *,
    background: bool,
    now: Callable[[], datetime],
) -> BaseScheduler:
    """A scheduler that calls ``tick`` with the slot, at once and then every so many minutes.

    A tick that comes late still runs, several missed ones run as one, and none overlaps.
    """
    scheduler = (BackgroundScheduler if background else BlockingScheduler)(timezone=SEOUL)
    scheduler.add_job(
        lambda: tick(slot_of(now(), minutes)),
        CronTrigger(minute="0" if minutes == 60 else f"*/{minutes}", timezone=SEOUL),
        id="overdue",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        next_run_time=now(),
    )
    return scheduler


def make_relay(relay: Callable[[], None]) -> BaseScheduler:
    """A scheduler that only relays."""
    scheduler = BlockingScheduler(timezone=SEOUL)
    add_relay(scheduler, relay)
    return scheduler


def add_relay(scheduler: BaseScheduler, relay: Callable[[], None]) -> None:
    """Send what is to be sent, every minute; two at once are harmless."""
    scheduler.add_job(
        relay,
        CronTrigger(second="20", timezone=SEOUL),
        id="relay",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )


def add_importer(scheduler: BaseScheduler, work: Callable[[], None]) -> None:
    """Go on with the files that were sent in, every few seconds; two at once are harmless."""
    scheduler.add_job(
        work,
        CronTrigger(second="*/5", timezone=SEOUL),
        id="imports",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )


def add_sealer(scheduler: BaseScheduler, seal: Callable[[], None]) -> None:
    """Seal what was written to the audit, every few seconds; two at once are harmless."""
    scheduler.add_job(
        seal,
        CronTrigger(second="*/5", timezone=SEOUL),
        id="seal",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )


def add_measuring(
    scheduler: BaseScheduler, measure: Callable[[], None], now: Callable[[], datetime]
) -> None:
    """Count anew how agencies answered, at once and then every hour; two at once are harmless."""
    scheduler.add_job(
        measure,
        CronTrigger(minute="17", timezone=SEOUL),
        id="measure",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        next_run_time=now(),
    )
