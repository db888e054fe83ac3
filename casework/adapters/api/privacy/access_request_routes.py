"""Residents' access requests, and the printable answer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Response
from fastapi.responses import HTMLResponse

from casework.adapters.api.privacy import access_request_bodies, access_request_views
from casework.adapters.api.privacy import responses as r
from casework.adapters.api.privacy.printed_answer import POLICY_OF_CONTENT, document
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, File, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.routers import SubjectRouter
from casework.domain.privacy.access_requests import AccessRequest
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.privacy import access_requests

router = SubjectRouter(tags=["access requests"])
READ, WRITE, EXPORT = access_requests.READ, access_requests.WRITE, access_requests.EXPORT


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    return access_request_views.access_request(reading.access_requests.get(id), call.ctx.act.today)


def _row(call: Call, it: AccessRequest) -> dict[str, Any]:
    return dict(access_request_views.access_request(it, call.ctx.act.today))


@router.post(
    "/residents/{id}/access-requests",
    **operation(WRITE, r.AccessRequest, status=201, refuses=(404,)),
)
def receive_access_request(
    id: UUID, body: access_request_bodies.ReceiveAccessRequest, call: Caller
) -> Response:
    """Record that a resident asks what is held of them.

    An answer is owed within ten days; who asks can be checked at once or later.
    """
    received = access_requests.NewAccessRequest(
        received_on=body.received_on,
        requested_by=body.requested_by,
        requester=body.requester,
        identity_how=body.identity_checked.how if body.identity_checked else None,
    )
    return call.change(
        lambda ctx: access_requests.receive(ctx, id, received),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.get(
    "/residents/{id}/access-requests", **operation(READ, page_of(r.AccessRequest), refuses=(404,))
)
def list_access_requests_of_resident(id: UUID, call: Caller, paged: Paged) -> Response:
    """What a resident asked to see, newest first.

    Answered ones too.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.access_requests.of_resident(id, paging),
        lambda it: _row(call, it),
    )


@router.get("/access-requests", **operation(READ, page_of(r.AccessRequest)))
def list_open_access_requests(call: Caller, paged: Paged) -> Response:
    """Requests to which an answer is owed, most pressing first.

    Of the centre or the district, with ``overdue``.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.access_requests.unanswered(paging),
        lambda it: _row(call, it),
    )


@router.get("/access-requests/{id}", **operation(READ, r.AccessRequest, refuses=(404,)))
def get_access_request(id: UUID, call: Caller) -> Response:
    """An access request.

    With its due day, and what can be done next.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.post(
    "/access-requests/{id}/identity", **operation(WRITE, r.AccessRequest, refuses=(404, 409, 412))
)
def check_identity_of_requester(
    id: UUID, body: access_request_bodies.CheckIdentity, call: Caller
) -> Response:
    """Record how the identity of the requester was checked.

    Without it nothing is handed out.
    """
    return call.change(
        lambda ctx: access_requests.check_identity(ctx, id, body.how),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/access-requests/{id}/answer", **operation(WRITE, r.AccessRequest, refuses=(404, 409, 412))
)
def answer_access_request(
    id: UUID, body: access_request_bodies.AnswerAccessRequest, call: Caller
) -> Response:
    """Record how a request was answered.

    Handed over, and how; or refused, and why.
    """
    given = access_requests.AccessRequestAnswer(**body.model_dump())
    return call.change(
        lambda ctx: access_requests.answer(ctx, id, given),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.get(
    "/access-requests/{id}/document",
    **operation(EXPORT, File(("text/html",), "<!doctype html>…"), refuses=(404, 409)),
)
def get_access_document(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """Everything held of the resident and who looked, to be printed.

    One page in Korean or English, of this resident alone. Refused before who asks is known.
    """
    language = language_of(accept_language)
    with call.ctx.reading(EXPORT) as reading:
        request = reading.access_requests.get(id)
        request.expect_printable()
        page = document(reading.held(request.resident_id), request, language, call.ctx.now)
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": language,
        "Content-Security-Policy": POLICY_OF_CONTENT,
    }
    return HTMLResponse(page, headers=headers)
