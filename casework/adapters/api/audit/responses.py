"""Response schemas of audit entries, their totals and their reviews."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.shared.responses import ResponseBody
from casework.domain.access.policy import Role


class AuditEntry(ResponseBody):
    """Who did what about whom; residents by identifier only."""

    id: UUID
    at: AwareDatetime
    actor_id: UUID | None
    actor: str | None
    role: str | None
    action: str
    task: str
    subjects: list[UUID]
    asked_for: str | None
    outcome: Literal["ok", "refused", "failed"] = Field(
        description="Whether it was done, refused, or failed."
    )
    code: str | None = Field(description="Code of the refusal, if any.")
    source: str | None
    request_id: str | None
    chain: str


class AffectedResident(ResponseBody):
    """How often the entries of an account are about one resident."""

    resident_id: UUID
    entries: int
    first_at: AwareDatetime
    last_at: AwareDatetime
    actions: list[str]


class AuditSummary(ResponseBody):
    """What one account did in a month."""

    id: UUID
    username: str
    role: Role
    district_code: str | None
    entries: int
    residents: int = Field(description="How many residents it is about.")
    refused: int
    failed: int
    out_of_hours: int
    exports: int
    break_glass: int
    counted_from: AwareDatetime = Field(
        description="From when on: the month's first instant, or later where it has too many."
    )


class AuditReview(ResponseBody):
    """That a month was reviewed: of a chain, or of one account."""

    id: UUID
    month: str
    chain: str | None
    account: str | None
    left_out: str | None
    entries: int
    findings: str
    measures: str | None
    reviewed_at: AwareDatetime
    reviewer: str


class AuditReviewDue(ResponseBody):
    """A month that is over and was not reviewed."""

    month: str
    chain: str | None
    account: str | None = Field(description="The account whose entries were left out, if any.")
