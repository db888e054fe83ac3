"""What an agency delivered in a month: prefilled by the plan, so that only exceptions are typed."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Conflict, Invalid, require


class DeliveryException(StrEnum):
    """Why something else was delivered than was planned."""

    RESIDENT_ABSENT = "resident_absent"
    HOSPITALISED = "hospitalised"
    RESIDENT_REFUSED = "resident_refused"
    PROVIDER_UNABLE = "provider_unable"
    MORE_NEEDED = "more_needed"
    OTHER = "other"


EXCEPTIONS: Final = tuple(DeliveryException)
MAX_QUANTITY: Final = Decimal(9999)
MAX_NOTE_LENGTH: Final = 500
WEEK: Final = 7
_QUANTITY: Final = re.compile(r"-?[0-9]{1,5}([.,][0-9]{1,2})?")


@dataclass(slots=True, kw_only=True)
class MonthlyDelivery:
    """One line of a roster: a referral, a month (``2026-03``), planned and delivered quantity."""

    id: UUID
    referral_id: UUID
    resident_id: UUID
    month: str
    planned: Decimal
    delivered: Decimal
    unit: str
    reason: DeliveryException | None
    note: str | None
    recorded_at: datetime
    recorded_by: UUID | None
    version: int = 0  # of one that is not stored yet


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What an agency says of one line; None as quantity says: as planned.

    ``reason`` is what was sent, known or not; ``exception`` is the one that it names.
    """

    delivered: Decimal | None = None
    reason: str | None = None
    note: str | None = None

    @property
    def exception(self) -> DeliveryException | None:
        """Why it is not what was planned. Raises ValueError before it was checked."""
        return None if self.reason is None else DeliveryException(self.reason)

    def check(self, planned: Decimal) -> Decimal:
        """The quantity; an exception needs its reason, and ``other`` a note."""
        quantity = planned if self.delivered is None else self.delivered
        require(0 <= quantity <= MAX_QUANTITY, "from 0 to 9999", field="delivered")
        if self.reason is not None:
            require(
                self.reason in EXCEPTIONS, f"one of {', '.join(EXCEPTIONS)}",
                code="reason_unknown", field="reason",
            )  # fmt: skip
        require(
            quantity == planned or self.reason, "say why it is not what was planned",
            code="reason_required", field="reason",
        )  # fmt: skip
        note = (self.note or "").strip()
        require(
            self.reason != DeliveryException.OTHER or note, "other needs a note",
            code="note_required", field="note",
        )  # fmt: skip
        require(len(note) <= MAX_NOTE_LENGTH, "at most 500 characters", field="note")
        return quantity


def quantity_of(text: str) -> Decimal:
    """A quantity as somebody typed it: up to two places. Raises Invalid."""
    found = _QUANTITY.fullmatch(text.strip())
    require(found, "a number of two places", code="quantity_invalid", field="delivered")
    return Decimal(text.strip().replace(",", "."))


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a month. Raises Invalid ``month_invalid``."""
    try:
        first = date.fromisoformat(f"{month}-01")
        require(first.strftime("%Y-%m") == month, "a month as YYYY-MM", field="month")
    except (ValueError, Invalid):
        raise Invalid("a month as YYYY-MM", code="month_invalid", field="month") from None
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def month_before(today: date) -> str:
    """The month whose roster is asked for on a day: the last one that is over."""
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year:04d}-{month:02d}"


def is_in(referral: Referral, month: str) -> bool:
    """Whether something can have been delivered: it had started and not ended before."""
    first, last = days_of(month)
    started, ended = referral.started_on, last_day(referral)
    if referral.status == ReferralStatus.ENTERED_IN_ERROR:
        return False
    return started is not None and started <= last and (ended is None or ended >= first)


def last_day(referral: Referral) -> date | None:
    """The last day of a service: as reported, else the day it ended."""
    return referral.ended_on or (referral.ended_at and day_in_seoul(referral.ended_at))


def check_month(month: str, today: date) -> None:
    """A roster is of a month that has begun; what is to come nobody has delivered."""
    first, _ = days_of(month)
    if first > today:
        raise Conflict("this month has not begun", code="month_not_begun")


def planned_in(item: PlannedItem, referral: Referral, month: str) -> Decimal:
    """How much the plan foresees in a month, for the days on which the service ran.

    ``week`` and ``day`` by the days, ``month`` as it stands, ``once`` in the month of the start.
    """
    first, last = days_of(month)
    begins = max(first, item.starts_on, referral.started_on or first)
    ends = min(last, item.ends_on, last_day(referral) or last)
    days = (ends - begins).days + 1
    if days <= 0:
        return Decimal(0)
    if item.per == "once":
        started = referral.started_on or item.starts_on
        return item.quantity if first <= started <= last else Decimal(0)
    if item.per == "month":
        return item.quantity
    by_days = item.quantity * days / (WEEK if item.per == "week" else 1)
    return by_days.quantize(Decimal(1), ROUND_HALF_UP)
