"""Response schemas of plans, planned services and care conferences.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.planning.bodies import ConferenceMember, Settlement
from casework.adapters.api.shared.responses import (
    Agency,
    CatalogueWarning,
    Named,
    RecountedClock,
    ResponseBody,
    absent,
)
from casework.domain.casefile.plan import ServiceStatus, VersionStatus
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField

Decision = Literal["approve", "return"]


class ServiceState(ResponseBody):
    """A planned service as it stands."""

    id: UUID
    service_code: str
    field: CareField
    status: ServiceStatus
    settled: bool
    settlement: Settlement | Literal["re_refer"] | None
    settlement_note: str | None
    settled_at: AwareDatetime | None
    allowed_actions: list[str]


class PlannedService(ServiceState):
    """A planned service with its case."""

    case_id: UUID
    case_number: str


class PlanReferral(ResponseBody):
    """A referral for a planned service."""

    id: UUID
    status: ReferralStatus
    provider: Named


class VersionService(ServiceState):
    """What a version of the plan says of a service, and how the service stands now."""

    content: str
    quantity: float
    unit: str
    per: Literal["once", "day", "week", "month"]
    starts_on: date
    ends_on: date
    provider_id: UUID | None
    provider: Agency | None
    referrals: list[PlanReferral]


class HeardOf(ResponseBody):
    """When and from whom the person and the family were heard."""

    on: date
    from_: str = Field(alias="from", description="Whom they were heard from.")


class ConferenceRecord(ResponseBody):
    """A meeting, without its agenda."""

    id: UUID
    district_code: str
    held_on: date
    members: list[ConferenceMember]
    recorded_at: AwareDatetime
    recorded_by: UUID | None


class PlanDecision(ResponseBody):
    """How a version of the plan was decided: in a meeting, or without one."""

    decision: Decision
    decided_on: date | None
    decided_at: AwareDatetime
    decided_by: UUID | None
    conference: ConferenceRecord | None
    without_meeting_reason: str | None
    reason: str | None


class PlanVersion(ResponseBody):
    """One version of a plan."""

    version: int = Field(description="Number of the version.")
    status: VersionStatus
    hash: str | None
    goals: list[str]
    services: list[VersionService]
    heard: HeardOf
    drafted_at: AwareDatetime
    drafted_by: UUID | None
    submitted_at: AwareDatetime | None
    submitted_by: UUID | None
    decision: PlanDecision | None


class Plan(ResponseBody):
    """A plan: the version in force, the one that is made or decided, and all of them."""

    case_id: UUID
    case_number: str
    in_force: PlanVersion | None = Field(description="The version that is in force.")
    draft: PlanVersion | None
    versions: list[PlanVersion]
    warnings: list[CatalogueWarning] = Field(
        description="What the catalogue says against the newest version."
    )
    allowed_actions: list[str]


class SubmittedVersion(ResponseBody):
    """What a decision must name."""

    version: int
    hash: str
    warnings: list[CatalogueWarning]


class AgendaDecision(ResponseBody):
    """What a meeting decided about a plan."""

    decision: Decision
    reason: str | None
    decided_at: AwareDatetime
    decided_by: UUID | None


class AgendaItem(ResponseBody):
    """A plan on the agenda of a meeting."""

    case_id: UUID
    case_number: str
    version: int
    hash: str
    decision: AgendaDecision | None
    decided_elsewhere: bool
    warnings: list[CatalogueWarning] = Field(
        description="What the catalogue says against the plan, until it is decided on."
    )
    allowed_actions: list[str]


class CorrectedDay(ResponseBody):
    """The day that was there before, and why it was put right."""

    held_on: date
    reason: str
    corrected_at: AwareDatetime
    corrected_by: UUID | None


class Conference(ConferenceRecord):
    """A meeting with its agenda."""

    corrections: list[CorrectedDay] = Field(description="Former days, the oldest first.")
    agenda: list[AgendaItem]
    allowed_actions: list[str]


class CorrectedConference(Conference):
    """A meeting whose day was put right, and the clocks that were counted anew."""

    recounted: list[RecountedClock]


class ConferenceRow(ConferenceRecord):
    """A meeting in a list."""

    agenda: int = Field(description="How many plans are on the agenda.")
    decided: int


class CaseResult(ResponseBody):
    """What became of the decision about one case."""

    case_id: UUID
    status: int = Field(description="HTTP status that this part would have had by itself.")
    code: str = absent()


class DecisionResults(ResponseBody):
    """What became of each decision."""

    results: list[CaseResult]
