"""Response schemas of access requests and break-glass accesses."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.privacy.access_request_bodies import How
from casework.adapters.api.shared.responses import Named, ResponseBody


class IdentityCheck(ResponseBody):
    """How and when the identity of the requester was checked."""

    how: How
    at: AwareDatetime
    by: UUID | None = Field(description="Identifier of the account that checked it.")


class AccessRequest(ResponseBody):
    """A request to see what is stored about a resident."""

    id: UUID
    resident_id: UUID
    received_on: date
    due_on: date
    overdue: bool
    requested_by: Literal["self", "legal_representative", "agent"]
    requester: str | None
    identity_checked: IdentityCheck | None
    answer: Literal["given", "refused"] | None
    answered_on: date | None
    handed_over: Literal["in_person", "mail", "fax", "e_mail"] | None
    reason: str | None
    recorded_at: AwareDatetime
    recorded_by: UUID | None
    answered_by: UUID | None
    allowed_actions: list[str]


class BreakGlassOpening(ResponseBody):
    """That somebody opened a resident out of scope."""

    id: UUID
    resident_id: UUID
    opened_by: Named
    district_code: str
    reason: str
    opened_at: AwareDatetime
    ends_at: AwareDatetime
    ended_at: AwareDatetime | None
    is_live: bool
    reviewed_at: AwareDatetime | None
    reviewed_by: UUID | None
    review_note: str | None
    justified: bool | None
    overdue: bool
    allowed_actions: list[str]
