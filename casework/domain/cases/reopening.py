"""Reopening a closed case: the state it had, and the clocks that its standing asks for."""

from __future__ import annotations

from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import CaseStatus, ClosingReason, Route
from casework.domain.casefile.case_moves import check_possible
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseReopened
from casework.domain.cases.intake import await_discharge
from casework.domain.clocks.calendar import Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import CASE, STATUTORY, ClockKind
from casework.domain.errors import require
from casework.domain.residents.death import check_lives


def reopen(
    file: CaseFile, note: str, act: Act, worker_id: UUID | None, *, confirmed: bool = False
) -> None:
    """Reopen the case for the worker who carries it again. Needs the file with its ended clocks.

    Of a resident who died only where that is ``confirmed``. Without a worker it waits for one in
    the queue of arrived cases, its clocks the supervisor's.

    Service targets count afresh from the reopening; statutory clocks, and those due on a set
    day, keep their old start and due date. A discharge is awaited as the application says by now:
    it may have been put right while the case was closed. What closing ended leaves its planned
    service unsettled.
    """
    check_possible(file, "reopen", act)
    require(note.strip(), "say why", code="note_required", field="note")
    check_lives(file.died_on, confirmed=confirmed)
    case = file.case
    stopped = [
        deadline
        for deadline in file.deadlines.values()
        if deadline.subject_type == CASE and deadline.cancelled_at == case.closed_at
    ]
    was_guided = case.closed_reason == ClosingReason.GUIDED and case.route == Route.GUIDANCE
    case.status = case.status_before_closing or CaseStatus.APPLIED
    case.closed_at = case.closed_reason = case.effective_on = case.closing_note = None
    case.status_before_closing = None
    case.worker_id, case.arrived_at = worker_id, None if worker_id else act.at
    told_anew = {ClockKind.DISCHARGE, *([ClockKind.ASSESSMENT] if was_guided else [])}
    for deadline in stopped:
        if deadline.kind not in told_anew:
            _start_again(file, deadline, act)
    if was_guided:
        _survey_again(file, act)
    if not any(referral.started_on for referral in file.referrals.values()):
        await_discharge(file, act)
    for referral in file.referrals.values():
        if referral.owes_disposition:
            file.begin(ClockKind.DISPOSITION, referral, act)
    for service in file.services.values():
        file.update_link_clock(service, act)
    file.record(CaseReopened(file.meta(case, act), status=case.status, worker_id=worker_id))


def _survey_again(file: CaseFile, act: Act) -> None:
    """The pre-survey itself closed the case: it is to be repeated."""
    file.case.status = CaseStatus.APPLIED
    file.begin(ClockKind.SURVEY, file.case, act)


def _start_again(file: CaseFile, stopped: Deadline, act: Act) -> None:
    kind = stopped.kind
    signals = [s for s in file.signals.values() if s.deadline_id == stopped.id]
    if kind is ClockKind.SIGNAL and all(signal.answered_at is not None for signal in signals):
        return  # it was answered while the case was closed: nobody could end its clock
    keeps = kind in STATUTORY or stopped.target.unit is Unit.ON_DATE
    clock = file.begin(
        kind,
        file.case,
        act,
        since=stopped.started_at if keeps else act.at,
        target=stopped.target if keeps else None,
        basis=stopped.basis,
    )
    for signal in signals:
        signal.deadline_id = clock.id if clock else None
