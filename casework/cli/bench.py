"""The benchmarks, on a temporary database."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from casework.bench import many_due
from casework.bench import sweep as benchmarks
from casework.bench.processes import BenchmarkFailed
from casework.cli.shared import CommandError, Json, notes
from casework.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Measure it, on a database of its own.")


@app.command("sweep")
def bench_sweep(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due in each run.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Runs at each size.")] = 5,
    dues: Annotated[
        str | None,
        typer.Option(help="Instead: several newly due, comma-separated, at the largest size."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Time the sweep at several sizes with the same newly due, beside one plain statement.

    With --dues 5000,50000: how it grows with what is newly due, its longest transaction, and a
    worker's page while it runs in another process, beside the same page without it.
    """
    if dues is None:
        _bench(benchmarks.bench_sweep, sizes, due, rounds, as_json)
        return
    size, named = max(_numbers(sizes)), _numbers(dues)
    _measured(partial(many_due.bench_dues, _url(), size, named, rounds), many_due, as_json)


@app.command("worklist")
def bench_worklist(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due at each size.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Pages at each size.")] = 50,
    both_stores: Annotated[
        bool, typer.Option(help="SQLite beside PostgreSQL, at the largest size.")
    ] = False,
    programme: Annotated[
        int, typer.Option(min=0, help="Clocks of the programme, beside none of them.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Time the first and the last page of a worklist and of the overdue list at several sizes."""
    if programme:
        measured = partial(
            many_due.bench_programme, _url(), _numbers(sizes), due, rounds, programme
        )
        _measured(measured, many_due, as_json)
        return
    measure = many_due.bench_stores if both_stores else benchmarks.bench_worklist
    _bench(measure, sizes, due, rounds, as_json)


def _bench(measure: Any, sizes: str, due: int, rounds: int, as_json: bool) -> None:
    module = many_due if measure is many_due.bench_stores else benchmarks
    _measured(partial(measure, _url(), _numbers(sizes), due, rounds), module, as_json)


def _numbers(given: str) -> list[int]:
    try:
        return [int(one) for one in given.split(",")]
    except ValueError:
        raise CommandError(f"{given!r} is no list of numbers") from None


def _url() -> str | None:
    settings = Settings()
    return settings.database_url and settings.url()


def _measured(measure: Any, module: Any, as_json: bool) -> None:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=notes
    ) as progress:
        task = progress.add_task("preparing", total=None)
        try:
            result = measure(lambda what: progress.update(task, description=what))
        except BenchmarkFailed as error:
            raise CommandError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(result))
    else:
        for line in module.lines_of(result):
            typer.echo(line)
