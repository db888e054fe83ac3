"""`casework import KIND FILE`: import a file, show progress, report the result."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import operations
from casework.cli.shared import CommandError, Json, notes, opened_ready
from casework.domain.errors import Refusal
from casework.domain.exchange.importing import FileKind, ImportFile, ImportRow, Mode
from casework.workflows.context import Context
from casework.workflows.exchange import importing
from casework.workflows.exchange.importing import NewImport
from casework.workflows.ports.exchange import ImportTools

app = typer.Typer()
COUNTS = ("accepted", "refused", "duplicate", "unmatched")


@dataclass(frozen=True)
class ImportJob:
    """The import of one file by one actor."""

    ctx: Context
    import_tools: ImportTools
    new_import: NewImport

    def begin(self, source: BinaryIO) -> tuple[UUID, bool]:
        """Returns the import, and whether it continues an interrupted one."""
        before = importing.find_unfinished(self.ctx, self.import_tools, self.new_import, source)
        if before is not None:
            return before, True
        return importing.receive(self.ctx, self.import_tools, self.new_import, source), False


@app.command("import")
def import_file(
    kind: Annotated[FileKind, typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="CSV or xlsx.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try it, keep nothing.")] = False,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Nothing, where any row is refused.")
    ] = False,
    as_account: Annotated[
        str | None, typer.Option("--as", help="Who takes it in; needed but for directories.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a file in. The same command again goes on where one was broken off.

    Exits 1 where a row was refused.
    """
    mode = Mode.ALL_OR_NOTHING if all_or_nothing else Mode.ROW_BY_ROW
    new_import = NewImport(kind=kind, mode=mode, dry_run=dry_run)
    with opened_ready() as application, _source(file) as source:
        job = ImportJob(
            application.context(operations.uploader(application, as_account)),
            application.import_tools(),
            new_import,
        )
        try:
            import_id, is_resumed = job.begin(source)
            done = _with_progress(job, import_id, is_resumed)
        except Refusal as refusal:
            raise CommandError(_one_line(refusal)) from None
        _say(done, list(_bad_rows(job, import_id)), as_json)
    if done.refused:
        raise typer.Exit(1)


def _source(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None


def _one_line(refusal: Refusal) -> str:
    """A refusal of the whole file, with the fields that it names."""
    fields = [one["field"] for one in refusal.facts.get("errors", [])]
    return f"{refusal.code}: {refusal.detail}" + (f" ({', '.join(fields)})" if fields else "")


def _with_progress(job: ImportJob, import_id: UUID, is_resumed: bool) -> ImportFile:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=notes, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task("going on" if is_resumed else "rows")
        for file in importing.process_import(job.ctx, job.import_tools, import_id):
            progress.update(
                task, description=str(file.state), completed=file.position, total=file.rows
            )
    return file


def _bad_rows(job: ImportJob, import_id: UUID) -> Iterator[ImportRow]:
    """Every row that was not accepted, page by page."""
    for outcome in COUNTS[1:]:
        yield from importing.all_results(job.ctx, import_id, outcome)


def _say(file: ImportFile, bad: list[ImportRow], as_json: bool) -> None:
    counts = {name: getattr(file, name) for name in COUNTS}
    if as_json:
        said: dict[str, Any] = {
            "id": str(file.id), "kind": file.kind, "state": file.state, "dry_run": file.dry_run,
            "kept": file.was_written, "rows": file.rows, **counts,
            "results": [
                {"line": row.line, "outcome": row.outcome, "errors": row.errors} for row in bad
            ],
        }  # fmt: skip
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for row in bad:
        why = "; ".join(
            " ".join(filter(None, (one["field"], one["code"], f"({one['message']})")))
            for one in row.errors
        )
        typer.echo(f"line {row.line}: {row.outcome}: {why}")
    kept = "kept" if file.was_written else "nothing kept"
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    typer.echo(f"{file.state}: {told}; {kept}")
