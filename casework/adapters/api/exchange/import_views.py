"""Response views of imports."""

from __future__ import annotations

from typing import Any, Final

from casework.adapters.api.shared.views import instant
from casework.adapters.http.texts import title_of
from casework.domain.exchange.import_columns import COLUMNS
from casework.domain.exchange.importing import FileKind, ImportFile, ImportRow
from casework.locale import text

COUNTS: Final = ("accepted", "refused", "duplicate", "unmatched")
REPORT: Final = ("line", "outcome", "field", "code", "reason")
# What a person needs to tell whom a result is about.
OF_QUEUE: Final = (
    "name", "birth_date", "external_id", "centre_code", "assessed_on", "received_on", "assessor",
    "determination",
)  # fmt: skip


def file(it: ImportFile) -> dict[str, Any]:
    """An import: how far it is, and what became of its rows."""
    return {
        "id": it.id,
        "kind": it.kind,
        "mode": it.mode,
        "dry_run": it.dry_run,
        "state": it.state,
        "kept": it.was_written,
        "rows": it.rows,
        "position": it.position,
        "unknown_columns": it.unknown_columns,
        **{name: getattr(it, name) for name in COUNTS},
        "code": it.code,
        "created_at": instant(it.created_at),
        "started_at": instant(it.started_at),
        "ended_at": instant(it.ended_at),
        "allowed_actions": [] if it.has_ended else ["stop"],
    }


def row(it: ImportRow, language: str) -> dict[str, Any]:
    """What became of a row, and why; nothing of what stood in it."""
    return {
        "line": it.line,
        "outcome": it.outcome,
        "subject_id": it.subject_id,
        "resident_id": it.resident_id,
        "errors": [
            {"field": one["field"], "code": one["code"], "reason": reason(one, language)}
            for one in it.errors
        ],
    }


def reason(error: dict[str, str], language: str) -> str:
    """Why, in the reader's language; where Korean has no words of its own, those of the rule."""
    title = title_of(error["code"], language) if language == "ko" else None
    return title or error["message"]


def waiting(it: ImportRow, language: str) -> dict[str, Any]:
    """A result that waits for whom it is about; of one that was dealt with, only how."""
    cells = it.cells or {}
    return {
        "id": it.id,
        "why": it.errors[0]["code"],
        "reason": reason(it.errors[0], language),
        "result": {name: cells.get(name) for name in OF_QUEUE} if it.waits else None,
        "needs": {
            name.removeprefix("need_"): cell
            for name, cell in cells.items()
            if it.waits and name.startswith("need_")
        },
        "resolution": it.resolution,
        "resolved_at": instant(it.resolved_at),
        "resolved_by": it.resolved_by,
        "resident_id": it.resident_id,
        "allowed_actions": ["assign", "dismiss"] if it.waits else [],
    }


def report_headings(language: str) -> list[str]:
    """The first line of the report."""
    return [text(f"file.report.{name}", language) for name in REPORT]


def report_line(it: ImportRow, language: str) -> list[list[Any]]:
    """A row of the report, one line for each thing that is wrong with it."""
    said = text(f"file.outcome.{it.outcome}", language)
    if not it.errors:
        return [[it.line, said, "", "", ""]]
    return [[it.line, said, one["field"], one["code"], reason(one, language)] for one in it.errors]


def template(kind: FileKind) -> tuple[list[str], list[list[str]]]:
    """The headings of a template and one invented row."""
    columns = COLUMNS[kind]
    return [one.ko for one in columns], [[one.example for one in columns]]
