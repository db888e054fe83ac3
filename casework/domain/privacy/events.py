"""What happens when somebody opens a resident outside their own scope."""

from __future__ import annotations

from casework.domain.events import Event, EventSubject, event


@event(EventSubject.BREAK_GLASS)
class GlassBroken(Event):
    """A resident was opened, for so many hours."""

    hours: int


@event(EventSubject.BREAK_GLASS)
class BreakGlassEnded(Event):
    """The opener ended it."""


@event(EventSubject.BREAK_GLASS)
class BreakGlassReviewed(Event):
    """Somebody else of the district looked into it."""

    justified: bool
