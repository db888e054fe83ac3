"""The benchmarks, on a temporary database."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from casework.bench import sweep as benchmarks
from casework.cli.shared import CommandError, Json, notes
from casework.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Measure it, on a database of its own.")


@app.command("sweep")
def bench_sweep(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due in each run.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Runs at each size.")] = 5,
    as_json: Json = False,
) -> None:
    """Time the sweep at several sizes with the same newly due, beside one plain statement."""
    _bench(benchmarks.bench_sweep, sizes, due, rounds, as_json)


@app.command("worklist")
def bench_worklist(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due at each size.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Pages at each size.")] = 50,
    as_json: Json = False,
) -> None:
    """Time a worklist page at several sizes."""
    _bench(benchmarks.bench_worklist, sizes, due, rounds, as_json)


def _bench(measure: Any, sizes: str, due: int, rounds: int, as_json: bool) -> None:
    try:
        counted = [int(size) for size in sizes.split(",")]
    except ValueError:
        raise CommandError(f"{sizes!r} is no list of numbers") from None
    settings = Settings()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=notes
    ) as progress:
        task = progress.add_task("preparing", total=None)
        result = measure(
            settings.database_url and settings.url(),
            counted,
            due,
            rounds,
            lambda what: progress.update(task, description=what),
        )
    if as_json:
        typer.echo(json.dumps(result))
    else:
        for line in benchmarks.lines_of(result):
            typer.echo(line)
