"""File imports: read, staged, then processed batch by batch.

A batch is one transaction: its rows, their results and the position. An interrupted import
continues after the last committed batch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final
from uuid import UUID

from casework.domain.errors import Forbidden
from casework.domain.exchange.importing import (
    ACTION,
    FileKind,
    ImportFile,
    ImportRow,
    ImportState,
    Mode,
    scope_for,
)
from casework.workflows.context import Context
from casework.workflows.exchange.carrying_out import TOGETHER, carry_out, read_row
from casework.workflows.exchange.import_kinds import KnownResidents, PlaceCodes, RowContext
from casework.workflows.exchange.reading import FileRead, read_file
from casework.workflows.ports.exchange import ImportTools
from casework.workflows.ports.unit_of_work import Paging, Work

# A transaction has so many rows: of kinds that are carried out together, and of others.
TOGETHER_BATCH: Final = 500
BATCH: Final = 100
TRIES: Final = 5
PAUSE_S: Final = 0.2
READ: Final = "import.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """A request to import a file."""

    kind: FileKind
    mode: Mode = Mode.ROW_BY_ROW
    dry_run: bool = False


def receive(
    ctx: Context, import_tools: ImportTools, new_import: NewImport, source: BinaryIO
) -> UUID:
    """Read a file and stage it."""
    scope_for(ctx.actor, new_import.kind)
    read = read_file(import_tools, new_import.kind, new_import.mode, source)
    return stage(ctx, import_tools, new_import, read)


def stage(ctx: Context, import_tools: ImportTools, new_import: NewImport, read: FileRead) -> UUID:
    """Stage every row of a file that was read, encrypted at rest."""
    scope_for(ctx.actor, new_import.kind)
    with ctx.work(ACTION[new_import.kind]) as work:
        file = _new_file(ctx, import_tools, new_import, read.digest)
        work.imports.add(file)
        file.rows = work.imports.stage(_staged(ctx, file, read))
        file.unknown_columns = read.unknown_columns
        work.imports.save(file)
        work.commit(file.id)
        return file.id


def _staged(ctx: Context, file: ImportFile, read: FileRead) -> Iterator[ImportRow]:
    for number, (line, cells) in enumerate(read.rows, start=1):
        yield ImportRow(
            id=ctx.new_id(),
            import_id=file.id,
            account_id=file.account_id,
            district_code=file.district_code,
            number=number,
            line=line,
            cells=cells,
        )


def _new_file(
    ctx: Context, import_tools: ImportTools, new_import: NewImport, digest: str
) -> ImportFile:
    salt = import_tools.new_salt()
    return ImportFile(
        id=ctx.new_id(),
        kind=new_import.kind,
        mode=new_import.mode,
        dry_run=new_import.dry_run,
        state=ImportState.WAITING,
        account_id=ctx.actor.id,
        district_code=ctx.actor.district_code,
        created_at=ctx.now,
        rows=0,
        unknown_columns=0,
        salt=salt,
        digest=import_tools.keyed(salt, digest),
    )


def find_unfinished(
    ctx: Context, import_tools: ImportTools, new_import: NewImport, source: BinaryIO
) -> UUID | None:
    """The actor's unfinished import of the same file, if any."""
    digest = import_tools.digest(source)
    with ctx.work(ACTION[new_import.kind]) as work:
        for file in work.imports.unfinished(new_import.kind):
            same = (file.mode, file.dry_run) == (new_import.mode, new_import.dry_run)
            if same and file.salt and import_tools.keyed(file.salt, digest) == file.digest:
                return file.id
    return None


def process_import(
    ctx: Context, import_tools: ImportTools, import_id: UUID, *, seconds: float | None = None
) -> Iterator[ImportFile]:
    """Process an import, batch by batch, until it ends or the time is over."""
    until = None if seconds is None else time.monotonic() + seconds
    failed = 0
    while True:
        try:
            file = step(ctx, import_tools, import_id)
        except Exception as error:
            failed += 1
            if not import_tools.is_transient(error) or failed == TRIES:
                raise
            time.sleep(PAUSE_S * failed)
            continue
        failed = 0
        yield file
        if file.has_ended or (until is not None and time.monotonic() > until):
            return


def step(
    ctx: Context, import_tools: ImportTools, import_id: UUID, batch: int | None = None
) -> ImportFile:
    """Process the next rows; all remaining ones where the import is all-or-nothing."""
    with ctx.reading(READ) as reading:
        kind = reading.imports.get(import_id).kind
    with ctx.work(ACTION[kind]) as work:
        file = work.imports.get(import_id, lock=True)
        if file.has_ended:
            return file
        file.begin(ctx.now)
        whole = file.is_one_piece
        usual = TOGETHER_BATCH if kind in TOGETHER else BATCH
        rows = _next_part(ctx, import_tools, work, file, batch or usual)
        if not (whole and file.state == ImportState.REFUSED):
            work.imports.save(file)
            work.commit()
            return file
    return _refused_after_all(ctx, import_id, kind, rows)


def _next_part(
    ctx: Context, import_tools: ImportTools, work: Work, file: ImportFile, batch: int
) -> list[ImportRow]:
    """Process the next rows (all-or-nothing: all remaining) and return them."""
    whole, ended = file.is_one_piece, False
    rows: list[ImportRow] = []
    while not ended:
        rows += _carry_out(ctx, import_tools, work, file, batch)
        _go_on(ctx, work, file)
        ended = file.has_ended or not whole
    return rows


def _go_on(ctx: Context, work: Work, file: ImportFile) -> None:
    was = file.state
    file.go_on(ctx.now)
    if file.state != was and not file.has_ended:
        work.imports.forget_results(file.id)
    if file.has_ended:
        work.imports.forget_cells(file.id)


def _refused_after_all(
    ctx: Context, import_id: UUID, kind: FileKind, rows: list[ImportRow]
) -> ImportFile:
    """Report the rows that passed validation, one by one, and failed to be written together."""
    with ctx.work(ACTION[kind]) as work:
        file = work.imports.get(import_id, lock=True)
        if file.has_ended:  # meanwhile, by another process
            return file
        for row in rows:
            row.take_back()
        file.start_over()
        file.count(rows)
        file.end(ImportState.REFUSED, ctx.now, "rows_refused")
        work.imports.note(rows, keep_cells=False)
        work.imports.forget_cells(file.id)
        work.imports.save(file)
        work.commit()
        return file


def _carry_out(
    ctx: Context, import_tools: ImportTools, work: Work, file: ImportFile, batch: int
) -> list[ImportRow]:
    rows = work.imports.rows_after(file, batch)
    places = PlaceCodes(*work.imports.places(ctx.actor.district_code))
    read = [(row, read_row(import_tools, file, row, places)) for row in rows]
    valid = [(row, fields) for row, fields in read if fields is not None]
    keys = work.imports.keys_before(file, (row.key for row, _ in valid if row.key))
    row_context = RowContext(ctx, work, work, places, KnownResidents(file.id, {}))
    carry_out(row_context, import_tools, file, valid, keys)
    work.imports.note(rows, keep_cells=file.state == ImportState.CHECKING)
    file.count(rows)
    return rows


def stop(ctx: Context, import_id: UUID) -> UUID:
    """Stop one's own import, and delete its remaining rows' cells."""
    with ctx.work("import.write") as work:
        file = work.imports.get(import_id, lock=True)
        file.stop(ctx.now)
        work.imports.forget_cells(file.id)
        work.imports.save(file)
        work.commit(file.id)
        return file.id


def may_go_on(ctx: Context, kind: FileKind) -> bool:
    """Whether the account that sent a file may still carry out its rows."""
    try:
        scope_for(ctx.actor, kind)
    except Forbidden:
        return False
    return True


def all_results(ctx: Context, import_id: UUID, outcome: str | None) -> Iterator[ImportRow]:
    """Every row of one's own import, or those with one outcome, in one read transaction."""
    paging: Paging | None = Paging(limit=500)
    with ctx.reading(READ) as reading:
        while paging is not None:
            page = reading.imports.results(import_id, outcome, paging)
            yield from page.rows
            more = page.last_key is not None
            paging = Paging(limit=500, after=page.last_key) if more else None
