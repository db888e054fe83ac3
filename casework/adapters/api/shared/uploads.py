"""File uploads: multipart forms, read in memory and within limits, one file after another."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from casework.adapters.http.bodies import forget_body
from casework.adapters.http.limits import MAX_UPLOAD, check_text
from casework.adapters.http.problems import Problem
from casework.adapters.http.route import GuardedRoute
from casework.adapters.http.services import Services
from casework.domain.access.policy import Actor
from casework.domain.errors import Invalid
from casework.domain.exchange.importing import FileKind, Mode, scope_for
from casework.workflows.exchange.importing import NewImport
from casework.workflows.exchange.reading import FileRead, read_file

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
    """What was sent: what it is to become, and what was read of it."""

    new_import: NewImport
    file: FileRead


class FileRoute(GuardedRoute):
    """A route that takes a file: it is read before the request's own time and work begin.

    Few files are read at once; who waits for a turn holds no thread and no transaction.
    """

    async def prepare(self, request: Request) -> None:
        """Read the file."""
        services: Services = request.app.state.services
        actor: Actor = request.state.actor
        new_import, source = await _form_of(request)
        scope_for(actor, new_import.kind)
        forget_body(request)
        async with services.turns.turn(actor.id):
            file = await to_thread.run_sync(
                read_file, services.import_tools, new_import.kind, new_import.mode, source,
                limiter=CapacityLimiter(1),
            )  # fmt: skip
        request.state.upload = Upload(new_import, file)


def _upload(request: Request) -> Upload:
    found: Upload = request.state.upload
    return found


async def _form_of(request: Request) -> tuple[NewImport, io.BytesIO]:
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
        return _wanted({name: str(value) for name, value in parts.items()}), source
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
