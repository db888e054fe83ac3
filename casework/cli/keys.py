"""The keys that encrypt fields, and their ring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from casework import backups, bootstrap, operations
from casework.cli.shared import COLUMNS, CommandError, Json, notes, opened_ready
from casework.settings import Settings
from casework.workflows.audit import encryption_keys as keeping

app = typer.Typer(no_args_is_help=True, help="The keys that seal fields, and their ring.")


@app.command("make")
def keys_make() -> None:
    """Make the key ring where CASEWORK_KEY_RING says, wrapped by CASEWORK_MASTER_KEY."""
    settings = Settings()
    settings.check_needed(("database_url", "master_key", "key_ring"))
    if settings.ring().exists():
        raise CommandError("there is a key ring already")
    operations.make_key_ring(settings)
    typer.echo("made: keep a copy apart from the database and from the master key")


@app.command("copy")
def keys_copy(
    file: Annotated[Path, typer.Argument(help="A new file, where no backup of the data lies.")],
) -> None:
    """Copy the key ring to a place of its own, after it was made and after each rotation."""
    with opened_ready() as application:
        backups.copy_ring(application.settings, application.vault, application.engine, file)
    typer.echo("copied: it opens under the master key alone, which is kept elsewhere")


@app.command("show")
def keys_show(as_json: Json = False) -> None:
    """List the keys, and how many values stand under each."""
    with opened_ready() as application:
        _print_keys(
            keeping.key_usage(application.vault, application.encrypted_rows(), application.now()),
            as_json,
        )


@app.command("rotate")
def keys_rotate(
    index: Annotated[bool, typer.Option("--index", help="The key of the blind indexes.")] = False,
    as_json: Json = False,
) -> None:
    """Make a new key and re-encrypt everything while the server runs; resumes if interrupted."""
    with opened_ready() as application:
        changed = left = 0
        rows = application.encrypted_rows()
        kind = "index" if index else "data"
        with Progress(*COLUMNS, console=notes) as bar:
            task = bar.add_task("rows", total=rows.total())
            for step in keeping.rotate(application.vault, rows, kind, application.now()):
                changed += step.changed
                bar.update(task, advance=step.seen)
        left = sum(one.values for one in _superseded(application))
        key = application.vault.current(kind)
    if as_json:
        typer.echo(json.dumps({"key": key, "changed": changed, "left": left}))
    else:
        typer.echo(f"key {key}: {changed} rows re-encrypted, {left} values left under other keys")
    if left:
        raise typer.Exit(1)


def _superseded(application: bootstrap.Application) -> list[keeping.KeyUsage]:
    found = keeping.key_usage(application.vault, application.encrypted_rows(), application.now())
    return [one for one in found if one.key.superseded_at is not None]


@app.command("retire")
def keys_retire(as_json: Json = False) -> None:
    """Take the keys off the ring that nothing stands under, an hour after they were superseded."""
    with opened_ready() as application:
        _print_keys(
            keeping.retire(application.vault, application.encrypted_rows(), application.now()),
            as_json,
        )


def _print_keys(found: list[keeping.KeyUsage], as_json: bool) -> None:
    shown = [
        {
            "id": one.key.id,
            "kind": one.key.kind,
            "made_at": one.key.made_at.isoformat(),
            "values": one.values,
            "state": one.stays or "unused",
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        for row in shown:
            typer.echo("  ".join(str(value) for value in row.values()))
