"""An act: who does something, when, and by which standards and calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.policy import Actor
from casework.domain.clocks.calendar import day_in_seoul, end_of
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.errors import require

AHEAD_AT_MOST: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Act:
    """What a move takes from outside: actor, time, new ids, standards and calendars."""

    by: Actor
    at: datetime
    new_id: Callable[[], UUID]
    clockwork: Clockwork

    @property
    def today(self) -> date:
        """The day of the act in Seoul."""
        return day_in_seoul(self.at)

    def instant_of(self, on: date | None) -> datetime:
        """When a clock that counts from ``on`` starts: now for today, else the end of that day."""
        return self.at if on is None or on == self.today else end_of(on)

    def not_future(self, on: date | None, field: str) -> None:
        """Refuse a date after today."""
        require(
            on is None or on <= self.today,
            "a date in the future",
            code="date_in_future",
            field=field,
        )

    def not_too_far(self, on: date | None, field: str) -> None:
        """Refuse a date so far ahead that nobody would come back to it: more than a year."""
        require(
            on is None or on <= self.today + AHEAD_AT_MOST,
            f"more than {AHEAD_AT_MOST.days} days ahead",
            code="date_too_far",
            field=field,
        )

    def dated(self, on: date | None, earliest: date | None, field: str) -> None:
        """Refuse a date that is after today, too long ago to be entered, or too early."""
        self.not_future(on, field)
        self.not_too_late(on, field)
        self.not_before(on, earliest, field)

    def not_too_late(self, on: date | None, field: str) -> None:
        """Refuse a date that is too long ago to be entered now."""
        first = self.clockwork.late_entry.earliest(self.today)
        require(
            on is None or on >= first,
            f"before {first}: it is too late to enter it",
            code="too_late_to_enter",
            field=field,
        )

    def not_before(self, on: date | None, earliest: date | None, field: str) -> None:
        """Refuse a date before what it follows."""
        require(
            on is None or earliest is None or on >= earliest,
            f"before {earliest}, which it follows",
            code="date_too_early",
            field=field,
        )
