"""At which instants the steps of a clock come due."""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.domain.clocks.calendar import (
    Target,
    Unit,
    WorkingCalendar,
    day_in_seoul,
    due_at,
    morning_of,
)


def after_due(calendar: WorkingCalendar, due: datetime, after: Target) -> datetime:
    """The instant of a tier: hours after the due instant, or 09:00 so many days after its day."""
    if after.unit is Unit.HOURS:
        return due + timedelta(hours=after.amount)
    if after.unit is Unit.WORKING_DAYS:
        return morning_of(calendar.step(day_in_seoul(due), after.amount))
    return morning_of(day_in_seoul(due_at(calendar, due, after)))


def first_morning(calendar: WorkingCalendar, since: datetime) -> datetime:
    """The first 09:00 of a working day that is not before an instant."""
    on = calendar.roll(day_in_seoul(since))
    return morning_of(on) if morning_of(on) >= since else morning_of(calendar.step(on, 1))
