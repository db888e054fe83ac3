"""The benchmark of the product over HTTP."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from casework.bench import http as benchmark
from casework.bench import http_report as report
from casework.bench.asking import MODES
from casework.bench.sides import Measurement
from casework.cli.benchmarking import ending, measured, opened, show
from casework.cli.shared import Json
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
    with ending():
        result = measured(lambda told: benchmark.bench_http(of, opened, told))
    show(result, report, as_json=as_json)
