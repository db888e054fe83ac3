"""Overview of the comprehensive list: the availability of a service in a district."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.capacity import free_places, is_stale


class Availability(StrEnum):
    """How a service stands in a district."""

    OPEN = "open"
    FULL = "full"
    STALE = "stale"
    NONE = "none"
    # The list says nothing of it there, which is not to say that it is not given.
    NO_ENTRY = "no_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPlaces:
    """What is said of the places of one published offering that reaches into a district.

    What is None is not told to who asks.
    """

    is_open: bool
    available: int
    for_waiting: int | None
    full_until: date | None
    waiting: int | None
    as_of: datetime

    def free(self, now: datetime) -> int:
        """How many could be taken on now."""
        return free_places(self, day_in_seoul(now)) if self.is_open else 0


def availability(
    offered: Iterable[OfferedPlaces], now: datetime, fresh_for: timedelta, *, is_listed: bool = True
) -> Availability:
    """Open where somebody has a free place, by a figure that is fresh.

    Where nobody says so, but some figure is too old to say anything, it is stale; where all are
    fresh and none has a place it is full; and where nobody takes anyone there is none. Where
    nothing ``is_listed``, be it of an agency that has ended, there is no entry.
    """
    takers = [one for one in offered if one.is_open]
    fresh = [one for one in takers if not is_stale(one, fresh_for, now)]
    if any(one.free(now) > 0 for one in fresh):
        return Availability.OPEN
    if len(fresh) < len(takers):
        return Availability.STALE
    if takers:
        return Availability.FULL
    return Availability.NONE if is_listed else Availability.NO_ENTRY
