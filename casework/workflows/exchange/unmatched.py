"""The queue of unmatched results: assigned to a resident, or dismissed with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from casework.domain.errors import Conflict
from casework.domain.exchange.import_columns import read_cells
from casework.domain.exchange.importing import ASSIGNED, Dismissal, FileKind, ImportRow
from casework.workflows.context import Context
from casework.workflows.exchange.import_kinds import (
    NobodyFound,
    finding_of,
    must_be_there,
    record,
    shaped,
)
from casework.workflows.ports.exchange import ImportTools

MATCH = "import.match"


def assign(ctx: Context, import_tools: ImportTools, row_id: UUID, resident_id: UUID) -> UUID:
    """Assign a result to a resident: it is recorded in their open case."""
    with ctx.work(MATCH) as work:
        row = work.imports.waiting(row_id)
        row.expect_waiting()
        chosen = must_be_there(work.imports.within_scope([resident_id]))
        fields = fields_of(import_tools, row)
        row.resolve(ASSIGNED, ctx.actor.id, ctx.now)
        try:
            with work.parts() as store:
                inner = replace(ctx, store=store, expected_version=None)
                row.subject_id, row.resident_id = record(inner, work, chosen, finding_of(fields))
        except NobodyFound as nobody:
            raise Conflict(nobody.why, code=nobody.code) from None
        work.imports.settle(row)
        work.about(chosen)
        work.commit(row.id)
        return row.id


def dismiss(ctx: Context, row_id: UUID, reason: Dismissal) -> UUID:
    """Dismiss a result; its cells are deleted."""
    with ctx.work(MATCH) as work:
        row = work.imports.waiting(row_id)
        row.resolve(reason, ctx.actor.id, ctx.now)
        work.imports.settle(row)
        work.commit(row.id)
        return row.id


def fields_of(import_tools: ImportTools, row: ImportRow) -> dict[str, Any]:
    """The fields of a row that was valid when it was imported."""
    values, _ = read_cells(FileKind.ASSESSMENTS, row.cells or {})
    values.pop("centre_code", None)
    return import_tools.forms.read(FileKind.ASSESSMENTS, shaped(FileKind.ASSESSMENTS, values))
