"""Places: who holds one, who waits for one, and how fresh an agency's figures are.

A place is held from the acceptance of a referral until its end; a hold keeps it. Of the places that
come free, as many as people wait are for those who wait. All else is what the agency states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import PlaceOffered, PlaceOfferEnded, ReferralDeclined
from casework.domain.casefile.states import ReferralStatus
from casework.domain.directory.directory import Offering
from casework.domain.directory.events import FiguresStated, PlacesBefore
from casework.domain.errors import require
from casework.domain.events import Event, EventMetadata

HOLDS_A_PLACE: Final = frozenset(
    {ReferralStatus.ACCEPTED, ReferralStatus.IN_PROGRESS, ReferralStatus.ON_HOLD}
)
# How long an offering counts as full where its agency does not say until when.
FULL_FOR: Final = timedelta(days=14)
MAX_PLACES: Final = 100_000
AT_CAPACITY: Final = "at_capacity"


class Vacancies(Protocol):
    """What is free of an offering, and for whom."""

    @property
    def available(self) -> int:
        """Places that nobody holds."""
        ...

    @property
    def for_waiting(self) -> int | None:
        """Of these, the places reserved for those who wait; None where that is not told."""
        ...

    @property
    def full_until(self) -> date | None:
        """The last day on which it accepts nobody new."""
        ...


class CapacityFigures(Vacancies, Protocol):
    """The capacity figures of an offering: an ``Offering`` or the same attributes."""

    @property
    def as_of(self) -> datetime:
        """When the agency's figures were stated."""
        ...


def is_marked_full(offering: Vacancies, today: date) -> bool:
    """Whether the agency marked it full, up to and including the day it named."""
    return offering.full_until is not None and today <= offering.full_until


def free_places(offering: Vacancies, today: date) -> int:
    """How many new residents could be accepted now, beside those who wait."""
    if is_marked_full(offering, today):
        return 0
    return max(0, offering.available - (offering.for_waiting or 0))


def is_stale(offering: CapacityFigures, fresh_for: timedelta, now: datetime) -> bool:
    """Whether its figures are older than they may be."""
    return now - offering.as_of > fresh_for


# How referral moves change the places of offerings


@dataclass(slots=True, kw_only=True)
class CapacityChange:
    """What one save does to the places of one offering."""

    offering_id: UUID
    taken: int = 0
    released: int = 0
    # Of those taken, by somebody whom a place had been offered to.
    taken_as_offered: int = 0
    joined: int = 0
    left: int = 0
    # Of referrals that were taken over: they ran, or waited, when the agency stated its figures.
    found_holding: int = 0
    found_waiting: int = 0
    full_until: date | None = None
    # The previous state of the referral that takes a place.
    taker_was: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is to be written."""
        counts = (self.taken, self.released, self.joined, self.left)
        return any(counts) or self.is_any_found or self.full_until is not None

    @property
    def is_any_found(self) -> bool:
        """Whether referrals that were taken over are to be counted."""
        return bool(self.found_holding or self.found_waiting)


def changes(
    before: Mapping[UUID, str], referrals: Iterable[Referral], events: Iterable[Event]
) -> list[CapacityChange]:
    """The changes of places, given each referral's previous state, by offering id.

    This is the only code that decides when a place is taken or freed.
    """
    found: dict[UUID, CapacityChange] = {}
    by_id = {referral.id: referral for referral in referrals}
    for referral in by_id.values():
        change = found.setdefault(
            referral.offering_id, CapacityChange(offering_id=referral.offering_id)
        )
        _count(change, before.get(referral.id), referral)
    for event in events:
        declined = by_id.get(event.subject_id)
        if isinstance(event, ReferralDeclined) and event.full_until and declined is not None:
            found[declined.offering_id].full_until = event.full_until
    return sorted((one for one in found.values() if one.is_any), key=lambda one: one.offering_id)


def _count(change: CapacityChange, was: str | None, referral: Referral) -> None:
    held, holds = was in HOLDS_A_PLACE, referral.status in HOLDS_A_PLACE
    waited, waits = was == ReferralStatus.WAITLISTED, referral.status == ReferralStatus.WAITLISTED
    if was is None:  # of its own it would begin as a draft, or asked
        change.found_holding += holds
        change.found_waiting += waits
        return
    if holds and not held:
        change.taken, change.taker_was = change.taken + 1, was
        change.taken_as_offered += waited and referral.place_offered_at is not None
    if held and not holds:
        change.released += 1
    change.joined += waits and not waited
    change.left += waited and not waits


# What a decline says of the offering


def check_full_until(action: str, reason: str | None, until: date | None, act: Act) -> None:
    """Refuse ``full_until`` unless a decline is for lack of places; it is today or later."""
    if until is None:
        return
    require(
        action == "decline" and reason == AT_CAPACITY,
        f"only with the reason {AT_CAPACITY}",
        code="full_until_not_asked",
        field="full_until",
    )
    require(until >= act.today, "today or later", code="until_in_past", field="full_until")
    act.not_too_far(until, "full_until")


def full_until(action: str, reason: str | None, until: date | None, act: Act) -> date | None:
    """Until when a move marks its offering full, or None where it does not."""
    if action != "decline" or reason != AT_CAPACITY:
        return None
    return until or act.today + FULL_FOR


# A place for those who wait


def offer_place(file: CaseFile, referral: Referral, act: Act) -> None:
    """Offer a place to the next in line; the referral's state stays until it is accepted."""
    referral.place_offered_at = act.at
    file.record(PlaceOffered(file.meta(referral, act), status=referral.status))


def take_back_offer(file: CaseFile, referral: Referral, act: Act) -> None:
    """Withdraw an offered place; the referral keeps its position on the waiting list."""
    referral.place_offered_at = None
    file.record(PlaceOfferEnded(file.meta(referral, act), status=referral.status))


# What an agency states


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityStatement:
    """An agency's figures; what is None stays as it was."""

    available: int
    capacity: int | None = None
    waiting: int | None = None


def state(offering: Offering, said: CapacityStatement, act: Act) -> Event:
    """Store the stated figures; they also clear a mark that the offering is full."""
    capacity = offering.capacity if said.capacity is None else said.capacity
    waiting = offering.waiting if said.waiting is None else said.waiting
    require(
        0 <= said.available <= MAX_PLACES,
        f"from 0 to {MAX_PLACES}",
        code="places_out_of_range",
        field="available",
    )
    require(
        said.available + offering.held <= capacity,
        f"of {capacity} places {offering.held} are held by referrals",
        code="places_held",
        field="available",
    )
    require(
        waiting >= offering.waitlisted,
        f"{offering.waitlisted} referrals are on the waiting list",
        code="referrals_waiting",
        field="waiting",
    )
    before = PlacesBefore(capacity=offering.capacity, available=offering.available)
    offering.capacity, offering.available, offering.waiting = capacity, said.available, waiting
    offering.stated_available = said.available
    offering.for_waiting = min(said.available, offering.waitlisted)
    offering.full_until, offering.as_of, offering.stated_by = None, act.at, act.by.id
    return FiguresStated(
        EventMetadata.of(act, offering.id),
        available=said.available,
        capacity=capacity,
        waiting=waiting,
        before=before,
    )
