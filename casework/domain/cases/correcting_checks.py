"""Putting right when a check was, what it found, and when the next one is set for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casework.domain.act import Act
from casework.domain.casefile.case import Check
from casework.domain.casefile.case_moves import conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import (
    counts_from,
    differing,
    not_after,
    put_right,
    recount,
)
from casework.domain.casefile.events import CheckCorrected
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.cases.checks import next_target
from casework.domain.clocks.calendar import ONE_DAY
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import STATUTORY, ClockKind


def correct_check(
    file: CaseFile, check: Check, changes: Mapping[str, Any], reason: str, act: Act
) -> list[RecountedClock]:
    """Put a check right; returns the clocks that were counted anew.

    Needs the file with its ended clocks and its checks. A check stays between those before and
    after it; what it met is met on its other day, what it began counts from that. Refuses one
    that was entered in error.
    """
    check_was_made(file, check, act)
    wanted = differing(check, changes)
    if not wanted:
        return []
    later = later_than(file, check)
    checked_on = wanted.get("checked_on", check.checked_on)
    _check_day(file, check, later, checked_on, act)
    target = next_target(file, checked_on, wanted.get("next_check_on", check.next_check_on), act)
    begun = begun_by(file, check, later)
    correction = put_right(file, check, wanted, reason, act)
    moved = []
    if later is None:
        file.case.last_checked_on = check.checked_on
    for clock in met_by(file, check):
        moved += recount(file, clock, correction, act, met_on=check.checked_on)
    for clock in begun:
        clock.started_at = counts_from(check.checked_on, check.recorded_at)
        clock.target = target or _usual_target(file, act)
        moved += recount(file, clock, correction, act)
    file.record(
        CheckCorrected(
            file.meta(file.case, act),
            correction_id=correction.id,
            fields=correction.fields,
            check_id=check.id,
            checked_on=check.checked_on,
            next_check_on=check.next_check_on,
        )
    )
    return moved


def check_was_made(file: CaseFile, check: Check, act: Act) -> None:
    """Refuse what is done to a check that was entered in error."""
    if not check.was_made:
        raise conflict(file, act, "it was entered in error", code="entered_in_error")


def in_order(file: CaseFile) -> list[Check]:
    """The checks that were made, as they followed each other."""
    made = (one for one in file.checks.values() if one.was_made)
    return sorted(made, key=lambda one: (one.recorded_at, one.checked_on, one.id))


def later_than(file: CaseFile, check: Check) -> Check | None:
    """The check that followed it."""
    checks = in_order(file)
    following = checks[checks.index(check) + 1 :]
    return following[0] if following else None


def _check_day(file: CaseFile, check: Check, later: Check | None, on: Any, act: Act) -> None:
    act.not_future(on, "checked_on")
    checks, approved_on = in_order(file), file.case.first_approved_on
    before = checks[: checks.index(check)]
    earliest = before[-1].checked_on if before else approved_on and approved_on + ONE_DAY
    act.not_before(on, earliest, "checked_on")
    not_after(on, [later.checked_on] if later else [], "checked_on")


def _of_case(file: CaseFile, *kinds: ClockKind) -> list[Deadline]:
    """The clocks on the case that were not in vain, but for the end of a closed case."""
    case = file.case
    return [
        clock
        for clock in file.deadlines.values()
        if clock.kind in kinds
        and clock.subject_id == case.id
        and clock.cancelled_at in (None, case.closed_at)
    ]


def met_by(file: CaseFile, check: Check) -> list[Deadline]:
    """The clock that it met: that of the first check, or that of the check before it."""
    clocks = _of_case(file, ClockKind.FIRST_CHECK, ClockKind.CHECK)
    return [one for one in clocks if one.recorded_at == check.recorded_at]


def begun_by(file: CaseFile, check: Check, later: Check | None) -> list[Deadline]:
    """The clock that counts from it: met by the check that followed, else still to be met."""
    since: datetime = counts_from(check.checked_on, check.recorded_at)
    until = later.recorded_at if later else None
    clocks = _of_case(file, ClockKind.CHECK)
    return [one for one in clocks if one.started_at == since and one.recorded_at == until]


def _usual_target(file: CaseFile, act: Act) -> Any:
    standard = act.clockwork.standard_for(ClockKind.CHECK, file.about(file.case))
    return standard.target if standard else STATUTORY[ClockKind.CHECK]
