"""What happens to an offering."""

from __future__ import annotations

from dataclasses import dataclass

from casework.domain.events import Event, EventSubject, event


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesBefore:
    """How many places there were, and were free, before."""

    capacity: int
    available: int


@event(EventSubject.OFFERING)
class FiguresStated(Event):
    """Its agency said how many places it has, has free, and how many wait."""

    available: int
    capacity: int
    waiting: int
    before: PlacesBefore
