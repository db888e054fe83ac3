"""Coming to a resident's home: how to get in, and who else comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField
from casework.domain.errors import require

MAX_LENGTH: Final = 500
# An agency that has said that it comes; before, it needs none of this to answer.
COMES: Final = frozenset(
    {ReferralStatus.ACCEPTED, ReferralStatus.IN_PROGRESS, ReferralStatus.ON_HOLD}
)


@dataclass(slots=True, kw_only=True)
class WayIn:
    """How to get in: a bell, a neighbour with the key, a dog.."""

    id: UUID
    resident_id: UUID
    text: str
    written_at: datetime
    written_by: UUID | None
    version: int = 0  # of one that is not stored yet


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitingService:
    """Another service that comes to the same home."""

    service_code: str
    field: CareField
    status: ReferralStatus
    provider_name: str
    provider_phone: str


def check_way_in(text: str) -> None:
    """Refuse what is no description."""
    require(text.strip(), "say how to get in", field="text")
    require(len(text) <= MAX_LENGTH, "at most 500 characters", field="text")


def is_visiting(referral: Referral) -> bool:
    """Whether the agency of a referral has said that it comes, and still does."""
    return referral.status in COMES
