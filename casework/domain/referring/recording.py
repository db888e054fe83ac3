"""What the event of each move says: a table from the class of the event to what makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from casework.domain.act import Act
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import (
    DeliveredAmount,
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralEnteredInError,
    ReferralEvent,
    ReferralFailed,
    ReferralHeld,
    ReferralLapsed,
    ReferralReported,
    ReferralRequested,
    ReferralResumed,
    ReferralStarted,
    ReferralWaitlisted,
    ReferralWithdrawn,
)
from casework.domain.casefile.states import (
    CancelReason,
    DeclineReason,
    FailReason,
    HoldReason,
    OnBehalfChannel,
    ReferralOutcome,
    WithdrawReason,
)
from casework.domain.directory import capacity
from casework.domain.events import EventMetadata
from casework.domain.referring.details import Details

Maker = Callable[[EventMetadata, Referral, Details, Act], ReferralEvent]


def _accepted(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralAccepted(
        meta,
        status=it.status,
        on_behalf=_channel(details.on_behalf),
        answered_on=details.answered_on,
        expected_start_on=details.expected_start_on,
    )


def _waitlisted(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralWaitlisted(
        meta,
        status=it.status,
        on_behalf=_channel(details.on_behalf),
        answered_on=details.answered_on,
        expected_on=details.expected_on,
    )


def _declined(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralDeclined(
        meta,
        status=it.status,
        reason=DeclineReason(details.reason or ""),
        on_behalf=_channel(details.on_behalf),
        answered_on=details.answered_on,
        full_until=capacity.full_until("decline", details.reason, details.full_until, act),
    )


def _started(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralStarted(
        meta,
        status=it.status,
        on_behalf=_channel(details.on_behalf),
        started_on=it.started_on,
    )


def _reported(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    given = details.delivered
    return ReferralReported(
        meta,
        status=it.status,
        on_behalf=_channel(details.on_behalf),
        reported_on=details.reported_on,
        delivered=None if given is None else DeliveredAmount(**given),
    )


def _held(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralHeld(
        meta,
        status=it.status,
        reason=HoldReason(details.reason or ""),
        on_behalf=_channel(details.on_behalf),
        until=details.until,
    )


def _resumed(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralResumed(meta, status=it.status, on_behalf=_channel(details.on_behalf))


def _completed(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralCompleted(
        meta,
        status=it.status,
        on_behalf=_channel(details.on_behalf),
        ended_on=it.ended_on,
        outcome=it.outcome or ReferralOutcome(details.outcome or ""),
    )


def _failed(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralFailed(
        meta,
        status=it.status,
        reason=FailReason(details.reason or ""),
        on_behalf=_channel(details.on_behalf),
        ended_on=it.ended_on,
    )


def _cancelled(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralCancelled(
        meta,
        status=it.status,
        reason=CancelReason(details.reason or ""),
        replaced_by=it.replaced_by_id,
    )


def _withdrawn(meta: EventMetadata, it: Referral, details: Details, act: Act) -> ReferralEvent:
    return ReferralWithdrawn(meta, status=it.status, reason=WithdrawReason(details.reason or ""))


def _channel(on_behalf: dict[str, Any] | None) -> OnBehalfChannel | None:
    """On whose word it was written down, but for the name of who gave it."""
    return OnBehalfChannel(on_behalf["channel"]) if on_behalf else None


MAKERS: Final[dict[type[ReferralEvent], Maker]] = {
    ReferralRequested: lambda meta, it, details, _act: ReferralRequested(
        meta, status=it.status, requested_on=details.requested_on
    ),
    ReferralAccepted: _accepted,
    ReferralWaitlisted: _waitlisted,
    ReferralDeclined: _declined,
    ReferralLapsed: lambda meta, it, _details, _act: ReferralLapsed(meta, status=it.status),
    ReferralStarted: _started,
    ReferralReported: _reported,
    ReferralHeld: _held,
    ReferralResumed: _resumed,
    ReferralCompleted: _completed,
    ReferralFailed: _failed,
    ReferralCancelled: _cancelled,
    ReferralWithdrawn: _withdrawn,
    ReferralEnteredInError: lambda meta, it, _details, _act: ReferralEnteredInError(
        meta, status=it.status
    ),
}
