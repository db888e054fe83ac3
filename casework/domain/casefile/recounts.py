"""A clock that was counted anew, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from casework.domain.clocks.standards import ClockKind
from casework.domain.events import Event, EventSubject, event


class Because(StrEnum):
    """For what clocks are recounted."""

    HOLIDAY = "holiday"
    STANDARD = "standard"
    CORRECTION = "correction"


@event(EventSubject.DEADLINE)
class DeadlineRecounted(Event):
    """A clock was recounted: by a standard, for a declared day, or after a correction."""

    because: Because
    reason_id: UUID
    on: date | None
    closed: bool | None
    before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountedClock:
    """A clock that a correction counted anew: when it was due, and when it is."""

    deadline_id: UUID
    kind: ClockKind
    due_at_before: datetime
    due_at: datetime
