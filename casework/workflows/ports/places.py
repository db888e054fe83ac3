"""The port of the places of offerings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.directory.directory import Offering
from casework.domain.notices.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingList:
    """The referrals that wait for an offering, in turn, and their free places.

    Emergencies first, then who waits longest; those whose case is on hold are left out.
    """

    waiting: tuple[UUID, ...]
    places: int

    def is_next(self, referral_id: UUID) -> bool:
        """Whether a place is free for this referral."""
        return referral_id in self.waiting[: self.places]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleOffering:
    """An offering with stale figures, and whether its agency has an account."""

    offering_id: UUID
    provider_id: UUID
    district_code: str
    signs_in: bool


class Places(Protocol):
    """The places of offerings."""

    def figures(self, offering_id: UUID, *, lock: bool = False) -> Offering:
        """An offering whose figures the actor may state. Raises NotFound."""
        ...

    def shown(self, offering_id: UUID) -> Mapping[str, Any]:
        """An offering of an active agency with its places, readable by all. Raises NotFound."""
        ...

    def save(self, offering: Offering) -> None:
        """Save the stated figures."""
        ...

    def out_of_step(self, limit: int) -> list[UUID]:
        """Referrals that are due an offer of a place, or whose offered place is gone."""
        ...

    def line(self, offering_id: UUID) -> WaitingList:
        """The waiting list of an offering, locked until the commit."""
        ...

    def request_figures(self, now: datetime) -> list[StaleOffering]:
        """Mark stale offerings as requested; returns those not requested recently."""
        ...

    def tell(self, notices: Sequence[Notice]) -> None:
        """Add notices that come from no case file event."""
        ...
