"""The ledger of steps: planned by aggregates, raised by the sweep, never the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.rows.many import insert_many
from casework.adapters.persistence.rows.together import AT_MOST, Beside, insert_later, rows_for
from casework.domain.clocks.deadlines import Deadline, Step

_ledger = t.escalation
_other = alias_of(t.escalation, "other")
_UNPLANNED: Final = delete(_ledger).where(
    _ledger.c.deadline_id.in_(bindparam("known", expanding=True)), _ledger.c.raised_at.is_(None)
)


def unplanned(clocks: Sequence[tuple[Deadline, bool]], at: datetime) -> Beside | None:
    """The steps that go before a save plans its clocks again, of which none ended late."""
    if any(_is_late(clock, at) for clock, _ in clocks):
        return None
    known = _planned_before(clocks)
    return (_UNPLANNED, {"known": known}) if known else None


def plan(
    connection: Connection,
    clocks: Sequence[tuple[Deadline, bool]],
    at: datetime,
    *,
    is_unplanned: bool = False,
) -> None:
    """Bring the planned steps of changed clocks in line; ``clocks`` pairs each with "is new".

    A clock that ended late leaves its due steps in the ledger, without a notice; the others go,
    unless they are gone. What was passed over stands there from the beginning.
    """
    late = [clock.id for clock, _ in clocks if _is_late(clock, at)]
    if late:
        _leave_in_ledger(
            connection, [c.id for c, _ in clocks if not c.is_running and c.id in late], at
        )
        connection.execute(
            update(t.deadline)
            .where(t.deadline.c.id.in_(late), t.deadline.c.breached_at.is_(None))
            .values(breached_at=t.deadline.c.due_at)
        )
    known = _planned_before(clocks)
    if known and not is_unplanned:
        connection.execute(_UNPLANNED, {"known": known})
    rows = [_row(clock, step, at) for clock, _ in clocks for step in clock.planned or ()]
    if len(rows) > AT_MOST:
        insert_many(connection, _ledger, rows, or_leave=True)
    else:
        insert_later(connection, rows_for(_ledger, rows, or_leave=True))
    for clock, _ in clocks:
        clock.planned = None


def _planned_before(clocks: Sequence[tuple[Deadline, bool]]) -> list[UUID]:
    return [clock.id for clock, is_new in clocks if not is_new and clock.planned is not None]


def _is_late(clock: Deadline, at: datetime) -> bool:
    ended = clock.met_at or clock.cancelled_at
    if ended is not None:
        return ended > clock.due_at and not (
            clock.paused_until is not None and ended < clock.paused_until
        )
    return clock.is_overdue(at)


def _row(clock: Deadline, step: Step, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "deadline_id": clock.id,
        "tier": step.tier,
        "due_at": step.due_at,
        "at": step.at,
        "tell": list(step.tell),
        "raised_at": at if step.passed_over else None,
        "passed_over": step.passed_over,
        "quiet": step.passed_over,
        "run_id": None,
        "review_id": None,
    }


def _leave_in_ledger(connection: Connection, ids: list[Any], at: datetime) -> None:
    if ids:
        due = and_(
            _ledger.c.deadline_id.in_(ids), _ledger.c.raised_at.is_(None), _ledger.c.at <= at
        )
        connection.execute(
            update(_ledger)
            .where(due)
            .values(raised_at=at, quiet=True, passed_over=_is_not_highest(at))
        )


def _is_not_highest(at: datetime) -> Any:
    """Whether a higher step of the same clock is due as well.

    SQLite shows a statement what it has changed so far: a step of this very instant counts too.
    """
    other = _other
    return (
        select(other.c.id)
        .where(
            other.c.deadline_id == _ledger.c.deadline_id,
            or_(other.c.raised_at.is_(None), other.c.raised_at == at),
            other.c.at <= at,
            other.c.tier > _ledger.c.tier,
        )
        .correlate(_ledger)
        .exists()
    )
