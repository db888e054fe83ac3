"""How long a hold lasts at most, by its reason; whoever needs longer holds anew."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from casework.domain.act import Act
from casework.domain.casefile.states import HoldReason
from casework.domain.clocks.calendar import Unit
from casework.domain.errors import Invalid, require

# How many days ahead, counted from the day on which somebody says so.
HOLD_AT_MOST: Final = {
    HoldReason.HOSPITALISED: 90,
    HoldReason.AWAY: 90,
    HoldReason.RESIDENT_ASKED: 90,
    HoldReason.PROVIDER_PAUSED: 90,
    HoldReason.OTHER: 90,
}


def check_hold_until(
    reason: HoldReason, until: date | None, act: Act, field: str = "until"
) -> None:
    """A hold lasts until today or later, and no longer than its reason allows."""
    require(
        until is not None and until >= act.today,
        "a hold lasts until today or later",
        code="until_in_past",
        field=field,
    )
    longest = HOLD_AT_MOST[reason]
    if until is not None and until > act.today + timedelta(days=longest):
        raise Invalid(
            f"a hold for {reason} lasts {longest} days at most; hold it anew then",
            code="hold_too_long",
            field=field,
            limit={"amount": longest, "unit": Unit.DAYS},
        )
