"""Figures: what counts as on time, how long it took, and in which month it counts.

The definitions are those of the decision on figures; every place that counts goes by them.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from casework.domain.casefile.referral_moves import REASONS
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import (
    ONE_DAY,
    Pause,
    WorkingCalendar,
    day_in_seoul,
    days_of,
    midnight,
)
from casework.domain.clocks.deadlines import Clockwork, Deadline
from casework.domain.errors import Conflict, require

NO_ANSWER: Final = "no_answer"
NOBODY_OFFERS_IT: Final = "nobody_offers_it"
# Why something was not found: why the last request came to nothing, or that there was none.
UNMET_REASONS: Final = tuple(
    dict.fromkeys(
        (
            *REASONS["decline"],
            *REASONS["fail"],
            *REASONS["withdraw"],
            NO_ANSWER,
            NOBODY_OFFERS_IT,
        )
    )
)
MAX_DAYS: Final = 3660
MAX_MONTHS: Final = 36


class Figure(StrEnum):
    """What is counted."""

    APPLICATIONS = "applications"
    PLANS_SUBMITTED = "plans_submitted"
    PLANS_APPROVED = "plans_approved"
    PLANS_RETURNED = "plans_returned"
    REFERRALS = "referrals"
    ON_TIME = "on_time"
    LATE = "late"
    EXCUSED = "excused"
    CANCELLED_LATE = "cancelled_late"
    ENTERED_LATE = "entered_late"
    RUNNING = "running"
    OVERDUE = "overdue"
    CAUSES = "causes"
    UNMET_NEEDS = "unmet_needs"
    PEOPLE_SERVED = "people_served"


OUTCOMES: Final = (Figure.ON_TIME, Figure.LATE, Figure.EXCUSED, Figure.CANCELLED_LATE)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in Seoul."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """``2026-03``; refuses what is no month of this century."""
        found = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text)
        require(found, "a month as YYYY-MM", code="month_invalid", field="month")
        assert found is not None  # noqa: S101 - require has refused
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, on: date) -> Month:
        """The month of a day."""
        return cls(on.year, on.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    def check_over(self, at: datetime) -> None:
        """Refuse a month whose last day has not ended in Seoul."""
        if at < midnight(self.last + ONE_DAY):
            raise Conflict("this month is not over", code="month_not_over", state="running")

    def __str__(self) -> str:
        """As ``parse`` reads it."""
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Seoul, the first and the last included."""

    since: date
    until: date

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return midnight(self.since)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return midnight(self.until + ONE_DAY)

    def months(self) -> Iterator[Month]:
        """The months it touches, in order."""
        month, last = Month.of(self.since), Month.of(self.until)
        while month <= last:
            yield month
            month = Month.of(month.last + ONE_DAY)

    def within(self, month: Month) -> Period:
        """Its part in a month."""
        return Period(max(self.since, month.first), min(self.until, month.last))

    def check(self, *, by_month: bool = False) -> None:
        """Refuse one that ends before it begins, or is longer than anyone reads."""
        require(
            self.until >= self.since,
            "ends before it starts",
            code="ends_before_start",
            field="to",
        )
        fits = (self.until - self.since).days <= MAX_DAYS
        many = by_month and fits and len(list(self.months())) > MAX_MONTHS
        require(
            fits and not many,
            f"at most ten years, and {MAX_MONTHS} months by month",
            code="period_too_long",
            field="to",
        )


def outcome(clock: Deadline, *, lapsed: bool = False) -> Figure | None:
    """How a clock that ended counts; None for one that runs, or was cancelled within its time.

    On time is met at or before its due date as last extended. A request that nobody answered
    (``lapsed``) is late, though the lapse cancels the clock. One that a supervisor excused counts
    apart, however it ended. One that was cancelled for another reason after its due date counts
    apart too: nobody knows whether it would have been done.
    """
    if clock.is_running:
        return None
    if clock.cancelled_at is not None and not lapsed:
        if clock.cancelled_at <= clock.due_at:
            return None
        return Figure.EXCUSED if clock.excused else Figure.CANCELLED_LATE
    if clock.excused:
        return Figure.EXCUSED
    in_time = clock.met_at is not None and clock.met_at <= clock.due_at
    return Figure.ON_TIME if in_time else Figure.LATE


def working_days_spent(
    calendar: WorkingCalendar, began_on: date, ended_on: date, pauses: Sequence[Pause] = ()
) -> int:
    """How many working days something took, counted as the law counts a period.

    The first day is not counted and the last one is; days of pauses are left out.
    """
    out = sum(began_on < day <= ended_on and calendar.is_working(day) for day in days_of(pauses))
    return calendar.working_days(began_on, ended_on) - out


def median_of(days: Mapping[int, int]) -> float | None:
    """The middle of numbers that are given with how often each occurs; of two, their mean."""
    count = sum(days.values())
    if count == 0:
        return None
    low, high = _at_rank(days, (count + 1) // 2), _at_rank(days, count // 2 + 1)
    return (low + high) / 2


def percentile_of(days: Mapping[int, int], percent: int) -> int | None:
    """By nearest rank: the smallest of the numbers that ``percent`` of 100 do not exceed."""
    count = sum(days.values())
    return _at_rank(days, max(1, -(-count * percent // 100))) if count else None


def _at_rank(days: Mapping[int, int], rank: int) -> int:
    for number in sorted(days):
        rank -= days[number]
        if rank <= 0:
            return number
    raise ValueError("there are fewer")


class Sent(Protocol):
    """What the state of a sent referral follows from."""

    status: ReferralStatus
    started_on: date | None
    accepted_at: datetime | None
    answered_on: date | None
    answered_at: datetime | None
    ended_on: date | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        ...


def state_on(referral: Sent, until: date, today: date) -> str:
    """Where a referral stood when a day was over; until that day is over, where it stands.

    It goes by the dates of the acts, so that one recorded later changes the past. A hold of the
    past counts as what was held, and what was entered in error was never anything else.
    """
    if until >= today or referral.status == ReferralStatus.ENTERED_IN_ERROR:
        return referral.status
    if not referral.is_open:
        ended_on = referral.ended_on or (referral.ended_at and day_in_seoul(referral.ended_at))
        if ended_on and ended_on <= until:
            return referral.status
    for on, status in (
        (referral.started_on, ReferralStatus.IN_PROGRESS),
        (referral.accepted_at and referral.answered_on, ReferralStatus.ACCEPTED),
        (_waits_since(referral), ReferralStatus.WAITLISTED),
    ):
        if on is not None and on <= until:
            return status
    return ReferralStatus.REQUESTED


def _waits_since(referral: Sent) -> date | None:
    """The day of its first answer, which is the latest one unless it was accepted after that."""
    if referral.accepted_at == referral.answered_at:
        return referral.answered_on
    first = referral.answered_at and day_in_seoul(referral.answered_at)
    return first if referral.accepted_at else referral.answered_on


# The working days from one day to another in a district, pauses left out.
Spent = Callable[[str, date, date, Sequence[Pause]], int]


def spent_in(clockwork: Clockwork) -> Spent:
    """Working days by the calendar of the district; days that were counted are remembered."""
    known: dict[tuple[str, date, date], int] = {}

    def spent(district: str, began_on: date, ended_on: date, pauses: Sequence[Pause]) -> int:
        calendar = clockwork.calendar_of(district)
        if pauses:
            return working_days_spent(calendar, began_on, ended_on, pauses)
        key = district, began_on, ended_on
        if key not in known:
            known[key] = working_days_spent(calendar, began_on, ended_on)
        return known[key]

    return spent
