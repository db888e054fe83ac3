"""Response schemas of possible duplicates and merges."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.duplicates.bodies import State
from casework.adapters.api.residents.responses import PlainResident
from casework.adapters.api.shared.responses import ResponseBody, absent
from casework.domain.duplicates.likeness import LikenessReason


class PairedResident(ResponseBody):
    """One of a pair. Name and dates of a resident of another district may be null."""

    id: UUID
    name: str | None
    birth_date: date | None
    died_on: date | None
    centre_code: str
    district_code: str


class DuplicatePair(ResponseBody):
    """Two residents who may be one person."""

    id: UUID
    reasons: list[LikenessReason]
    state: State
    found_at: AwareDatetime
    decided_at: AwareDatetime | None
    decided_by: UUID | None
    note: str | None
    residents: list[PairedResident]
    allowed_actions: list[str]


class MergeRecord(ResponseBody):
    """That a duplicate was merged into a resident."""

    id: UUID
    status: Literal["merged", "undone"]
    survivor_id: UUID
    duplicate_id: UUID
    reason: str
    merged_at: AwareDatetime
    merged_by: UUID | None
    undone_at: AwareDatetime | None
    undone_by: UUID | None
    undo_reason: str | None
    taken: list[str] = Field(description="The facts that the resident has from the duplicate.")
    allowed_actions: list[str]


class MergedResidents(MergeRecord):
    """A merge, with the resident who stays."""

    survivor: PlainResident = absent()
