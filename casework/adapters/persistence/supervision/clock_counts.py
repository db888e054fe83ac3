"""The running clocks of a whole installation, counted by kind and tier, so many at a time.

No statement grows with what runs, and none holds on to what it saw while the next one reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, case, func, select, tuple_

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_RUNNING, is_overdue
from casework.adapters.persistence.engine.paging import at
from casework.adapters.persistence.rows.many import planned_each_time
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.supervision.overdue_filters import highest_tier
from casework.domain.clocks.standards import ClockKind
from casework.workflows.ports.supervision import ClockBacklog, ClockCounts

# How many clocks one statement counts.
AT_ONCE: Final = 20_000
_clock = t.deadline.c
_KEYS: Final = [_clock.district_code, _clock.due_at, _clock.id]


def count_clocks(engine: Engine, now: datetime) -> ClockCounts:
    """Those that run now, read as the system itself; of every kind, also where none runs."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in _counted(engine, now):
        found[row.kind].append(row)
    return ClockCounts(counted_at=now, clocks=[_backlog_of(kind, found) for kind in ClockKind])


def _counted(engine: Engine, now: datetime) -> Iterator[Any]:
    """The counts by kind and tier of one part after the other, each in its own transaction."""
    after: Sequence[Any] | None = None
    while True:
        with engine.execution_options(only_reads=True).connect() as connection:
            session_context.set_system_context(connection)
            which: list[Any] = [] if after is None else [tuple_(*_KEYS) > at(_KEYS, after)]
            after = _last(connection, which)
            if after is not None:
                which.append(tuple_(*_KEYS) <= at(_KEYS, after))
            rows = _by_kind_and_tier(connection, which, now)
        yield from rows
        if after is None:
            return


def _last(connection: Connection, which: list[Any]) -> Sequence[Any] | None:
    """The key of the last clock of a part; None where there are fewer."""
    query = select(*_KEYS).where(IS_RUNNING, *which).order_by(*_KEYS)
    return connection.execute(planned_each_time(query.offset(AT_ONCE - 1).limit(1))).first()


def _by_kind_and_tier(connection: Connection, which: list[Any], now: datetime) -> Sequence[Any]:
    tier = case((is_overdue(now), func.coalesce(highest_tier(), 0))).label("tier")
    one = select(_clock.kind, _clock.due_at, tier).where(IS_RUNNING, *which).subquery()
    query = select(
        one.c.kind, one.c.tier, func.count().label("number"), func.min(one.c.due_at).label("first")
    ).group_by(one.c.kind, one.c.tier)
    return connection.execute(planned_each_time(query)).all()


def _backlog_of(kind: ClockKind, found: Mapping[str, Sequence[Any]]) -> ClockBacklog:
    rows = found.get(kind, [])
    overdue: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.tier is not None:
            overdue[row.tier] += row.number
    return ClockBacklog(
        kind=kind,
        running=sum(row.number for row in rows),
        overdue=overdue,
        oldest_due_at=min((row.first for row in rows if row.tier is not None), default=None),
    )
