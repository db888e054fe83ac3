"""Imports: upload, dry run, processing, and the queue of results that matched nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Header, Query, Response
from structlog import get_logger

from casework.adapters.api.exchange import import_bodies as s
from casework.adapters.api.exchange import import_views as render
from casework.adapters.api.exchange import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import SHEET, Caller, File, Paged, operation
from casework.adapters.api.shared.uploads import BODY, FileRoute, Uploaded
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.exchange.importing import FileKind, Mode
from casework.workflows.exchange import importing, unmatched
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["imports"])
files = SubjectRouter(route_class=FileRoute, tags=["imports"])
READ, WRITE, MATCH = importing.READ, "import.write", unmatched.MATCH
# How much is processed before the response is sent; the rest follows in the background.
AT_ONCE_S: Final = 2.0
AT_ONCE_ROWS: Final = 200
Language = Annotated[str | None, Header(alias="accept-language")]
Format = Literal["csv", "xlsx"]
log = get_logger("casework.http")


def _takes_file(declared: dict[str, Any]) -> dict[str, Any]:
    declared["openapi_extra"] |= {"x-takes-file": True, "requestBody": BODY}
    return declared


@files.post("/imports", **_takes_file(operation(WRITE, r.Import, status=201, is_long=True)))
def send_import(upload: Uploaded, call: Caller) -> Response:
    """Send a file in.

    A small file has its results with the answer; of a larger one, ask for its progress.
    """
    import_tools = call.services.import_tools
    id, was_before = call.first(
        lambda ctx: importing.stage(ctx, import_tools, upload.new_import, upload.file)
    )
    if not was_before:
        _begin(call, id, upload.new_import.mode)
    with call.ctx.reading(READ) as reading:
        body = render.file(reading.imports.get(id))
    return respond(body, 201)


def _begin(call: Call, id: UUID, mode: Mode) -> None:
    """Process some rows at once; what fails now is retried in the background."""
    ctx = call.refreshed()
    with ctx.reading(READ) as reading:
        rows = reading.imports.get(id).rows
    if mode == Mode.ALL_OR_NOTHING and rows > AT_ONCE_ROWS:
        return
    try:
        for _ in importing.process_import(ctx, call.services.import_tools, id, seconds=AT_ONCE_S):
            pass
    except Exception as error:
        log.warning("import postponed", error=type(error).__name__)


@router.get("/imports", **operation(READ, page_of(r.Import)))
def list_imports(call: Caller, paged: Paged) -> Response:
    """What I sent in, newest first.

    One's own.
    """
    return call.pages(
        READ, paged, lambda reading, paging: reading.imports.page(paging), render.file
    )


@router.get("/imports/template", **operation(WRITE, File(SHEET, "기관코드,기관명,…")))
def get_import_template(
    call: Caller,
    kind: Annotated[FileKind, Query()],
    format: Annotated[Format, Query()] = "csv",
) -> Response:
    """A file to fill in, with its headings in Korean and one invented row.

    Of every kind, whichever the account may send.
    """
    return sheet(call, format, *render.template(kind), f"casework-{kind}")


@router.get("/imports/unmatched", **operation(MATCH, page_of(r.UnmatchedResult)))
def list_unmatched(call: Caller, paged: Paged, accept_language: Language = None) -> Response:
    """Results that matched nobody, oldest first.

    To a supervisor the district's; to a worker those that name their centre.
    """
    language = language_of(accept_language)
    return call.pages(
        MATCH,
        paged,
        lambda reading, paging: reading.imports.queue(paging),
        lambda it: render.waiting(it, language),
    )


def _shown(reading: Reading, id: UUID, accept_language: str | None) -> Any:
    return render.waiting(reading.imports.row(id), language_of(accept_language))


@router.get("/imports/unmatched/{id}", **operation(MATCH, r.UnmatchedResult, refuses=(404,)))
def get_unmatched(id: UUID, call: Caller, accept_language: Language = None) -> Response:
    """A result that matched nobody.

    As it was sent; of one that was dealt with, only how.
    """
    return call.look(MATCH, lambda reading: _shown(reading, id, accept_language))


@router.post(
    "/imports/unmatched/{id}/assign", **operation(MATCH, r.UnmatchedResult, refuses=(404, 409))
)
def assign_unmatched(
    id: UUID, body: s.AssignImportRow, call: Caller, accept_language: Language = None
) -> Response:
    """Give a result to a resident.

    It is recorded in their open case, and its sender's id is known from then on.
    """
    return call.change(
        lambda ctx: unmatched.assign(ctx, call.services.import_tools, id, body.resident_id),
        MATCH,
        lambda reading, made: _shown(reading, made, accept_language),
    )


@router.post(
    "/imports/unmatched/{id}/dismiss", **operation(MATCH, r.UnmatchedResult, refuses=(404, 409))
)
def dismiss_unmatched(
    id: UUID, body: s.DismissImportRow, call: Caller, accept_language: Language = None
) -> Response:
    """Put a result aside.

    With its reason; what stood in it is forgotten.
    """
    return call.change(
        lambda ctx: unmatched.dismiss(ctx, id, body.reason),
        MATCH,
        lambda reading, made: _shown(reading, made, accept_language),
    )


@router.get("/imports/{id}", **operation(READ, r.Import, refuses=(404,)))
def get_import(id: UUID, call: Caller) -> Response:
    """How far an import is.

    One's own: its position, and the count of each outcome.
    """
    return call.look(READ, lambda reading: render.file(reading.imports.get(id)))


@router.get("/imports/{id}/rows", **operation(READ, page_of(r.ImportRow), refuses=(404,)))
def list_import_rows(
    id: UUID,
    call: Caller,
    paged: Paged,
    outcome: Annotated[s.Outcome | None, Query()] = None,
    accept_language: Language = None,
) -> Response:
    """What became of each row.

    In their order, as far as the import is; ``line`` is that of the sheet.
    """
    language = language_of(accept_language)
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.imports.results(id, outcome, paging),
        lambda it: render.row(it, language),
    )


@router.get(
    "/imports/{id}/report",
    **operation(READ, File(SHEET, "행,결과,항목,코드,사유"), refuses=(404,), is_long=True),
)
def get_import_report(
    id: UUID,
    call: Caller,
    outcome: Annotated[s.Outcome | None, Query()] = None,
    format: Annotated[Format, Query()] = "csv",
    accept_language: Language = None,
) -> Response:
    """What became of each row, as a file.

    One line for each thing that is wrong with a row; nothing of what stood in it.
    """
    language = language_of(accept_language)

    def lines() -> Iterator[list[Any]]:
        for it in importing.all_results(call.ctx, id, outcome):
            yield from render.report_line(it, language)

    return sheet(call, format, render.report_headings(language), lines(), "casework-results")


@router.post("/imports/{id}/stop", **operation(WRITE, r.Import, refuses=(404, 409)))
def stop_import(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """End an import early.

    What was written stays, row by row; what was still to come is forgotten.
    """
    return call.change(
        lambda ctx: importing.stop(ctx, id),
        READ,
        lambda reading, made: render.file(reading.imports.get(made)),
    )


def sheet(call: Call, format: str, headings: Any, rows: Any, name: str) -> Response:
    """A file response that caches must not store."""
    media_type, content = call.services.import_tools.sheets.write(format, headings, rows)
    return Response(
        content,
        media_type=media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}.{format}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
