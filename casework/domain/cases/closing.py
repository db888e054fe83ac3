"""Closing a case: what was open ends with it, and every clock stops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from casework.domain.act import Act
from casework.domain.casefile.case import CaseStatus, ClosingReason
from casework.domain.casefile.case_moves import check_possible, conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseClosed
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import ReferralCancelled, ReferralCompleted
from casework.domain.casefile.referral_moves import CANCEL_WITH_CASE, COMPLETE_WITH_CASE
from casework.domain.casefile.states import CancelReason, ReferralOutcome
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import one_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Why, as it was sent, and from when; ``end_open`` says to end open referrals as well.

    ``close`` refuses a reason that is not one of ``ClosingReason``.
    """

    reason: str
    effective_on: date
    note: str | None = None
    end_open: bool = False


def close(file: CaseFile, closing: Closing, act: Act) -> None:
    """Close the case (Rule 11). No clock runs on and no disposition is owed afterwards."""
    case = file.case
    check_possible(file, "close", act)
    reason = one_of(ClosingReason, closing.reason, code="reason_unknown", field="reason")
    act.not_future(closing.effective_on, "effective_on")
    act.not_before(closing.effective_on, case.applied_on, "effective_on")
    if not closing.end_open:
        refuse_open_referrals(file, act)
    for referral in file.open_referrals():
        _end_referral(file, referral, closing, act)
    for deadline in file.running():
        file.end(deadline, act, met=False)
    case.status_before_closing, case.status = case.status, CaseStatus.CLOSED
    case.closed_at, case.closed_reason = act.at, reason
    case.end_hold()
    case.arrived_at = None
    case.effective_on, case.closing_note = closing.effective_on, closing.note
    file.record(
        CaseClosed(
            file.meta(case, act),
            reason=reason,
            effective_on=closing.effective_on,
            status=case.status,
        )
    )


def refuse_open_referrals(file: CaseFile, act: Act) -> None:
    """A case with open referrals is not closed unless someone says to end them as well."""
    open_referrals = file.open_referrals()
    if open_referrals:
        raise conflict(
            file,
            act,
            "referrals are open",
            code="referrals_open",
            referrals=[referral.id for referral in open_referrals],
        )


def _end_referral(file: CaseFile, referral: Referral, closing: Closing, act: Act) -> None:
    """What never started is cancelled; what had started ended early, on the effective date."""
    had_started = referral.has_started
    move = COMPLETE_WITH_CASE if had_started else CANCEL_WITH_CASE
    for deadline in file.running(referral.id):
        file.end(deadline, act, met=deadline.kind in move.meets)
    referral.make(move, act.at)
    referral.ended_by_closing, referral.lapse_at = True, None
    (_complete if had_started else _cancel)(file, referral, closing, act)


def _complete(file: CaseFile, referral: Referral, closing: Closing, act: Act) -> None:
    started = referral.started_on or day_in_seoul(act.at)
    referral.outcome = ReferralOutcome.ENDED_EARLY
    referral.ended_on = max(closing.effective_on, started)
    file.record(
        ReferralCompleted(
            file.meta(referral, act),
            status=referral.status,
            outcome=referral.outcome,
            ended_on=referral.ended_on,
        )
    )


def _cancel(file: CaseFile, referral: Referral, closing: Closing, act: Act) -> None:
    referral.reason = reason = CancelReason.CASE_CLOSED
    file.record(ReferralCancelled(file.meta(referral, act), status=referral.status, reason=reason))
