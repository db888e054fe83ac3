"""Sweeps of many newly due clocks: how they grow, and what they do to who turns pages meanwhile.

And a worklist on both stores. What is compared takes turns within one run.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

from sqlalchemy import Engine, event

from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema.migrations import STATEMENT_TIMEOUT_MS
from casework.bench.filling import fill, fill_programme
from casework.bench.processes import BenchmarkFailed
from casework.bench.sweep import (
    Tell,
    Times,
    conditions,
    expect,
    forget,
    interleaved,
    is_sqlite,
    scratch,
    spread,
    sweeper,
    time_worklist,
    timed,
)

WITHIN_S: Final = 120
# Pages of a round without a sweep.
ALONE: Final = 200
PAGE, P95 = "worklist_ms", "worklist_p95_ms"
Result = dict[str, Any]


def bench_dues(url: str | None, size: int, dues: list[int], rounds: int, tell: Tell) -> Result:
    """Sweeps of several numbers of newly due among as many open referrals.

    And the pages of a worklist while the largest of them runs in a process of its own.
    """
    dues = sorted(set(dues))
    if len(dues) < 2 or dues[-1] > size:
        raise BenchmarkFailed("name two numbers of newly due, neither above the open referrals")
    with ExitStack() as opened:
        engines = {due: opened.enter_context(scratch(url)) for due in dues}
        for due, engine in engines.items():
            tell(f"filling {size:,} open referrals, {due:,} newly due")
            fill(engine, size, due)
        by_engine = {engine: due for due, engine in engines.items()}
        tell("sweeping")
        times = interleaved(engines, rounds, lambda engine: _swept(engine, by_engine[engine]))
        figures = [{"open_referrals": size, "newly_due": due, **times[due]} for due in dues]
        tell("turning pages while it sweeps")
        beside = _beside(engines[dues[-1]], dues[-1], rounds)
        dialect = engines[dues[0]].dialect.name
    return {
        "benchmark": "sweep-dues",
        **conditions(dialect, rounds),
        "figures": figures,
        "ratio_of_dues": round(figures[-1]["sweep_ms"] / figures[0]["sweep_ms"], 2),
        **beside,
    }


def _swept(engine: Engine, due: int) -> Times:
    """One sweep, and the longest of its transactions."""
    forget(engine)
    run = sweeper(engine)
    with _transactions(engine) as lasted:
        took = timed(lambda: expect(due, run()))
    return {"sweep_ms": took, "longest_transaction_ms": max(lasted)}


@contextmanager
def _transactions(engine: Engine) -> Iterator[list[float]]:
    """How long each transaction lasts inside the block, in milliseconds."""
    began: dict[Any, float] = {}
    lasted: list[float] = []

    def begin(connection: Any) -> None:
        began[connection] = time.perf_counter()

    def end(connection: Any) -> None:
        if connection in began:
            lasted.append((time.perf_counter() - began.pop(connection)) * 1000)

    for name, note in (("begin", begin), ("commit", end), ("rollback", end)):
        event.listen(engine, name, note)
    try:
        yield lasted
    finally:
        for name, note in (("begin", begin), ("commit", end), ("rollback", end)):
            event.remove(engine, name, note)


# Pages while it sweeps


def _beside(engine: Engine, due: int, rounds: int) -> Result:
    """The pages of a worklist without a sweep and while one runs, in turns."""
    without: list[Times] = []
    during: list[Times] = []
    for _ in range(rounds):
        forget(engine)
        without += [{PAGE: time_worklist(engine)} for _ in range(ALONE)]
        with _sweeping(engine, due) as is_done:
            while not is_done():
                during.append({PAGE: time_worklist(engine)})
    if not during:
        raise BenchmarkFailed("no page was turned while it swept: name more newly due")
    found = {
        "worklist_p95_ms": spread(PAGE, without)[P95],
        "worklist_beside_sweep_p95_ms": spread(PAGE, during)[P95],
    }
    ratio = found["worklist_beside_sweep_p95_ms"] / found["worklist_p95_ms"]
    return {**found, "pages_beside_sweep": len(during), "beside_to_without": round(ratio, 2)}


@contextmanager
def _sweeping(engine: Engine, due: int) -> Iterator[Any]:
    """A sweep in another process, once that is ready; gives whether it is done."""
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe()
    url = engine.url.render_as_string(hide_password=False)
    process = processes.Process(target=_sweep_apart, args=(url, there))
    process.start()
    there.close()
    try:
        if not here.poll(WITHIN_S) or here.recv() != "ready":
            raise BenchmarkFailed("the sweeping process did not start")
        here.send("go")
        yield partial(here.poll, 0)
        raised = here.recv()
        if raised != due:
            raise AssertionError(f"{raised} raised where {due} were due")
    except EOFError:
        raise BenchmarkFailed("the sweeping process ended before its sweep did") from None
    finally:
        process.join(WITHIN_S)
        process.kill()


def _sweep_apart(url: str, pipe: Any) -> None:
    """What the other process does: open the database, wait for the word, sweep."""
    engine = open_engine(url, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    seal_with(engine, lambda: b"of a measurement, and of no use else", may_begin=True)
    with engine.connect():
        pass
    run = sweeper(engine)
    pipe.send("ready")
    pipe.recv()
    result = run()
    pipe.send(None if result is None else result.changed)
    engine.dispose()


# Both stores


def bench_stores(url: str | None, sizes: list[int], due: int, rounds: int, tell: Tell) -> Result:
    """The first page of a worklist on SQLite and PostgreSQL, with the same rows, in turns."""
    if is_sqlite(url):
        raise BenchmarkFailed("both stores are compared with a PostgreSQL: CASEWORK_DATABASE_URL")
    size = max(sizes)
    with ExitStack() as opened:
        engines = {
            store: opened.enter_context(scratch(at))
            for store, at in (("sqlite", None), ("postgresql", url))
        }
        for store, engine in engines.items():
            tell(f"filling {size:,} open referrals on {store}")
            fill(engine, size, due)
        tell("paging")
        times = interleaved(engines, rounds, lambda engine: {PAGE: time_worklist(engine)})
    figures = [{"store": store, "open_referrals": size, **one} for store, one in times.items()]
    on_sqlite, on_postgres = times["sqlite"], times["postgresql"]
    return {
        "benchmark": "worklist-stores",
        **conditions("both", rounds),
        "figures": figures,
        "sqlite_to_postgresql": round(on_sqlite[PAGE] / on_postgres[PAGE], 2),
        "sqlite_to_postgresql_p95": round(on_sqlite[P95] / on_postgres[P95], 2),
    }


# Clocks of the programme beside them


def bench_programme(
    url: str | None, sizes: list[int], due: int, rounds: int, number: int, tell: Tell
) -> Result:
    """The first page of a worker's list with so many clocks of the programme and without, in turns.

    They are of the worker's own district and of the city.
    """
    size = max(sizes)
    with ExitStack() as opened:
        engines = {beside: opened.enter_context(scratch(url)) for beside in (0, number)}
        for beside, engine in engines.items():
            tell(f"filling {size:,} open referrals and {beside:,} clocks of the programme")
            fill(engine, size, due)
            if beside:
                fill_programme(engine, beside)
        tell("paging")
        times = interleaved(engines, rounds, lambda engine: {PAGE: time_worklist(engine)})
    figures = [{"programme_clocks": beside, **one} for beside, one in times.items()]
    without, beside_them = times[0], times[number]
    return {
        "benchmark": "worklist-programme",
        **conditions("sqlite" if is_sqlite(url) else "postgresql", rounds),
        "open_referrals": size,
        "figures": figures,
        "with_to_without": round(beside_them[PAGE] / without[PAGE], 2),
        "with_to_without_p95": round(beside_them[P95] / without[P95], 2),
    }


def lines_of(result: Result) -> Iterator[str]:
    """The figures as lines of text."""
    yield f"{result['store']}, Python {result['python']}, {result['machine']}"
    for figure in result["figures"]:
        yield "  ".join(f"{name} {value}" for name, value in figure.items())
    for name, value in result.items():
        if isinstance(value, float | int) and name != "rounds":
            yield f"{name} {value}"
