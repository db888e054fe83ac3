"""What the overdue sweep does in the database: claim what is due, raise it, all in one statement.

The cost follows what is newly due: the planned steps stand in a partial index by their instant.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Update,
    and_,
    any_,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.ids import new_id
from casework.adapters.persistence.types import Instant
from casework.domain.access import SYSTEM_ROLE
from casework.domain.deadlines import BREACH
from casework.workflows.ports import Found, Raised

_step, _clock = t.escalation, t.deadline
EVENT = "EscalationRaised"
STEPS_A_CLOCK = 4
# How often, and how long apart, a sweep asks again for clocks that somebody holds.
PATIENCE, PAUSE_S = 20, 0.05


class SqlSweepStore:
    """The sweep's own transactions, one a batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        """A run record, or None where this slot was taken by another scheduler."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        run_id = new_id()
        claim = (
            dialect.insert(t.job_run)
            .values(
                id=run_id,
                job=job,
                slot=slot,
                as_of=as_of,
                dry_run=dry_run,
                started_at=now,
                started_by=started_by,
            )
            .on_conflict_do_nothing()
            .returning(t.job_run.c.id)
        )
        with self._engine.begin() as connection:
            taken: UUID | None = connection.scalar(claim)
        return taken

    def end_run(self, run_id: UUID, now: datetime, counts: dict[str, int]) -> None:
        """Note how a run ended."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.job_run).where(t.job_run.c.id == run_id).values(ended_at=now, **counts)
            )

    def count(self, as_of: datetime) -> Found:
        """What is due at that instant and not yet raised."""
        queries = (
            select(func.count(distinct(_step.c.deadline_id))).where(_is_due(as_of)),
            _counted(t.referral.c.lapse_at, as_of),
            _counted(t.referral.c.resume_at, as_of),
            _counted(t.care_case.c.resume_at, as_of),
        )
        with self._engine.connect() as connection:
            steps, lapses, *holds = (connection.scalar(query) or 0 for query in queries)
        return Found(steps, lapses, sum(holds))

    def break_off(self, run_id: UUID, error: str) -> None:
        """Note why a run never ended."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.job_run).where(t.job_run.c.id == run_id).values(error=error)
            )

    def raise_due(self, run_id: UUID, as_of: datetime, limit: int) -> Raised:
        """Raise the highest due step of about ``limit`` clocks, in one transaction.

        Nothing raised means that nothing is left, or that who holds the rest has not let go for a
        second: a lapse must not overtake a step that another sweep is about to raise.
        """
        for _ in range(PATIENCE):
            raised = self._raise_once(run_id, as_of, limit)
            if raised.steps or not self._is_any_due(as_of):
                return raised
            time.sleep(PAUSE_S)
        return Raised(0, 0)

    def _is_any_due(self, as_of: datetime) -> bool:
        with self._engine.connect() as connection:
            return (
                connection.execute(select(_step.c.id).where(_is_due(as_of)).limit(1)).first()
                is not None
            )

    def _raise_once(self, run_id: UUID, as_of: datetime, limit: int) -> Raised:
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                return _raise_in_one_statement(connection, run_id, as_of, limit)
            return _raise_in_steps(connection, run_id, as_of, limit)

    def to_lapse(self, as_of: datetime) -> list[UUID]:
        """Referrals that nobody answered in time, longest waiting first."""
        return self._due(t.referral.c.lapse_at, as_of)

    def to_resume(self, as_of: datetime) -> list[UUID]:
        """Referrals whose hold has run out."""
        return self._due(t.referral.c.resume_at, as_of)

    def cases_to_resume(self, as_of: datetime) -> list[UUID]:
        """Cases whose hold has run out."""
        return self._due(t.care_case.c.resume_at, as_of)

    def _due(self, column: Column[Any], as_of: datetime) -> list[UUID]:
        query = select(column.table.c.id).where(_is_past(column, as_of)).order_by(column)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))


def _is_due(as_of: datetime) -> Any:
    # Spelt out, so that the planner of either store sees that the partial index fits.
    return and_(text("escalation.raised_at IS NULL"), _step.c.at <= as_of)


def _is_past(column: Column[Any], as_of: datetime) -> ColumnElement[bool]:
    return and_(column.is_not(None), column <= as_of)


def _counted(column: Column[Any], as_of: datetime) -> Select[Any]:
    return select(func.count()).select_from(column.table).where(_is_past(column, as_of))


def _claim(run_id: UUID, as_of: datetime, which: ColumnElement[bool]) -> Update:
    """Mark due steps as raised, or as passed over where a higher one of their clock is due."""
    return (
        update(_step)
        .where(which)
        .values(raised_at=as_of, run_id=run_id, passed_over=_is_lower(run_id, as_of))
    )


def _is_lower(run_id: UUID, as_of: datetime) -> ColumnElement[bool]:
    """Whether a higher step of the same clock is due as well.

    SQLite shows a statement what it has changed so far: a step that this run raised counts too.
    """
    higher = _step.alias("higher")
    return (
        select(higher.c.id)
        .where(
            higher.c.deadline_id == _step.c.deadline_id,
            or_(higher.c.raised_at.is_(None), higher.c.run_id == run_id),
            higher.c.at <= as_of,
            higher.c.tier > _step.c.tier,
        )
        .correlate(_step)
        .exists()
    )


def _raise_in_one_statement(
    connection: Connection, run_id: UUID, as_of: datetime, limit: int
) -> Raised:
    """Claim, write the events and mark the breaches as one statement.

    A clock's row is locked before its steps, as an aggregate locks them; one that an aggregate
    or another sweep holds is left to it, or to the next tick.
    """
    step_ids = select(_step.c.deadline_id).where(_is_due(as_of)).order_by(_step.c.at)
    locked = (
        select(_clock.c.id)
        .where(_clock.c.id.in_(step_ids.limit(limit * STEPS_A_CLOCK)))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    ids = and_(_step.c.deadline_id == any_(func.array(locked.scalar_subquery())), _is_due(as_of))
    columns = _step.c["id", "deadline_id", "tier", "tell", "passed_over"]
    claimed = _claim(run_id, as_of, ids).returning(*columns).cte("claimed")
    written = (
        insert(t.event)
        .from_select([c.name for c in t.event.c], _events(claimed, as_of, func.jsonb_build_object))
        .cte("written")
    )
    late = select(claimed.c.deadline_id).where(claimed.c.tier >= BREACH)
    breached = _breach(late).cte("breached")
    counts = select(func.count(), func.count(distinct(claimed.c.deadline_id)))
    row = connection.execute(counts.select_from(claimed).add_cte(written, breached)).one()
    return Raised(*row)


def _events(claimed: Any, as_of: datetime, json: Any) -> Select[Any]:
    """One event for each raised step; it takes the step's own id, made when it was planned."""
    none = literal(None)
    return (
        select(
            claimed.c.id,
            literal(EVENT),
            literal("deadline"),
            claimed.c.deadline_id,
            _clock.c.resident_id,
            _clock.c.case_id,
            literal(as_of, Instant),
            none,
            literal(SYSTEM_ROLE),
            json("tier", claimed.c.tier, "tell", claimed.c.tell),
        )
        .join(_clock, _clock.c.id == claimed.c.deadline_id)
        .where(~claimed.c.passed_over)
    )


def _raise_in_steps(connection: Connection, run_id: UUID, as_of: datetime, limit: int) -> Raised:
    """The same on SQLite, which changes one table a statement and has one writer at a time.

    A batch reaches up to an instant, so that each statement reads the planned steps' index alone;
    a step is passed over where a higher one is due as of the sweep, in this batch or a later one.
    """
    instants = select(_step.c.at).where(_is_due(as_of)).order_by(_step.c.at)
    cut = connection.scalar(instants.limit(1).offset(limit * STEPS_A_CLOCK)) or as_of
    columns = _step.c["id", "deadline_id", "tier", "tell"]
    raised = select(*columns, _is_lower(run_id, as_of).label("passed_over")).where(_is_due(cut))
    written = connection.execute(
        insert(t.event).from_select(
            [column.name for column in t.event.c],
            _events(raised.subquery("claimed"), as_of, _json_object),
        ),
        execution_options={"preserve_rowcount": True},
    )
    connection.execute(
        _breach(select(_step.c.deadline_id).where(_is_due(cut), _step.c.tier >= BREACH))
    )
    claimed = connection.execute(_claim(run_id, as_of, _is_due(cut)))
    return Raised(claimed.rowcount, written.rowcount)


def _json_object(*parts: Any) -> Any:
    """SQLite keeps JSON as text, and nests it only where it is said to be JSON."""
    *names, tell = parts
    return func.json_object(*names, func.json(tell))


def _breach(late: Select[Any]) -> Update:
    """Whoever sees a breach first writes it down, once."""
    return (
        update(_clock)
        .where(_clock.c.id.in_(late), _clock.c.breached_at.is_(None))
        .values(breached_at=_clock.c.due_at)
    )
