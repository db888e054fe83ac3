"""Counting days as the Civil Act does (Articles 157, 160, 161), on Korean working days.

The first day is not counted; months go by the calendar; a period of days or months that ends on
a Saturday or holiday ends on the next working day. Days are days in Seoul.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

SEOUL = ZoneInfo("Asia/Seoul")
ONE_DAY = timedelta(days=1)
LAST_SECOND = time(23, 59, 59)
NOTICE_HOUR = time(9, 0)
# The years whose holidays are known; a calendar says nothing of any other.
KNOWN_YEARS = range(2015, 2046)


class Unit(StrEnum):
    """How a period is measured; ``on_date`` is a fixed day that never rolls."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"
    DAYS = "days"
    MONTHS = "months"
    ON_DATE = "on_date"


@dataclass(frozen=True, slots=True)
class Target:
    """How long someone has: an amount of one unit."""

    amount: int
    unit: Unit


class PauseSource(StrEnum):
    """Whether a referral was held, or the whole case."""

    REFERRAL = "referral"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that is left out of a period.

    ``until`` is its planned last day; ``resumed_at`` the instant it ended earlier, if it did.
    ``source`` says whether the referral was held or the whole case.
    """

    began_at: datetime
    until: date
    reason: str
    resumed_at: datetime | None = None
    source: PauseSource = PauseSource.REFERRAL

    @property
    def ends_at(self) -> datetime:
        """The first instant after the pause: the resumption, or midnight after its last day."""
        planned = midnight(self.until + ONE_DAY)
        return planned if self.resumed_at is None else min(self.resumed_at, planned)

    def days(self) -> Iterator[date]:
        """The days left out: from the first day A to the day before the resumption, B - 1."""
        day, end = day_in_seoul(self.began_at), day_in_seoul(self.ends_at)
        while day < end:
            yield day
            day += ONE_DAY


def day_in_seoul(at: datetime) -> date:
    """The calendar day of an instant, as a clock in Busan shows it."""
    return at.astimezone(SEOUL).date()


def midnight(on: date) -> datetime:
    """The first instant of a day in Seoul."""
    return datetime.combine(on, time(), SEOUL)


def end_of(on: date) -> datetime:
    """The last second of a day in Seoul: what a day-based period is due at."""
    return datetime.combine(on, LAST_SECOND, SEOUL)


def morning_of(on: date) -> datetime:
    """09:00 in Seoul, when digests are sent."""
    return datetime.combine(on, NOTICE_HOUR, SEOUL)


class WorkingCalendar:
    """Which days are worked: neither Saturday nor Sunday nor in ``holidays`` (date -> name)."""

    def __init__(self, holidays: Mapping[date, str]) -> None:
        self._holidays = dict(holidays)
        self._closed_weekdays = sorted(day for day in self._holidays if day.weekday() < 5)

    def why_closed(self, on: date) -> str | None:
        """The holiday's name, ``saturday`` or ``sunday``, or None on a working day."""
        name = self._holidays.get(on)
        if name is not None:
            return name
        return {5: "saturday", 6: "sunday"}.get(on.weekday())

    def holidays_in(self, year: int) -> dict[date, str]:
        """The holidays of a year by name, in order, whichever day of the week they are."""
        return {day: name for day, name in sorted(self._holidays.items()) if day.year == year}

    def is_working(self, on: date) -> bool:
        """Whether offices are open on that day."""
        return on.weekday() < 5 and on not in self._holidays

    def roll(self, on: date) -> date:
        """That day, or the next working day if it is closed (Civil Act 161)."""
        while not self.is_working(on):
            on += ONE_DAY
        return on

    def step(self, on: date, days: int) -> date:
        """The working day that lies ``days`` working days after (or, negative, before) a day."""
        direction = ONE_DAY if days > 0 else -ONE_DAY
        for _ in range(abs(days)):
            on += direction
            while not self.is_working(on):
                on += direction
        return on

    def working_days(self, after: date, to: date) -> int:
        """How many working days lie after ``after`` up to and including ``to``; 0 if none."""
        if to <= after:
            return 0
        weeks, rest = divmod((to - after).days, 7)
        tail = [to - timedelta(days=n) for n in range(rest)]
        weekdays = weeks * 5 + sum(day.weekday() < 5 for day in tail)
        closed = self._closed_weekdays
        return weekdays - (bisect_right(closed, to) - bisect_right(closed, after))


def months_after(start: date, months: int) -> date:
    """The last day of a period of calendar months whose first day is the day after ``start``.

    Civil Act 160: it ends the day before the corresponding day, or, where the last month has no
    such day, on the last day of that month.
    """
    first = start + ONE_DAY
    month0 = first.month - 1 + months
    year, month = first.year + month0 // 12, month0 % 12 + 1
    last = monthrange(year, month)[1]
    if first.day > last:
        return date(year, month, last)
    return date(year, month, first.day) - ONE_DAY


def due_at(
    calendar: WorkingCalendar, start: datetime, target: Target, pauses: Sequence[Pause] = ()
) -> datetime:
    """When a period that began at ``start`` is over, with its pauses left out.

    A period in hours ends at an instant; every other ends at 23:59:59 of its last day.
    """
    if target.unit is Unit.HOURS:
        return _hours_later(start, target.amount, pauses)
    if target.unit is Unit.ON_DATE:
        return end_of(date.fromordinal(target.amount))
    began_on, out = day_in_seoul(start), days_of(pauses)
    if target.unit is Unit.WORKING_DAYS:
        return end_of(_working_days_later(calendar, began_on, target.amount, out))
    return end_of(_open_day(calendar, _last_counted(began_on, target, out), out))


def moved_by_pauses(
    calendar: WorkingCalendar, from_: date, until: date, pauses: Sequence[Pause]
) -> date:
    """A day that was set on ``from_``, moved by the pauses that lie between: an extension.

    Where none does, it stays as it was set, on a closed day too.
    """
    out = days_of(pauses)
    moved = _pushed(from_, until, out)
    return until if moved == until else _open_day(calendar, moved, out)


def days_of(pauses: Sequence[Pause]) -> set[date]:
    """The days that pauses leave out; where they overlap, a day counts once."""
    return {day for pause in pauses for day in pause.days()}


def _working_days_later(calendar: WorkingCalendar, on: date, amount: int, out: set[date]) -> date:
    while amount:
        on += ONE_DAY
        if calendar.is_working(on) and on not in out:
            amount -= 1
    return on


def _last_counted(began_on: date, target: Target, out: set[date]) -> date:
    """The last day of a period of days or months, before it rolls."""
    if target.unit is Unit.MONTHS:
        last = months_after(began_on, target.amount)
    else:
        last = began_on + timedelta(days=target.amount)
    return _pushed(began_on, last, out)


def _pushed(after: date, last: date, out: set[date]) -> date:
    """Move the last day by each day left out inside the period, which grows with every one."""
    for day in sorted(out):
        if after < day <= last:
            last += ONE_DAY
    return last


def _open_day(calendar: WorkingCalendar, on: date, out: set[date]) -> date:
    """That day, or the next one that is neither closed nor left out."""
    while on in out or not calendar.is_working(on):
        on += ONE_DAY
    return on


def _hours_later(start: datetime, hours: int, pauses: Sequence[Pause]) -> datetime:
    due, free_from = start + timedelta(hours=hours), start
    for pause in sorted(pauses, key=lambda p: p.began_at):
        begins, ends = max(pause.began_at, free_from), pause.ends_at
        if begins < due and ends > begins:
            due += ends - begins
            free_from = ends
    return due


def days_left_out(
    calendar: WorkingCalendar,
    start: datetime,
    due: datetime,
    target: Target,
    pauses: Sequence[Pause],
) -> list[tuple[date, str]]:
    """Each day between start and due that did not count, and why, in order."""
    if target.unit is Unit.ON_DATE:
        return []
    first, last = day_in_seoul(start) + ONE_DAY, day_in_seoul(due)
    paused = {day: pause.reason for pause in reversed(pauses) for day in pause.days()}
    closed_from = _closed_days_matter_from(start, target, set(paused), last)
    found = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        closed = calendar.why_closed(day)
        if day in paused:
            found.append((day, f"paused: {paused[day]}"))
        elif closed and day >= closed_from:
            found.append((day, closed))
    return found


def _closed_days_matter_from(start: datetime, target: Target, out: set[date], due: date) -> date:
    """From when a closed day does not count: at once, only at the end, or (in hours) never."""
    if target.unit is Unit.WORKING_DAYS:
        return day_in_seoul(start)
    if target.unit is Unit.HOURS:
        return due + ONE_DAY
    return _last_counted(day_in_seoul(start), target, out)
