"""Response schemas of inboxes, links, deliveries, visits and agency staff.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.referring.responses import AskedService, DisclosedResident, WhomToCall
from casework.adapters.api.shared.responses import Deadline, ResponseBody, absent
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, Priority


class InboxItem(ResponseBody):
    """A request to the agency, and what it waits for."""

    id: UUID
    status: ReferralStatus
    priority: Priority
    service_code: str
    field: CareField
    centre_code: str
    case_id: UUID
    case_number: str
    planned_service_id: UUID
    message: str | None
    resident: DisclosedResident | None
    asked: AskedService | None
    contact: WhomToCall
    requested_at: AwareDatetime
    expected_start_on: date | None
    expected_on: date | None
    hold_until: date | None
    allowed_actions: list[str]
    wants: Literal["answer", "place", "start", "report"]
    deadline: Deadline | None
    due_at: AwareDatetime
    overdue: bool
    working_days_late: int


class AnswerResult(ResponseBody):
    """What became of one answer, and where the request stands now."""

    referral_id: UUID
    status: int = Field(description="HTTP status that this part would have had by itself.")
    code: str = absent()
    state: ReferralStatus | None
    allowed_actions: list[str]


class AnswerResults(ResponseBody):
    """What became of each answer."""

    results: list[AnswerResult]


class AnswerCounts(ResponseBody):
    """How requests were answered."""

    received: int
    answered: int
    accepted: int
    waitlisted: int = Field(description="How many wait in turn.")
    unanswered: int
    lapsed: int
    called_off: int
    declined: int
    declined_by_reason: dict[str, int]
    median_working_days: float | None
    on_time: int = Field(description="How many were answered on time.")
    late: int = Field(description="How many were answered late.")
    excused: int = Field(description="How many were late and excused.")
    on_time_share: float | None


class ServiceAnswers(AnswerCounts):
    """How requests for one service were answered."""

    service_code: str


class AgencyFigures(AnswerCounts):
    """How an agency answered what it received in a period."""

    from_: date = Field(alias="from")
    to: date = Field(description="The last day.")
    by_service: list[ServiceAnswers]


class StaffMember(ResponseBody):
    """Somebody of an agency, as those who lead it see them."""

    id: UUID
    username: str
    name: str
    email: str | None
    is_lead: bool
    is_active: bool
    must_change_password: bool


class Link(ResponseBody):
    """A link by which an agency answers without an account; nothing that opens it."""

    id: UUID
    provider_id: UUID
    referral_ids: list[UUID]
    created_at: AwareDatetime
    created_by: UUID | None
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None
    revoked_by: UUID | None
    is_good: bool
    allowed_actions: list[str]


class AnsweringByLink(ResponseBody):
    """Whether an agency answers by link, and where its links and codes go."""

    provider_id: UUID
    account_id: UUID
    email: str | None
    is_on: bool


class MonthDelivered(ResponseBody):
    """What was planned and what was delivered in a month."""

    id: UUID
    month: str
    planned: str
    delivered: str
    unit: str
    reason: (
        Literal[
            "resident_absent",
            "hospitalised",
            "resident_refused",
            "provider_unable",
            "more_needed",
            "other",
        ]
        | None
    )
    note: str | None
    recorded_at: AwareDatetime
    recorded_by: UUID | None


class VisitingAgency(ResponseBody):
    """An agency that comes to the same home."""

    name: str
    phone: str


class Visitor(ResponseBody):
    """A service that comes to the same home."""

    service_code: str
    field: CareField
    status: ReferralStatus
    provider: VisitingAgency


class Visit(ResponseBody):
    """How to get into a home, and which other services come there."""

    referral_id: UUID
    way_in: str | None
    coming: list[Visitor]


class WayInOfResident(ResponseBody):
    """How to get into a resident's home."""

    resident_id: UUID
    way_in: str | None
