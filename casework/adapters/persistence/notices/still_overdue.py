"""Overdue clocks that are told of again: those of which nobody heard anything for so long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    TextClause,
    and_,
    case,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import is_answered, is_overdue
from casework.adapters.persistence.engine.paging import at
from casework.adapters.persistence.rows.many import planned_each_time
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import BREACH, Deadline
from casework.domain.supervision.codes import ReviewAction
from casework.workflows.ports.paging import Page, Paging


def still_overdue(
    connection: Connection, district: str, told_before: datetime, now: datetime, paging: Paging
) -> Page:
    """Those among the next overdue clocks of a district, of which a page's number is looked at.

    So no statement grows with what is overdue. The page may hold fewer, and others may follow it.
    """
    clock = t.deadline
    keys = [clock.c.due_at, clock.c.id]
    overdue = [
        is_overdue(now),
        clock.c.district_code == district,
        clock.c.due_at < told_before,
        ~clock.c.excused,
    ]
    if paging.after is not None:
        overdue.append(tuple_(*keys) > at(keys, paging.after))
    cut = select(*keys).where(*overdue).order_by(*keys).offset(paging.limit - 1).limit(1)
    last = connection.execute(cut).first()
    if last is not None:
        overdue.append(tuple_(*keys) <= at(keys, last))
    # For any values alike, each of the conditions would be looked for in the whole table.
    query = select(clock).where(*overdue, *_nobody_heard(told_before, now)).order_by(*keys)
    rows = [from_row(Deadline, row) for row in connection.execute(planned_each_time(query))]
    return Page(rows, None if last is None else tuple(last))


def _nobody_heard(told_before: datetime, now: datetime) -> Iterator[ColumnElement[bool]]:
    """No step is still to come, nobody was told since, and no review puts it off."""
    clock, step, again = t.deadline, t.escalation, t.notice.alias("again")
    yield ~_looked_up(step.c.deadline_id == clock.c.id, step.c.raised_at.is_(None))
    yield ~_looked_up(
        step.c.deadline_id == clock.c.id,
        step.c.due_at == clock.c.due_at,
        # What was taken over counts from there: nobody was told of what lay in the past.
        or_(
            and_(step.c.tier > BREACH, step.c.at >= told_before),
            and_(step.c.quiet, step.c.raised_at >= told_before),
        ),
    )
    yield ~_looked_up(
        again.c.subject_id == clock.c.id,
        # Spelt out: for a parameter a statement that stays prepared reads every notice instead
        # of the partial index.
        text("again.kind = 'still_overdue'"),
        again.c.since >= told_before,
    )
    yield or_(~is_answered(), ~_is_put_off(told_before, now))


def _is_put_off(told_before: datetime, now: datetime) -> ColumnElement[bool]:
    """A chase answers it up to its day; who it was given to has as long as from a telling.

    Anything else answers it for good.
    """
    clock, review = t.deadline, t.review
    return _looked_up(
        review.c.deadline_id == clock.c.id,
        review.c.due_at == clock.c.due_at,
        case(
            (review.c.action == ReviewAction.CHASE, review.c.until > day_in_seoul(now)),
            (review.c.action == ReviewAction.REASSIGN, review.c.reviewed_at >= told_before),
            else_=true(),
        ),
    )


def _looked_up(*conditions: ColumnElement[bool] | TextClause | Any) -> ColumnElement[bool]:
    """Whether there is such a row, looked up by its index for each row of the statement.

    With an offset PostgreSQL makes no join of it. Joined, thousands of clocks were each compared
    with all notices of a morning, which its statistics did not know yet.
    """
    return select(literal_column("1")).where(*conditions).offset(0).exists()
