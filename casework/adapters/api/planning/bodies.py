"""Request bodies of plans and care conferences."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StrictInt, StringConstraints

from casework.adapters.api.shared.bodies import (
    ONE_LINE,
    Body,
    Code,
    CorrectionOf,
    Day,
    Goal,
    Quantity,
    Short,
    Words,
)

Unit = Annotated[str, StringConstraints(min_length=1, max_length=40), ONE_LINE]
Hash = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Number = Annotated[StrictInt, Field(ge=1, le=1_000_000)]

Settlement = Literal["alternative", "refused", "no_longer_needed", "unmet_need"]


class HearingInput(Body):
    """When and from whom the person and the family were heard."""

    on: Day
    by: Short = Field(alias="from", description="whom they were heard from")


class PlannedServiceInput(Body):
    """One planned service; with ``id`` it is one that was planned before."""

    id: UUID | None = None
    service_code: Code
    content: Words
    quantity: Quantity
    unit: Unit
    per: Literal["once", "day", "week", "month"]
    starts_on: Day
    ends_on: Day
    provider_id: UUID | None = None


class PutPlanDraft(Body):
    """The draft of a plan, in full."""

    goals: list[Goal] = Field(max_length=50)
    services: list[PlannedServiceInput] = Field(max_length=100)
    heard: HearingInput


class ConferenceMember(Body):
    """Who took part in a meeting."""

    name: Short
    agency: Short


class HoldConference(Body):
    """A meeting that was held, or will be."""

    held_on: Day
    members: list[ConferenceMember] = Field(min_length=1, max_length=50)


class CorrectConference(Body):
    """On which day a meeting was really held, or will be."""

    held_on: Day
    reason: Words


class NamedVersion(Body):
    """A submitted version, named by what its submission answered."""

    version: Number
    hash: Hash
    warnings: list[dict[str, Any]] = Field(
        default=[],
        max_length=500,
        description="As the submission answered them; the decision rests on version and hash.",
    )


class DecidePlan(NamedVersion):
    """The decision on one submitted version; one of three says how it was taken."""

    decision: Literal["approve", "return"]
    conference: HoldConference | None = None
    conference_id: UUID | None = None
    without_meeting_reason: Words | None = None
    decided_on: Day | None = Field(
        default=None, description="The day of a decision without a meeting; today if left out."
    )
    reason: Words | None = None


class CorrectDecision(Body):
    """On which day a version was really decided without a meeting."""

    version: Number
    decided_on: Day
    reason: Words


def _cases_once(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise ValueError("a case is named twice")
    return ids


class PutOnAgenda(Body):
    """The cases whose submitted plans a meeting is to decide."""

    case_ids: Annotated[
        list[UUID], Field(min_length=1, max_length=100), AfterValidator(_cases_once)
    ]


class ConferenceDecision(NamedVersion):
    """One of several decisions of a meeting."""

    case_id: UUID
    decision: Literal["approve", "return"]
    reason: Words | None = None


def _decided_once(decisions: list[ConferenceDecision]) -> list[ConferenceDecision]:
    _cases_once([one.case_id for one in decisions])
    return decisions


class ConferenceDecisions(Body):
    """Up to 100 decisions on as many plans; each succeeds or fails by itself."""

    decisions: Annotated[
        list[ConferenceDecision], Field(min_length=1, max_length=100), AfterValidator(_decided_once)
    ]


class SettleService(Body):
    """How a planned service is settled without a referral."""

    disposition: Settlement
    note: Words | None = None


class NotifyPlan(Body):
    """When and who was notified of the plan."""

    on: Day
    to: Short = Field(description="Who was notified.")
    correction: CorrectionOf | None = Field(
        default=None, description="Why the notification that was recorded is put right by this one."
    )
