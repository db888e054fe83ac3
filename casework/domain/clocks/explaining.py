"""Why a clock shows the date it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from casework.domain.clocks.calendar import Pause, Target, Unit, WorkingCalendar, day_in_seoul
from casework.domain.clocks.standards import Standard


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a clock shows the date it shows."""

    start: datetime
    rule: str
    basis: str
    target: Target
    left_out: list[tuple[date, str]]
    pauses: tuple[Pause, ...]
    extensions: tuple[dict[str, Any], ...]
    due_at: datetime
    standard: Standard | None = None
    # Why the day is closed on which it is due all the same.
    closed: str | None = None


RULES: Final = {
    Unit.HOURS: "elapsed hours from the instant, nights and holidays included",
    Unit.WORKING_DAYS: "Civil Act 157: the first day is not counted; working days only",
    Unit.DAYS: "Civil Act 157, 161: the first day is not counted; a closed last day rolls on",
    Unit.MONTHS: "Civil Act 157, 160, 161: calendar months; a closed last day rolls on",
    Unit.ON_DATE: "a fixed day, never rolled to a later one",
}


def why_it_stays(calendar: WorkingCalendar, target: Target, due_at: datetime) -> str | None:
    """Why offices are closed on a fixed day that is not rolled, or None where they are open."""
    return calendar.why_closed(day_in_seoul(due_at)) if target.unit is Unit.ON_DATE else None
