"""A hold of the whole case, as for a stay in hospital: it pauses what waits, and blocks nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from casework.domain.act import Act
from casework.domain.casefile.case_moves import check_possible, refusal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseHeld, CaseResumed
from casework.domain.casefile.hold_limits import check_hold_until
from casework.domain.casefile.states import HoldReason
from casework.domain.clocks.calendar import ONE_DAY, Pause, PauseSource, midnight
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import one_of, require
from casework.domain.referring.with_case import hold_with_case, resume_with_case

# What an absent resident cannot be asked for. Decisions, duties to tell, dispositions, signals,
# a discharge and the checks of the law go on.
PAUSED_BY_A_HOLD: Final = frozenset(
    {
        ClockKind.SURVEY,
        ClockKind.ASSESSMENT,
        ClockKind.PLAN,
        ClockKind.LINK,
        ClockKind.RESPONSE,
        ClockKind.WAITLIST,
        ClockKind.START,
        ClockKind.PROGRESS,
    }
)


def hold_case(
    file: CaseFile,
    reason: str,
    until: date,
    note: str | None,
    act: Act,
    *,
    hold_referrals: bool = False,
) -> None:
    """Hold the case up to and including a day; a clock that starts meanwhile runs.

    ``hold_referrals`` holds the running referrals in the same act.
    """
    if file.case.resume_at is not None and not file.case.is_on_hold(act.at):
        resume_case_after_hold(file, act)
    check_possible(file, "hold", act)
    why = one_of(HoldReason, reason, code="reason_unknown", field="reason")
    require(
        why is not HoldReason.OTHER or (note or "").strip(),
        "the reason 'other' needs a note",
        code="note_required",
        field="note",
    )
    check_hold_until(why, until, act)
    case = file.case
    case.hold_reason, case.hold_from, case.hold_until = why, act.today, until
    case.held_by = act.by.id
    case.resume_at = midnight(until + ONE_DAY)
    for deadline in file.running():
        if deadline.kind in PAUSED_BY_A_HOLD:
            file.pause(deadline, act, Pause(act.at, until, why, source=PauseSource.CASE))
    file.record(CaseHeld(file.meta(case, act), reason=why, until=until))
    hold_with_case(file, until, act, take_along=hold_referrals)


def resume_case(file: CaseFile, act: Act) -> None:
    """End the hold early; every clock it paused is recalculated."""
    if not file.case.is_on_hold(act.at):
        raise refusal(file, "resume", act)
    for deadline in file.running():
        pauses = tuple(
            replace(pause, resumed_at=act.at)
            if pause.source == PauseSource.CASE and act.at < pause.ends_at
            else pause
            for pause in deadline.pauses
        )
        if pauses != deadline.pauses:
            deadline.pauses = pauses
            file.recount(deadline, act)
    _end(file)
    file.record(CaseResumed(file.meta(file.case, act), resumed_on=act.today))
    resume_with_case(file, act)


def resume_case_after_hold(file: CaseFile, act: Act) -> None:
    """Record that the hold ran out, dated the day after its last day; no clock changes."""
    resumed_on = file.case.hold_until and file.case.hold_until + ONE_DAY
    _end(file)
    file.record(CaseResumed(file.meta(file.case, act), resumed_on=resumed_on, by_itself=True))


def _end(file: CaseFile) -> None:
    file.case.end_hold()
