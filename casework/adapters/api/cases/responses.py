"""Response schemas of summaries, transfers, handovers and absences."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from casework.adapters.api.casefile.responses import Case, CaseHold
from casework.adapters.api.residents.responses import Contact, Note, ResidentInShort
from casework.adapters.api.shared.responses import Agency, Deadline, Named, ResponseBody
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, Priority


class ReferralInShort(ResponseBody):
    """A referral with whom to call about it."""

    id: UUID
    status: ReferralStatus
    priority: Priority
    expected_start_on: date | None
    started_on: date | None
    hold_until: date | None
    provider: Agency


class ServiceInShort(ResponseBody):
    """A planned service with its referrals, which are for those who read referrals."""

    id: UUID
    service_code: str
    field: CareField
    content: str
    quantity: float
    unit: str
    per: str
    starts_on: date
    ends_on: date
    settled: bool
    referrals: list[ReferralInShort]


class CallBack(ResponseBody):
    """A promise to come back to a resident."""

    note_id: UUID
    come_back_on: date
    with_: str | None = Field(alias="with")
    text: str = Field(description="First line of the note.")
    written_by: UUID | None


class CaseSummary(ResponseBody):
    """A case on one page. What a role may not see is null, or an empty list."""

    id: UUID
    number: str = Field(description="Number of the case, to say on the telephone.")
    status: CaseStatus
    urgent: bool
    applied_on: date
    centre_code: str
    district_code: str
    worker: Named | None
    hold: CaseHold | None = Field(description="The hold of the whole case that lasts now.")
    resident: ResidentInShort
    contacts: list[Contact]
    services: list[ServiceInShort] = Field(description="The services of the plan.")
    deadlines: list[Deadline] = Field(description="The clocks that run or are paused.")
    call_backs: list[CallBack] = Field(description="What is to be come back to.")
    notes: list[Note] = Field(
        description="The last five notes as they stand, newest first: none that another corrects."
    )


class StoppedReferral(ResponseBody):
    """An open referral whose offering does not reach the new centre."""

    id: UUID
    service_code: str
    provider_id: UUID


class TransferredCase(Case):
    """A case in its new centre, and the open referrals that do not reach it there."""

    stops_at_border: list[StoppedReferral]


class LeftDistrict(ResponseBody):
    """A case that is out of the reader's district now."""

    id: UUID
    stops_at_border: list[StoppedReferral]


class HandedOver(ResponseBody):
    """The cases that have a new worker."""

    moved: list[UUID]


class Absence(ResponseBody):
    """Who is away, and who deputises."""

    id: UUID
    worker_id: UUID
    from_: date = Field(alias="from")
    to: date
    ended_on: date | None = Field(
        description="The last day away, where it ended before: of one called off, before the first."
    )
    deputy_id: UUID
