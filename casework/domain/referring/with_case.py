"""What the hold of a whole case does to its referrals: the worker's word, not the agency's."""

from __future__ import annotations

from datetime import date

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import (
    ReferralCaseHeld,
    ReferralCaseResumed,
    ReferralHeld,
    ReferralResumed,
)
from casework.domain.casefile.referral_moves import HOLD_WITH_CASE, RESUME_WITH_CASE
from casework.domain.clocks.calendar import ONE_DAY, midnight
from casework.domain.referring.moving import resume_after_hold


def hold_with_case(file: CaseFile, until: date, act: Act, *, take_along: bool) -> None:
    """Tell every active agency that the case rests; ``take_along`` holds what runs with it.

    The case alone says why. Its pauses are those of its clocks.
    """
    for referral in file.open_referrals():
        if referral.hold_is_over(act.at):
            resume_after_hold(file, referral, act)
        meta = file.meta(referral, act)
        if take_along and referral.status in HOLD_WITH_CASE.from_:
            _hold(referral, until, act)
            file.record(ReferralHeld(meta, status=referral.status, until=until, with_case=True))
        elif referral.is_with_provider:
            file.record(ReferralCaseHeld(meta, status=referral.status, until=until))


def _hold(referral: Referral, until: date, act: Act) -> None:
    referral.make(HOLD_WITH_CASE, act.at)
    referral.hold_until, referral.resume_at = until, midnight(until + ONE_DAY)
    referral.reason = referral.on_behalf = None


def resume_with_case(file: CaseFile, act: Act) -> None:
    """Tell every active agency that the case goes on early, and resume what was held with it."""
    for referral in file.open_referrals():
        meta = file.meta(referral, act)
        if referral.held_with_case:
            referral.make(RESUME_WITH_CASE, act.at)
            file.record(
                ReferralResumed(meta, status=referral.status, resumed_on=act.today, with_case=True)
            )
        elif referral.is_with_provider:
            file.record(ReferralCaseResumed(meta, status=referral.status))
