"""Who is told how referrals move the places of an offering, and what everyone else is told.

What moves with referrals counts people: who holds a place, who waits, what is free less than was
stated. So do a maximum beside what is free of it, and who waits by the agency's own word. Whoever
has no part in the referrals is told the free places that the agency stated last, and when it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol
from uuid import UUID

from casework.domain.access.policy import SYSTEM_ROLE, Actor, Role

# They ask agencies or maintain all of their figures; an agency is told its own as they are.
TOLD_AS_THEY_ARE: Final = frozenset({Role.WORKER, Role.SUPERVISOR, Role.ADMIN, SYSTEM_ROLE})
# Of the history of an offering, the facts that move with referrals.
_FACTS: Final = frozenset({"capacity", "available", "waiting", "full_until"})


class Places(Protocol):
    """The places of an offering: an ``Offering``, or the same attributes."""

    provider_id: UUID
    capacity: int
    available: int
    waiting: int
    held: int
    waitlisted: int
    for_waiting: int
    full_until: date | None
    stated_available: int
    capacity_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesTold:
    """The places as one actor is told them; what is None is not told."""

    available: int
    maximum: int | None = None
    waiting: int | None = None
    held: int | None = None
    waitlisted: int | None = None
    for_waiting: int | None = None
    full_until: date | None = None
    version: int | None = None


def is_told_as_they_are(actor: Actor, provider_id: UUID | None) -> bool:
    """Whether the actor is told the places of this agency as referrals move them."""
    if actor.stands_as in TOLD_AS_THEY_ARE:
        return True
    return actor.provider_id is not None and actor.provider_id == provider_id


def places_told(it: Places, actor: Actor) -> PlacesTold:
    """The places of an offering as the actor is told them: as they are, or as last stated."""
    if not is_told_as_they_are(actor, it.provider_id):
        return PlacesTold(available=it.stated_available)
    return PlacesTold(
        available=it.available,
        maximum=it.capacity,
        waiting=it.waiting,
        held=it.held,
        waitlisted=it.waitlisted,
        for_waiting=it.for_waiting,
        full_until=it.full_until,
        version=it.capacity_version,
    )


def changes_told(
    after: Mapping[str, Any], actor: Actor, provider_id: UUID | None
) -> Mapping[str, Any]:
    """The facts of a change that the actor is told: none that move with referrals."""
    if is_told_as_they_are(actor, provider_id):
        return after
    return {name: value for name, value in after.items() if name not in _FACTS}
