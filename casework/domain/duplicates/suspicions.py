"""The supervisor's queue of pairs that may be one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from casework.domain.act import Act
from casework.domain.duplicates.likeness import LikenessReason, ordered
from casework.domain.errors import Conflict
from casework.domain.residents.resident import Resident


class SuspicionState(StrEnum):
    """What stands of a pair."""

    OPEN = "open"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(slots=True, kw_only=True)
class Suspicion:
    """Two residents who may be one person, the lower id first; places follow the residents."""

    id: UUID
    resident_id: UUID
    centre_code: str
    district_code: str
    other_id: UUID
    other_centre_code: str
    other_district_code: str
    reasons: list[LikenessReason]
    found_at: datetime
    state: SuspicionState = SuspicionState.OPEN
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    note: str | None = None
    # One of the two was merged: the pair rests until that is undone.
    is_parked: bool = False
    version: int = 1

    def decide(self, verdict: SuspicionState, note: str | None, act: Act) -> None:
        """Say whether the two are one. Deciding again is possible, the same again is not."""
        if self.state == verdict:
            raise Conflict(
                "that was decided before",
                code="already_decided",
                state=self.state,
                allowed_actions=["decide"],
            )
        self.state, self.note = verdict, note
        self.decided_at, self.decided_by = act.at, act.by.id


def suspect(
    one: Resident,
    other: Resident,
    why: tuple[LikenessReason, ...],
    act: Act,
    state: SuspicionState = SuspicionState.OPEN,
) -> Suspicion:
    """A pair as it is put into the queue; one that was decided at once has its verdict."""
    first, second = (one, other) if ordered(one.id, other.id)[0] == one.id else (other, one)
    decided = state != SuspicionState.OPEN
    return Suspicion(
        id=act.new_id(),
        resident_id=first.id,
        centre_code=first.centre_code,
        district_code=first.district_code,
        other_id=second.id,
        other_centre_code=second.centre_code,
        other_district_code=second.district_code,
        reasons=list(why),
        found_at=act.at,
        state=state,
        decided_at=act.at if decided else None,
        decided_by=act.by.id if decided else None,
    )
