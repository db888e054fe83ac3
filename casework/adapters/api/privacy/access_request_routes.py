"""Residents who ask what is held of them, and the printable answer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from fastapi.responses import HTMLResponse

from casework.adapters.api.privacy import access_request_bodies, access_request_views
from casework.adapters.api.privacy.printed_answer import POLICY_OF_CONTENT, document
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.route import GuardedRoute
from casework.domain.privacy.access_requests import AccessRequest
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.privacy import access_requests

router = APIRouter(route_class=GuardedRoute, tags=["access requests"])
READ, WRITE, EXPORT = access_requests.READ, access_requests.WRITE, access_requests.EXPORT
REQUEST = {
    "id": "0190…",
    "resident_id": "0190…",
    "received_on": "2026-03-27",
    "due_on": "2026-04-06",
    "overdue": False,
    "requested_by": "self",
    "requester": None,
    "identity_checked": {
        "how": "identity_card",
        "at": "2026-03-27T10:00:00+09:00",
        "by": "0190…",
    },
    "answer": None,
    "answered_on": None,
    "handed_over": None,
    "reason": None,
    "recorded_at": "2026-03-27T10:00:00+09:00",
    "recorded_by": "0190…",
    "answered_by": None,
    "allowed_actions": ["document", "answer"],
}


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    return access_request_views.access_request(reading.access_requests.get(id), call.ctx.act.today)


def _row(call: Call, it: AccessRequest) -> dict[str, Any]:
    return dict(access_request_views.access_request(it, call.ctx.act.today))


@router.post(
    "/residents/{id}/access-requests",
    operation_id="receive_access_request",
    summary="Record that a resident asks what is held of them",
    **operation(WRITE, REQUEST, status=201, refuses=(404,)),
)
def receive(id: UUID, body: access_request_bodies.ReceiveAccessRequest, call: Caller) -> Response:
    """An answer is owed within ten days; who asks can be checked at once or later."""
    received = access_requests.NewAccessRequest(
        received_on=body.received_on,
        requested_by=body.requested_by,
        requester=body.requester,
        identity_how=body.identity_checked.how if body.identity_checked else None,
    )
    return call.change(
        lambda ctx: access_requests.receive(ctx, id, received),
        READ,
        lambda reading, made: _shown(call, reading, made["id"]),
    )


@router.get(
    "/residents/{id}/access-requests",
    operation_id="list_access_requests_of_resident",
    summary="What a resident asked to see, newest first",
    **operation(READ, {"items": [REQUEST], "next_cursor": None}, refuses=(404,)),
)
def list_of_resident(id: UUID, call: Caller, paged: Paged) -> Response:
    """Answered ones too."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.access_requests.of_resident(id, paging),
        lambda it: _row(call, it),
    )


@router.get(
    "/access-requests",
    operation_id="list_open_access_requests",
    summary="Requests to which an answer is owed, most pressing first",
    **operation(READ, {"items": [REQUEST], "next_cursor": None}),
)
def list_open(call: Caller, paged: Paged) -> Response:
    """Of the centre or the district, with ``overdue``."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.access_requests.unanswered(paging),
        lambda it: _row(call, it),
    )


@router.get(
    "/access-requests/{id}",
    operation_id="get_access_request",
    summary="An access request",
    **operation(READ, REQUEST, refuses=(404,)),
)
def get_request(id: UUID, call: Caller) -> Response:
    """With its due day, and what can be done next."""
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.post(
    "/access-requests/{id}/identity",
    operation_id="check_identity_of_requester",
    summary="Record that whoever asks is who they say",
    **operation(WRITE, REQUEST, refuses=(404, 409, 412)),
)
def check_identity(id: UUID, body: access_request_bodies.CheckIdentity, call: Caller) -> Response:
    """Without it nothing is handed out."""
    return call.change(
        lambda ctx: access_requests.check_identity(ctx, id, body.how),
        READ,
        lambda reading, made: _shown(call, reading, made["id"]),
    )


@router.post(
    "/access-requests/{id}/answer",
    operation_id="answer_access_request",
    summary="Record how a request was answered",
    **operation(WRITE, REQUEST, refuses=(404, 409, 412)),
)
def answer(id: UUID, body: access_request_bodies.AnswerAccessRequest, call: Caller) -> Response:
    """Handed over, and how; or refused, and why."""
    given = access_requests.AccessRequestAnswer(**body.model_dump())
    return call.change(
        lambda ctx: access_requests.answer(ctx, id, given),
        READ,
        lambda reading, made: _shown(call, reading, made["id"]),
    )


@router.get(
    "/access-requests/{id}/document",
    operation_id="get_access_document",
    summary="Everything held of the resident and who looked, to be printed",
    response_class=HTMLResponse,
    **operation(EXPORT, "<!doctype html>…", refuses=(404, 409), media_type="text/html"),
)
def get_document(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """One page in Korean or English, of this resident alone. Refused before who asks is known."""
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
