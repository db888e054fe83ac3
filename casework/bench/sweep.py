"""Benchmarks of the sweep and the worklist at several sizes, on a temporary database.

Each size holds so many open referrals, each with a running clock and its planned steps; the same
number of clocks is newly due at every size. A figure is the median over interleaved rounds,
and beside it their 95th percentile.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from casework.adapters.persistence.agencies.links import SqlLinks
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.notices.notices import SqlNotices
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.supervision.sweeping import SqlSweepStore
from casework.adapters.persistence.unit_of_work.reading import SqlReading
from casework.adapters.persistence.unit_of_work.store import SqlStore
from casework.bench.filling import CENTRE, DISTRICT, NOW, WORKER, fill, instant, numbered_id, tidy
from casework.domain.access.policy import SYSTEM, Actor, Role, scope_of
from casework.domain.clocks.calendar import WorkingCalendar
from casework.domain.clocks.deadlines import Clockwork
from casework.workflows.context import Context
from casework.workflows.notices.relay import apply_flood_limit
from casework.workflows.ports.supervision import OverdueFilter, WorklistFilter
from casework.workflows.ports.unit_of_work import Page, Paging
from casework.workflows.supervision.overdue import SweepResult, sweep_overdue

Tell = Callable[[str], None]
Engines = dict[int, Engine]
Times = dict[str, float]
Key = TypeVar("Key")


def bench_sweep(
    url: str | None, sizes: list[int], due: int, rounds: int, tell: Tell
) -> dict[str, Any]:
    """The sweep's time in milliseconds at each size, and beside it one plain statement's."""
    with _filled(url, sizes, due, tell) as engines:
        tell("sweeping")
        times = interleaved(engines, rounds, partial(_time_sweeps, due=due))
        figures = [{"open_referrals": size, "newly_due": due, **one} for size, one in times.items()]
        for figure in figures:
            ratio = figure["sweep_ms"] / figure["plain_statement_ms"]
            figure["ratio_to_plain"] = round(ratio, 2)
        return _result("sweep", engines, figures, "sweep_ms", rounds)


def bench_worklist(
    url: str | None, sizes: list[int], due: int, rounds: int, tell: Tell
) -> dict[str, Any]:
    """A page of 50 of a worker's list and of a district's overdue list, in milliseconds.

    The first and the last one, and the ratio of their 95th percentiles.
    """
    with _filled(url, sizes, due, tell) as engines:
        tell("paging")
        times = interleaved(engines, rounds, partial(_time_pages, lasts={}))
        figures = [{"open_referrals": size, **one} for size, one in times.items()]
        for figure in figures:
            for name in ("worklist", "overdue"):
                ratio = figure[f"{name}_last_p95_ms"] / figure[f"{name}_p95_ms"]
                figure[f"{name}_last_to_first"] = round(ratio, 2)
        return _result("worklist", engines, figures, "worklist_ms", rounds)


def lines_of(result: dict[str, Any]) -> Iterator[str]:
    """The figures as lines of text."""
    yield f"{result['store']}, Python {result['python']}, {result['machine']}"
    for figure in result["figures"]:
        yield "  ".join(f"{name} {value}" for name, value in figure.items())
    ratios = (f"{name} {value}" for name, value in result["ratios_of_sizes"].items())
    yield f"largest ÷ smallest: {', '.join(ratios)}"


def _result(
    name: str, engines: Engines, figures: list[dict[str, Any]], what: str, rounds: int
) -> dict[str, Any]:
    return {
        "benchmark": name,
        **conditions(next(iter(engines.values())).dialect.name, rounds),
        "figures": figures,
        "ratio_of_sizes": round(figures[-1][what] / figures[0][what], 2),
        "ratios_of_sizes": {
            name: round(figures[-1][name] / figures[0][name], 2)
            for name in figures[0]
            if name.endswith("_ms")
        },
    }


def conditions(store: str, rounds: int) -> dict[str, Any]:
    """On what it was measured, and how often."""
    return {
        "store": store,
        "python": platform.python_version(),
        "sqlalchemy": sqlalchemy.__version__,
        "machine": platform.platform(),
        "rounds": rounds,
    }


@contextmanager
def _filled(url: str | None, sizes: list[int], due: int, tell: Tell) -> Iterator[Engines]:
    """A database for each size, smallest first."""
    with ExitStack() as opened:
        engines = {size: opened.enter_context(scratch(url)) for size in sorted(set(sizes))}
        for size, engine in engines.items():
            tell(f"filling {size:,} open referrals")
            fill(engine, size, due)
        yield engines


def interleaved(
    engines: Mapping[Key, Engine], rounds: int, time_one: Callable[[Engine], Times]
) -> dict[Key, Times]:
    """The median and the 95th percentile of each figure at each size.

    The sizes are interleaved, so that a machine that becomes slow affects all of them alike. The
    first round is a warm-up and does not count.
    """
    taken: dict[Key, list[Times]] = {size: [] for size in engines}
    for _ in range(rounds + 1):
        for size, engine in engines.items():
            taken[size].append(time_one(engine))
    return {
        size: {name: value for it in all[0] for name, value in spread(it, all[1:]).items()}
        for size, all in taken.items()
    }


def spread(name: str, rounds: list[Times]) -> Times:
    """The median and the 95th percentile of a figure over its rounds."""
    ordered = sorted(one[name] for one in rounds)
    p95 = ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
    return {
        name: round(median(ordered), 3),
        f"{name.removesuffix('_ms')}_p95_ms": round(p95, 3),
    }


def is_sqlite(url: str | None) -> bool:
    """Whether an address is that of a SQLite file, as it is where none is given."""
    return url is None or make_url(url).get_backend_name() == "sqlite"


@contextmanager
def scratch(url: str | None) -> Iterator[Engine]:
    """A temporary, migrated database beside the configured one; dropped afterwards."""
    if url is None or is_sqlite(url):
        with (
            tempfile.TemporaryDirectory() as folder,
            _migrated(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as engine,
        ):
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
    seal_with(engine, lambda: b"of a measurement, and of no use else", may_begin=True)
    try:
        yield engine
    finally:
        engine.dispose()


def sweeper(engine: Engine) -> Callable[[], SweepResult | None]:
    """The sweep as the product runs it, without its schedule."""
    ctx = Context(
        actor=SYSTEM,
        now=NOW,
        new_id=new_id,
        catalogue={},
        store=SqlStore(engine),
        clockwork=Clockwork((), WorkingCalendar({})),
    )
    notices = SqlNotices(engine, SqlLinks)
    return partial(
        sweep_overdue,
        ctx,
        SqlSweepStore(engine),
        limit_flood=partial(apply_flood_limit, ctx, notices),
    )


def _time_sweeps(engine: Engine, due: int) -> Times:
    """A sweep of what is due, one plain statement over the same rows, and an empty sweep."""
    forget(engine)
    plain = timed(lambda: _plain(engine))
    forget(engine)
    run = sweeper(engine)
    sweep = timed(lambda: expect(due, run()))
    idle = timed(lambda: expect(0, run()))
    return {"sweep_ms": sweep, "plain_statement_ms": plain, "nothing_due_ms": idle}


def expect(due: int, result: Any) -> None:
    """Raise AssertionError where not exactly those that are due were raised."""
    if result.changed != due:
        raise AssertionError(f"{result.changed} raised where {due} were due")


def forget(engine: Engine) -> None:
    """Undo what a sweep raised, then run the maintenance that the database does in time."""
    with engine.begin() as connection:
        for statement in (
            "UPDATE escalation SET raised_at = NULL, run_id = NULL, passed_over = false "
            "WHERE raised_at IS NOT NULL",
            "UPDATE deadline SET breached_at = NULL WHERE breached_at IS NOT NULL",
            "DELETE FROM event",
            "DELETE FROM notice",
        ):
            connection.execute(text(statement))
    tidy(engine)


def _plain(engine: Engine) -> None:
    """Raise the same rows in one statement: no run record, no batches, no skipped locks."""
    with engine.begin() as connection:
        at = instant(engine, NOW)
        for statement in _PLAIN[engine.dialect.name]:
            connection.execute(text(statement.replace(":at", at)))


_PLAIN: Final = {
    "postgresql": [
        "WITH due AS (SELECT id, tier < max(tier) OVER (PARTITION BY deadline_id) AS lower "
        "FROM escalation WHERE raised_at IS NULL AND at <= :at), "
        "raised AS (UPDATE escalation e SET raised_at = :at, passed_over = due.lower FROM due "
        "WHERE e.id = due.id RETURNING e.id, e.deadline_id, e.tier, e.at, e.tell, e.passed_over), "
        "written AS (INSERT INTO event (id, name, subject_type, subject_id, resident_id, "
        "case_id, at, by_role, data) SELECT r.id, 'EscalationRaised', 'deadline', d.id, "
        "d.resident_id, d.case_id, :at, 'system', jsonb_build_object('tier', r.tier, 'tell', "
        "r.tell) FROM raised r JOIN deadline d ON d.id = r.deadline_id WHERE NOT r.passed_over), "
        "told AS (INSERT INTO notice (id, kind, subject_type, subject_id, case_id, centre_code, "
        "district_code, worker_id, provider_id, tell, at_once, since, about, tier, due_at) "
        "SELECT r.id, 'escalation', 'deadline', d.id, d.case_id, d.centre_code, d.district_code, "
        "d.worker_id, d.provider_id, r.tell, d.priority = 'emergency', r.at, d.kind, r.tier, "
        "d.due_at FROM raised r JOIN deadline d ON d.id = r.deadline_id WHERE NOT r.passed_over) "
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
        "INSERT INTO notice (id, kind, subject_type, subject_id, case_id, centre_code, "
        "district_code, worker_id, provider_id, tell, at_once, since, about, tier, due_at) "
        "SELECT e.id, 'escalation', 'deadline', d.id, d.case_id, d.centre_code, d.district_code, "
        "d.worker_id, d.provider_id, e.tell, d.priority = 'emergency', e.at, d.kind, e.tier, "
        "d.due_at FROM escalation e JOIN deadline d ON d.id = e.deadline_id WHERE e.raised_at IS "
        "NULL AND e.at <= :at AND NOT EXISTS (SELECT 1 FROM escalation h WHERE h.deadline_id = "
        "e.deadline_id AND h.raised_at IS NULL AND h.at <= :at AND h.tier > e.tier)",
        "UPDATE deadline SET breached_at = due_at WHERE breached_at IS NULL AND id IN (SELECT "
        "deadline_id FROM escalation WHERE raised_at IS NULL AND at <= :at AND tier >= 0)",
        "UPDATE escalation SET raised_at = :at, passed_over = EXISTS (SELECT 1 FROM "
        "escalation h WHERE h.deadline_id = escalation.deadline_id AND h.raised_at IS NULL AND "
        "h.at <= :at AND h.tier > escalation.tier) WHERE raised_at IS NULL AND at <= :at",
    ],
}


def _readers(connection: Connection) -> tuple[SqlReading, SqlReading]:
    """A worker with both overdue and other clocks, and the supervisor of the district."""
    worker = Actor(
        id=numbered_id(WORKER, 1), role=Role.WORKER, centre_code=CENTRE, district_code=DISTRICT
    )
    supervisor = Actor(id=new_id(), role=Role.SUPERVISOR, district_code=DISTRICT)
    return (
        SqlReading(connection, scope_of(worker, "deadline.read"), NOW, set()),
        SqlReading(connection, scope_of(supervisor, "overdue.read"), NOW, set()),
    )


def time_worklist(engine: Engine) -> float:
    """The first page of a worker's list."""
    with engine.connect() as connection:
        hers, _ = _readers(connection)
        return timed(lambda: hers.worklists.mine(WorklistFilter(), Paging()))


def _time_pages(engine: Engine, lasts: dict[Engine, tuple[Any, Any]]) -> Times:
    """The first and the last page of either list; ``lasts`` is where the last ones begin."""
    with engine.connect() as connection:
        hers, theirs = _readers(connection)

        def mine(after: Any) -> Page:
            return hers.worklists.mine(WorklistFilter(), Paging(after=after))

        def overdue(after: Any) -> Page:
            return theirs.worklists.overdue(OverdueFilter(), Paging(after=after))

        if engine not in lasts:
            lasts[engine] = _last_key(mine), _last_key(overdue)
        last_of_mine, last_of_overdue = lasts[engine]
        return {
            "worklist_ms": timed(lambda: mine(None)),
            "worklist_last_ms": timed(lambda: mine(last_of_mine)),
            "overdue_ms": timed(lambda: overdue(None)),
            "overdue_last_ms": timed(lambda: overdue(last_of_overdue)),
        }


def _last_key(read: Callable[[Any], Page]) -> Any:
    """What the last page comes after; None where there is one page alone."""
    after = None
    while (key := read(after).last_key) is not None:
        after = key
    return after


def timed(run: Callable[[], Any]) -> float:
    """The duration of a call in milliseconds."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000
