"""File uploads: multipart forms, read in memory and within limits."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from casework.adapters.http.limits import MAX_UPLOAD, check_text
from casework.adapters.http.problems import Problem
from casework.domain.errors import Invalid
from casework.domain.exchange.importing import FileKind, Mode
from casework.workflows.exchange.importing import NewImport

PARTS: Final = ("kind", "mode", "dry_run", "file")
BOOLEANS: Final = {"true": True, "false": False}
# What the document says of the body.
BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["kind", "file"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"type": "string", "enum": list(FileKind)},
                    "mode": {"type": "string", "enum": list(Mode), "default": Mode.ROW_BY_ROW},
                    "dry_run": {"type": "boolean", "default": False},
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "CSV or xlsx, at most 16 MiB",
                    },
                },
            }
        }
    },
}


class _InMemory(MultiPartParser):
    """Personal data is not written to disk unencrypted on its way."""

    spool_max_size = MAX_UPLOAD + 1


@dataclass(frozen=True)
class Upload:
    """What was sent: what it is to become, and its bytes."""

    new_import: NewImport
    source: io.BytesIO


async def _upload(request: Request) -> Upload:
    async def body() -> AsyncGenerator[bytes, None]:
        yield await request.body()

    try:
        form = await _InMemory(request.headers, body(), max_files=1, max_fields=len(PARTS)).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise Problem("no form that can be read", code="malformed") from None
    try:
        parts = _parts(form.multi_items())
        file = parts.pop("file", None)
        if not isinstance(file, UploadFile):
            raise Invalid("a form with a file", code="file_required", field="file")
        source = io.BytesIO(await file.read())
        return Upload(_wanted({name: str(value) for name, value in parts.items()}), source)
    finally:
        await form.close()


def _parts(given: list[tuple[str, Any]]) -> dict[str, Any]:
    """The parts by name, each of them known and there once."""
    names = [name for name, _ in given]
    for name in names:
        if name not in PARTS or names.count(name) > 1:
            raise Invalid("no such part, or twice", field=name if name in PARTS else "?")
    return dict(given)


def _wanted(parts: dict[str, str]) -> NewImport:
    for value in parts.values():
        check_text(value)
    known: dict[str, tuple[list[str], str | None]] = {
        "kind": ([*FileKind], None),
        "mode": ([*Mode], Mode.ROW_BY_ROW),
        "dry_run": ([*BOOLEANS], "false"),
    }
    found: dict[str, str] = {}
    for name, (values, usual) in known.items():
        given = parts.get(name, usual)
        if given not in values:
            raise Invalid(f"one of {', '.join(values)}", field=name)
        found[name] = str(given)
    return NewImport(
        kind=FileKind(found["kind"]),
        mode=Mode(found["mode"]),
        dry_run=BOOLEANS[found["dry_run"]],
    )


Uploaded = Annotated[Upload, Depends(_upload)]
