"""What happens to the plan of a case, and to what it plans."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import Disposition
from casework.domain.events import Code, Event, EventSubject, event


@event(EventSubject.CASE)
class PlanDrafted(Event):
    """A version was written, with its planned services and those it no longer has."""

    plan_version: int
    services: tuple[UUID, ...]
    dropped: tuple[UUID, ...] | None


@event(EventSubject.CASE)
class PlanSubmitted(Event):
    """The draft was frozen for its decision, which is bound to the hash."""

    plan_version: int
    hash: Code


@event(EventSubject.CASE)
class PlanPutOnAgenda(Event):
    """A meeting is to decide the submitted version."""

    conference_id: UUID
    held_on: date
    plan_version: int


@event(EventSubject.CASE)
class PlanApproved(Event):
    """The version is in force."""

    plan_version: int
    decided_on: date
    conference_id: UUID | None
    status: CaseStatus
    services: tuple[UUID, ...]
    dropped: tuple[UUID, ...] | None


@event(EventSubject.CASE)
class PlanReturned(Event):
    """The version goes back to its author."""

    plan_version: int
    decided_on: date
    conference_id: UUID | None


@event(EventSubject.CASE)
class PlanNotified(Event):
    """The resident was notified of the plan in force."""

    on: date


@event(EventSubject.CASE)
class NotificationCorrected(Event):
    """When, or who, was notified of the plan was put right."""

    correction_id: UUID
    fields: tuple[Code, ...]
    on: date


@event(EventSubject.CASE)
class DecisionCorrected(Event):
    """The day on which a version was decided was put right."""

    correction_id: UUID
    fields: tuple[Code, ...]
    plan_version: int
    decided_on: date
    conference_id: UUID | None


@event(EventSubject.PLANNED_SERVICE)
class PlannedServiceTakenOver(Event):
    """A service of a plan that was approved before the system came in was taken over."""

    service_code: Code
    starts_on: date
    ends_on: date


@event(EventSubject.PLANNED_SERVICE)
class PlannedServiceSettled(Event):
    """It was settled without a referral."""

    settlement: Disposition
