"""What comes in about duplicates, merges and households."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from casework.adapters.api.schemas import Body, Words

State = Literal["open", "same", "different"]
HouseholdKind = Literal["couple", "family", "other"]


class Decide(Body):
    """Whether the two of a pair are one person."""

    decision: Literal["same", "different"]
    note: Words | None = None


class Merge(Body):
    """Which record is of the same person, and how one knows."""

    duplicate_id: UUID
    reason: Words


class UndoMerge(Body):
    """Why the two are two after all."""

    reason: Words | None = None


class MakeHousehold(Body):
    """Who lives together."""

    resident_ids: list[UUID] = Field(min_length=2, max_length=20)
    kind: HouseholdKind = "other"


class JoinHousehold(Body):
    """Who lives there, too."""

    resident_id: UUID
