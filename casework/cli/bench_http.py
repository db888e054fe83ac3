"""The benchmark of the product over HTTP."""

from __future__ import annotations

import json
import signal
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import bootstrap
from casework.bench import http as benchmark
from casework.bench import http_report as report
from casework.bench.asking import MODES
from casework.bench.processes import BenchmarkFailed
from casework.bench.sides import Measurement
from casework.bench.sides import Progress as Told
from casework.cli.shared import CommandError, Json, notes
from casework.settings import Settings

Mode = StrEnum("Mode", [*MODES, "all"])  # type: ignore[misc]


def bench_http(
    mode: Annotated[
        Mode, typer.Option(help="What is asked; mixed is 70 % worklist, 20 % read.")
    ] = (
        Mode.all  # type: ignore[attr-defined]
    ),
    clients: Annotated[int, typer.Option(min=1, max=256, help="Connections at once.")] = 16,
    seconds: Annotated[float, typer.Option(min=0.1, help="Duration of each run.")] = 6.0,
    residents: Annotated[
        int, typer.Option(min=10, max=1_000_000, help="Invented residents, each with a referral.")
    ] = 2000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Runs of which the median is.")] = 3,
    database: Annotated[
        str | None,
        typer.Option(help="PostgreSQL to use, as one who may make databases and roles."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the product over HTTP, beside its ceiling and a prototype.

    One process serves, on PostgreSQL behind row-level security, users who signed in. Another sends
    the requests: create, read, worklist, overdue, search, mixed, or all of them in turn. In the
    same minute and in turns: the transaction that a referral made amounts to, by pgbench, and the
    same endpoint as a bare FastAPI prototype. An answer that is not a 2xx ends it with exit code 2.

    PostgreSQL is the one of --database, else of CASEWORK_DATABASE_URL, else a throw-away one. It
    works in databases of its own there, and drops them. Processor time of the database is that of
    its whole server, so nothing else should use it; it is left out where it runs elsewhere.

    All modes take about six minutes on two cores with 2,000 residents: ten runs of each length
    times three, the warm-ups, and filling, 10 ms a resident. Each resident can be asked for eight
    times; where that is used up, a run ends before its time.
    """
    modes = list(MODES) if mode == "all" else [str(mode)]
    settings = Settings()
    of = Measurement(
        modes=modes, clients=clients, seconds=seconds, rounds=rounds, residents=residents,
        database=database or settings.database_url,
    )  # fmt: skip
    # So that what was started and made is removed then, too.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        result = _measured(of)
    except BenchmarkFailed as error:
        raise CommandError(str(error)) from None
    finally:
        signal.signal(signal.SIGTERM, before)
    if as_json:
        typer.echo(json.dumps(result))
        return
    for line in report.lines_of(result):
        typer.echo(line)
    out = Console()
    for table in report.tables_of(result):
        out.print(table)


def _measured(of: Measurement) -> dict[str, Any]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=notes) as bar:
        task = bar.add_task("preparing PostgreSQL", total=None)
        told = Told(
            doing=lambda what: bar.update(task, description=what),
            total=lambda steps: bar.update(task, total=steps),
            step=lambda: bar.advance(task),
        )
        return benchmark.bench_http(of, _opened, told)


def _opened(settings: Settings, now: Any) -> bootstrap.Application:
    return bootstrap.build(settings, now=now or bootstrap.utc_now)
