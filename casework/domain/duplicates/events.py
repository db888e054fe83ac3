"""What happens to two records of one person."""

from __future__ import annotations

from uuid import UUID

from casework.domain.events import Code, Event, EventSubject, event


@event(EventSubject.RESIDENT)
class ResidentsMerged(Event):
    """Two records are one: told of both, each with the id of the other, and whose cases moved."""

    merge_id: UUID
    duplicate_id: UUID | None = None
    survivor_id: UUID | None = None
    cases: tuple[UUID, ...]
    centre_code: Code


@event(EventSubject.RESIDENT)
class MergeUndone(Event):
    """They are two again: told of both, each with the id of the other, and whose cases moved."""

    merge_id: UUID
    duplicate_id: UUID | None = None
    survivor_id: UUID | None = None
    cases: tuple[UUID, ...]
    centre_code: Code
