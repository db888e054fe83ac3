"""What the overdue sweep does in the database, one transaction at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    ScalarSelect,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.engine.timeouts import RECORD_S, time_allowed
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.supervision.raising import (
    AS_OF,
    DUE_CLOCKS,
    IS_ANY_DUE,
    raise_steps,
)
from casework.domain.access.policy import SYSTEM
from casework.workflows.ports.supervision import RaisedCounts, SweepCounts
from casework.workflows.ports.unit_of_work import RequestFacts
from casework.workflows.supervision.overdue import JOB

# How often, and how long apart, a sweep retries clocks that are locked.
PATIENCE, PAUSE_S = 20, 0.05


class SqlSweepStore:
    """The sweep's own transactions, one per batch; ``stopwatch`` tells seconds."""

    def __init__(self, engine: Engine, stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._stopwatch = engine, stopwatch

    def begin_run(
        self,
        job: str,
        as_of: datetime,
        now: datetime,
        *,
        dry_run: bool,
        slot: datetime | None,
        started_by: UUID | None,
    ) -> UUID | None:
        record = {
            "id": new_id(),
            "job": job,
            "slot": slot,
            "as_of": as_of,
            "dry_run": dry_run,
            "started_at": now,
            "started_by": started_by,
        }
        with self._engine.begin() as connection:
            begin = _BEGIN[connection.dialect.name]
            taken: UUID | None = connection.scalar(begin, record)
            if taken is None and connection.execute(_LEAVE_SLOT, {"of": job, "at": slot}).rowcount:
                taken = connection.scalar(begin, record)
        return taken

    def end_run(self, run_id: UUID, now: datetime, counts: dict[str, int]) -> None:
        facts = RequestFacts(task=f"sweep {JOB}", asked_for=str(run_id))
        with self._engine.begin() as connection:
            connection.execute(_END, {"run": run_id, "ended_at": now, **counts})
            if counts["changed"]:  # the steps themselves name the run
                write_audit(connection, SYSTEM, "job.change", now, facts, ())

    def fail_run(self, run_id: UUID, error: str) -> None:
        with time_allowed(RECORD_S), self._engine.begin() as connection:
            connection.execute(
                update(t.job_run).where(t.job_run.c.id == run_id).values(error=error)
            )

    def count(self, as_of: datetime) -> SweepCounts:
        with self._looking() as connection:
            steps, lapses, *holds = connection.execute(_COUNT, {"as_of": as_of}).one()
        return SweepCounts(steps, lapses, sum(holds))

    def raise_due(self, run_id: UUID, as_of: datetime, limit: int) -> RaisedCounts:
        """Nothing raised means that nothing is left, or that the rest was locked for a second.

        A lapse must not overtake a step that another sweep is about to raise.
        """
        for _ in range(PATIENCE):
            if not self._is_any_due(as_of):
                break
            began = self._stopwatch()
            with self._engine.begin() as connection:
                session_context.set_system_context(connection)
                raised = raise_steps(connection, run_id, as_of, limit)
            if raised.steps:
                return replace(raised, seconds=self._stopwatch() - began)
            time.sleep(PAUSE_S)
        return RaisedCounts(0, 0)

    def _is_any_due(self, as_of: datetime) -> bool:
        with self._looking() as connection:
            return connection.scalar(IS_ANY_DUE, {"as_of": as_of}) is not None

    def to_lapse(self, as_of: datetime) -> list[UUID]:
        return self._due(t.referral.c.lapse_at, as_of)

    def to_resume(self, as_of: datetime) -> list[UUID]:
        return self._due(t.referral.c.resume_at, as_of)

    def cases_to_resume(self, as_of: datetime) -> list[UUID]:
        return self._due(t.care_case.c.resume_at, as_of)

    def _due(self, column: Column[Any], as_of: datetime) -> list[UUID]:
        query = select(column.table.c.id).where(_is_past(column)).order_by(column)
        with self._looking() as connection:
            return list(connection.scalars(query, {"as_of": as_of}))

    @contextmanager
    def _looking(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            session_context.set_system_context(connection)
            yield connection


def _is_past(column: Column[Any]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column <= AS_OF)


def _counted(column: Column[Any]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(column.table).where(_is_past(column)).scalar_subquery()


_COUNT: Final = select(
    DUE_CLOCKS,
    _counted(t.referral.c.lapse_at),
    _counted(t.referral.c.resume_at),
    _counted(t.care_case.c.resume_at),
)
_BEGIN: Final = {
    dialect.dialect.name: dialect.insert(t.job_run)
    .on_conflict_do_nothing()
    .returning(t.job_run.c.id)
    for dialect in (postgresql, sqlite)
}
# Where a later slot was swept already, the clock was set back: the slot is due once more.
_later = alias_of(t.job_run, "later")
_LEAVE_SLOT: Final = (
    update(t.job_run)
    .where(
        t.job_run.c.job == bindparam("of"),
        t.job_run.c.slot == bindparam("at"),
        exists().where(_later.c.job == bindparam("of"), _later.c.slot > bindparam("at")),
    )
    .values(slot=None)
)
_END: Final = update(t.job_run).where(t.job_run.c.id == bindparam("run"))
