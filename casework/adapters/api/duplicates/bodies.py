"""Request bodies of duplicates, merges and households."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from casework.adapters.api.shared.bodies import Body, Words

State = Literal["open", "same", "different"]


class DecideDuplicate(Body):
    """Whether the two of a pair are one person."""

    decision: Literal["same", "different"]
    note: Words | None = None


class MergeResidents(Body):
    """Which record is of the same person, and how one knows."""

    duplicate_id: UUID
    reason: Words


class UndoMerge(Body):
    """Why the two are two after all."""

    reason: Words | None = None
