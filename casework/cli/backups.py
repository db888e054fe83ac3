"""Backing the database up, and putting a backup back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import backups, bootstrap
from casework.adapters.logs import configure_logs
from casework.adapters.persistence import tables as t
from casework.cli.shared import Json, notes, opened_ready
from casework.domain.audit.manifests import Manifest
from casework.domain.clocks.calendar import SEOUL
from casework.settings import Settings

app = typer.Typer()
Folder = Annotated[Path, typer.Argument(help="The folder of the backup.")]


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, on another disk.")],
    as_json: Json = False,
) -> None:
    """Back the database up while it is used: its data, and a manifest; no key.

    On PostgreSQL as the owner of the tables, with `pg_dump`.
    """
    with opened_ready() as application, _progress("backing up") as progress:
        manifest = backups.make(application, folder, progress)
    _say(manifest, as_json, {"folder": str(folder)}, f"backed up into {folder}")


@app.command("check-backup")
def check_backup(folder: Folder, as_json: Json = False) -> None:
    """Check that a backup is whole and the key ring opens it; no database is needed."""
    settings = _settings()
    manifest = backups.check(settings, bootstrap.open_vault(settings), folder)
    _say(manifest, as_json, {"ok": True}, "whole, and the key ring opens it")


@app.command()
def restore(folder: Folder, as_json: Json = False) -> None:
    """Put a backup back into a new, empty database, and compare every table with its manifest.

    Nothing is sent from it until `casework sending resume`.
    """
    settings = _settings()
    vault = bootstrap.open_vault(settings)
    with _progress("comparing") as progress:
        done = backups.restore(settings, vault, folder, bootstrap.utc_now, progress)
    exported_at = done.exported_at.astimezone(SEOUL).isoformat() if done.exported_at else None
    also = {
        "behind": done.behind,
        "exported_at": exported_at,
        "silent": done.silent,
        "is_current": done.is_current,
        "sending": False,
    }
    _say(done.manifest, as_json, also, "restored: every table is as it was backed up")
    for line in _next_steps(done, exported_at):
        notes.print(line)


def _next_steps(done: backups.Restored, exported_at: str | None) -> Iterator[str]:
    if not done.is_current:
        yield "the schema is an older one: run `casework migrate`"
    if done.behind:
        yield (
            f"the audit is behind what was exported at {exported_at}"
            f" ({', '.join(done.behind)}): run `casework audit begin --because …`"
        )
    for address in done.silent:
        yield f"{address} did not answer: whether the audit is behind cannot be seen"
    yield "nothing is sent: look at `casework sending status`, then `casework sending resume`"


def _settings() -> Settings:
    settings = Settings()
    settings.check()
    configure_logs(settings.request_log)
    return settings


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[str], None]]:
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("tables", total=len(t.metadata.tables) + 1)
        yield lambda _table: progress.advance(task)


def _say(manifest: Manifest, as_json: bool, also: dict[str, Any], words: str) -> None:
    made_at = manifest.made_at.astimezone(SEOUL).isoformat()
    if not as_json:
        typer.echo(f"{words} ({manifest.rows} rows in {len(manifest.tables)} tables, {made_at})")
        return
    told = {
        "made_at": made_at, "store": manifest.store, "revision": manifest.revision,
        "product": manifest.product, "bytes": manifest.size, "rows": manifest.rows,
        "tables": {name: one.rows for name, one in manifest.tables.items()},
        "heads": {head.chain: head.count for head in manifest.heads},
    }  # fmt: skip
    typer.echo(json.dumps(told | also))
