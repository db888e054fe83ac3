"""Timing the sweep and the worklist at several sizes, on a database made for it and dropped.

Each size holds so many open referrals, each with a running clock and its planned steps; the same
number of clocks is newly due at every size. A figure is the median over interleaved rounds.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import sqlalchemy
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from casework.adapters.persistence import migrations
from casework.adapters.persistence.engine import open_engine
from casework.adapters.persistence.ids import new_id
from casework.adapters.persistence.reading import SqlReading
from casework.adapters.persistence.store import SqlStore
from casework.adapters.persistence.sweeping import SqlSweepStore
from casework.domain.access import SYSTEM, Actor, Reach, Relation, Role
from casework.domain.calendar import WorkingCalendar
from casework.domain.deadlines import Clockwork
from casework.workflows.context import Context
from casework.workflows.ports import OverdueFilter, Paging, WorklistFilter
from casework.workflows.sweeps.overdue import sweep_overdue

NOW: Final = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
CLOCKS_A_WORKER: Final = 100
STEPS: Final = {-1: -20 * 3600, 0: 1, 1: 9 * 3600, 2: 57 * 3600}
Tell = Callable[[str], None]


def bench_sweep(
    url: str | None, sizes: list[int], due: int, rounds: int, tell: Tell
) -> dict[str, Any]:
    """The sweep's time in milliseconds at each size, and beside it one plain statement's."""
    figures = []
    with _scratch(url) as engine:
        for size in sorted(sizes):
            tell(f"filling up to {size:,} open referrals")
            _fill(engine, size, due)
            tell(f"sweeping among {size:,}")
            figures.append({"open_referrals": size, "newly_due": due}
                           | _time_sweeps(engine, due, rounds))
        return _result("sweep", engine, figures, "sweep_ms", rounds)


def bench_worklist(
    url: str | None, sizes: list[int], due: int, rounds: int, tell: Tell
) -> dict[str, Any]:
    """A page of 50 of a worker's list and of a district's overdue list, in milliseconds."""
    figures = []
    with _scratch(url) as engine:
        for size in sorted(sizes):
            tell(f"filling up to {size:,} open referrals")
            _fill(engine, size, due)
            tell(f"paging among {size:,}")
            figures.append({"open_referrals": size} | _time_pages(engine, rounds))
        return _result("worklist", engine, figures, "worklist_ms", rounds)


def lines_of(result: dict[str, Any]) -> Iterator[str]:
    """The figures as a person reads them."""
    yield f"{result['store']}, Python {result['python']}, {result['machine']}"
    for figure in result["figures"]:
        yield "  ".join(f"{name} {value}" for name, value in figure.items())
    yield f"largest ÷ smallest: {result['ratio_of_sizes']}"


def _result(
    name: str, engine: Engine, figures: list[dict[str, Any]], what: str, rounds: int
) -> dict[str, Any]:
    return {
        "benchmark": name, "store": engine.dialect.name, "python": platform.python_version(),
        "sqlalchemy": sqlalchemy.__version__, "machine": platform.platform(), "rounds": rounds,
        "figures": figures, "ratio_of_sizes": round(figures[-1][what] / figures[0][what], 2),
    }


@contextmanager
def _scratch(url: str | None) -> Iterator[Engine]:
    """An empty, migrated database of its own, beside the configured one; gone afterwards."""
    if url is None or make_url(url).get_backend_name() == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            with _migrated(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as engine:
                yield engine
        return
    name = f"casework_bench_{new_id().hex[-12:]}"
    admin = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        own = make_url(url).set(database=name).render_as_string(hide_password=False)
        with _migrated(own) as engine:
            yield engine
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@contextmanager
def _migrated(url: str) -> Iterator[Engine]:
    migrations.upgrade(url)
    engine = open_engine(url, statement_timeout_ms=migrations.STATEMENT_TIMEOUT_MS)
    try:
        yield engine
    finally:
        engine.dispose()


# Filling: every row by INSERT … SELECT from a row of numbers; ids sort as they were made.


def _fill(engine: Engine, size: int, due: int) -> None:
    with engine.begin() as connection:
        have = connection.scalar(text("SELECT count(*) FROM referral")) or 0
        for statement in _facts(have):
            connection.execute(text(statement))
        for statement in _rows(engine, have + 1, size, due):
            connection.execute(text(statement))
    _tidy(engine)


def _tidy(engine: Engine) -> None:
    """What the database does by itself in time: statistics, and pages written back."""
    raw = engine.raw_connection()
    try:
        connection: Any = raw.driver_connection
        if engine.dialect.name == "postgresql":
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")
            connection.autocommit = False
        else:
            connection.execute("ANALYZE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def _facts(have: int) -> list[str]:
    if have:
        return []
    return [
        "INSERT INTO district VALUES ('26110', '가', 'A')",
        "INSERT INTO centre VALUES ('2611051000', '26110', '가', 35.1, 129.0)",
        "INSERT INTO service VALUES ('MED-VISIT', 'medical', '가', 'A', 'national', 'visit', "
        "NULL, 'Act 15', 'C')",
        f"INSERT INTO provider VALUES ('{UUID(int=1)}', 'a', '가', 'clinic', '051-000-0000', "
        "'26110', 35.1, 129.0, '[]', true)".replace(str(UUID(int=1)), _ONE),
        f"INSERT INTO offering VALUES ('{_ONE}', '{_ONE}', 'MED-VISIT', true, 1, 1, 0, 'visit', "
        "'2026-01-01 00:00:00.000000')",
    ]


_ONE: Final = UUID(int=1).hex
_AT: Final = "'{:%Y-%m-%d %H:%M:%S.%f}'"


def _at(engine: Engine, at: datetime) -> str:
    if engine.dialect.name == "postgresql":
        return f"'{at.isoformat()}'::timestamptz"
    return f"'{at.replace(tzinfo=None).isoformat(timespec='microseconds')}'"


def _id(engine: Engine, kind: int, number: str = "i") -> str:
    """The id of a numbered row: the number leads, so that ids sort by it as real ones do."""
    tail = f"7000800000000000{kind:04x}"  # 4 + 8 + 20 hexadecimal digits
    if engine.dialect.name == "postgresql":
        return f"('0190' || lpad(to_hex({number}), 8, '0') || '{tail}')::uuid"
    return f"('0190' || lower(printf('%08x', {number})) || '{tail}')"


def _rows(engine: Engine, first: int, last: int, due: int) -> Iterator[str]:
    def ids(kind: int) -> str:
        return _id(engine, kind)

    numbers = f"(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n " \
              f"WHERE i < {last}) SELECT i FROM n)"
    if engine.dialect.name == "postgresql":
        numbers = f"(SELECT i FROM generate_series({first}, {last}) AS i)"
    at, worker = _at(engine, NOW - timedelta(days=5)), _id(
        engine, 9, f"(i / {CLOCKS_A_WORKER})")
    due_at = f"CASE WHEN i <= {due} THEN {_at(engine, NOW - timedelta(hours=12))} " \
             f"ELSE {_at(engine, NOW + timedelta(days=30))} END"
    day, one = "'1940-01-01'", f"'{_ONE}'" + (
        "::uuid" if engine.dialect.name == "postgresql" else "")
    where = "'2611051000', '26110'"
    many = {
        "resident (id, name, birth_date, sex, centre_code, district_code, registered_at, "
        "version)": f"{ids(1)}, '가상', {_date(engine, day)}, 'female', {where}, {at}, 1",
        "care_case (id, resident_id, centre_code, district_code, status, channel, applied_on, "
        "opened_at, urgent, plan_revision, version)":
            f"{ids(2)}, {ids(1)}, {where}, 'supported', 'self', {_date(engine, day)}, {at}, "
            "false, 1, 1",
        "planned_service (id, case_id, resident_id, service_code, field, status, created_at, "
        "version)": f"{ids(3)}, {ids(2)}, {ids(1)}, 'MED-VISIT', 'medical', 'in_force', {at}, 1",
        "referral (id, case_id, resident_id, centre_code, district_code, planned_service_id, "
        "service_code, field, offering_id, provider_id, status, priority, basis_kind, "
        "created_at, requested_at, ended_by_closing, version)":
            f"{ids(4)}, {ids(2)}, {ids(1)}, {where}, {ids(3)}, 'MED-VISIT', 'medical', {one}, "
            f"{one}, 'requested', 'routine', 'article_14_2', {at}, {at}, false, 1",
        "deadline (id, case_id, kind, subject_type, subject_id, resident_id, centre_code, "
        "district_code, worker_id, provider_id, held_by, field, service_code, priority, basis, "
        "target, started_at, due_at, pauses, extensions, excused)":
            f"{ids(5)}, {ids(2)}, 'response', 'referral', {ids(4)}, {ids(1)}, {where}, {worker}, "
            f"{one}, 'provider', 'medical', 'MED-VISIT', 'routine', 'city service target', "
            f"'3 working_days', {at}, {due_at}, '[]', '[]', false",
    }
    for into, values in many.items():
        yield f"INSERT INTO {into} SELECT {values} FROM {numbers} AS numbered"
    for tier, seconds in STEPS.items():
        instant = f"CASE WHEN i <= {due} THEN " \
                  f"{_at(engine, NOW - timedelta(hours=12) + timedelta(seconds=seconds))} ELSE " \
                  f"{_at(engine, NOW + timedelta(days=30, seconds=seconds))} END"
        yield ("INSERT INTO escalation (id, deadline_id, tier, due_at, at, tell, passed_over, "
               f"quiet) SELECT {ids(20 + tier)}, {ids(5)}, {tier}, {due_at}, {instant}, "
               f"'[\"worker\"]', false, false FROM {numbers} AS numbered")


def _date(engine: Engine, day: str) -> str:
    return f"date {day}" if engine.dialect.name == "postgresql" else day


# Timing


def _time_sweeps(engine: Engine, due: int, rounds: int) -> dict[str, Any]:
    ctx = Context(
        actor=SYSTEM, now=NOW, new_id=new_id, catalogue={}, store=SqlStore(engine),
        clockwork=Clockwork((), WorkingCalendar({})))
    sweeps, plains, idle = [], [], []
    for _ in range(rounds + 1):
        for times, run in (
            (sweeps, lambda: _expect(due, sweep_overdue(ctx, SqlSweepStore(engine)))),
            (plains, lambda: _plain(engine)),
        ):
            _forget(engine)
            times.append(_timed(run))
        idle.append(_timed(lambda: _expect(0, sweep_overdue(ctx, SqlSweepStore(engine)))))
    sweep_ms, plain_ms = median(sweeps[1:]), median(plains[1:])
    return {"sweep_ms": round(sweep_ms, 2), "plain_statement_ms": round(plain_ms, 2),
            "ratio_to_plain": round(sweep_ms / plain_ms, 2),
            "nothing_due_ms": round(median(idle[1:]), 2)}


def _expect(due: int, result: Any) -> None:
    if result.changed != due:
        raise AssertionError(f"{result.changed} raised where {due} were due")


def _forget(engine: Engine) -> None:
    """Take back what a sweep raised, and tidy up as the database does by itself in time."""
    with engine.begin() as connection:
        for statement in (
            "UPDATE escalation SET raised_at = NULL, run_id = NULL, passed_over = false "
            "WHERE raised_at IS NOT NULL",
            "UPDATE deadline SET breached_at = NULL WHERE breached_at IS NOT NULL",
            "DELETE FROM event",
        ):
            connection.execute(text(statement))
    _tidy(engine)


def _plain(engine: Engine) -> None:
    """The same rows raised by hand: no run record, no batches, no locks to skip."""
    with engine.begin() as connection:
        at = _at(engine, NOW)
        for statement in _PLAIN[engine.dialect.name]:
            connection.execute(text(statement.replace(":at", at)))


_PLAIN: Final = {
    "postgresql": [
        "WITH due AS (SELECT id, tier < max(tier) OVER (PARTITION BY deadline_id) AS lower "
        "FROM escalation WHERE raised_at IS NULL AND at <= :at), "
        "raised AS (UPDATE escalation e SET raised_at = :at, passed_over = due.lower FROM due "
        "WHERE e.id = due.id RETURNING e.id, e.deadline_id, e.tier, e.tell, e.passed_over), "
        "written AS (INSERT INTO event (id, name, subject_type, subject_id, resident_id, "
        "case_id, at, by_role, data) SELECT r.id, 'EscalationRaised', 'deadline', d.id, "
        "d.resident_id, d.case_id, :at, 'system', jsonb_build_object('tier', r.tier, 'tell', "
        "r.tell) FROM raised r JOIN deadline d ON d.id = r.deadline_id WHERE NOT r.passed_over) "
        "UPDATE deadline SET breached_at = due_at WHERE breached_at IS NULL AND id IN "
        "(SELECT deadline_id FROM raised WHERE tier >= 0)",
    ],
    "sqlite": [
        "INSERT INTO event (id, name, subject_type, subject_id, resident_id, case_id, at, "
        "by_role, data) SELECT e.id, 'EscalationRaised', 'deadline', d.id, d.resident_id, "
        "d.case_id, :at, 'system', json_object('tier', e.tier, 'tell', json(e.tell)) FROM "
        "escalation e JOIN deadline d ON d.id = e.deadline_id WHERE e.raised_at IS NULL AND "
        "e.at <= :at AND NOT EXISTS (SELECT 1 FROM escalation h WHERE h.deadline_id = "
        "e.deadline_id AND h.raised_at IS NULL AND h.at <= :at AND h.tier > e.tier)",
        "UPDATE deadline SET breached_at = due_at WHERE breached_at IS NULL AND id IN (SELECT "
        "deadline_id FROM escalation WHERE raised_at IS NULL AND at <= :at AND tier >= 0)",
        "UPDATE escalation SET raised_at = :at, passed_over = EXISTS (SELECT 1 FROM "
        "escalation h WHERE h.deadline_id = escalation.deadline_id AND h.raised_at IS NULL AND "
        "h.at <= :at AND h.tier > escalation.tier) WHERE raised_at IS NULL AND at <= :at",
    ],
}


def _time_pages(engine: Engine, rounds: int) -> dict[str, Any]:
    """A worker with both overdue and other clocks, and the supervisor of the district."""
    worker = Actor(id=UUID("0190" + f"{1:08x}" + f"7000800000000000{9:04x}"), role=Role.WORKER,
                   centre_code="2611051000", district_code="26110")
    supervisor = Actor(id=new_id(), role=Role.SUPERVISOR, district_code="26110")
    mine, late = [], []
    for _ in range(rounds + 1):
        with engine.connect() as connection:
            reading = SqlReading(connection, Reach(worker, Relation.CENTRE), NOW, set())
            mine.append(_timed(lambda at=reading: at.worklist(WorklistFilter(), Paging())))
            reading = SqlReading(connection, Reach(supervisor, Relation.DISTRICT), NOW, set())
            late.append(_timed(lambda at=reading: at.overdue(OverdueFilter(), Paging())))
    return {"worklist_ms": round(median(mine[1:]), 3), "overdue_ms": round(median(late[1:]), 3)}


def _timed(run: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000

