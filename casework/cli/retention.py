"""Deleting what is older than its time."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from casework import retention
from casework.cli.shared import Json, opened_ready
from casework.domain.clocks.calendar import SEOUL

app = typer.Typer(no_args_is_help=True, help="What is older than its time: count it, delete it.")


@app.callback()
def group() -> None:
    """A group, though it has one command so far."""


@app.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete access records, records of rights and results of files that are older than retained.

    On PostgreSQL as the owner of the tables. Exit 1 where something was refused.
    """
    with opened_ready() as application:
        done = retention.run(application, dry_run=dry_run)
    said: list[dict[str, Any]] = [
        asdict(one) | {"before": one.before.astimezone(SEOUL).isoformat()} for one in done
    ]
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "kinds": said}))
    else:
        for one in said:
            why = f", refused: {one['error']}" if one["error"] else ""
            typer.echo(
                f"{one['kind']}: {one['found']} before {one['before']},"
                f" {one['deleted']} deleted{why}"
            )
    if any(one.error for one in done):
        raise typer.Exit(1)
