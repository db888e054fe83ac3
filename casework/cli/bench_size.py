"""The benchmark at the size of a city: filling a database that stays, and asking it everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from casework.bench import fill, size
from casework.bench.city import Amounts
from casework.bench.standing import standing
from casework.cli.benchmarking import ending, measured, opened
from casework.cli.shared import Json
from casework.settings import Settings

Database = Annotated[
    str,
    typer.Option(
        help="PostgreSQL as one who may make databases and roles; the database is called"
        " casework_bench_…"
    ),
]
Keys = Annotated[Path | None, typer.Option(help="Folder of the keys; else in CASEWORK_DATA_DIR.")]


def bench_fill(
    database: Database,
    residents: Annotated[int, typer.Option(min=1, max=10_000_000)] = 20_000,
    referrals: Annotated[int, typer.Option(min=0, help="At most 8 a resident.")] = 100_000,
    events: Annotated[int, typer.Option(min=0, help="At least so many.")] = 400_000,
    keys: Keys = None,
    again: Annotated[bool, typer.Option(help="Drop what was filled before.")] = False,
    as_json: Json = False,
) -> None:
    """Fill a database with an invented city of any size, which stays for bench size.

    Every resident is a copy of a life that the product itself wrote by its use cases, since today,
    three weeks, two or four months: registered, assessed, planned for, referred, answered, swept.
    A copy has a name, a centre, a worker and an agency of its own, and what is encrypted is
    encrypted for it. Rows come by COPY; indexes and foreign keys are made afterwards. Where the
    moves of as many referrals write fewer events than --events, notes are written until there are
    as many; where they write more, there are more.

    The database must be empty or not there. --again drops one that this command filled, and no
    other. Where it does not come to its end, it drops what it began.
    """
    with ending():
        at = standing(database, _keys(keys))
        of = Amounts(residents, referrals, events)
        result = measured(lambda told: fill.bench_fill(of, at, opened, told, again=again))
    if as_json:
        typer.echo(json.dumps(result))
        return
    for line in fill.lines_of(result):
        typer.echo(line)


def bench_size(
    database: Database,
    rounds: Annotated[int, typer.Option(min=3, help="Times each question is asked.")] = 20,
    only: Annotated[str, typer.Option(help="Questions with this in their name.")] = "",
    plans: Annotated[bool, typer.Option(help="The plan of each statement too.")] = False,
    keys: Keys = None,
    as_json: Json = False,
) -> None:
    """Time every list and search of a database that bench fill filled.

    As a worker, a supervisor, an agency and an auditor who sign in, over the role that serves,
    behind row-level security: median and 95th percentile of rounds in which the questions take
    turns, and beside each the time of its statements alone. It is asked as of the moment at which
    it was filled.
    """
    with ending():
        at = standing(database, _keys(keys))
        result = measured(
            lambda told: size.bench_size(at, opened, rounds, told, with_plans=plans, only=only)
        )
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(
        f"{result['residents']:,} residents, {result['referrals']:,} referrals,"
        f" {result['events']:,} events; PostgreSQL {result['postgresql']}"
    )
    Console().print(_table(result))
    for figure in result["figures"]:
        for plan in figure.get("plans", ()):
            typer.echo(f"\n── {figure['name']}\n{plan}")


def _table(result: dict[str, Any]) -> Table:
    table = Table("question", "rows", "statements", "ms", "p95", "in the database", "p95")
    for one in result["figures"]:
        figures = [one[name] for name in ("ms", "p95_ms", "database_ms", "p95_database_ms")]
        times = ("–" if figure is None else f"{figure:,.2f}" for figure in figures)
        table.add_row(
            one["name"], str(one["rows"] if one["rows"] is not None else "–"),
            str(one["statements"]), *times,
        )  # fmt: skip
    return table


def _keys(given: Path | None) -> Path:
    return given or Settings().data_dir / "bench"
