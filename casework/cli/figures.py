"""The kept figures: counting them anew, and comparing them with the rows."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import bootstrap
from casework.adapters.persistence.figures.keeping import CountedElsewhere
from casework.cli.shared import CommandError, Json, notes, opened_ready
from casework.kept_figures import keeping_of
from casework.workflows.figures import keeping

app = typer.Typer(no_args_is_help=True, help="The figures that are kept.")


@app.callback()
def figures() -> None:
    """The figures that are kept."""


@app.command("recount")
def figures_recount(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Count only what waits to be counted.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: compare with the rows, month by month.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count the figures anew from the rows, in batches, while the system serves.

    Meanwhile figures are counted from the rows. Broken off, it goes on with --waiting. With --check
    it exits with 1 at the first number that is kept otherwise than the rows say.
    """
    with opened_ready() as application:
        try:
            if check:
                _compared(application, as_json)
            else:
                counted = _recounted(application, waiting)
                typer.echo(json.dumps({"counted": counted}) if as_json else f"counted: {counted}")
        except CountedElsewhere:
            raise CommandError("another process counts; try again in a minute") from None


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=notes)


def _recounted(application: bootstrap.Application, waiting: bool) -> int:
    of, counted = keeping_of(application), 0
    total = keeping.waiting(of) if waiting else keeping.begin_anew(of)
    with _progress() as progress:
        task = progress.add_task("changes", total=total)
        for done in keeping.keep(of):
            counted += done
            progress.update(task, completed=counted)
    return counted


def _compared(application: bootstrap.Application, as_json: bool) -> None:
    found, months = None, 0
    with _progress() as progress:
        task = progress.add_task("months", total=None)
        for months, total, difference in keeping.compare(keeping_of(application)):
            found = difference
            progress.update(task, completed=months, total=total)
    told = {"months": months, "difference": None if found is None else str(found)}
    text = f"months compared: {months}" if found is None else str(found)
    typer.echo(json.dumps(told) if as_json else text)
    if found is not None:
        raise typer.Exit(1)
