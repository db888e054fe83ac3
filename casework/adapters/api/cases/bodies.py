"""What comes in about residents, consents, notes and the way to the determination."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.shared.bodies import Body, Day, Points, Short, Words

Channel = Literal[
    "self", "family", "guardian", "institution", "nhis", "discharge", "outreach", "ex_officio"
]
Ground = Literal[
    "ltc_rejected",
    "activity_support_rejected",
    "discharged",
    "welfare_crisis",
    "disaster",
    "cannot_live_alone",
]
Determination = Literal[
    "specialist_medical", "nursing_hospital", "long_term_care", "community_care"
]
ServiceField = Literal["medical", "health", "nursing", "care", "housing", "family"]


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


class Activities(Body):
    """The seven activities: 0 alone, 1 with help, 2 not at all."""

    rise_from_chair: Points
    climb_six_steps: Points
    wash: Points
    dress_upper: Points
    dress_lower: Points
    reach_toilet: Points
    use_toilet: Points


class RecordPreSurvey(Body):
    """The pre-survey; ``guidance`` says what the resident was told."""

    dementia_medicine: StrictBool
    activities: Activities
    guidance: Words | None = None


class NeedInput(Body):
    """How much is needed in one field."""

    field: ServiceField
    level: Literal["none", "some", "high"]
    note: Words | None = None


class RecordAssessment(Body):
    """What an assessor found."""

    assessed_on: Day
    received_on: Day | None = None
    assessor: Short
    determination: Determination
    needs: list[NeedInput] = Field(max_length=50)
