"""Raising planned steps: claim what is due, write its event and notice, mark the breach.

The cost follows what is newly due: the planned steps are in a partial index by their instant.
The statements are built once; a run only fills in its instant, its id and its batch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.rows.aliases import alias_of
from casework.domain.access.policy import SYSTEM_ROLE
from casework.domain.clocks.deadlines import BREACH
from casework.domain.clocks.standards import Priority
from casework.domain.notices.notices import NoticeKind
from casework.domain.supervision.events import EscalationRaised
from casework.workflows.ports.supervision import RaisedCounts

STEPS_A_CLOCK: Final = 4
AS_OF: Final = bindparam("as_of", type_=Instant)
_CUT: Final = bindparam("cut", type_=Instant)
_RUN: Final = bindparam("run", type_=Uuid())
_LIMIT: Final = bindparam("batch", type_=Integer())
_step, _clock = t.escalation, t.deadline
_higher = alias_of(t.escalation, "higher")
_EVENT_COLUMNS: Final = [column.name for column in t.event.c]
_NOTICE_COLUMNS: Final = [column.name for column in t.notice.c if column.name != "addressed_at"]
_CLAIMED: Final = ("id", "deadline_id", "tier", "due_at", "at", "tell")


def raise_steps(connection: Connection, run_id: UUID, as_of: datetime, limit: int) -> RaisedCounts:
    """Raise the highest due step of about ``limit`` clocks, and skip the lower ones."""
    values = {"run": run_id, "as_of": as_of, "batch": limit}
    if connection.dialect.name == "postgresql":
        return RaisedCounts(*connection.execute(_IN_ONE_STATEMENT, values).one())
    return _raise_in_steps(connection, values)


def _is_due(by: ColumnElement[datetime] = AS_OF) -> ColumnElement[bool]:
    # Spelt out, so that both databases' planners match it to the partial index.
    return and_(text("escalation.raised_at IS NULL"), _step.c.at <= by)


def _claim(which: ColumnElement[bool]) -> Update:
    """Mark due steps as raised, or as passed over where a higher one of their clock is due."""
    return update(_step).where(which).values(raised_at=AS_OF, run_id=_RUN, passed_over=_is_lower())


def _is_lower() -> ColumnElement[bool]:
    """Whether a higher step of the same clock is due as well.

    SQLite shows a statement what it has changed so far: a step that this run raised counts too.
    """
    higher = _higher
    return (
        select(higher.c.id)
        .where(
            higher.c.deadline_id == _step.c.deadline_id,
            or_(higher.c.raised_at.is_(None), higher.c.run_id == _RUN),
            higher.c.at <= AS_OF,
            higher.c.tier > _step.c.tier,
        )
        .correlate(_step)
        .exists()
    )


def _events(claimed: Any, json: Any) -> Select[Any]:
    """One event for each raised step; it takes the step's own id, made when it was planned."""
    return (
        select(
            claimed.c.id,
            literal(EscalationRaised.__name__),
            literal(str(EscalationRaised.subject_type)),
            claimed.c.deadline_id,
            _clock.c.resident_id,
            _clock.c.case_id,
            AS_OF,
            literal(None),
            literal(SYSTEM_ROLE),
            json("tier", claimed.c.tier, "tell", claimed.c.tell),
        )
        .join(_clock, _clock.c.id == claimed.c.deadline_id)
        .where(~claimed.c.passed_over)
    )


def _notices(claimed: Any, none_told: Any) -> Select[Any]:
    """One notice for each raised step that tells somebody; an emergency's leaves at once."""
    return (
        select(
            claimed.c.id,
            literal(str(NoticeKind.ESCALATION)),
            literal("deadline"),
            claimed.c.deadline_id,
            _clock.c.case_id,
            func.coalesce(_clock.c.centre_code, ""),
            *_clock.c["district_code", "worker_id", "provider_id"],
            claimed.c.tell,
            _clock.c.priority == Priority.EMERGENCY,
            claimed.c.at,
            _clock.c.kind,
            claimed.c.tier,
            claimed.c.due_at,
            _RUN,
        )
        .join(_clock, _clock.c.id == claimed.c.deadline_id)
        .where(~claimed.c.passed_over, claimed.c.tell != none_told)
    )


def _breach(late: Select[Any]) -> Update:
    """Record a breach once, by the first transaction that finds it."""
    return (
        update(_clock)
        .where(_clock.c.id.in_(late), _clock.c.breached_at.is_(None))
        .values(breached_at=_clock.c.due_at)
    )


def _in_one_statement() -> Select[int, int]:
    """Claim, write the events and notices and mark the breaches as one statement.

    A clock's row is locked before its steps, as an aggregate locks them; one that an aggregate
    or another sweep holds is left to it, or to the next tick.
    """
    step_ids = select(_step.c.deadline_id).where(_is_due()).order_by(_step.c.at)
    locked = (
        select(_clock.c.id)
        .where(_clock.c.id.in_(step_ids.limit(_LIMIT * STEPS_A_CLOCK)))
        .limit(_LIMIT)
        .with_for_update(skip_locked=True, key_share=True)
    )
    ids = and_(_step.c.deadline_id == any_(func.array(locked.scalar_subquery())), _is_due())
    columns = [_step.c[name] for name in (*_CLAIMED, "passed_over")]
    claimed = _claim(ids).returning(*columns).cte("claimed")
    written = (
        insert(t.event)
        .from_select(_EVENT_COLUMNS, _events(claimed, func.jsonb_build_object))
        .cte("written")
    )
    told = (
        insert(t.notice)
        .from_select(_NOTICE_COLUMNS, _notices(claimed, cast(literal([], Json), Json)))
        .cte("told")
    )
    late = select(claimed.c.deadline_id).where(claimed.c.tier >= BREACH)
    breached = _breach(late).cte("breached")
    counts = select(func.count(), func.count(distinct(claimed.c.deadline_id)))
    return counts.select_from(claimed).add_cte(written, told, breached)


def _raise_in_steps(connection: Connection, values: dict[str, Any]) -> RaisedCounts:
    """The same on SQLite, which changes one table a statement and has one writer at a time.

    A batch reaches up to an instant, so that each statement reads the planned steps' index alone;
    a step is passed over where a higher one is due as of the sweep, in this batch or a later one.
    """
    values["cut"] = connection.scalar(_FIRST_BEYOND, values) or values["as_of"]
    written = connection.execute(_WRITTEN, values, execution_options={"preserve_rowcount": True})
    connection.execute(_TOLD, values)
    connection.execute(_BREACHED, values)
    claimed = connection.execute(_MARKED, values)
    return RaisedCounts(claimed.rowcount, written.rowcount)


def _json_object(*parts: Any) -> Any:
    """SQLite keeps JSON as text, and nests it only where it is said to be JSON."""
    *names, tell = parts
    return func.json_object(*names, func.json(tell))


IS_ANY_DUE: Final = select(_step.c.id).where(_is_due()).limit(1)
DUE_CLOCKS: Final = (
    select(func.count(distinct(_step.c.deadline_id))).where(_is_due()).scalar_subquery()
)
_IN_ONE_STATEMENT: Final = _in_one_statement()
_FIRST_BEYOND: Final = (
    select(_step.c.at).where(_is_due()).order_by(_step.c.at).limit(1).offset(_LIMIT * STEPS_A_CLOCK)
)
_HIGHEST: Final = (
    select(*(_step.c[name] for name in _CLAIMED), _is_lower().label("passed_over"))
    .where(_is_due(_CUT))
    .subquery("claimed")
)
_WRITTEN: Final = insert(t.event).from_select(_EVENT_COLUMNS, _events(_HIGHEST, _json_object))
_TOLD: Final = insert(t.notice).from_select(
    _NOTICE_COLUMNS, _notices(_HIGHEST, literal("[]", Text()))
)
_BREACHED: Final = _breach(select(_step.c.deadline_id).where(_is_due(_CUT), _step.c.tier >= BREACH))
_MARKED: Final = _claim(_is_due(_CUT))
