"""The benchmark of figures."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from casework import bootstrap, operations
from casework.bench import figures as benchmark
from casework.bench import figures_report as report
from casework.bench.processes import BenchmarkFailed
from casework.bench.sides import Progress as Told
from casework.cli.shared import CommandError, Json, notes
from casework.kept_figures import keeping_of
from casework.settings import Settings
from casework.workflows.figures.keeping import keep


def bench_figures(
    residents: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="Invented residents.")
    ] = 2000,
    histories: Annotated[
        int,
        typer.Option(min=100, help="Histories that are made; other residents are copies of them."),
    ] = 1000,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How often each is asked.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    database: Annotated[
        str | None,
        typer.Option(help="PostgreSQL to use, as one who may make databases and roles."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure figures: questions of the city and of a district, counting, and being counted.

    The demo's city on PostgreSQL, asked through the whole application by those who signed in, as
    its own role behind row-level security. Each question is asked from the rows first, and what is
    kept has to give the same answer, else it ends with exit code 2. Then: what a question costs
    while some cases wait to be counted, how long counting takes, and what a referral that is
    written pays for being noted.

    PostgreSQL is the one of --database, else of CASEWORK_DATABASE_URL, else a throw-away one. It
    works in a database of its own there, and drops it. Making a history takes some 10 ms, and
    counting a resident some 5 ms.
    """
    settings = Settings()
    of = benchmark.FiguresMeasurement(
        residents=residents, histories=histories, rounds=rounds, seed=seed,
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


def _measured(of: benchmark.FiguresMeasurement) -> dict[str, Any]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=notes) as bar:
        task = bar.add_task("preparing PostgreSQL", total=None)
        told = Told(doing=lambda what: bar.update(task, description=what))
        return benchmark.bench_figures(of, PRODUCT, told)


def _opened(settings: Settings, now: datetime) -> bootstrap.Application:
    return bootstrap.build(settings, now=lambda: now)


def _seed(product: Any, residents: int, seed: int) -> Iterator[int]:
    operations.migrate(product)
    yield from operations.seed(product, residents, seed)


def _count(product: Any) -> Iterator[int]:
    return keep(keeping_of(product))


PRODUCT: Final = benchmark.Installation(open=_opened, seed=_seed, count=_count)
