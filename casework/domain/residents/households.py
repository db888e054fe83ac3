"""Households: who lives together; membership grants no access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.errors import Conflict, require
from casework.domain.events import EventMetadata
from casework.domain.residents.events import HouseholdJoined, HouseholdLeft


class HouseholdKind(StrEnum):
    """How they belong together."""

    COUPLE = "couple"
    FAMILY = "family"
    OTHER = "other"


KINDS: Final = tuple(HouseholdKind)


@dataclass(slots=True, kw_only=True)
class Household:
    """People who live together."""

    id: UUID
    kind: HouseholdKind
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
    kind: HouseholdKind, resident_ids: Sequence[UUID], act: Act
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
    """Add a member."""
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
    """Remove a member."""
    if member is None:
        raise Conflict("not of this household", code="not_a_member")
    member.left_at, member.left_by = act.at, act.by.id
    return member


def event_of(
    happened: type[HouseholdJoined | HouseholdLeft], member: HouseholdMember, act: Act
) -> HouseholdJoined | HouseholdLeft:
    """On the timeline of the one who joined or left; the others are not named."""
    meta = EventMetadata.of(act, member.resident_id, resident_id=member.resident_id)
    return happened(meta, household_id=member.household_id)
