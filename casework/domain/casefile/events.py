"""What happens to a case."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from casework.domain.casefile.case import (
    AssignmentReason,
    CaseStatus,
    Channel,
    ClosingReason,
    Determination,
    Route,
    SignalKind,
)
from casework.domain.casefile.states import HoldReason
from casework.domain.events import Code, Event, EventSubject, event


@event(EventSubject.CASE)
class CaseOpened(Event):
    """An application was taken."""

    channel: Channel
    applied_on: date
    discharge_on: date | None
    urgent: bool
    worker_id: UUID | None
    centre_code: Code
    status: CaseStatus


@event(EventSubject.CASE)
class CaseTakenOver(Event):
    """A case that ran before the system came in was taken over, with the days of its acts."""

    channel: Channel
    applied_on: date
    determined_on: date | None
    decided_on: date
    notified_on: date | None
    checked_on: date | None
    urgent: bool
    worker_id: UUID | None
    centre_code: Code
    status: CaseStatus


@event(EventSubject.CASE)
class PreSurveyRecorded(Event):
    """The seven questions were asked."""

    score: int
    route: Route
    status: CaseStatus


@event(EventSubject.CASE)
class Determined(Event):
    """The first assessment said where the person is best cared for."""

    assessment_id: UUID
    determination: Determination
    assessed_on: date
    status: CaseStatus


@event(EventSubject.CASE)
class Reassessed(Event):
    """A later assessment, which moves nothing."""

    assessment_id: UUID
    determination: Determination
    assessed_on: date
    status: CaseStatus


@event(EventSubject.CASE)
class CaseAssigned(Event):
    """The case went to a worker, from the one ``before``."""

    worker_id: UUID | None
    before: UUID | None
    why: AssignmentReason | None = None


@event(EventSubject.CASE)
class CaseTransferred(Event):
    """The case went with its resident to a centre, from the one ``before``."""

    centre_code: Code
    before: Code
    worker_id: UUID | None = None


@event(EventSubject.CASE)
class CaseHeld(Event):
    """The whole case rests up to and including a day."""

    reason: HoldReason
    until: date


@event(EventSubject.CASE)
class CaseResumed(Event):
    """The hold of the case ended, early or ``by_itself``."""

    resumed_on: date | None
    by_itself: bool | None = None


@event(EventSubject.CASE)
class CaseChecked(Event):
    """Somebody looked at how things go (Act 14④)."""

    check_id: UUID
    checked_on: date
    next_check_on: date | None


@event(EventSubject.CASE)
class SignalRaised(Event):
    """Something changed with the resident."""

    signal_id: UUID
    kind: SignalKind
    referral_id: UUID | None


@event(EventSubject.CASE)
class SignalAnswered(Event):
    """The worker said what is done about it."""

    signal_id: UUID


@event(EventSubject.CASE)
class CaseClosed(Event):
    """The episode ended (Rule 11)."""

    reason: ClosingReason
    effective_on: date
    status: CaseStatus


@event(EventSubject.CASE)
class CaseReopened(Event):
    """The episode goes on after all, with a worker or in the queue of those that wait for one."""

    status: CaseStatus
    worker_id: UUID | None = None


@event(EventSubject.CASE)
class LegalHoldPlaced(Event):
    """Nothing of the case is deleted until it ends; on this day it is looked at again."""

    review_on: date


@event(EventSubject.CASE)
class LegalHoldEnded(Event):
    """The file of the case may be deleted when its time has passed."""


@event(EventSubject.CASE)
class CaseCorrected(Event):
    """What was typed wrongly of the application was put right: the names, and what it is now."""

    correction_id: UUID
    fields: tuple[Code, ...]
    applied_on: date | None = None
    discharge_on: date | None = None
    channel: Channel | None = None
    urgent: bool | None = None


@event(EventSubject.CASE)
class PreSurveyCorrected(Event):
    """The answers of the pre-survey were put right."""

    correction_id: UUID
    fields: tuple[Code, ...]
    score: int
    route: Route
    status: CaseStatus


@event(EventSubject.CASE)
class CheckCorrected(Event):
    """A check was put right: when it was, and when the next one is set for."""

    correction_id: UUID
    fields: tuple[Code, ...]
    check_id: UUID
    checked_on: date
    next_check_on: date | None


@event(EventSubject.CASE)
class CheckEnteredInError(Event):
    """A check never was; the last one is that of ``last_checked_on``, if there is one."""

    correction_id: UUID
    check_id: UUID
    checked_on: date
    last_checked_on: date | None


@event(EventSubject.CASE)
class AssessmentCorrected(Event):
    """What an assessor found was put right."""

    correction_id: UUID
    fields: tuple[Code, ...]
    assessment_id: UUID
    determination: Determination
    assessed_on: date
    status: CaseStatus
