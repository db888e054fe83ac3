"""Request bodies of residents."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints

from casework.adapters.api.shared.bodies import (
    ONE_LINE,
    Body,
    Code,
    Day,
    FormerNumber,
    Line,
    Number,
    Phone,
    Short,
    Words,
)

HouseholdKind = Literal["couple", "family", "other"]


class MakeHousehold(Body):
    """Who lives together."""

    resident_ids: list[UUID] = Field(min_length=2, max_length=20)
    kind: HouseholdKind = "other"
    confirm: StrictBool = Field(
        default=False, description="Link them although one of them has died."
    )


class JoinHousehold(Body):
    """Who lives there, too."""

    resident_id: UUID
    confirm: StrictBool = Field(default=False, description="Link them although they have died.")


Grade = Annotated[str, StringConstraints(min_length=1, max_length=40), ONE_LINE]


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


class ContactInput(Body):
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
    contacts: list[ContactInput] = Field(default=[], max_length=20)
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
    contacts: list[ContactInput] = Field(default_factory=_left_out, max_length=20)


class RevealNumber(Body):
    """What a registration number is needed for."""

    purpose: Literal[
        "benefit_application",
        "institution_application",
        "identity_check",
        "correction",
        "access_request",
    ]


class RecordDeath(Body):
    """The day on which a resident died."""

    on: Day


class TakeBackDeath(Body):
    """Why a death that was recorded is taken back."""

    reason: Words


PhonePart = Annotated[
    str, StringConstraints(max_length=30, pattern=r"^\+?[0-9][0-9 ()-]{3,28}$"), ONE_LINE
]


class SearchResidents(Body):
    """Whom to look for, by at least one of these."""

    name: Short | None = Field(
        default=None,
        description="Two letters or more of it, its initial consonants, or both mixed.",
    )
    birth_date: Day | None = None
    phone: PhonePart | None = Field(
        default=None,
        description="Of the resident or a contact: all of it, or the last four digits.",
    )
    centre_code: Code | None = None
    case_number: Number | None = Field(default=None, description="Number of a case.")
    former_number: FormerNumber | None = Field(
        default=None,
        description="Number of a case in the files that it was taken over from, all of it.",
    )


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


class CorrectConsent(Body):
    """On which days it was really given, and expires; what is left out stays as it is."""

    given_on: Day | None = None
    expires_on: Day | None = None
    reason: Words


class WithdrawConsent(Body):
    """The end of a consent."""

    reason: Words | None = None


class WriteNote(Body):
    """A call, a visit or a message, and when to come back to it."""

    kind: Literal["call", "visit", "message", "note"]
    with_whom: Short | None = Field(default=None, alias="with")
    text: Words
    come_back_on: Day | None = None
    answers: UUID | None = Field(
        default=None, description="Identifier of the earlier note whose promise this one keeps."
    )


class CorrectNote(Body):
    """What a note should have said; what is left out stays as it is."""

    kind: Literal["call", "visit", "message", "note"] | None = None
    with_whom: Short | None = Field(default=None, alias="with")
    text: Words | None = None
    come_back_on: Day | None = Field(
        default=None, description="Another day to come back to it; null promises nothing."
    )
    reason: Words


class TakeBackAnswer(Body):
    """Why an answer is taken back."""

    reason: Words


class AnswerNote(Body):
    """That somebody came back to what was promised: what was said, and with whom."""

    text: Words | None = None
    with_whom: Short | None = Field(default=None, alias="with")
