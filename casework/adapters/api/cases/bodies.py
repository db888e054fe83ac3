"""Request bodies of applications, pre-surveys and assessments."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.casefile.parts import (
    Activities,
    Channel,
    Determination,
    Ground,
    NeedInput,
)
from casework.adapters.api.shared.bodies import Body, Day, Short, Words


class OpenCase(Body):
    """An application for integrated care."""

    resident_id: UUID
    channel: Channel
    applied_on: Day
    discharge_on: Day | None = None
    urgent: StrictBool = False
    urgent_reason: Words | None = None
    ex_officio_ground: Ground | None = None
    consent_id: UUID | None = None
    confirm: StrictBool = Field(
        default=False, description="Open it although the resident has died."
    )


class RecordPreSurvey(Body):
    """The pre-survey; ``guidance`` says what the resident was told."""

    dementia_medicine: StrictBool
    activities: Activities
    guidance: Words | None = None


class RecordAssessment(Body):
    """What an assessor found."""

    assessed_on: Day
    received_on: Day | None = None
    assessor: Short
    determination: Determination
    needs: list[NeedInput] = Field(max_length=50)
