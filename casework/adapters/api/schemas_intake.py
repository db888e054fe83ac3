"""What comes in about residents, consents, notes and the way to the determination."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from casework.adapters.api.schemas import Body, Code, Day, Phone, Short, Words

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Grade = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Number = Annotated[str, StringConstraints(max_length=20)]
Points = Annotated[StrictInt, Field(ge=0, le=2)]

Sex = Literal["female", "male", "other"]
Mobility = Literal["independent", "limited", "housebound"]
Purpose = Literal[
    "outreach",
    "institution_application",
    "nhis_route",
    "administrative_data",
    "discharge_notice",
    "provider_sharing",
]
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


class NewContact(Body):
    """Someone close to a resident."""

    name: Short
    relation: Short
    phone: Phone
    may_be_told: StrictBool = False


class RegisterResident(Body):
    """A person who is not registered yet."""

    name: Short
    birth_date: Day
    sex: Sex
    centre_code: Code
    address: Line | None = None
    phone: Phone | None = None
    rrn: Number | None = Field(default=None, description="refused where numbers are not kept")
    lives_alone: StrictBool | None = None
    mobility: Mobility | None = None
    ltc_grade: Grade | None = None
    disability: Line | None = None
    insurance: Line | None = None
    income_tier: Grade | None = None
    contacts: list[NewContact] = Field(default=[], max_length=20)
    confirm_new: StrictBool = Field(default=False, description="it is another person")


def _left_out() -> Any:
    """No default that a reader of the document could take for a value."""
    return None


class ChangeResident(Body):
    """Facts that changed; what is left out stays, null empties what may be empty."""

    name: Short = Field(default_factory=_left_out)
    birth_date: Day = Field(default_factory=_left_out)
    sex: Sex = Field(default_factory=_left_out)
    centre_code: Code = Field(default_factory=_left_out)
    address: Line | None = None
    phone: Phone | None = None
    rrn: Number | None = Field(default=None, description="refused where numbers are not kept")
    lives_alone: StrictBool | None = None
    mobility: Mobility | None = None
    ltc_grade: Grade | None = None
    disability: Line | None = None
    insurance: Line | None = None
    income_tier: Grade | None = None
    contacts: list[NewContact] = Field(default_factory=_left_out, max_length=20)


class RevealNumber(Body):
    """What a registration number is needed for."""

    purpose: Literal[
        "benefit_application",
        "institution_application",
        "identity_check",
        "correction",
        "access_request",
    ]


class Search(Body):
    """Whom to look for, by at least one of these."""

    name: Short | None = None
    birth_date: Day | None = None
    phone: Phone | None = None
    centre_code: Code | None = None


class GiveConsent(Body):
    """What a resident, or someone for them, agreed to."""

    purpose: Purpose
    given_by: Short
    given_on: Day
    recipients: list[Short] = Field(default=[], max_length=50)
    expires_on: Day | None = None


class GiveConsents(Body):
    """Several consents, taken in one act."""

    consents: list[GiveConsent] = Field(min_length=1, max_length=20)


class WithdrawConsent(Body):
    """The end of a consent."""

    reason: Words | None = None


class WriteNote(Body):
    """A call, a visit or a message, and when to come back to it."""

    kind: Literal["call", "visit", "message", "note"]
    with_whom: Short | None = Field(default=None, alias="with")
    text: Words
    come_back_on: Day | None = None


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


class PreSurvey(Body):
    """The pre-survey; ``guidance`` says what the resident was told."""

    dementia_medicine: StrictBool
    activities: Activities
    guidance: Words | None = None


class Need(Body):
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
    needs: list[Need] = Field(max_length=50)
