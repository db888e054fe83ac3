"""The benchmark of figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from casework import bootstrap, operations
from casework.bench import figures as benchmark
from casework.bench import figures_report as report
from casework.cli.benchmarking import ending, measured, show
from casework.cli.shared import Json
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
    works in a database of its own there, and drops it. Making a history takes some 10 ms and
    counting it some 5 ms; what copies count for is copied too.
    """
    settings = Settings()
    of = benchmark.FiguresMeasurement(
        residents=residents, histories=histories, rounds=rounds, seed=seed,
        database=database or settings.database_url,
    )  # fmt: skip
    with ending():
        result = measured(lambda told: benchmark.bench_figures(of, PRODUCT, told))
    show(result, report, as_json=as_json)


def _opened(settings: Settings, now: datetime) -> bootstrap.Application:
    return bootstrap.build(settings, now=lambda: now)


def _seed(product: Any, residents: int, seed: int) -> Iterator[int]:
    operations.migrate(product)
    yield from operations.seed(product, residents, seed)


def _count(product: Any) -> Iterator[int]:
    return keep(keeping_of(product))


PRODUCT: Final = benchmark.Installation(open=_opened, seed=_seed, count=_count)
