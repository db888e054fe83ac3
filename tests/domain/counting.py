"""An independent count of days: day by day over a plain table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

import holidays

DAY = timedelta(days=1)
HOLIDAYS = frozenset(holidays.country_holidays("KR", years=range(2023, 2040)))
FIRST, LAST = date(2023, 1, 1), date(2039, 12, 31)
OPEN = {
    day: day.isoweekday() not in (6, 7) and day not in HOLIDAYS
    for day in (FIRST + n * DAY for n in range((LAST - FIRST).days + 1))
}


def walk(after: date) -> Iterator[date]:
    """Each day after a day."""
    while True:
        after += DAY
        yield after


def last_day(start: date, amount: int, unit: str, left_out: frozenset[date]) -> date:
    """The last day of a period that began on ``start``."""
    if unit == "working_days":
        left = amount
        for day in walk(start):
            left -= OPEN[day] and day not in left_out
            if left == 0:
                return day
    length = (end_of_months(start, amount) - start).days if unit == "months" else amount
    for day in walk(start):
        length -= day not in left_out
        # Past its length, the period goes on until a day on which something can be done.
        if length <= 0 and OPEN[day] and day not in left_out:
            return day
    raise AssertionError


def end_of_months(start: date, months: int) -> date:
    """Walk month by month from the first day; stop before the corresponding day."""
    first = start + DAY
    passed, month = 0, first.month
    for day in walk(start):
        if day.month != month:
            passed, month = passed + 1, day.month
        tomorrow = day + DAY
        will_have_passed = passed + (tomorrow.month != month)
        corresponds = tomorrow.day == first.day and will_have_passed == months
        has_none = passed == months and tomorrow.month != month
        if corresponds or has_none:
            return day
    raise AssertionError


def hours_later(start: datetime, hours: int, pauses: list[tuple[datetime, datetime]]) -> datetime:
    """The first second by which so many hours have passed outside the pauses, by bisection."""

    def passed(to: datetime) -> timedelta:
        edges = sorted({start, to, *(edge for pause in pauses for edge in pause)})
        return sum(
            (
                right - left
                for left, right in pairwise(edges)
                if start <= left and right <= to and not any(a <= left < b for a, b in pauses)
            ),
            timedelta(),
        )

    low, high = 0, int(timedelta(days=400).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if passed(start + timedelta(seconds=middle)) >= timedelta(hours=hours):
            high = middle
        else:
            low = middle + 1
    return start + timedelta(seconds=low)
