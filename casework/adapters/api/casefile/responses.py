"""Response schemas of cases with their clocks, assessments, checks and signals.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.casefile.parts import (
    Activities,
    Channel,
    ClosingReason,
    Determination,
    GoalMet,
    Ground,
    NeedInput,
)
from casework.adapters.api.shared.responses import (
    Agency,
    Deadline,
    Named,
    RecountedClock,
    ResponseBody,
    Subject,
)
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import HoldReason, ReferralStatus
from casework.domain.clocks.standards import CareField, Priority

Route = Literal["local_survey", "nhis_assessment", "guidance"]


class Need(NeedInput):
    """How much is needed in one field."""


class Assessment(ResponseBody):
    """What an assessor found."""

    id: UUID
    case_id: UUID
    assessed_on: date
    received_on: date | None
    assessor: str
    determination: Determination
    needs: list[Need]
    recorded_at: AwareDatetime
    recorded_by: UUID | None


class Check(ResponseBody):
    """How things were going on one day."""

    id: UUID
    case_id: UUID
    checked_on: date
    findings: str
    goals: list[GoalMet]
    next_check_on: date | None
    recorded_at: AwareDatetime
    recorded_by: UUID | None
    entered_in_error_at: AwareDatetime | None
    entered_in_error_by: UUID | None
    entered_in_error_reason: str | None


class Signal(ResponseBody):
    """Something that changed with a resident, and what was done about it."""

    id: UUID
    case_id: UUID
    kind: Literal["hospitalised", "fall", "nobody_home", "worse", "died", "other"]
    note: str | None
    referral_id: UUID | None
    deadline_id: UUID | None
    raised_at: AwareDatetime
    raised_by: UUID | None
    answered_at: AwareDatetime | None
    answered_by: UUID | None
    answer: str | None
    allowed_actions: list[str]


class CaseCorrection(ResponseBody):
    """What was put right: the former values by the names of their fields."""

    id: UUID
    subject: Subject
    fields: list[str]
    before: dict[str, Any]
    reason: str
    corrected_at: AwareDatetime
    corrected_by: UUID | None


class CaseReferral(ResponseBody):
    """A referral within its case."""

    id: UUID
    status: ReferralStatus
    priority: Priority
    planned_service_id: UUID
    service_code: str
    field: CareField
    requested_at: AwareDatetime | None
    provider: Agency


class ResidentOfCase(Named):
    """Whose case it is."""

    died_on: date | None


class CaseRow(ResponseBody):
    """A case in a list."""

    id: UUID
    number: str = Field(description="Number of the case, to say on the telephone.")
    resident_id: UUID
    status: CaseStatus
    channel: Channel
    applied_on: date
    discharge_on: date | None
    urgent: bool
    opened_at: AwareDatetime
    worker_id: UUID | None
    centre_code: str
    district_code: str
    score: int | None
    route: Route | None
    determination: Determination | None
    closed_at: AwareDatetime | None
    closed_reason: ClosingReason | None
    legal_hold_review_on: date | None = Field(
        description="While it is set, nothing of the case is deleted: the day of its review."
    )
    resident: ResidentOfCase


class CaseHold(ResponseBody):
    """That the whole case rests up to and including a day."""

    reason: HoldReason
    from_: date = Field(alias="from")
    until: date
    by: UUID | None = Field(description="Identifier of the account that held it.")


class LegalHold(ResponseBody):
    """That nothing of a case is deleted until it is ended."""

    at: AwareDatetime
    by: UUID | None = Field(description="Identifier of the account; null for an operator.")
    reason: str
    review_on: date
    ended_at: AwareDatetime | None
    ended_by: UUID | None
    end_reason: str | None


class Case(CaseRow):
    """A case with all that belongs to it, and what the reader may do to it now."""

    urgent_reason: str | None
    ex_officio_ground: Ground | None
    consent_id: UUID | None
    opened_by: UUID | None
    dementia_medicine: bool | None
    activities: Activities | None
    guidance: str | None
    surveyed_at: AwareDatetime | None
    sent_for_assessment_at: AwareDatetime | None
    determined_at: AwareDatetime | None
    determined_on: date | None
    first_approved_on: date | None
    notified_on: date | None
    notified_to: str | None
    last_checked_on: date | None
    taken_over_at: AwareDatetime | None
    former_number: str | None
    effective_on: date | None = Field(description="From when the closing counts.")
    closing_note: str | None
    hold: CaseHold | None
    retained_through: date | None = Field(
        description="Of a closed case the last day on which its file is retained."
    )
    legal_holds: list[LegalHold] = Field(description="The oldest first; the last one may stand.")
    worker: Named | None
    deadlines: list[Deadline]
    referrals: list[CaseReferral]
    assessments: list[Assessment]
    checks: list[Check]
    signals: list[Signal]
    corrections: list[CaseCorrection]
    allowed_actions: list[str]


class CorrectedCheck(Check):
    """A check that was put right, and the clocks that were counted anew."""

    recounted: list[RecountedClock]


class CorrectedCase(Case):
    """A case that was put right, and the clocks that were counted anew."""

    recounted: list[RecountedClock]


class SurveyedCase(ResponseBody):
    """What the pre-survey came to."""

    score: int
    route: Route
    case: Case


class AssessedCase(Assessment):
    """An assessment with the case as it stands after it."""

    case: Case
