"""What the places of offerings need from outside."""

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
    """Who waits for an offering, longest first, and how many free places are for them."""

    waiting: tuple[UUID, ...]
    places: int

    def is_next(self, referral_id: UUID) -> bool:
        """Whether a place is there for this one."""
        return referral_id in self.waiting[: self.places]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleOffering:
    """An offering whose figures are asked for, and whether its agency has an account."""

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
        """An offering of an active agency with its places, for everybody. Raises NotFound."""
        ...

    def save(self, offering: Offering) -> None:
        """Write down what was stated."""
        ...

    def out_of_step(self, limit: int) -> list[UUID]:
        """Referrals to which a place is to be offered, or that were offered one that is gone."""
        ...

    def line(self, offering_id: UUID) -> WaitingList:
        """Who waits for an offering; it stands still until the commit."""
        ...

    def ask_for(self, now: datetime) -> list[StaleOffering]:
        """Note that agencies with old figures are asked for them; those not asked recently."""
        ...

    def tell(self, notices: Sequence[Notice]) -> None:
        """New notices that no case file's event gives."""
        ...
