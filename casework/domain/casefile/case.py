"""A case: one episode of integrated care for one resident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.retained import LegalHold
from casework.domain.casefile.states import HoldReason
from casework.domain.clocks.standards import Priority


class CaseStatus(StrEnum):
    """Where a case stands."""

    APPLIED = "applied"
    SURVEYING = "surveying"
    PLANNING = "planning"
    SUPPORTED = "supported"
    CLOSED = "closed"


class Channel(StrEnum):
    """By whom the application came."""

    SELF = "self"
    FAMILY = "family"
    GUARDIAN = "guardian"
    INSTITUTION = "institution"
    NHIS = "nhis"
    DISCHARGE = "discharge"
    OUTREACH = "outreach"
    EX_OFFICIO = "ex_officio"


class ExOfficioGround(StrEnum):
    """The six grounds of Act 10(2) on which the city acts of its own accord."""

    LTC_REJECTED = "ltc_rejected"
    ACTIVITY_SUPPORT_REJECTED = "activity_support_rejected"
    DISCHARGED = "discharged"
    WELFARE_CRISIS = "welfare_crisis"
    DISASTER = "disaster"
    CANNOT_LIVE_ALONE = "cannot_live_alone"


class Route(StrEnum):
    """Where the pre-survey leads."""

    GUIDANCE = "guidance"
    LOCAL_SURVEY = "local_survey"
    NHIS_ASSESSMENT = "nhis_assessment"


class Determination(StrEnum):
    """Where an assessment finds the person best cared for."""

    SPECIALIST_MEDICAL = "specialist_medical"
    NURSING_HOSPITAL = "nursing_hospital"
    LONG_TERM_CARE = "long_term_care"
    COMMUNITY_CARE = "community_care"


class ClosingReason(StrEnum):
    """Why a case ends (Rule 11)."""

    DEATH = "death"
    LONG_STAY = "long_stay"
    NEEDS_NO_LONGER_COMPLEX = "needs_no_longer_complex"
    REFUSED = "refused"
    OTHER_RECOGNISED = "other_recognised"
    GUIDED = "guided"
    NOT_ELIGIBLE = "not_eligible"
    MOVED_AWAY = "moved_away"


class SignalKind(StrEnum):
    """What changed with the resident."""

    HOSPITALISED = "hospitalised"
    FALL = "fall"
    NOBODY_HOME = "nobody_home"
    WORSE = "worse"
    DIED = "died"
    OTHER = "other"


class AssignmentReason(StrEnum):
    """Why a case goes to another worker, where that is more than an assignment."""

    HANDOVER = "handover"


CHANNELS: Final = tuple(Channel)
EX_OFFICIO_GROUNDS: Final = tuple(ExOfficioGround)
CLOSING_REASONS: Final = tuple(ClosingReason)
DETERMINATIONS: Final = tuple(Determination)
SIGNALS: Final = tuple(SignalKind)
ASSESSMENT_ROUTES: Final = frozenset({Route.LOCAL_SURVEY, Route.NHIS_ASSESSMENT})


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
    status: CaseStatus
    channel: Channel
    applied_on: date
    opened_at: datetime
    opened_by: UUID | None
    worker_id: UUID | None
    discharge_on: date | None = None
    urgent: bool = False
    urgent_reason: str | None = None
    ex_officio_ground: ExOfficioGround | None = None
    consent_id: UUID | None = None
    dementia_medicine: bool | None = None
    activities: dict[str, int] | None = None
    score: int | None = None
    route: Route | None = None
    guidance: str | None = None
    surveyed_at: datetime | None = None
    sent_for_assessment_at: datetime | None = None
    determination: Determination | None = None
    determined_at: datetime | None = None
    determined_on: date | None = None
    first_approved_on: date | None = None
    notified_on: date | None = None
    notified_to: str | None = None
    last_checked_on: date | None = None
    plan_revision: int = 0
    # Given when it is stored, and never changed.
    number: str = ""
    # When it was taken over from the files of before, and what it was called there.
    taken_over_at: datetime | None = None
    former_number: str | None = None
    hold_reason: HoldReason | None = None
    hold_from: date | None = None
    hold_until: date | None = None
    held_by: UUID | None = None
    resume_at: datetime | None = None
    arrived_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: ClosingReason | None = None
    effective_on: date | None = None
    closing_note: str | None = None
    status_before_closing: CaseStatus | None = None
    # While it has a day of review, nothing of it is deleted; the last of the holds is the one.
    legal_hold_review_on: date | None = None
    legal_holds: tuple[LegalHold, ...] = ()
    version: int = 1

    def is_on_hold(self, at: datetime) -> bool:
        """Whether a hold of the whole case lasts, recorded as ended or not."""
        return self.resume_at is not None and at < self.resume_at

    def end_hold(self) -> None:
        """It rests no longer."""
        self.hold_reason = self.hold_from = self.hold_until = self.resume_at = None
        self.held_by = None

    @property
    def is_open(self) -> bool:
        """Whether the episode goes on."""
        return self.status != CaseStatus.CLOSED

    @property
    def priority(self) -> Priority:
        """What the case's own clocks are counted by."""
        return Priority.URGENT if self.urgent else Priority.ROUTINE


@dataclass(slots=True, kw_only=True)
class Assessment:
    """What an assessor found: needs by field, and where the person is best cared for."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    assessed_on: date
    received_on: date | None
    assessor: str
    determination: Determination
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
    # It never was: it stays to be seen, and counts for nothing.
    entered_in_error_at: datetime | None = None
    entered_in_error_by: UUID | None = None
    entered_in_error_reason: str | None = None

    @property
    def was_made(self) -> bool:
        """Whether somebody looked, as far as is known: not where it was entered in error."""
        return self.entered_in_error_at is None


@dataclass(slots=True, kw_only=True)
class Signal:
    """A provider's or worker's word that something changed."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    referral_id: UUID | None
    deadline_id: UUID | None
    kind: SignalKind
    note: str | None
    raised_at: datetime
    raised_by: UUID | None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    answer: str | None = None
    version: int = 1
