"""Holds and reopening of a case; transfers, handovers and absences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from casework.adapters.api.casefile import views as render
from casework.adapters.api.cases import caseload_bodies as sc
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.route import GuardedRoute
from casework.workflows.cases import caseload
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["caseload"])
SUPERVISE = "case.supervise"
EXAMPLE = {
    "id": "0190…",
    "status": "supported",
    "worker_id": "0190…",
    "deadlines": [{"kind": "start", "status": "paused", "overdue": False}],
    "allowed_actions": ["resume", "close"],
}


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    def show(reading: Reading, made: dict[str, Any]) -> Any:
        return render.case(reading.cases.get(made["id"]), call.ctx.actor, call.ctx.now)

    return call.change(use_case, "case.read", show)


@router.post(
    "/cases/{id}/hold",
    operation_id="hold_case",
    summary="Let the whole case rest",
    **operation("case.write", EXAMPLE, refuses=(404, 409, 412)),
)
def hold(id: UUID, body: sc.HoldCase, call: Caller) -> Response:
    """Pauses what waits up to and including a day; checks and signals go on."""
    return _change(
        call, lambda ctx: caseload.hold_case(ctx, id, body.reason, body.until, body.note)
    )


@router.post(
    "/cases/{id}/resume",
    operation_id="resume_case",
    summary="End the rest early",
    **operation("case.write", EXAMPLE, refuses=(404, 409, 412)),
)
def resume(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """Every clock that was paused is counted anew."""
    return _change(call, lambda ctx: caseload.resume_case(ctx, id))


@router.post(
    "/cases/{id}/reopen",
    operation_id="reopen_case",
    summary="Reopen a closed case",
    **operation(SUPERVISE, EXAMPLE, refuses=(404, 409, 412)),
)
def reopen(id: UUID, body: sc.ReopenCase, call: Caller) -> Response:
    """The state before it was closed; refused while the resident has another open case."""
    return _change(call, lambda ctx: caseload.reopen_case(ctx, id, body.note))


@router.post(
    "/cases/{id}/transfer",
    operation_id="transfer_case",
    summary="Move a case with its resident to another centre",
    **operation(SUPERVISE, EXAMPLE | {"stops_at_border": []}, refuses=(404, 409, 412)),
)
def transfer(id: UUID, body: sc.TransferCase, call: Caller) -> Response:
    """Names the open referrals that do not reach the new centre. Where the case leaves the
    asker's district, only that and its id are shown.
    """

    def show(reading: Reading, made: dict[str, Any]) -> Any:
        shown = render.case(reading.cases.get(made["id"]), call.ctx.actor, call.ctx.now)
        shown["stops_at_border"] = made["stops_at_border"]
        return shown

    return call.change(
        lambda ctx: caseload.transfer_case(ctx, id, body.centre_code, body.reason),
        "case.read",
        show,
    )


@router.post(
    "/caseloads/handover",
    operation_id="hand_over_caseload",
    summary="Give a leaver's open cases to one worker, or to several in turn",
    **operation(SUPERVISE, {"moved": ["0190…"]}, refuses=(409,), is_long=True),
)
def hand_over(body: sc.HandOverCases, call: Caller) -> Response:
    """All of them or none: each new worker must serve the case's centre."""
    receivers = body.to_worker_id if isinstance(body.to_worker_id, list) else [body.to_worker_id]
    return call.change(
        lambda ctx: caseload.hand_over(ctx, body.from_worker_id, receivers, body.reason),
        SUPERVISE,
        lambda _reading, made: {"moved": made["moved"]},
    )


@router.post(
    "/absences",
    operation_id="record_absence",
    summary="Record who is away and who deputises",
    **operation(SUPERVISE, {"id": "0190…"}, status=201),
)
def record_absence(body: sc.RecordAbsence, call: Caller) -> Response:
    """The deputy sees and gets what the worker would; nothing is reassigned."""
    command = caseload.AbsenceCommand(
        worker_id=body.worker_id, from_on=body.from_, to_on=body.to, deputy_id=body.deputy_id
    )
    return call.change(
        lambda ctx: caseload.record_absence(ctx, command),
        SUPERVISE,
        lambda _reading, made: {
            "id": made["id"],
            "worker_id": command.worker_id,
            "from": command.from_on,
            "to": command.to_on,
            "deputy_id": command.deputy_id,
        },
    )
