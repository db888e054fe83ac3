"""After approval: checks (Act 14④, Rule 10), and signals that something changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from casework.domain.act import Act
from casework.domain.casefile.case import Case, Check, Signal, SignalKind
from casework.domain.casefile.case_moves import check_possible, conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseChecked, SignalAnswered, SignalRaised
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.calendar import ONE_DAY, Target, Unit, day_in_seoul, due_at
from casework.domain.clocks.standards import STATUTORY, STATUTORY_BASIS, ClockKind
from casework.domain.errors import one_of, require
from casework.domain.referring.moving import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found, and when the next one is, if earlier than the law asks."""

    checked_on: date
    findings: str
    goals: list[dict[str, Any]]
    next_check_on: date | None = None


def record_check(file: CaseFile, found: Findings, act: Act, *, confirmed: bool = False) -> Check:
    """Record a check; the next is due within six months, or earlier as set (Rule 10).

    A second one of the same day only where that is ``confirmed``: it may be the first, sent again.
    """
    case = file.case
    check_possible(file, "checks", act)
    act.dated(found.checked_on, _earliest(file.case), "checked_on")
    if found.checked_on == case.last_checked_on and not confirmed:
        raise conflict(file, act, "a check of that day is there", code="checked_already")
    since = act.instant_of(found.checked_on)
    target = next_target(file, found.checked_on, found.next_check_on, act)
    check = Check(
        id=act.new_id(),
        case_id=case.id,
        resident_id=case.resident_id,
        checked_on=found.checked_on,
        findings=found.findings,
        goals=found.goals,
        next_check_on=found.next_check_on,
        recorded_at=act.at,
        recorded_by=act.by.id,
    )
    file.added.append(check)
    case.last_checked_on = found.checked_on
    file.meet(ClockKind.FIRST_CHECK, act, on=found.checked_on)
    file.meet(ClockKind.CHECK, act, on=found.checked_on)
    file.begin(ClockKind.CHECK, case, act, since=since, target=target, basis=STATUTORY_BASIS)
    file.record(
        CaseChecked(
            file.meta(case, act),
            check_id=check.id,
            checked_on=found.checked_on,
            next_check_on=found.next_check_on,
        )
    )
    return check


def _earliest(case: Case) -> date | None:
    """A check follows the one before; the first looks back on a plan of another day."""
    if case.last_checked_on is not None:
        return case.last_checked_on
    return case.first_approved_on and case.first_approved_on + ONE_DAY


def next_target(
    file: CaseFile, checked_on: date, next_check_on: date | None, act: Act
) -> Target | None:
    """When the next check is set for, which is never later than the law's; None where it is not."""
    if next_check_on is None:
        return None
    act.not_before(next_check_on, checked_on, "next_check_on")
    calendar = act.clockwork.calendar_of(file.case.district_code)
    law = due_at(calendar, act.instant_of(checked_on), STATUTORY[ClockKind.CHECK])
    require(
        next_check_on <= day_in_seoul(law),
        "Enforcement Rule 10: checks lie at most six months apart",
        code="statutory_limit",
        field="next_check_on",
    )
    return Target(next_check_on.toordinal(), Unit.ON_DATE)


def raise_signal(
    file: CaseFile, kind: str, note: str | None, act: Act, referral: Referral | None = None
) -> Signal:
    """Something changed: a clock starts on the worker, who must answer."""
    case = file.case
    if referral is None:
        check_possible(file, "signals", act)
    elif not case.is_open or not referral.is_with_provider:
        raise refused(file, referral, "signal", act)
    what = one_of(SignalKind, kind, code="signal_unknown", field="kind")
    require(
        what is not SignalKind.OTHER or (note or "").strip(),
        "the kind 'other' needs a note",
        code="note_required",
        field="note",
    )
    clock = file.begin(ClockKind.SIGNAL, case, act)
    signal = Signal(
        id=act.new_id(),
        case_id=case.id,
        resident_id=case.resident_id,
        referral_id=referral.id if referral else None,
        deadline_id=clock.id if clock else None,
        kind=what,
        note=note,
        raised_at=act.at,
        raised_by=act.by.id,
    )
    file.signals[signal.id] = signal
    file.record(
        SignalRaised(
            file.meta(case, act), signal_id=signal.id, kind=what, referral_id=signal.referral_id
        )
    )
    return signal


def answer_signal(file: CaseFile, signal: Signal, note: str, act: Act) -> None:
    """The worker says what is done about it."""
    if signal.answered_at is not None:
        raise conflict(file, act, "it was answered before", code="already_answered")
    signal.answered_at, signal.answered_by, signal.answer = act.at, act.by.id, note
    deadline = file.deadlines.get(signal.deadline_id) if signal.deadline_id else None
    if deadline is not None and deadline.is_running:
        file.end(deadline, act, met=True)
    file.record(SignalAnswered(file.meta(file.case, act), signal_id=signal.id))
