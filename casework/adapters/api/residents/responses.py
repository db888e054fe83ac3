"""Response schemas of residents, their consents, notes, households and disclosures.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.residents.bodies import HouseholdKind, Mobility, Purpose, Sex
from casework.adapters.api.shared.responses import Agency, Named, ResponseBody, absent
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import ReferralStatus
from casework.domain.duplicates.likeness import LikenessReason


class Contact(ResponseBody):
    """Somebody close to a resident."""

    name: str | None
    relation: str
    phone: str | None
    may_be_told: bool


class CaseOfResident(ResponseBody):
    """A case of a resident."""

    id: UUID
    number: str = Field(description="Number of the case, to say on the telephone.")
    status: CaseStatus
    applied_on: date


class MergedRecord(ResponseBody):
    """A record that was merged into a resident."""

    id: UUID
    merge_id: UUID
    merged_at: AwareDatetime


class HouseholdMember(Named):
    """Somebody who lives there, or lived there until the death."""

    died_on: date | None


class Household(ResponseBody):
    """People who live together: those whom the reader sees, and how many others."""

    id: UUID
    kind: HouseholdKind
    members: list[HouseholdMember] = Field(description="Those of them whom the reader sees.")
    others: int


class LikelyDuplicate(ResponseBody):
    """Somebody who may be the same person, or live with them."""

    id: UUID
    name: str
    birth_date: date
    died_on: date | None
    centre_code: str
    reasons: list[LikenessReason]


class ResidentInShort(ResponseBody):
    """A resident in short: who it is, where they live, and how far they get."""

    id: UUID
    name: str
    birth_date: date
    sex: Sex
    address: str | None
    phone: str | None
    lives_alone: bool | None
    mobility: Mobility | None
    ltc_grade: str | None


class PlainResident(ResponseBody):
    """A resident with the people close to them and their cases."""

    id: UUID
    name: str
    birth_date: date
    sex: Sex
    centre_code: str
    district_code: str
    address: str | None
    phone: str | None
    lives_alone: bool | None
    mobility: Mobility | None
    ltc_grade: str | None
    disability: str | None
    insurance: str | None
    income_tier: str | None
    died_on: date | None
    registered_at: AwareDatetime
    registered_by: UUID | None
    contacts: list[Contact]
    cases: list[CaseOfResident]
    allowed_actions: list[str]


class Resident(PlainResident):
    """A resident. The household is there for those who may change the resident."""

    merged_from: list[MergedRecord]
    household: Household | None = absent()


class RegisteredResident(Resident):
    """A new resident, with those who may be the same person or live with them, if any."""

    hints: list[LikelyDuplicate] = absent()


class OpenReferral(ResponseBody):
    """A referral that is still open."""

    id: UUID
    service_code: str
    status: ReferralStatus
    provider: Agency


class FoundResident(ResponseBody):
    """A resident who was searched for."""

    id: UUID
    name: str
    birth_date: date
    sex: Sex
    centre_code: str
    phone: str | None
    address: str | None
    died_on: date | None
    open_case: CaseOfResident | None
    open_referrals: list[OpenReferral] = absent()


class RegistrationNumber(ResponseBody):
    """A registration number."""

    rrn: str | None
    checksum: bool | None = Field(description="Whether the checksum used until October 2020 holds.")


class Consent(ResponseBody):
    """What a resident, or somebody for them, agreed to."""

    id: UUID
    resident_id: UUID
    purpose: Purpose
    given_by: str
    given_on: date
    recipients: list[str]
    expires_on: date | None
    recorded_at: AwareDatetime
    recorded_by: UUID | None
    withdrawn_at: AwareDatetime | None
    withdrawn_by: UUID | None
    withdrawal_reason: str | None
    allowed_actions: list[str]


class Consents(ResponseBody):
    """Consents that were given in one act."""

    items: list[Consent]


class Recipient(ResponseBody):
    """Who learnt of a resident."""

    kind: Literal["provider", "assessor"]
    id: UUID | None
    name: str


class DisclosureBasis(ResponseBody):
    """The legal basis of a disclosure."""

    kind: Literal["article_14_2", "article_12", "consent"]
    consent_id: UUID = absent()


class Disclosure(ResponseBody):
    """What was disclosed of a resident: names of fields, never what they hold."""

    id: UUID
    at: AwareDatetime
    to: Recipient = Field(description="Whom it was disclosed to.")
    what: list[str] = Field(description="Names of the fields that were disclosed.")
    basis: DisclosureBasis
    by: UUID | None = Field(description="Identifier of the account that disclosed them.")
    referral_id: UUID | None
    case_id: UUID
    case_number: str
    consent_withdrawn_at: AwareDatetime | None


class TakenBackAnswer(ResponseBody):
    """An answer that was none to this promise, and why it was taken back."""

    answered_at: AwareDatetime
    answered_by: UUID | None
    answered_with: str | None
    answer: str | None
    answered_by_note_id: UUID | None
    reason: str
    taken_back_at: AwareDatetime
    taken_back_by: UUID | None


class Note(ResponseBody):
    """A call, a visit or a message, and whether somebody came back to what it promised."""

    id: UUID
    resident_id: UUID
    kind: Literal["call", "visit", "message", "note"]
    text: str
    come_back_on: date | None
    written_at: AwareDatetime
    written_by: UUID | None
    with_: str | None = Field(alias="with")
    answered_at: AwareDatetime | None
    answered_by: UUID | None
    answered_with: str | None
    answer: str | None
    answered_by_note_id: UUID | None
    answers_taken_back: list[TakenBackAnswer]
    corrects_note_id: UUID | None
    correction_reason: str | None
    corrected_by_note_id: UUID | None
    allowed_actions: list[str]
