"""Opening a resident out of scope with a reason, and the review that must follow."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from casework.adapters.api.privacy import break_glass_bodies as sb
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import instant
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.route import GuardedRoute
from casework.domain.act import Act
from casework.workflows.ports.break_glass import OpeningView
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.privacy import break_glass as glass

router = APIRouter(route_class=GuardedRoute, tags=["break-glass"])
EXAMPLE = {
    "id": "0190…",
    "resident_id": "0190…",
    "opened_by": {"id": "0190…", "name": "…"},
    "district_code": "26350",
    "reason": "…",
    "opened_at": "2026-03-27T10:00:00+09:00",
    "ends_at": "2026-03-28T10:00:00+09:00",
    "ended_at": None,
    "is_live": True,
    "reviewed_at": None,
    "reviewed_by": None,
    "review_note": None,
    "justified": None,
    "overdue": False,
    "allowed_actions": ["end"],
}


def _opening(view: OpeningView, act: Act) -> WithETag:
    one = view.opening
    body = {
        "id": one.id,
        "resident_id": one.resident_id,
        "opened_by": {"id": one.account_id, "name": view.opener_name},
        "district_code": one.district_code,
        "reason": one.reason,
        "opened_at": instant(one.opened_at),
        "ends_at": instant(one.ends_at),
        "ended_at": instant(one.ended_at),
        "is_live": one.is_live(act.at),
        "reviewed_at": instant(one.reviewed_at),
        "reviewed_by": one.reviewed_by,
        "review_note": one.review_note,
        "justified": one.justified,
        "overdue": one.review_is_overdue(act),
        "allowed_actions": one.allowed_actions(act),
    }
    return WithETag(body, one.version)


def _show(call: Call, reading: Reading, made: dict[str, Any]) -> Any:
    return _opening(reading.openings.shown(made["id"]), call.ctx.act)


@router.post(
    "/break-glass",
    operation_id="break_glass",
    summary="Open a resident out of scope, with a reason, to be looked at",
    **operation(glass.OPEN, EXAMPLE, status=201, refuses=(404, 409)),
)
def break_glass(body: sb.OpenResident, call: Caller) -> Response:
    """For 1 to 72 hours; the resident's district is told at once, and somebody there reviews it."""
    return call.change(
        lambda ctx: glass.open_resident(ctx, body.resident_id, body.reason, body.hours),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )


@router.get(
    "/break-glass",
    operation_id="list_break_glass",
    summary="One's own openings, and those of residents of the district",
    **operation(glass.READ, {"items": [EXAMPLE], "next_cursor": None}),
)
def list_openings(
    call: Caller, paged: Paged, open: Annotated[bool | None, Query()] = None
) -> Response:
    """Newest first; ``open`` are those that nobody has reviewed yet."""
    return call.pages(
        glass.READ,
        paged,
        lambda reading, paging: reading.openings.listed(open, paging),
        lambda view: dict(_opening(view, call.ctx.act)),
    )


@router.get(
    "/break-glass/{id}",
    operation_id="get_break_glass",
    summary="One opening",
    **operation(glass.READ, EXAMPLE, refuses=(404,)),
)
def get_opening(id: UUID, call: Caller) -> Response:
    """Seen by who opened, and by the supervisors of the resident's district."""
    return call.look(glass.READ, lambda reading: _show(call, reading, {"id": id}))


@router.post(
    "/break-glass/{id}/end",
    operation_id="end_break_glass",
    summary="End one's own opening early",
    **operation(glass.OPEN, EXAMPLE, refuses=(404, 409, 412)),
)
def end(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """From that instant on the resident is out of scope again."""
    return call.change(
        lambda ctx: glass.end_opening(ctx, id),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )


@router.post(
    "/break-glass/{id}/close",
    operation_id="close_break_glass",
    summary="Review an opening of a resident of the district",
    **operation(glass.REVIEW, EXAMPLE, refuses=(404, 409, 412)),
)
def close(id: UUID, body: sb.ReviewOpening, call: Caller) -> Response:
    """By a supervisor who did not open it; what was still open is shut at once."""
    return call.change(
        lambda ctx: glass.close_opening(ctx, id, body.note, justified=body.justified),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )
