"""Care plans: numbered versions, and the planned services that live across them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from casework.domain.casefile.states import Disposition
from casework.domain.clocks.standards import CareField
from casework.domain.errors import require


class VersionStatus(StrEnum):
    """Where a version of the plan stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


class PlanDecision(StrEnum):
    """What was decided on a submitted version."""

    APPROVE = "approve"
    RETURN = "return"


class ServiceStatus(StrEnum):
    """Whether a planned service stands in a draft only, in the version in force, or no longer."""

    DRAFTED = "drafted"
    IN_FORCE = "in_force"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """What one version says of one planned service."""

    id: UUID
    service_code: str
    content: str
    quantity: Decimal
    unit: str
    per: str
    starts_on: date
    ends_on: date
    provider_id: UUID | None = None

    def check(self, where: str) -> None:
        """A service ends no earlier than it starts, and there is some of it."""
        require(
            self.ends_on >= self.starts_on,
            "ends before it starts",
            code="ends_before_start",
            field=f"{where}.ends_on",
        )
        require(self.quantity > 0, "must be more than nothing", field=f"{where}.quantity")


@dataclass(slots=True, kw_only=True)
class PlannedService:
    """A service that was planned for one resident, the same through every version of the plan.

    ``ends_on`` is its last day in the version in force, or in the draft before there is one.
    ``settlement`` is the latest disposition or direct settlement, None before the first.
    """

    id: UUID
    case_id: UUID
    resident_id: UUID
    service_code: str
    field: CareField
    status: ServiceStatus
    ends_on: date
    created_at: datetime
    settlement: Disposition | None = None
    settlement_note: str | None = None
    settled_at: datetime | None = None
    settled_by: UUID | None = None
    version: int = 1


@dataclass(slots=True, kw_only=True)
class PlanVersion:
    """One version of the plan. An approved one never changes."""

    id: UUID
    case_id: UUID
    number: int
    status: VersionStatus
    goals: list[str]
    services: list[PlannedItem]
    heard_on: date
    heard_from: str
    drafted_at: datetime
    drafted_by: UUID | None
    hash: str | None = None
    submitted_at: datetime | None = None
    submitted_by: UUID | None = None
    decision: PlanDecision | None = None
    decided_at: datetime | None = None
    decided_on: date | None = None
    decided_by: UUID | None = None
    conference_id: UUID | None = None
    without_meeting_reason: str | None = None
    decision_reason: str | None = None
    version: int = 1

    def content_hash(self) -> str:
        """SHA-256 of what the version says, independent of how it is stored."""
        says: dict[str, Any] = {
            "case": self.case_id,
            "version": self.number,
            "goals": self.goals,
            "heard": [self.heard_on, self.heard_from],
            "services": [
                asdict(item) | {"quantity": f"{item.quantity.normalize():f}"}
                for item in self.services
            ],
        }
        text = json.dumps(says, default=str, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def items_asked(versions: Iterable[PlanVersion]) -> dict[UUID, PlannedItem]:
    """What is asked for each planned service of a case, by its id.

    As the version in force has it; else, as in an urgent case, the newest that has it.
    """
    in_order = sorted(versions, key=lambda one: (one.status == VersionStatus.APPROVED, one.number))
    return {item.id: item for version in in_order for item in version.services}


@dataclass(slots=True, kw_only=True)
class Conference:
    """A meeting that decides on submitted plans, with its members."""

    id: UUID
    district_code: str
    held_on: date
    members: list[dict[str, str]]
    recorded_at: datetime
    recorded_by: UUID | None
    # Of its day: what it was, why it was put right, when and by whom.
    corrections: list[dict[str, Any]] = field(default_factory=list)
