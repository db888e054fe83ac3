"""Who lives together: a link for one visit, which opens nobody's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.errors import Conflict, require
from casework.domain.events import Event

KINDS: Final = ("couple", "family", "other")


@dataclass(slots=True, kw_only=True)
class Household:
    """People who live together."""

    id: UUID
    kind: str
    made_at: datetime
    made_by: UUID | None
    version: int = 1


@dataclass(slots=True, kw_only=True)
class HouseholdMember:
    """One of them, until they leave."""

    id: UUID
    household_id: UUID
    resident_id: UUID
    joined_at: datetime
    joined_by: UUID | None
    left_at: datetime | None = None
    left_by: UUID | None = None


def found(
    kind: str, resident_ids: Sequence[UUID], act: Act
) -> tuple[Household, list[HouseholdMember]]:
    """A new household of two or more."""
    require(
        len(set(resident_ids)) == len(resident_ids),
        "the same resident twice",
        code="duplicate_member",
        field="resident_ids",
    )
    household = Household(id=act.new_id(), kind=kind, made_at=act.at, made_by=act.by.id)
    return household, [_member(household, id, act) for id in resident_ids]


def join(household: Household, resident_id: UUID, act: Act) -> HouseholdMember:
    """One more."""
    household.version += 1
    return _member(household, resident_id, act)


def _member(household: Household, resident_id: UUID, act: Act) -> HouseholdMember:
    return HouseholdMember(
        id=act.new_id(),
        household_id=household.id,
        resident_id=resident_id,
        joined_at=act.at,
        joined_by=act.by.id,
    )


def leave(household: Household, member: HouseholdMember | None, act: Act) -> HouseholdMember:
    """One less."""
    if member is None:
        raise Conflict("not of this household", code="not_a_member")
    member.left_at, member.left_by = act.at, act.by.id
    household.version += 1
    return member


def event_of(name: str, member: HouseholdMember, act: Act) -> Event:
    """On the timeline of the one who joined or left; the others are not named."""
    return Event(
        id=act.new_id(),
        name=name,
        subject_type="resident",
        subject_id=member.resident_id,
        resident_id=member.resident_id,
        case_id=None,
        at=act.at,
        by_id=act.by.id,
        by_role=act.by.role,
        data={"household_id": member.household_id},
    )
