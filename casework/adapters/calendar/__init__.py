"""The days on which offices are closed in Korea, from the ``holidays`` library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

from holidays import PUBLIC, country_holidays

from casework.domain.clocks.calendar import KNOWN_YEARS, WorkingCalendar


def korean_calendar(overrides: Iterable[tuple[date, bool, str]] = ()) -> WorkingCalendar:
    """The working days of Korea from 2015 to 2045, as the ``overrides`` change them.

    Each override is a day, whether it is closed, and the holiday's name: a closed day is added or
    renamed, an open one is taken off the list. Later ones win.
    """
    closed = dict(_public_holidays())
    for day, is_closed, name in overrides:
        if is_closed:
            closed[day] = name
        else:
            closed.pop(day, None)
    return WorkingCalendar(closed)


@cache
def _public_holidays() -> Mapping[date, str]:
    """Date to Korean name, computed once per process."""
    known = country_holidays("KR", years=KNOWN_YEARS, language="ko", categories=(PUBLIC,))
    return dict(sorted(known.items()))
