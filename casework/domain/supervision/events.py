"""What happens to clocks beside the moves of their cases, and to what they are counted by."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from casework.domain.clocks.calendar import Target
from casework.domain.clocks.standards import ClockKind, EscalationTier, Part, Priority
from casework.domain.events import Code, Event, EventSubject, as_data, event
from casework.domain.supervision.codes import ReviewAction, ReviewCause


@event(EventSubject.DEADLINE)
class EscalationRaised(Event):
    """A step of a clock came due, and these parts are notified."""

    tier: int
    tell: tuple[Part, ...]


@event(EventSubject.DEADLINE)
class DeadlineReviewed(Event):
    """A supervisor decided about an overdue clock."""

    review_id: UUID
    action: ReviewAction
    cause: ReviewCause
    until: date | None


@event(EventSubject.STANDARD, names_nothing=True)
class StandardAdded(Event):
    """A standard is there, and says this."""

    kind: ClockKind
    field: Code | None
    service_code: Code | None
    priority: Priority | None
    district_code: Code | None
    target: Target
    lapse_after: Target | None
    escalation: tuple[EscalationTier, ...] | None
    in_force: bool


@event(EventSubject.STANDARD)
class StandardChanged(Event):
    """A standard says something else: ``fields`` are the names of what."""

    fields: tuple[Code, ...]
    target: Target | None = None
    lapse_after: Target | None = None
    escalation: tuple[EscalationTier, ...] | None = None
    in_force: bool | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The names, and what each is now, be it nothing; the basis is text, and only named."""
        said = {name: getattr(self, name) for name in self.fields if name != "basis"}
        return as_data({"fields": self.fields} | said)


@event(EventSubject.STANDARD)
class StandardRecalculated(Event):
    """Running clocks are to be counted by it too."""


@event(EventSubject.HOLIDAY, names_nothing=True)
class HolidayDeclared(Event):
    """A day is closed, or open after all, in a district or everywhere."""

    on: date
    closed: bool
    district_code: Code | None
