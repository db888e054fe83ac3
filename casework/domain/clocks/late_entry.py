"""Late entry: how far back an act may be dated, and when a clock counts as met by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from casework.domain.clocks.calendar import WorkingCalendar, day_in_seoul, end_of


@dataclass(frozen=True, slots=True)
class LateEntry:
    """The two settings of an installation.

    An act may be dated ``days_back`` days before it is recorded. Recorded within
    ``working_days`` of its own day it meets a clock on that day, else when it is recorded.
    """

    days_back: int = 30
    working_days: int = 5

    def earliest(self, today: date) -> date:
        """The first day that an act recorded today may bear."""
        return today - timedelta(days=self.days_back)

    def met_at(self, calendar: WorkingCalendar, on: date | None, recorded_at: datetime) -> datetime:
        """When an act of a day meets a clock: at the end of its own day, or when recorded.

        Only a correction says that it was done after it had been recorded.
        """
        today = day_in_seoul(recorded_at)
        if on is None or on == today or calendar.working_days(on, today) > self.working_days:
            return recorded_at
        return end_of(on)


USUAL_LATE_ENTRY: Final = LateEntry()
