"""The access policy, printed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from casework.cli.shared import Json
from casework.domain.access.policy import POLICY, Role
from casework.domain.privacy import masks

app = typer.Typer()


@app.command()
def policy(
    as_json: Json = False,
    fields: Annotated[bool, typer.Option("--fields", help="Only which fields, and when.")] = False,
) -> None:
    """Print who may do what, when, and which fields they get: what the application goes by."""
    if fields:
        _policy_of_fields(as_json)
        return
    if as_json:
        typer.echo(json.dumps(POLICY))
        return
    typer.echo("| action | " + " | ".join(Role) + " |")
    typer.echo("|---" * (len(Role) + 1) + "|")
    for action, row in POLICY.items():
        cells = (row[role].value if role in row else "–" for role in Role)
        typer.echo(f"| {action} | " + " | ".join(cells) + " |")
    typer.echo("")
    _policy_of_fields(as_json)


def _policy_of_fields(as_json: bool) -> None:
    """Windows and masks; a role that is not listed gets every field within its scope."""
    names = ("who", "of", "state", "gets")
    if as_json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in masks.table()]))
        return
    for row in (names, ("---",) * len(names), *masks.table()):
        typer.echo(f"| {' | '.join(row)} |")
