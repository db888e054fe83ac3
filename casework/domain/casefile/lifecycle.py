"""The life of a referral: who may make which move, from where to where, and what it needs.

This table is the only place that says so. A move it does not list is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.domain.clocks.standards import ClockKind


class ReferralStatus(StrEnum):
    """Where a referral stands."""

    DRAFT = "draft"
    REQUESTED = "requested"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    DECLINED = "declined"
    LAPSED = "lapsed"
    FAILED = "failed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    ENTERED_IN_ERROR = "entered_in_error"


S = ReferralStatus
OPEN: Final = frozenset({S.DRAFT, S.REQUESTED, S.WAITLISTED, S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD})
ENDED: Final = frozenset(set(ReferralStatus) - OPEN)
STARTED: Final = frozenset({S.IN_PROGRESS, S.ON_HOLD, S.COMPLETED})
OWES_DISPOSITION: Final = frozenset({S.DECLINED, S.LAPSED, S.FAILED, S.WITHDRAWN})


class Party(StrEnum):
    """Who may make a move: each is an action of the access policy, or the sweep."""

    SENDER = "referral.send"
    ANSWERER = "referral.answer"
    SUPERVISOR = "referral.correct"
    SWEEP = "sweep"


REASONS: Final[dict[str, tuple[str, ...]]] = {
    "decline": (
        "at_capacity",
        "out_of_area",
        "not_eligible",
        "cannot_reach",
        "resident_refused",
        "duplicate",
        "other",
    ),
    "hold": ("hospitalised", "away", "resident_asked", "provider_paused", "other"),
    "cancel": ("no_longer_needed", "entered_twice", "redirected", "case_closed", "other"),
    "withdraw": ("resident_asked", "consent_withdrawn", "died", "other"),
    "fail": ("provider_unable", "resident_unreachable", "died", "other"),
}
OUTCOMES: Final = ("ended_as_planned", "ended_early", "transferred")
DISPOSITIONS: Final = ("re_refer", "alternative", "refused", "no_longer_needed", "unmet_need")
SETTLEMENTS: Final = DISPOSITIONS[1:]


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table. ``to`` None keeps the state, or returns whence a hold came.

    ``meets`` names the clocks whose end this is; every other running clock of the referral is
    cancelled when the state changes. ``starts`` names the clocks it sets going.
    """

    action: str
    from_: frozenset[ReferralStatus]
    to: ReferralStatus | None
    who: Party
    event: str
    meets: tuple[ClockKind, ...] = ()
    starts: tuple[ClockKind, ...] = ()
    pauses: bool = False


def _move(
    action: str,
    from_: set[ReferralStatus] | frozenset[ReferralStatus],
    to: ReferralStatus | None,
    who: Party,
    event: str,
    *,
    meets: tuple[ClockKind, ...] = (),
    starts: tuple[ClockKind, ...] = (),
    pauses: bool = False,
) -> Move:
    return Move(action, frozenset(from_), to, who, event, meets, starts, pauses)


MOVES: Final[dict[str, Move]] = {
    move.action: move
    for move in (
        _move(
            "send",
            {S.DRAFT},
            S.REQUESTED,
            Party.SENDER,
            "ReferralRequested",
            starts=(ClockKind.RESPONSE,),
        ),
        _move(
            "accept",
            {S.REQUESTED, S.WAITLISTED},
            S.ACCEPTED,
            Party.ANSWERER,
            "ReferralAccepted",
            meets=(ClockKind.RESPONSE, ClockKind.WAITLIST),
            starts=(ClockKind.START,),
        ),
        _move(
            "waitlist",
            {S.REQUESTED},
            S.WAITLISTED,
            Party.ANSWERER,
            "ReferralWaitlisted",
            meets=(ClockKind.RESPONSE,),
            starts=(ClockKind.WAITLIST,),
        ),
        _move(
            "decline",
            {S.REQUESTED, S.WAITLISTED},
            S.DECLINED,
            Party.ANSWERER,
            "ReferralDeclined",
            meets=(ClockKind.RESPONSE, ClockKind.WAITLIST),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "lapse",
            {S.REQUESTED, S.WAITLISTED},
            S.LAPSED,
            Party.SWEEP,
            "ReferralLapsed",
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "start",
            {S.ACCEPTED},
            S.IN_PROGRESS,
            Party.ANSWERER,
            "ReferralStarted",
            meets=(ClockKind.START,),
            starts=(ClockKind.PROGRESS,),
        ),
        _move(
            "report",
            {S.IN_PROGRESS},
            None,
            Party.ANSWERER,
            "ReferralReported",
            meets=(ClockKind.PROGRESS,),
            starts=(ClockKind.PROGRESS,),
        ),
        _move(
            "hold",
            {S.ACCEPTED, S.IN_PROGRESS},
            S.ON_HOLD,
            Party.ANSWERER,
            "ReferralHeld",
            pauses=True,
        ),
        _move("resume", {S.ON_HOLD}, None, Party.ANSWERER, "ReferralResumed"),
        _move(
            "complete",
            {S.IN_PROGRESS},
            S.COMPLETED,
            Party.ANSWERER,
            "ReferralCompleted",
            meets=(ClockKind.PROGRESS,),
        ),
        _move(
            "fail",
            {S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD},
            S.FAILED,
            Party.ANSWERER,
            "ReferralFailed",
            meets=(ClockKind.PROGRESS,),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "cancel",
            OPEN,
            S.CANCELLED,
            Party.SENDER,
            "ReferralCancelled",
            meets=(ClockKind.WAITLIST, ClockKind.PROGRESS),
        ),
        _move(
            "withdraw",
            OPEN,
            S.WITHDRAWN,
            Party.SENDER,
            "ReferralWithdrawn",
            meets=(ClockKind.WAITLIST, ClockKind.PROGRESS),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "dispose",
            OWES_DISPOSITION,
            None,
            Party.SENDER,
            "ReferralDisposed",
            meets=(ClockKind.DISPOSITION,),
        ),
        _move(
            "enter-in-error",
            frozenset(ReferralStatus) - {S.ENTERED_IN_ERROR},
            S.ENTERED_IN_ERROR,
            Party.SUPERVISOR,
            "ReferralEnteredInError",
            meets=(ClockKind.WAITLIST,),
        ),
    )
}


def possible_moves(status: ReferralStatus, *, owes_disposition: bool) -> list[str]:
    """The actions the table lists from this state, whoever asks, in the table's order."""
    return [
        move.action
        for move in MOVES.values()
        if status in move.from_ and (move.action != "dispose" or owes_disposition)
    ]
