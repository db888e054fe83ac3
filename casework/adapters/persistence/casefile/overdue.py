"""The one predicate of overdue, in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, text

from casework.adapters.persistence import tables as t

# Spelt out, so that both databases' planners match it to the partial indexes.
IS_RUNNING = text("deadline.met_at IS NULL AND deadline.cancelled_at IS NULL")


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """The one predicate in SQL: running, not paused, past due."""
    clock = t.deadline
    return and_(
        IS_RUNNING,
        clock.c.due_at < now,
        or_(clock.c.paused_until.is_(None), clock.c.paused_until <= now),
    )
