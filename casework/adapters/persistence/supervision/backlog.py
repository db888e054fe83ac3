"""What waits in the whole installation, counted for its operator in two statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Label,
    ScalarSelect,
    Table,
    TextClause,
    and_,
    func,
    literal_column,
    or_,
    select,
    text,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.notices.notices import may_be_addressed
from casework.adapters.persistence.notices.outbox import is_due, is_over
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.adapters.persistence.tables.exchange import import_file
from casework.domain.notices.outbox import LONGEST_WAIT
from casework.workflows.ports.supervision import Backlog, LastSweep, Waiting
from casework.workflows.supervision.overdue import JOB

# More than so many in a queue are not counted: what they say is said.
MOST: Final = 100_000
Condition = ColumnElement[bool] | TextClause
_RUN, _MESSAGE, _ENDPOINT = t.job_run.c, t.message.c, t.subscription.c


def read_backlog(engine: Engine, now: datetime) -> Backlog:
    """What waits now, read as the system itself."""
    with engine.execution_options(only_reads=True).connect() as connection:
        session_context.set_system_context(connection)
        found = connection.execute(select(*_queues(now))).one()
        return Backlog(
            sweep=_last_sweep(connection),
            notices=Waiting(found.notices, found.notices_since),
            messages=Waiting(found.messages, found.messages_since),
            dead_messages=found.dead,
            resting_endpoints=found.resting,
            unsealed=Waiting(found.unsealed, found.unsealed_since),
            sealed_at=found.sealed_at,
            imports=Waiting(found.imports, found.imports_since),
            figures=Waiting(found.figures, None),
        )


def _last_sweep(connection: Connection) -> LastSweep | None:
    query = (
        select(t.job_run)
        .where(_RUN.job == JOB, ~_RUN.dry_run, _RUN.ended_at.is_not(None))
        .order_by(_RUN.started_at.desc(), _RUN.id.desc())
        .limit(1)
    )
    run = connection.execute(query).first()
    if run is None:
        return None
    seconds = (run.ended_at - run.started_at).total_seconds()
    return LastSweep(seconds, run.found or 0, run.changed or 0, run.failed or 0)


def _queues(now: datetime) -> list[Label[Any]]:
    """The counts of the queues, and since when the first of each waits."""
    waits, is_dead = text("message.state = 'waiting'"), text("message.state = 'dead'")
    rests = and_(_ENDPOINT.ended_at.is_(None), _ENDPOINT.retry_at > now)
    unfinished = text("import_file.ended_at IS NULL")
    return [
        _number(t.notice, may_be_addressed()).label("notices"),
        _first(t.notice.c.since, may_be_addressed()).label("notices_since"),
        _number(t.message, waits).label("messages"),
        _first_to_send(now).label("messages_since"),
        _number(t.message, is_dead).label("dead"),
        _number(t.subscription, rests).label("resting"),
        _number(audit_pending).label("unsealed"),
        _first_unsealed().label("unsealed_since"),
        _last_sealed().label("sealed_at"),
        _number(import_file, unfinished).label("imports"),
        _first(import_file.c.created_at, unfinished).label("imports_since"),
        _number(t.figure_change).label("figures"),
    ]


def _number(table: Table, *which: Condition) -> ScalarSelect[int]:
    """How many rows, up to a limit."""
    some = select(literal_column("1")).select_from(table).where(*which).limit(MOST).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _first(column: Column[Any], *which: Condition) -> ScalarSelect[Any]:
    return select(func.min(column)).where(*which).scalar_subquery()


def _first_to_send(now: datetime) -> ScalarSelect[Any]:
    """Since when the first message may be sent, but for those to an endpoint that rests."""
    is_awake = or_(_ENDPOINT.retry_at.is_(None), is_over(_ENDPOINT.retry_at, now, LONGEST_WAIT))
    to_endpoint = t.subscription.c.id == _MESSAGE.subscription_id
    return (
        select(_MESSAGE.next_at)
        .select_from(t.message.outerjoin(t.subscription, to_endpoint))
        .where(is_due(now), is_awake)
        .order_by(_MESSAGE.next_at, _MESSAGE.id)
        .limit(1)
        .scalar_subquery()
    )


def _first_unsealed() -> ScalarSelect[Any]:
    """When the first entry was written that waits for its seal."""
    return (
        select(t.audit_entry.c.at)
        .join(audit_pending, audit_pending.c.entry_id == t.audit_entry.c.id)
        .order_by(audit_pending.c.entry_id)
        .limit(1)
        .scalar_subquery()
    )


def _last_sealed() -> ScalarSelect[Any]:
    """When the last entry of any chain was sealed: each head leads to one seal."""
    is_last = and_(audit_seal.c.chain == audit_head.c.chain, audit_seal.c.seq == audit_head.c.count)
    return (
        select(func.max(audit_seal.c.sealed_at))
        .select_from(audit_head.join(audit_seal, is_last))
        .scalar_subquery()
    )
