"""Carrying out the rows of a batch: together where their kind allows it, else each by itself.

Each row runs the use case of the single operation, whichever way. Together, what the rows look up
is read at once and what they write is written at the end; where the database refuses any of it, or
a row fails for another reason than a refusal, nothing of it remains and each is carried out in a
savepoint of its own, which tells the row that failed from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from casework.domain.duplicates.likeness import Likeness
from casework.domain.errors import Invalid, Refusal
from casework.domain.exchange.import_columns import read_cells
from casework.domain.exchange.importing import FileKind, ImportFile, ImportRow, Outcome
from casework.workflows.exchange.import_kinds import (
    CARRY_OUT,
    NobodyFound,
    PlaceCodes,
    RowContext,
    key_of,
    named_places,
    place_in_queue,
    shaped,
)
from casework.workflows.ports.exchange import ImportTools, Unreadable
from casework.workflows.ports.unit_of_work import Work

Fields = dict[str, Any]
# Kinds whose use case needs nothing but what a batch gathers.
TOGETHER: Final = frozenset({FileKind.RESIDENTS})
Valid = Sequence[tuple[ImportRow, Fields]]


def read_row(
    import_tools: ImportTools, file: ImportFile, row: ImportRow, places: PlaceCodes
) -> Fields | None:
    """The fields of a row; None where they are invalid, which is then its result."""
    values, errors = read_cells(file.kind, row.cells or {})
    named, unknown = named_places(values, places)
    errors += unknown
    try:
        given = shaped(file.kind, named)
        fields = import_tools.forms.read(file.kind, given)
    except Unreadable as unreadable:
        told = {one["field"] for one in errors}
        errors += [one for one in unreadable.errors if one["field"] not in told]
    if errors:
        row.refuse(Invalid("fields cannot be right", errors=errors))
        return None
    row.key = import_tools.keyed(file.salt or "", key_of(file.kind, fields))
    row.external_id = fields.get("external_id")
    return fields


def carry_out(
    row_context: RowContext, import_tools: ImportTools, file: ImportFile, valid: Valid,
    keys: set[str],
) -> None:  # fmt: skip
    """Give each row its result; ``keys`` are those of earlier rows of the file, and grow."""
    undone = None
    if file.kind in TOGETHER and len(valid) > 1:
        before = set(keys)
        undone = _together(row_context, import_tools, file, valid, keys)
        if undone is None:
            return
        keys.intersection_update(before)
    failed = [
        row
        for row, fields in valid
        if not _by_itself(row_context, import_tools, file, row, fields, keys)
    ]
    if undone is not None and not failed:  # no row is to blame
        import_tools.note_failure(valid[0][0].line, undone)


def _together(
    row_context: RowContext, import_tools: ImportTools, file: ImportFile, valid: Valid,
    keys: set[str],
) -> Exception | None:  # fmt: skip
    """Carry the rows out together; where that fails, what failed, and the rows have no result."""
    try:
        expected = _expected(row_context.work, [fields for _, fields in valid])
        with row_context.work.batch(expected, keep=file.is_writing) as batch:
            for row, fields in valid:
                _one(replace(row_context, parts=batch), file, row, fields, keys)
    except Exception as error:
        if import_tools.is_transient(error):
            raise
        for row, _ in valid:
            row.start_over()
        return error
    return None


def _expected(work: Work, given: Sequence[Fields]) -> list[Likeness]:
    """By what the residents of some rows will be compared; those of no known centre are refused."""
    return [
        Likeness(
            name=fields["name"],
            birth_date=fields["birth_date"],
            phone=fields["phone"],
            district_code=district,
        )
        for fields in given
        if (district := work.directory.centre_district(fields["centre_code"])) is not None
    ]


def _by_itself(
    row_context: RowContext, import_tools: ImportTools, file: ImportFile, row: ImportRow,
    fields: Fields, keys: set[str],
) -> bool:  # fmt: skip
    """Carry out a row that stops no other, whatever fails in it; whether nothing did."""
    try:
        _one(row_context, file, row, fields, keys)
    except Exception as error:
        if import_tools.is_transient(error):
            raise
        import_tools.note_failure(row.line, error)
        row.refuse(Invalid("something failed here", code="internal_error"))
        return False
    return True


def _one(
    row_context: RowContext, file: ImportFile, row: ImportRow, fields: Fields, keys: set[str]
) -> None:
    if row.key in keys:
        row.refuse(Invalid("an earlier row says the same", code="duplicate_in_file"))
        return
    try:
        with row_context.parts.parts(keep=file.is_writing) as store:
            inner = replace(row_context.ctx, store=store, expected_version=None)
            made, about = CARRY_OUT[file.kind](replace(row_context, ctx=inner), dict(fields))
        # A trial created no records.
        row.accept(
            *((made, about) if file.is_writing else (None, None if about == made else about))
        )
    except NobodyFound as nobody:
        row.wait(nobody.code, nobody.why)
        row.waits = file.is_writing
        place_in_queue(row, fields, row_context.ctx.actor, row_context.work)
    except Refusal as refusal:
        row.refuse(refusal)
    if row.outcome in (Outcome.ACCEPTED, Outcome.UNMATCHED) and row.key:
        keys.add(row.key)
