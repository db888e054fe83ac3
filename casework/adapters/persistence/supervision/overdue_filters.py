"""Filters of the overdue list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import is_answered
from casework.domain.clocks.deadlines import BREACH
from casework.workflows.ports.supervision import OverdueFilter


def filtered(query: Select[Any], filters: OverdueFilter) -> Select[Any]:
    """Those of some overdue clocks that a filter lets through."""
    clock = t.deadline
    for column, value in (
        (clock.c.centre_code, filters.centre),
        (clock.c.worker_id, filters.worker),
        (clock.c.kind, filters.kind),
        (clock.c.field, filters.field),
        (clock.c.provider_id, filters.provider),
        (clock.c.held_by, filters.held_by),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.since is not None:
        query = query.where(clock.c.due_at >= filters.since)
    if filters.tier is not None:
        query = query.where(highest_tier() == filters.tier)
    if filters.answered is not None:
        query = query.where(is_answered() if filters.answered else ~is_answered())
    return query


def highest_tier() -> Any:
    """The highest tier that was raised for the due date as it stands now."""
    step = t.escalation
    return (
        select(func.max(step.c.tier))
        .where(
            step.c.deadline_id == t.deadline.c.id,
            step.c.due_at == t.deadline.c.due_at,
            step.c.raised_at.is_not(None),
            ~step.c.passed_over,
            step.c.tier > BREACH,
        )
        .correlate(t.deadline)
        .scalar_subquery()
    )
