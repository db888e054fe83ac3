"""A case: one episode of integrated care for one resident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID


class CaseStatus(StrEnum):
    """Where a case stands."""

    APPLIED = "applied"
    SURVEYING = "surveying"
    PLANNING = "planning"
    SUPPORTED = "supported"
    CLOSED = "closed"


CHANNELS: Final = (
    "self",
    "family",
    "guardian",
    "institution",
    "nhis",
    "discharge",
    "outreach",
    "ex_officio",
)
CONSENT_FOR_CHANNEL: Final = {
    "institution": "institution_application",
    "nhis": "nhis_route",
    "outreach": "outreach",
    "discharge": "discharge_notice",
}
EX_OFFICIO_GROUNDS: Final = (
    "ltc_rejected",
    "activity_support_rejected",
    "discharged",
    "welfare_crisis",
    "disaster",
    "cannot_live_alone",
)
CLOSING_REASONS: Final = (
    "death",
    "long_stay",
    "needs_no_longer_complex",
    "refused",
    "other_recognised",
    "guided",
    "not_eligible",
    "moved_away",
)
DETERMINATIONS: Final = (
    "specialist_medical",
    "nursing_hospital",
    "long_term_care",
    "community_care",
)
SIGNALS: Final = ("hospitalised", "fall", "nobody_home", "worse", "died", "other")
ASSESSMENT_ROUTES: Final = frozenset({"local_survey", "nhis_assessment"})


@dataclass(slots=True, kw_only=True)
class Case:
    """The root: its state, its worker, and the dates its clocks count from.

    ``centre_code`` follows the resident's, on which all scope rests. ``plan_revision`` grows
    with every change of the plan, for those who edit it side by side.
    """

    id: UUID
    resident_id: UUID
    centre_code: str
    district_code: str
    status: str
    channel: str
    applied_on: date
    opened_at: datetime
    opened_by: UUID | None
    worker_id: UUID | None
    discharge_on: date | None = None
    urgent: bool = False
    urgent_reason: str | None = None
    ex_officio_ground: str | None = None
    consent_id: UUID | None = None
    dementia_medicine: bool | None = None
    activities: dict[str, int] | None = None
    score: int | None = None
    route: str | None = None
    guidance: str | None = None
    surveyed_at: datetime | None = None
    sent_for_assessment_at: datetime | None = None
    determination: str | None = None
    determined_at: datetime | None = None
    first_approved_on: date | None = None
    notified_on: date | None = None
    notified_to: str | None = None
    last_checked_on: date | None = None
    plan_revision: int = 0
    hold_reason: str | None = None
    hold_until: date | None = None
    resume_at: datetime | None = None
    arrived_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str | None = None
    effective_on: date | None = None
    closing_note: str | None = None
    status_before_closing: str | None = None
    version: int = 1

    def is_on_hold(self, at: datetime) -> bool:
        """Whether a hold of the whole case lasts, recorded as ended or not."""
        return self.resume_at is not None and at < self.resume_at

    @property
    def is_open(self) -> bool:
        """Whether the episode goes on."""
        return self.status != CaseStatus.CLOSED

    @property
    def priority(self) -> str:
        """What the case's own clocks are counted by."""
        return "urgent" if self.urgent else "routine"


@dataclass(slots=True, kw_only=True)
class Assessment:
    """What an assessor found: needs by field, and where the person is best cared for."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    assessed_on: date
    received_on: date | None
    assessor: str
    determination: str
    needs: list[dict[str, Any]]
    recorded_at: datetime
    recorded_by: UUID | None


@dataclass(slots=True, kw_only=True)
class Check:
    """A look at how things go (Act 14④): findings, goals met, and when the next one is."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    checked_on: date
    findings: str
    goals: list[dict[str, Any]]
    next_check_on: date | None
    recorded_at: datetime
    recorded_by: UUID | None


@dataclass(slots=True, kw_only=True)
class Signal:
    """A provider's or worker's word that something changed."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    referral_id: UUID | None
    deadline_id: UUID | None
    kind: str
    note: str | None
    raised_at: datetime
    raised_by: UUID | None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    answer: str | None = None
    version: int = 1
