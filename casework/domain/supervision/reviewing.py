"""Reviewing an overdue clock: what a supervisor can decide about it, and why it was late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.clocks.calendar import day_in_seoul, due_at
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import STATUTORY, ClockKind
from casework.domain.errors import Conflict, one_of, require
from casework.domain.supervision.codes import ReviewAction, ReviewCause
from casework.domain.supervision.events import DeadlineReviewed
from casework.domain.supervision.programme_clocks import ProgrammeClocks

ACTIONS: Final = tuple(ReviewAction)
CAUSES: Final = tuple(ReviewCause)
# What is decided about a clock of the programme, which is about no case and no request.
PROGRAMME_ACTIONS: Final = (ReviewAction.CHASE, ReviewAction.EXTEND, ReviewAction.EXCUSE)
CHASE_WAITS: Final = 2  # working days, where the supervisor names no date


@dataclass(slots=True, kw_only=True)
class Review:
    """What was decided about an overdue clock, by whom, with which cause."""

    id: UUID
    deadline_id: UUID
    case_id: UUID | None
    action: ReviewAction
    cause: ReviewCause
    reason: str | None
    until: date | None
    worker_id: UUID | None
    offering_id: UUID | None
    due_at: datetime
    reviewed_at: datetime
    reviewed_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """What the supervisor asks for, as it was sent.

    ``review`` refuses an action or a cause that its lists do not have.
    """

    action: str
    cause: str
    reason: str | None = None
    until: date | None = None
    worker_id: UUID | None = None
    offering_id: UUID | None = None


def review(
    file: CaseFile | ProgrammeClocks, deadline: Deadline, verdict: ReviewDecision, act: Act
) -> Review:
    """Decide about an overdue clock; its raised steps count as acknowledged.

    ``reassign`` and ``redirect`` also move the case or the referral: the use case makes that
    move in the same transaction. A clock of the programme has neither.
    """
    if not deadline.is_overdue(act.at):
        raise Conflict(
            "this deadline is not overdue", code="not_overdue", state=deadline.status(act.at)
        )
    action = one_of(ReviewAction, verdict.action, code="action_unknown", field="action")
    cause = one_of(ReviewCause, verdict.cause, code="cause_unknown", field="cause")
    _check_verdict(verdict, action, cause, act)
    require(
        action in PROGRAMME_ACTIONS or not deadline.is_of_programme,
        "this clock is about no case and no request",
        code="action_of_care",
        field="action",
    )
    until = verdict.until
    done = Review(
        id=act.new_id(),
        deadline_id=deadline.id,
        case_id=deadline.case_id,
        action=action,
        cause=cause,
        reason=verdict.reason,
        until=until,
        worker_id=verdict.worker_id,
        offering_id=verdict.offering_id,
        due_at=deadline.due_at,
        reviewed_at=act.at,
        reviewed_by=act.by.id,
    )
    match action:
        case ReviewAction.CHASE:
            calendar = act.clockwork.calendar_of(deadline.district_code)
            deadline.deferred_until = until or calendar.step(act.today, CHASE_WAITS)
            done.until = deadline.deferred_until
        case ReviewAction.EXTEND if until is not None:
            _extend(deadline, until, done, act)
        case ReviewAction.EXCUSE:
            deadline.excused = True
    file.recount(deadline, act)
    file.added.append(done)
    file.record(
        DeadlineReviewed(
            file.meta(deadline, act),
            review_id=done.id,
            action=done.action,
            cause=done.cause,
            until=done.until,
        )
    )
    return done


def _check_verdict(
    verdict: ReviewDecision, action: ReviewAction, cause: ReviewCause, act: Act
) -> None:
    """What the action and the cause need beside them."""
    require(
        verdict.until is None or verdict.until >= act.today,
        "today or later",
        code="until_in_past",
        field="until",
    )
    act.not_too_far(verdict.until, "until")
    require(
        cause is not ReviewCause.OTHER or (verdict.reason or "").strip(),
        "the cause 'other' needs a reason",
        code="reason_required",
        field="reason",
    )
    needs = {
        ReviewAction.EXTEND: ("until", "until_required"),
        ReviewAction.REASSIGN: ("worker_id", "worker_required"),
        ReviewAction.REDIRECT: ("offering_id", "offering_required"),
    }
    if action in needs:
        name, code = needs[action]
        require(getattr(verdict, name) is not None, "is required", code=code, field=name)


def _extend(deadline: Deadline, until: date, done: Review, act: Act) -> None:
    """Set a new due date; what an earlier chase put off belonged to the old one."""
    require(
        deadline.kind is not ClockKind.SUBMISSION,
        "the law names this day, and nobody moves it",
        code="statutory_limit",
        field="until",
    )
    law = STATUTORY.get(deadline.kind)
    if law is not None:
        calendar = act.clockwork.calendar_of(deadline.district_code)
        require(
            until <= day_in_seoul(due_at(calendar, deadline.started_at, law)),
            "Enforcement Rule 10 allows no later day",
            code="statutory_limit",
            field="until",
        )
    deadline.extended_until, deadline.deferred_until = until, None
    deadline.extensions = (
        *deadline.extensions,
        {"until": until, "at": act.at, "review_id": done.id, "cause": done.cause},
    )
