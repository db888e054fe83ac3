"""The one predicate of overdue, and what a review answered, in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, text

from casework.adapters.persistence import tables as t
from casework.domain.clocks.deadlines import BREACH

# Spelt out, so that both databases' planners match it to the partial indexes.
IS_RUNNING = text("deadline.met_at IS NULL AND deadline.cancelled_at IS NULL")
IS_OF_CARE = text("deadline.case_id IS NOT NULL")
IS_OF_PROGRAMME = text("deadline.case_id IS NULL")


def is_overdue(now: Any) -> ColumnElement[bool]:
    """The one predicate in SQL: running, not paused, past due."""
    clock = t.deadline
    return and_(
        IS_RUNNING,
        clock.c.due_at < now,
        or_(clock.c.paused_until.is_(None), clock.c.paused_until <= now),
    )


def is_answered() -> ColumnElement[bool]:
    """Reviewed for the due date as it stands now, and nothing was raised since."""
    step, review = t.escalation, t.review
    return and_(
        exists().where(
            review.c.deadline_id == t.deadline.c.id, review.c.due_at == t.deadline.c.due_at
        ),
        ~exists().where(
            step.c.deadline_id == t.deadline.c.id,
            step.c.raised_at.is_not(None),
            ~step.c.passed_over,
            step.c.tier > BREACH,
            step.c.review_id.is_(None),
        ),
    )
