"""The life of a referral: who may make which move, from where to where, and what it needs.

This table is the only place that says so. A move it does not list is refused: a referral's state
changes in ``Referral.make`` alone, which takes a row. Which roles a party stands for (who may
accept, say) is in ``access/policy.py`` under the party's action; what nobody answers is given up as
``clocks/no_answer.py`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.domain.casefile.referral_events import (
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralDisposed,
    ReferralEnteredInError,
    ReferralEvent,
    ReferralFailed,
    ReferralHeld,
    ReferralLapsed,
    ReferralReported,
    ReferralRequested,
    ReferralResumed,
    ReferralStarted,
    ReferralTakenOver,
    ReferralWaitlisted,
    ReferralWithdrawn,
)
from casework.domain.casefile.states import (
    CancelReason,
    DeclineReason,
    Disposition,
    FailReason,
    HoldReason,
    ReferralOutcome,
    ReferralStatus,
    WithdrawReason,
)
from casework.domain.clocks.standards import ClockKind

S = ReferralStatus
OPEN: Final = frozenset({S.DRAFT, S.REQUESTED, S.WAITLISTED, S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD})
ENDED: Final = frozenset(set(ReferralStatus) - OPEN)
STARTED: Final = frozenset({S.IN_PROGRESS, S.ON_HOLD, S.COMPLETED})
CAME_TO_NOTHING: Final = frozenset({S.DECLINED, S.LAPSED, S.FAILED, S.WITHDRAWN})
# After these a disposition can be owed; after a completion only where the service ended early.
OWES_DISPOSITION: Final = CAME_TO_NOTHING | {S.COMPLETED}


class Party(StrEnum):
    """Who makes a move: whoever has that action in the access policy, the sweep, or the case."""

    SENDER = "referral.send"
    ANSWERER = "referral.answer"
    SUPERVISOR = "referral.correct"
    SWEEP = "sweep"
    CASE = "case"


REASONS: Final[dict[str, tuple[StrEnum, ...]]] = {
    "decline": tuple(DeclineReason),
    "hold": tuple(HoldReason),
    "cancel": tuple(CancelReason),
    "withdraw": tuple(WithdrawReason),
    "fail": tuple(FailReason),
}
# Every list has it, and it says nothing without a note.
OTHER: Final = DeclineReason.OTHER
OUTCOMES: Final = tuple(ReferralOutcome)
DISPOSITIONS: Final = tuple(Disposition)
SETTLEMENTS: Final = DISPOSITIONS[1:]


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table. ``to`` None keeps the state, or ``returns`` to what was held.

    ``meets`` names the clocks whose end this is; every other running clock of the referral is
    cancelled when the state changes. ``starts`` names the clocks it sets going; a disposition is
    owed, and its clock starts, only where the end left the planned service to nobody.
    """

    action: str
    from_: frozenset[ReferralStatus]
    to: ReferralStatus | None
    who: Party
    event: type[ReferralEvent]
    meets: tuple[ClockKind, ...] = ()
    starts: tuple[ClockKind, ...] = ()
    pauses: bool = False
    returns: bool = False


def _move(
    action: str,
    from_: set[ReferralStatus] | frozenset[ReferralStatus],
    to: ReferralStatus | None,
    who: Party,
    event: type[ReferralEvent],
    *,
    meets: tuple[ClockKind, ...] = (),
    starts: tuple[ClockKind, ...] = (),
    pauses: bool = False,
    returns: bool = False,
) -> Move:
    return Move(action, frozenset(from_), to, who, event, meets, starts, pauses, returns)


MOVES: Final[dict[str, Move]] = {
    move.action: move
    for move in (
        _move(
            "send",
            {S.DRAFT},
            S.REQUESTED,
            Party.SENDER,
            ReferralRequested,
            starts=(ClockKind.RESPONSE,),
        ),
        _move(
            "accept",
            {S.REQUESTED, S.WAITLISTED},
            S.ACCEPTED,
            Party.ANSWERER,
            ReferralAccepted,
            meets=(ClockKind.RESPONSE, ClockKind.WAITLIST),
            starts=(ClockKind.START,),
        ),
        _move(
            "waitlist",
            {S.REQUESTED},
            S.WAITLISTED,
            Party.ANSWERER,
            ReferralWaitlisted,
            meets=(ClockKind.RESPONSE,),
            starts=(ClockKind.WAITLIST,),
        ),
        _move(
            "decline",
            {S.REQUESTED, S.WAITLISTED},
            S.DECLINED,
            Party.ANSWERER,
            ReferralDeclined,
            meets=(ClockKind.RESPONSE, ClockKind.WAITLIST),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "lapse",
            {S.REQUESTED, S.WAITLISTED},
            S.LAPSED,
            Party.SWEEP,
            ReferralLapsed,
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "start",
            {S.ACCEPTED},
            S.IN_PROGRESS,
            Party.ANSWERER,
            ReferralStarted,
            meets=(ClockKind.START,),
            starts=(ClockKind.PROGRESS,),
        ),
        _move(
            "report",
            {S.IN_PROGRESS},
            None,
            Party.ANSWERER,
            ReferralReported,
            meets=(ClockKind.PROGRESS,),
            starts=(ClockKind.PROGRESS,),
        ),
        _move(
            "hold",
            {S.ACCEPTED, S.IN_PROGRESS},
            S.ON_HOLD,
            Party.ANSWERER,
            ReferralHeld,
            pauses=True,
        ),
        _move("resume", {S.ON_HOLD}, None, Party.ANSWERER, ReferralResumed, returns=True),
        _move(
            "complete",
            {S.IN_PROGRESS},
            S.COMPLETED,
            Party.ANSWERER,
            ReferralCompleted,
            meets=(ClockKind.PROGRESS,),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "fail",
            {S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD},
            S.FAILED,
            Party.ANSWERER,
            ReferralFailed,
            meets=(ClockKind.PROGRESS,),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "cancel",
            OPEN,
            S.CANCELLED,
            Party.SENDER,
            ReferralCancelled,
            meets=(ClockKind.WAITLIST, ClockKind.PROGRESS),
        ),
        _move(
            "withdraw",
            OPEN,
            S.WITHDRAWN,
            Party.SENDER,
            ReferralWithdrawn,
            meets=(ClockKind.WAITLIST, ClockKind.PROGRESS),
            starts=(ClockKind.DISPOSITION,),
        ),
        _move(
            "dispose",
            OWES_DISPOSITION,
            None,
            Party.SENDER,
            ReferralDisposed,
            meets=(ClockKind.DISPOSITION,),
        ),
        _move(
            "enter-in-error",
            frozenset(ReferralStatus) - {S.ENTERED_IN_ERROR},
            S.ENTERED_IN_ERROR,
            Party.SUPERVISOR,
            ReferralEnteredInError,
            meets=(ClockKind.WAITLIST,),
        ),
    )
}


# A referral that ran before the system came in enters in the state that its file names; one on hold
# in the state before, and is held from there.
TAKE_OVER: Final[dict[ReferralStatus, Move]] = {
    to: _move(
        f"take-over-{to.replace('_', '-')}",
        {S.DRAFT},
        to,
        Party.CASE,
        ReferralTakenOver,
        starts=(starts,) if starts else (),
    )
    for to, starts in {
        S.REQUESTED: ClockKind.RESPONSE,
        S.WAITLISTED: ClockKind.WAITLIST,
        S.ACCEPTED: ClockKind.START,
        S.IN_PROGRESS: ClockKind.PROGRESS,
        S.COMPLETED: ClockKind.DISPOSITION,
        S.DECLINED: ClockKind.DISPOSITION,
        S.FAILED: ClockKind.DISPOSITION,
        S.WITHDRAWN: ClockKind.DISPOSITION,
        S.CANCELLED: None,
    }.items()
}
# What nobody asks for: a hold runs out, the closing of a case ends what is open in it, and its hold
# takes along what runs. The
# clocks of a hold that runs out were counted with its last day and stay as they are.
RESUME_BY_ITSELF: Final = _move(
    "resume-by-itself", {S.ON_HOLD}, None, Party.SWEEP, ReferralResumed, returns=True
)
COMPLETE_WITH_CASE: Final = _move(
    "complete-with-case",
    {S.IN_PROGRESS, S.ON_HOLD},
    S.COMPLETED,
    Party.CASE,
    ReferralCompleted,
    meets=(ClockKind.PROGRESS,),
)
CANCEL_WITH_CASE: Final = _move(
    "cancel-with-case",
    {S.DRAFT, S.REQUESTED, S.WAITLISTED, S.ACCEPTED, S.ON_HOLD},
    S.CANCELLED,
    Party.CASE,
    ReferralCancelled,
    meets=(ClockKind.WAITLIST, ClockKind.PROGRESS),
)
HOLD_WITH_CASE: Final = _move(
    "hold-with-case",
    {S.ACCEPTED, S.IN_PROGRESS},
    S.ON_HOLD,
    Party.CASE,
    ReferralHeld,
    pauses=True,
)
RESUME_WITH_CASE: Final = _move(
    "resume-with-case", {S.ON_HOLD}, None, Party.CASE, ReferralResumed, returns=True
)
FOLLOWING: Final[dict[str, Move]] = {
    move.action: move
    for move in (
        RESUME_BY_ITSELF,
        COMPLETE_WITH_CASE,
        CANCEL_WITH_CASE,
        HOLD_WITH_CASE,
        RESUME_WITH_CASE,
    )
}


def possible_moves(status: ReferralStatus, *, owes_disposition: bool) -> list[str]:
    """The actions the table lists from this state, for any actor, in the table's order."""
    return [
        move.action
        for move in MOVES.values()
        if status in move.from_ and (move.action != "dispose" or owes_disposition)
    ]
