"""How the days of a case were spent: with whom it lay, day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from casework.domain.casefile.case import Case
from casework.domain.clocks.calendar import ONE_DAY, WorkingCalendar, day_in_seoul, days_of
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ASSESSOR, PROVIDER, SUPERVISOR, WORKER, ClockKind

HOLDERS: Final = (WORKER, ASSESSOR, SUPERVISOR, PROVIDER)
# They run beside everything else; what they are for is waited for only once it is overdue.
ALONGSIDE: Final = frozenset(
    {ClockKind.DISCHARGE, ClockKind.PROGRESS, ClockKind.FIRST_CHECK, ClockKind.CHECK}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Days after ``since`` up to and including ``until``, by whom they were spent.

    A day on which two holders were waited for counts for each, once; ``shared`` is how many such
    days there are (so much more the holders have than there were days). ``paused`` days had no
    other clock than those a hold left out; on the days of ``nobody`` nothing was waited for.
    """

    since: date
    until: date
    days: int
    holders: dict[str, tuple[int, int]]
    shared: int
    paused: int
    nobody: int


def time_spent(
    case: Case, clocks: Iterable[Deadline], calendar: WorkingCalendar, today: date
) -> Spent:
    """How a case's days were spent, until it was closed or until today.

    As a period is counted: a clock's first day is not counted and the day it ended is. So each
    day of a case that goes from hand to hand counts once.
    """
    since, until = case.applied_on, today
    if case.closed_at is not None:
        until = day_in_seoul(case.closed_at)
    held: dict[date, set[str]] = {}
    paused: set[date] = set()
    for clock in clocks:
        out = days_of(clock.pauses)
        for day in _days_of(clock, until):
            if since < day <= until:
                paused.add(day) if day in out else held.setdefault(day, set()).add(clock.held_by)
    days = (until - since).days
    spent: Counter[str] = Counter(one for holders in held.values() for one in holders)
    working: Counter[str] = Counter(
        one for day, holders in held.items() if calendar.is_working(day) for one in holders
    )
    rested = len(paused - held.keys())
    return Spent(
        since=since,
        until=until,
        days=days,
        holders={one: (spent[one], working[one]) for one in HOLDERS},
        shared=sum(spent.values()) - len(held),
        paused=rested,
        nobody=days - len(held) - rested,
    )


def _days_of(clock: Deadline, until: date) -> Iterator[date]:
    """The days on which a clock was waited for, those of its pauses among them."""
    begun = day_in_seoul(clock.started_at)
    if clock.kind in ALONGSIDE:
        begun = max(begun, day_in_seoul(clock.due_at))
    end = clock.met_at or clock.cancelled_at
    last = min(until, day_in_seoul(end)) if end is not None else until
    for n in range((last - begun).days):
        yield begun + ONE_DAY + timedelta(days=n)
