"""When a job that repeats is due, and when it has not been done for too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

MAY_MISS: Final = 3  # ticks; one may be slow and one may be missed while a scheduler restarts


def slot_of(now: datetime, minutes: int) -> datetime:
    """The start of the period an instant lies in: what several schedulers agree on.

    Periods begin again with each hour, so that with 7 minutes the last one is shorter.
    """
    whole = now.astimezone(UTC).replace(second=0, microsecond=0)
    return whole - timedelta(minutes=whole.minute % minutes)


def next_slot(now: datetime, minutes: int) -> datetime:
    """The start of the period after the one an instant lies in."""
    slot = slot_of(now, minutes)
    next_hour = slot.replace(minute=0) + timedelta(hours=1)
    return min(slot + timedelta(minutes=minutes), next_hour)


def is_late(last: datetime | None, since: datetime, now: datetime, minutes: int) -> bool:
    """Whether more than three ticks passed since the last one that was done.

    Where there was none, they are counted from ``since``, when one began to wait for it.
    """
    return now - (last or since) > MAY_MISS * timedelta(minutes=minutes)
