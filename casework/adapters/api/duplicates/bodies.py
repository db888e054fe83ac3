"""Request bodies of duplicates, merges and households."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from casework.adapters.api.shared.bodies import Body, Words
from casework.domain.duplicates.merged_facts import MergeSide

State = Literal["open", "same", "different"]


class DecideDuplicate(Body):
    """Whether the two of a pair are one person."""

    decision: Literal["same", "different"]
    note: Words | None = None


MergedFact = Literal[
    "name", "birth_date", "sex", "address", "phone", "lives_alone", "mobility", "ltc_grade",
    "disability", "insurance", "income_tier", "died_on", "rrn",
]  # fmt: skip


class MergeResidents(Body):
    """Which record is of the same person, and how one knows."""

    duplicate_id: UUID
    reason: Words
    keep: dict[MergedFact, MergeSide] = Field(
        default={}, description="Which record is right about each fact in which the two differ."
    )

    def by_name(self) -> dict[str, MergeSide]:
        """What to keep, as the domain has it."""
        return {str(name): side for name, side in self.keep.items()}


class UndoMerge(Body):
    """Why the two are two after all."""

    reason: Words | None = None
