"""Maintaining the catalogue of services: proposed, confirmed, published, and history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import StringConstraints

from casework.adapters.api.directory import bodies as s
from casework.adapters.api.directory import responses as r
from casework.adapters.api.directory import views as shape
from casework.adapters.api.directory.editing_routes import seen_version
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.directory.entries import SERVICE
from casework.workflows.context import Context
from casework.workflows.directory import directory as editing
from casework.workflows.ports.unit_of_work import Page, Paging, Reading

router = SubjectRouter(tags=["directory"])
Named = Annotated[str, Path(), StringConstraints(max_length=40)]


def _shown(call: Call, reading: Reading, code: str) -> WithETag:
    found, answers = reading.directory_editing.service(code), reading.directory_editing.answering()
    return shape.service(found, answers, call.ctx.act.today)


def _changed(call: Call, use_case: Callable[[Context], str]) -> Response:
    """Carry out a change, and drop what this process has cached of the catalogue."""

    def change(ctx: Context) -> str:
        code: str = use_case(ctx)
        call.services.forget()
        return code

    return call.change(change, editing.ENTRIES, lambda reading, made: _shown(call, reading, made))


@router.post("/services", **operation(editing.CATALOGUE, r.Service, status=201, refuses=(409,)))
def propose_service(body: s.ProposeService, call: Caller) -> Response:
    """Propose a service of the catalogue.

    It is planned only once it is confirmed and published.
    """
    return _changed(call, lambda ctx: editing.propose_service(ctx, body.facts()))


@router.get("/services/{code}", **operation(editing.ENTRIES, r.Service, refuses=(404,)))
def get_service(code: Named, call: Caller) -> Response:
    """A service as editors of the directory see it.

    In any state, with its ``ETag``.
    """
    return call.look(editing.ENTRIES, lambda reading: _shown(call, reading, code))


@router.patch(
    "/services/{code}", **operation(editing.CATALOGUE, r.Service, refuses=(404, 412, 428))
)
def change_service(code: Named, body: s.ChangeService, call: Caller) -> Response:
    """Change a service, its limits, co-payments or validity.

    Needs ``If-Match``. What was planned or asked before goes on as it was.
    """
    seen_version(call)
    return _changed(call, lambda ctx: editing.change_service(ctx, code, body.facts()))


def _step(step: str) -> dict[str, Any]:
    return operation(editing.WHO_OF_SERVICE[step], r.Service, refuses=(404, 409, 412))


@router.post("/services/{code}/confirm", **_step("confirm"))
def confirm_service(code: Named, call: Caller, body: EmptyBody | None = None) -> Response:
    """Confirm a proposed service, for the body that answers for it.

    By somebody else than its proposer.
    """
    return _changed(call, lambda ctx: editing.step_service(ctx, code, "confirm"))


@router.post("/services/{code}/publish", **_step("publish"))
def publish_service(code: Named, call: Caller, body: EmptyBody | None = None) -> Response:
    """Publish a confirmed service.

    From now on it is in the catalogue.
    """
    return _changed(call, lambda ctx: editing.step_service(ctx, code, "publish"))


@router.post("/services/{code}/withdraw", **_step("withdraw"))
def withdraw_service(code: Named, call: Caller, body: EmptyBody | None = None) -> Response:
    """Take a service out of the catalogue.

    It is proposed again. What was planned or asked before goes on as it was.
    """
    return _changed(call, lambda ctx: editing.step_service(ctx, code, "withdraw"))


@router.get(
    "/services/{code}/history", **operation(editing.ENTRIES, page_of(r.Change), refuses=(404,))
)
def history_of_service(code: Named, call: Caller, paged: Paged) -> Response:
    """What was changed of a service.

    Newest first: who, when, and each field before and after.
    """

    def read(reading: Reading, paging: Paging) -> Page:
        reading.directory_editing.service(code)
        return reading.directory_editing.history((SERVICE,), code, paging)

    return call.pages(editing.ENTRIES, paged, read, shape.changed_for(call.ctx.actor))
