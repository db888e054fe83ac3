"""Holds and reopening of a case; transfers and handovers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.casefile import responses as casefile_responses
from casework.adapters.api.casefile import views as render
from casework.adapters.api.cases import caseload_bodies as sc
from casework.adapters.api.cases import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.workflows.cases import caseload
from casework.workflows.context import Context
from casework.workflows.ports.results import TransferredCase
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["caseload"])
SUPERVISE = "case.supervise"


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    def show(reading: Reading, made: UUID) -> Any:
        return render.case(reading.cases.get(made), call.ctx.actor, call.ctx.now)

    return call.change(use_case, "case.read", show)


@router.post(
    "/cases/{id}/hold", **operation("case.write", casefile_responses.Case, refuses=(404, 409, 412))
)
def hold_case(id: UUID, body: sc.HoldCase, call: Caller) -> Response:
    """Let the whole case rest.

    Pauses what waits up to and including a day; checks and signals go on. The running referrals
    rest with it, unless ``hold_referrals`` is false; every active agency is told, and never why.
    """
    return _change(call, lambda ctx: caseload.hold_case(ctx, id, **body.model_dump()))


@router.post(
    "/cases/{id}/resume",
    **operation("case.write", casefile_responses.Case, refuses=(404, 409, 412)),
)
def resume_case(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """End the rest early.

    Every clock that was paused is counted again; referrals that were held with it resume.
    """
    return _change(call, lambda ctx: caseload.resume_case(ctx, id))


@router.post(
    "/cases/{id}/reopen", **operation(SUPERVISE, casefile_responses.Case, refuses=(404, 409, 412))
)
def reopen_case(id: UUID, body: sc.ReopenCase, call: Caller) -> Response:
    """Reopen a closed case.

    The state before it was closed; refused while the resident has another open case.
    """
    return _change(call, lambda ctx: caseload.reopen_case(ctx, id, body.note, confirm=body.confirm))


@router.post(
    "/cases/{id}/transfer",
    **operation(SUPERVISE, (r.TransferredCase, r.LeftDistrict), refuses=(404, 409, 412)),
)
def transfer_case(id: UUID, body: sc.TransferCase, call: Caller) -> Response:
    """Move a case with its resident to another centre.

    Names the open referrals that do not reach the new centre.

    Where the case leaves the caller's district, only that and its id are shown.
    """

    def show(reading: Reading, made: TransferredCase) -> Any:
        shown = render.case(reading.cases.get(made.id), call.ctx.actor, call.ctx.now)
        shown["stops_at_border"] = made.stops_at_border
        return shown

    return call.change(
        lambda ctx: caseload.transfer_case(ctx, id, body.centre_code, body.reason),
        "case.read",
        show,
    )


@router.post(
    "/caseloads/handover", **operation(SUPERVISE, r.HandedOver, refuses=(409,), is_long=True)
)
def hand_over_caseload(body: sc.HandOverCases, call: Caller) -> Response:
    """Give a leaver's open cases to one worker, or to several in turn.

    All of them or none: each new worker must serve the case's centre.
    """
    receivers = body.to_worker_id if isinstance(body.to_worker_id, list) else [body.to_worker_id]
    return call.change(
        lambda ctx: caseload.hand_over(ctx, body.from_worker_id, receivers, body.reason),
        SUPERVISE,
        lambda _reading, made: {"moved": made.case_ids},
    )
