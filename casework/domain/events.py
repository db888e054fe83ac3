"""Events: what happened, once, in order. They carry references, codes and dates, never names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one subject."""

    id: UUID
    name: str
    subject_type: str
    subject_id: UUID
    resident_id: UUID | None
    case_id: UUID | None
    at: datetime
    by_id: UUID | None
    by_role: str
    data: dict[str, Any] = field(default_factory=dict)
