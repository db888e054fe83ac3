"""What happens to a referral: one class for each row of the table of moves, and for its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from casework.domain.casefile.states import (
    CancelReason,
    DeclineReason,
    Disposition,
    FailReason,
    HoldReason,
    OnBehalfChannel,
    ReferralOutcome,
    ReferralStatus,
    WithdrawReason,
)
from casework.domain.clocks.standards import Priority
from casework.domain.events import Code, Event, EventSubject, event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredAmount:
    """How much of a service was given, and in what it is counted."""

    quantity: Decimal
    unit: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralEvent(Event):
    """Something that happened to a referral, whose state afterwards is ``status``."""

    status: ReferralStatus


@event(EventSubject.REFERRAL)
class ReferralDrafted(ReferralEvent):
    """A referral was made for a planned service."""

    planned_service_id: UUID
    provider_id: UUID
    priority: Priority
    replaces: UUID | None


@event(EventSubject.REFERRAL)
class ReferralTakenOver(ReferralEvent):
    """It ran before the system came in, and was taken over with the days of its acts."""

    planned_service_id: UUID
    provider_id: UUID
    priority: Priority
    requested_on: date
    answered_on: date | None
    started_on: date | None
    ended_on: date | None
    hold_until: date | None
    outcome: ReferralOutcome | None
    disposition: Disposition | None


@event(EventSubject.REFERRAL)
class ReferralRequested(ReferralEvent):
    """It was sent to its provider."""

    requested_on: date | None = None


@event(EventSubject.REFERRAL)
class ReferralAccepted(ReferralEvent):
    """The provider takes it on."""

    on_behalf: OnBehalfChannel | None = None
    answered_on: date | None = None
    expected_start_on: date | None = None


@event(EventSubject.REFERRAL)
class ReferralWaitlisted(ReferralEvent):
    """Not now, but in turn."""

    on_behalf: OnBehalfChannel | None = None
    answered_on: date | None = None
    expected_on: date | None = None


@event(EventSubject.REFERRAL)
class ReferralDeclined(ReferralEvent):
    """The provider cannot; ``full_until`` marks its offering full up to and including a day."""

    reason: DeclineReason
    on_behalf: OnBehalfChannel | None = None
    answered_on: date | None = None
    full_until: date | None = None


@event(EventSubject.REFERRAL)
class ReferralLapsed(ReferralEvent):
    """Nobody answered in time."""


@event(EventSubject.REFERRAL)
class ReferralStarted(ReferralEvent):
    """The service began."""

    on_behalf: OnBehalfChannel | None = None
    started_on: date | None = None


@event(EventSubject.REFERRAL)
class ReferralReported(ReferralEvent):
    """The provider said how it goes."""

    on_behalf: OnBehalfChannel | None = None
    reported_on: date | None = None
    delivered: DeliveredAmount | None = None


@event(EventSubject.REFERRAL)
class ReferralHeld(ReferralEvent):
    """The service rests up to and including a day.

    ``with_case`` where the worker held the whole case, which alone says why.
    """

    reason: HoldReason | None = None
    on_behalf: OnBehalfChannel | None = None
    until: date | None = None
    with_case: bool | None = None


@event(EventSubject.REFERRAL)
class ReferralResumed(ReferralEvent):
    """The hold ended, early or ``by_itself``."""

    on_behalf: OnBehalfChannel | None = None
    resumed_on: date | None = None
    by_itself: bool | None = None
    with_case: bool | None = None


@event(EventSubject.REFERRAL)
class ReferralCaseHeld(ReferralEvent):
    """Its case rests up to and including a day; its own state is as before."""

    until: date


@event(EventSubject.REFERRAL)
class ReferralCaseResumed(ReferralEvent):
    """Its case, of whose hold its agency was told, goes on early."""


@event(EventSubject.REFERRAL)
class ReferralCompleted(ReferralEvent):
    """The service ended, as its outcome says."""

    on_behalf: OnBehalfChannel | None = None
    ended_on: date | None = None
    outcome: ReferralOutcome


@event(EventSubject.REFERRAL)
class ReferralFailed(ReferralEvent):
    """It was accepted, and came to nothing."""

    reason: FailReason
    on_behalf: OnBehalfChannel | None = None
    ended_on: date | None = None


@event(EventSubject.REFERRAL)
class ReferralCancelled(ReferralEvent):
    """The sender took it back."""

    reason: CancelReason
    replaced_by: UUID | None = None


@event(EventSubject.REFERRAL)
class ReferralWithdrawn(ReferralEvent):
    """The resident's side ended it."""

    reason: WithdrawReason


@event(EventSubject.REFERRAL)
class ReferralDisposed(ReferralEvent):
    """Somebody said what happens instead."""

    disposition: Disposition
    replaced_by: UUID | None = None


@event(EventSubject.REFERRAL)
class ReferralEnteredInError(ReferralEvent):
    """It should never have been entered."""


@event(EventSubject.REFERRAL)
class PlaceOffered(ReferralEvent):
    """A place came free for the next in line: an emergency, or who waits longest."""


@event(EventSubject.REFERRAL)
class PlaceOfferEnded(ReferralEvent):
    """The place that was offered is gone."""


@event(EventSubject.REFERRAL)
class ReferralCorrected(ReferralEvent):
    """The days of its moves were put right, or its priority raised or lowered."""

    correction_id: UUID
    fields: tuple[Code, ...]
    requested_on: date | None = None
    answered_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    priority: Priority | None = None
