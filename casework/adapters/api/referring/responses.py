"""Response schemas of referrals.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.directory.bodies import EligibilityRule
from casework.adapters.api.residents.bodies import Sex
from casework.adapters.api.shared.bodies import OnBehalf
from casework.adapters.api.shared.responses import (
    Agency,
    CatalogueWarning,
    Deadline,
    Event,
    RecountedClock,
    ResponseBody,
    absent,
)
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, Priority
from casework.domain.directory.eligibility import RuleResult


class ReferralBasis(ResponseBody):
    """The legal basis on which the resident's facts were disclosed."""

    kind: Literal["article_14_2", "consent"]
    consent_id: UUID | None = absent()


class DisclosedResident(ResponseBody):
    """The resident, as disclosed to the agency; a fact that was not disclosed is null."""

    id: UUID
    name: str | None
    birth_date: date | None
    sex: Sex | None
    address: str | None
    phone: str | None


class AskedService(ResponseBody):
    """What the plan asks the agency for."""

    content: str
    quantity: float
    unit: str
    per: Literal["once", "day", "week", "month"]
    from_: date = Field(alias="from")
    to: date = Field(description="The last day.")


class WhomToCall(ResponseBody):
    """Whom an agency calls about a referral."""

    centre: str = Field(description="Name of the community centre.")
    worker: str | None = Field(
        description="Name of the case worker, or of who has the work today; null where nobody has."
    )
    phone: str | None
    centre_phone: str | None = Field(description="Telephone of the community centre.")


class JudgedRule(EligibilityRule):
    """A rule of eligibility with the fact it was judged on."""

    value: str | None
    verdict: RuleResult


class Judgement(ResponseBody):
    """Whom the service is meant for, judged when the referral was made."""

    on: date
    verdict: RuleResult | None
    rules: list[JudgedRule]


class ReferralRow(ResponseBody):
    """A referral in a list."""

    id: UUID
    status: ReferralStatus
    priority: Priority
    resident_id: UUID
    case_id: UUID
    case_number: str
    planned_service_id: UUID
    service_code: str
    field: CareField
    centre_code: str
    offering_id: UUID
    provider: Agency
    requested_at: AwareDatetime | None


class Referral(ReferralRow):
    """A referral with its clocks, its history and what the reader may do to it now."""

    message: str | None
    outside_area_reason: str | None
    disclosed: list[str] | None
    created_at: AwareDatetime | None
    requested_on: date | None
    answered_on: date | None
    answered_at: AwareDatetime | None
    place_offered_at: AwareDatetime | None
    accepted_at: AwareDatetime | None
    expected_start_on: date | None
    expected_on: date | None
    started_on: date | None
    ended_at: AwareDatetime | None
    ended_on: date | None
    outcome: Literal["ended_as_planned", "ended_early", "transferred"] | None
    reason: str | None
    note: str | None
    on_behalf: OnBehalf | None
    hold_until: date | None
    held_with_case: bool
    disposition: (
        Literal["re_refer", "alternative", "refused", "no_longer_needed", "unmet_need"] | None
    )
    disposed_at: AwareDatetime | None
    basis: ReferralBasis
    resident: DisclosedResident | None
    asked: AskedService | None
    contact: WhomToCall
    judged: Judgement | None
    warnings: list[CatalogueWarning]
    replaces: UUID | None
    replaced_by: UUID | None
    deadlines: list[Deadline]
    history: list[Event]
    allowed_actions: list[str]


class CorrectedReferral(Referral):
    """A referral that was put right, and the clocks that were counted anew."""

    recounted: list[RecountedClock]
