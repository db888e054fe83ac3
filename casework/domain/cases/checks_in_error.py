"""A check that never was: what it met runs again, and what it began never ran."""

from __future__ import annotations

from casework.domain.act import Act
from casework.domain.casefile.case import Check
from casework.domain.casefile.case_moves import conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import counts_from, put_right, recount
from casework.domain.casefile.events import CheckEnteredInError
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.cases.checks import next_target
from casework.domain.cases.correcting_checks import begun_by, check_was_made, in_order, met_by
from casework.domain.clocks.calendar import end_of
from casework.domain.clocks.standards import STATUTORY_BASIS, ClockKind


def enter_check_in_error(
    file: CaseFile, check: Check, reason: str, act: Act
) -> list[RecountedClock]:
    """Say of the newest check that it never was; returns the clocks that run again.

    Needs the file with its ended clocks and its checks. The check stays, and counts for nothing.
    """
    check_was_made(file, check, act)
    *before, newest = in_order(file)
    if newest is not check:
        raise conflict(file, act, "another check followed it", code="check_followed")
    begun, met = begun_by(file, check, None), met_by(file, check)
    correction = put_right(file, check, {"entered_in_error_at": act.at}, reason, act)
    check.entered_in_error_by, check.entered_in_error_reason = act.by.id, reason
    last = before[-1] if before else None
    file.case.last_checked_on = last.checked_on if last else None
    for clock in begun:
        clock.cancel(clock.started_at)  # it never ran: late or not, it counts nowhere
        file.touch(clock)
    moved: list[RecountedClock] = []
    for clock in met:
        moved += recount(file, clock, correction, act, runs_again=True)
    if not met and file.case.is_open:
        _begin_again(file, last, act)
    file.record(
        CheckEnteredInError(
            file.meta(file.case, act),
            correction_id=correction.id,
            check_id=check.id,
            checked_on=check.checked_on,
            last_checked_on=file.case.last_checked_on,
        )
    )
    return moved


def _begin_again(file: CaseFile, last: Check | None, act: Act) -> None:
    """A check that was taken over, or met a clock that was off, met none: one counts anew."""
    case = file.case
    if last is not None:
        since = counts_from(last.checked_on, last.recorded_at)
        target = next_target(file, last.checked_on, last.next_check_on, act)
        file.begin(ClockKind.CHECK, case, act, since=since, target=target, basis=STATUTORY_BASIS)
    elif case.first_approved_on is not None:
        file.begin(ClockKind.FIRST_CHECK, case, act, since=end_of(case.first_approved_on))
