"""Filters of the overdue list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import is_answered
from casework.domain.clocks.deadlines import BREACH
from casework.workflows.ports.supervision import OverdueFilter


def asked_for(filters: OverdueFilter) -> tuple[frozenset[str], dict[str, Any]]:
    """Which filters are set, and the parameters of a query that goes by them."""
    values = {one.name: getattr(filters, one.name) for one in fields(filters)}
    known = {f"only_{name}": value for name, value in values.items() if value is not None}
    return frozenset(known), known


def filtered(query: Select[Any], names: frozenset[str]) -> Select[Any]:
    """Those of some overdue clocks that let through the filters of these names, as parameters."""
    clock = t.deadline.c
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "centre": lambda value: clock.centre_code == value,
        "worker": lambda value: clock.worker_id == value,
        "kind": lambda value: clock.kind == value,
        "field": lambda value: clock.field == value,
        "provider": lambda value: clock.provider_id == value,
        "held_by": lambda value: clock.held_by == value,
        "since": lambda value: clock.due_at >= value,
        "tier": lambda value: highest_tier() == value,
        "answered": lambda value: is_answered() == value,
    }
    for name, condition in conditions.items():
        if f"only_{name}" in names:
            query = query.where(condition(bindparam(f"only_{name}")))
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
