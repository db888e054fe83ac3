"""Deleting what is older than its time, and the legal holds that put it off."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer
from rich.progress import Progress

from casework import legal_holds, retention
from casework.bootstrap import Application
from casework.cli.shared import COLUMNS, Json, notes, opened_ready, read_day
from casework.domain.clocks.calendar import SEOUL
from casework.domain.exchange.retention import Expired

app = typer.Typer(no_args_is_help=True, help="What is older than its time: count it, delete it.")

Number = Annotated[str, typer.Argument(help="Number of the case, such as 26350-26-00417-3.")]
Because = Annotated[str, typer.Option("--because", help="Why; it is shown with the case.")]


@app.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete access records, records of rights, results of files and closed cases past their time.

    On PostgreSQL as the owner of the tables. Closed cases are counted by district; which they are
    is told to whoever sees them, by `GET /api/v1/cases?past_retention=true`. Exit 1 where something
    was refused.
    """
    with opened_ready() as application:
        done = retention.run(application, dry_run=True) if dry_run else _deleted(application)
    if as_json:
        said = {"dry_run": dry_run, "kinds": [asdict(one) for one in done]}
        typer.echo(json.dumps(said, default=_as_text))
    else:
        for one in done:
            _show(one)
    if any(one.error for one in done):
        raise typer.Exit(1)


def _deleted(application: Application) -> list[Expired]:
    with Progress(*COLUMNS, console=notes, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("closed cases", total=retention.count_old_cases(application))
        return retention.run(
            application, dry_run=False, tell=lambda count: progress.advance(task, count)
        )


def _show(one: Expired) -> None:
    why = f", refused: {one.error}" if one.error else ""
    before = one.before.astimezone(SEOUL).isoformat()
    typer.echo(f"{one.kind}: {one.found} before {before}, {one.deleted} deleted{why}")
    for part in one.districts:
        oldest = f", the oldest closed on {part.oldest_on}" if part.oldest_on else ""
        typer.echo(
            f"  {part.district_code}: {part.found} after {part.years} years{oldest},"
            f" {part.held} under legal hold, {part.deleted} deleted, {part.residents} residents"
        )


def _as_text(value: date) -> str:
    return (value.astimezone(SEOUL) if isinstance(value, datetime) else value).isoformat()


@app.command("hold")
def hold(
    number: Number,
    because: Because,
    review_on: Annotated[str, typer.Option(help="Day of the review, YYYY-MM-DD.")],
) -> None:
    """Put a case under legal hold, or review the hold that stands: nothing of it is deleted.

    For the city's privacy officer; a supervisor does it at the case. It is in the audit and in the
    history of the case.
    """
    with opened_ready() as application:
        legal_holds.place(application, number, because, read_day(review_on))
    typer.echo(f"{number}: under legal hold, to be reviewed on {review_on}")


@app.command("release")
def release(number: Number, because: Because) -> None:
    """End the legal hold of a case; past its time, it is deleted by the next run."""
    with opened_ready() as application:
        legal_holds.end(application, number, because)
    typer.echo(f"{number}: no longer under legal hold")


@app.command("holds")
def holds(as_json: Json = False) -> None:
    """List the cases under legal hold with the day of review."""
    with opened_ready() as application:
        found = [
            {"number": row["number"], "review_on": row["legal_hold_review_on"].isoformat()}
            for row in legal_holds.standing(application)
        ]
    if as_json:
        typer.echo(json.dumps({"holds": found}))
    else:
        for one in found:
            typer.echo(f"{one['number']}: to be reviewed on {one['review_on']}")
