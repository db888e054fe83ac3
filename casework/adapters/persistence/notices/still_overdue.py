"""Overdue clocks of which somebody may have to be told again, found by how long they were heard of.

A clock keeps until when somebody heard of it (``deadline.heard_until``), as it was found when it
was looked at last. Whatever plans it anew forgets that. So what is looked at is what may be told,
and not whatever is overdue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    TextClause,
    and_,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_RUNNING, is_answered
from casework.adapters.persistence.engine.paging import at
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.rows.many import is_one_of, planned_each_time, update_many
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.clocks.deadlines import BREACH, Deadline
from casework.domain.notices.telling_again import LateClock
from casework.domain.supervision.codes import ReviewAction
from casework.workflows.ports.paging import Page, Paging

_clock, _step, _review, _again = t.deadline, t.escalation, t.review, alias_of(t.notice, "again")
_KEYS: Final = [_clock.c.heard_until, _clock.c.due_at, _clock.c.id]


def still_overdue(
    connection: Connection, district: str, told_before: datetime, paging: Paging, *, known: bool
) -> Page:
    """A page of the late clocks of a district of which somebody may have to be told again.

    Of those that were looked at before (``known``), or of the others. On PostgreSQL each is locked
    before its steps are read, as an aggregate locks it; one that somebody changes just now is left
    to the next round.
    """
    found = connection.execute(_next(district, told_before, paging, known=known)).all()
    late = {clock.clock.id: clock for clock in _facts(connection, [row.id for row in found])}
    last = found[-1] if len(found) == paging.limit else None
    return Page([late[row.id] for row in found], None if last is None else tuple(last))


def note_heard(connection: Connection, until: Mapping[UUID, datetime]) -> None:
    """Keep until when somebody heard of some clocks, which ``still_overdue`` locked."""
    rows = [{"id": id, "heard_until": at} for id, at in until.items()]
    update_many(connection, _clock, rows)


def _next(district: str, told_before: datetime, paging: Paging, *, known: bool) -> Select[Any]:
    heard = _clock.c.heard_until
    late: list[ColumnElement[bool] | TextClause] = [
        IS_RUNNING,
        _clock.c.district_code == district,
        heard < told_before if known else heard.is_(None),
        _clock.c.due_at < told_before,
    ]
    if paging.after is not None:
        keys = _KEYS if known else _KEYS[1:]
        late.append(tuple_(*keys) > at(keys, paging.after[-len(keys) :]))
    # In the order of the index, also where the first of its keys is nothing: else PostgreSQL walks
    # all that is overdue in another order.
    query = select(*_KEYS).where(*late).order_by(*_KEYS).limit(paging.limit)
    return query.with_for_update(skip_locked=True, key_share=True)


def _facts(connection: Connection, ids: list[UUID]) -> list[LateClock]:
    """What was told and decided about these clocks."""
    if not ids:
        return []
    query = select(
        _clock,
        _max_of(_step.c.at, *_of_clock(_step), _tells_since()).label("step_at"),
        _max_of(_step.c.raised_at, *_of_clock(_step), _is_due_as_now(_step), _step.c.quiet).label(
            "quiet_at"
        ),
        _max_of(
            _again.c.since,
            _again.c.subject_id == _clock.c.id,
            # Spelt out: for a parameter a statement that stays prepared reads every notice instead
            # of the partial index.
            text("again.kind = 'still_overdue'"),
        ).label("again_at"),
        _looked_up(*_of_clock(_step), _step.c.raised_at.is_(None)).label("has_step_to_come"),
        is_answered().label("is_answered"),
        _looked_up(*_reviewed(), _review.c.action.not_in(_FOR_A_TIME)).label("is_settled"),
        _max_of(
            _review.c.reviewed_at, *_reviewed(), _review.c.action == ReviewAction.REASSIGN
        ).label("given_at"),
        _max_of(_review.c.until, *_reviewed(), _review.c.action == ReviewAction.CHASE).label(
            "chased_until"
        ),
    ).where(is_one_of(connection, _clock.c.id, ids))
    # For any values alike, each of the conditions would be looked for in the whole table.
    return [_late_clock(row) for row in connection.execute(planned_each_time(query))]


_FOR_A_TIME: Final = [ReviewAction.CHASE, ReviewAction.REASSIGN]


def _late_clock(row: Any) -> LateClock:
    heard = (row.step_at, row.quiet_at, row.again_at)
    return LateClock(
        clock=from_row(Deadline, row),
        noted=row.heard_until,
        heard_at=max((at for at in heard if at is not None), default=None),
        has_step_to_come=row.has_step_to_come,
        is_answered=row.is_answered,
        is_settled=row.is_settled,
        given_at=row.given_at,
        chased_until=row.chased_until,
    )


def _tells_since() -> ColumnElement[bool]:
    """A step to come, or one that told somebody of the due date as it stands now.

    What was taken over counts from there: nobody was told of what lay in the past.
    """
    return or_(_step.c.raised_at.is_(None), and_(_is_due_as_now(_step), _step.c.tier > BREACH))


def _of_clock(table: Any) -> tuple[ColumnElement[bool], ...]:
    return (table.c.deadline_id == _clock.c.id,)


def _is_due_as_now(table: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table.c.due_at == _clock.c.due_at
    return found


def _reviewed() -> tuple[ColumnElement[bool], ...]:
    return (*_of_clock(_review), _is_due_as_now(_review))


def _max_of(column: Any, *conditions: ColumnElement[bool] | TextClause) -> ScalarSelect[Any]:
    return select(func.max(column)).where(*conditions).correlate(_clock).scalar_subquery()


def _looked_up(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row, looked up by its index for each row of the statement.

    With an offset PostgreSQL makes no join of it. Joined, thousands of clocks were each compared
    with all notices of a morning, which its statistics did not know yet.
    """
    return select(literal_column("1")).where(*conditions).offset(0).exists()
