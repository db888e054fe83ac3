"""How much of a service is planned within a period: by one line of a plan, and by several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from casework.domain.casefile.plan import PlannedItem

WEEK, MONTHS_A_YEAR = 7, 12
# The longest of each period, in days: a limit of a month is passed where a long one passes it.
DAYS_IN: Final = {"week": 7, "month": 31, "year": 365}
# Of three months that follow each other one is a long one.
FOLLOWING: Final = 2


def most_in(item: PlannedItem, per: str) -> Decimal:
    """The most that is planned within one week, month or year, or (``once``) in all.

    A month has up to 31 days here, and a quantity of a month is spread over them.
    """
    if item.per == "once":
        return item.quantity
    days = (item.ends_on - item.starts_on).days + 1
    within = min(days, DAYS_IN.get(per, days))
    if item.per != "month":
        return item.quantity * within / (WEEK if item.per == "week" else 1)
    if per == "month":
        return item.quantity
    if per == "week":
        return item.quantity * within / DAYS_IN["month"]
    months = _months(item.starts_on, item.ends_on)
    return item.quantity * (min(months, MONTHS_A_YEAR) if per == "year" else months)


def most_together(items: Sequence[PlannedItem], per: str) -> tuple[Decimal, list[PlannedItem]]:
    """The most that several lines plan within one week, month or year of the calendar, or in all.

    With the lines that have a part in it.
    """
    if per not in DAYS_IN:
        return sum((most_in(one, per) for one in items), Decimal(0)), list(items)
    most: tuple[Decimal, list[PlannedItem]] = (Decimal(0), [])
    for first, last in _periods(items, per):
        parts = {one.id: _within(one, first, last, per) for one in items}
        planned = sum(parts.values(), Decimal(0))
        if planned > most[0]:
            most = planned, [one for one in items if parts[one.id]]
    return most


def _within(item: PlannedItem, first: date, last: date, per: str) -> Decimal:
    """What a line plans for the days of one period; a quantity of ``once`` can be all of it."""
    begin, end = max(item.starts_on, first), min(item.ends_on, last)
    if begin > end:
        return Decimal(0)
    days = (end - begin).days + 1
    match item.per:
        case "once":
            return item.quantity
        case "day":
            return item.quantity * days
        case "week":
            return item.quantity * days / WEEK
    if per == "week":
        return item.quantity * days / DAYS_IN["month"]
    return item.quantity * _months(begin, end)


def _periods(items: Iterable[PlannedItem], per: str) -> Iterator[tuple[date, date]]:
    """The periods in which the most can be planned: about the days where a line begins or ends.

    Between two of those days every period is like the next, but for its length.
    """
    found = set()
    for one in items:
        found |= {_period(one.starts_on, per, n) for n in range(FOLLOWING + 1)}
        found |= {_period(one.ends_on, per, -n) for n in range(FOLLOWING + 1)}
    yield from sorted(one for one in found if one is not None)


def _period(on: date, per: str, after: int) -> tuple[date, date] | None:
    """The week, month or year of a day, or one so many after it; None beyond the calendar."""
    try:
        if per == "week":
            first = on - timedelta(days=on.weekday()) + timedelta(weeks=after)
            return first, first + timedelta(days=WEEK - 1)
        months = on.year * MONTHS_A_YEAR + on.month - 1 + after
        if per == "month":
            return _month(months), _month(months + 1) - timedelta(days=1)
        return date(on.year + after, 1, 1), date(on.year + after, 12, 31)
    except (OverflowError, ValueError):
        return None


def _month(number: int) -> date:
    return date(number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1, 1)


def _months(first: date, last: date) -> int:
    """How many calendar months have a day between two, both counted."""
    return (last.year - first.year) * MONTHS_A_YEAR + last.month - first.month + 1
