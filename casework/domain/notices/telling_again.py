"""Whether somebody is told again of what stays overdue, and else until when nobody has to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from casework.domain.clocks.calendar import WorkingCalendar, day_in_seoul, morning_of
from casework.domain.clocks.deadlines import Deadline
from casework.domain.notices.notices import told_again_since

# Of what was answered for good nobody is told again, unless it is decided about anew.
FOR_GOOD: Final = datetime(9999, 1, 1, tzinfo=UTC)
# Days may be declared closed until then: it is looked at so much earlier, and each time after.
EARLIER: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateClock:
    """A clock that runs past its due date, with what was told and decided about that date.

    ``heard_at`` is the instant of the last step that tells somebody of it, to come or raised, or
    of the last telling since; ``noted`` is until when that held when it was looked at last, None
    where it was planned anew since. ``is_answered`` says whether a review answers it: one for good
    (``is_settled``), one that gave it to somebody (``given_at``), or a chase up to a day.
    """

    clock: Deadline
    noted: datetime | None
    heard_at: datetime | None
    has_step_to_come: bool
    is_answered: bool
    is_settled: bool
    given_at: datetime | None
    chased_until: date | None


def heard_until(
    late: LateClock, told_before: datetime, now: datetime, calendar: WorkingCalendar
) -> datetime | None:
    """None where the supervisors are told of it this morning.

    Else the instant since which nobody has to have heard of it before it is worth a look again;
    one before ``told_before`` where that is the case already.
    """
    clock = late.clock
    if late.heard_at is not None and late.heard_at >= told_before:
        return late.heard_at
    if late.has_step_to_come:
        return clock.due_at
    if clock.excused:
        return FOR_GOOD
    if clock.paused_until is not None and clock.is_paused(now):
        return _looked_at_before(day_in_seoul(clock.paused_until), calendar)
    return _answered_until(late, told_before, now, calendar) if late.is_answered else None


def _answered_until(
    late: LateClock, told_before: datetime, now: datetime, calendar: WorkingCalendar
) -> datetime | None:
    """A chase answers it up to its day; who it was given to has as long as from a telling.

    Anything else answers it for good.
    """
    if late.is_settled:
        return FOR_GOOD
    if late.chased_until is not None and late.chased_until > day_in_seoul(now):
        return _looked_at_before(late.chased_until, calendar)
    if late.given_at is not None and late.given_at >= told_before:
        return late.given_at
    return None


def _looked_at_before(day: date, calendar: WorkingCalendar) -> datetime:
    """What is told again on the morning of a day was told before this instant."""
    return told_again_since(morning_of(day), calendar) - EARLIER
