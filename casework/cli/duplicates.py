"""Residents who may be one person."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import bootstrap
from casework.cli.shared import Json, notes, opened_ready

app = typer.Typer(no_args_is_help=True, help="Who may be one person.")


@app.command("find")
def duplicates_find(
    everyone: Annotated[
        bool, typer.Option("--all", help="Everybody, and not only who is new or changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fill the supervisors' queue with the pairs that may be one person.

    Broken off, it goes on where it was when it is started again without --all.
    """
    with opened_ready() as application:
        looked, found = _find_duplicates(application, everyone)
    told = {"looked_at": looked, "found": found}
    typer.echo(json.dumps(told) if as_json else f"looked at {looked}, new pairs: {found}")


def _find_duplicates(application: bootstrap.Application, everyone: bool) -> tuple[int, int]:
    looked = found = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=notes) as progress:
        task = progress.add_task("residents", total=application.queue_duplicate_checks(everyone))
        for done, pairs in application.find_duplicates():
            looked, found = looked + done, found + pairs
            progress.update(task, completed=looked)
    return looked, found
