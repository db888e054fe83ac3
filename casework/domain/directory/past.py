"""What came of asking an agency for a resident before, as matching tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.states import (
    DeclineReason,
    Disposition,
    ReferralStatus,
    WithdrawReason,
)

# What lies longer ago says little of an agency that has changed since.
REMEMBERED_FOR: Final = timedelta(days=365)


class Setback(StrEnum):
    """How a referral came to nothing between a resident and an agency."""

    REFUSED = "refused"
    FAILED = "failed"
    DECLINED = "declined"


# In which states a referral can be one.
STATES: Final = (
    ReferralStatus.DECLINED,
    ReferralStatus.FAILED,
    ReferralStatus.WITHDRAWN,
    ReferralStatus.LAPSED,
)


def setback(
    status: ReferralStatus, reason: str | None, disposition: Disposition | None
) -> Setback | None:
    """What an ended referral says: the resident did not want it, it failed, or was declined."""
    if (
        disposition is Disposition.REFUSED
        or (status, reason) == (ReferralStatus.DECLINED, DeclineReason.RESIDENT_REFUSED)
        or (status, reason) == (ReferralStatus.WITHDRAWN, WithdrawReason.RESIDENT_ASKED)
    ):
        return Setback.REFUSED
    if status is ReferralStatus.FAILED:
        return Setback.FAILED
    return Setback.DECLINED if status is ReferralStatus.DECLINED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSetback:
    """That one agency's referral came to nothing, and on which day."""

    provider_id: UUID
    setback: Setback
    on: date


def told(found: Iterable[PastSetback]) -> Mapping[UUID, dict[str, Any]]:
    """How often each was, and when last, by agency."""
    counts: dict[UUID, Counter[Setback]] = {}
    last: dict[UUID, date] = {}
    for one in found:
        counts.setdefault(one.provider_id, Counter())[one.setback] += 1
        last[one.provider_id] = max(one.on, last.get(one.provider_id, one.on))
    return {
        id: {kind.value: count[kind] for kind in Setback} | {"last_on": last[id]}
        for id, count in counts.items()
    }
