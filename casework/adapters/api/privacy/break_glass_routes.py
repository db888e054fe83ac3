"""Break-glass access to a resident out of scope, and the review that must follow."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.privacy import break_glass_bodies as sb
from casework.adapters.api.privacy import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import instant
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.act import Act
from casework.workflows.ports.break_glass import OpeningView
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.privacy import break_glass as glass

router = SubjectRouter(tags=["break-glass"])


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


def _show(call: Call, reading: Reading, made: UUID) -> Any:
    return _opening(reading.openings.shown(made), call.ctx.act)


@router.post(
    "/break-glass", **operation(glass.OPEN, r.BreakGlassOpening, status=201, refuses=(404, 409))
)
def break_glass(body: sb.OpenResident, call: Caller) -> Response:
    """Open a resident out of scope, with a reason, to be looked at.

    For 1 to 72 hours; the resident's district is notified at once, and somebody there reviews it.
    """
    return call.change(
        lambda ctx: glass.open_resident(ctx, body.resident_id, body.reason, body.hours),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )


@router.get("/break-glass", **operation(glass.READ, page_of(r.BreakGlassOpening)))
def list_break_glass(
    call: Caller,
    paged: Paged,
    open: Annotated[bool | None, Query(description="Not reviewed yet.")] = None,
) -> Response:
    """One's own openings, and those of residents of the district.

    Newest first; ``open`` are those that nobody has reviewed yet.
    """
    return call.pages(
        glass.READ,
        paged,
        lambda reading, paging: reading.openings.listed(open, paging),
        lambda view: dict(_opening(view, call.ctx.act)),
    )


@router.get("/break-glass/{id}", **operation(glass.READ, r.BreakGlassOpening, refuses=(404,)))
def get_break_glass(id: UUID, call: Caller) -> Response:
    """One opening.

    Seen by who opened, and by the supervisors of the resident's district.
    """
    return call.look(glass.READ, lambda reading: _show(call, reading, id))


@router.post(
    "/break-glass/{id}/end", **operation(glass.OPEN, r.BreakGlassOpening, refuses=(404, 409, 412))
)
def end_break_glass(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """End one's own opening early.

    From that instant on the resident is out of scope again.
    """
    return call.change(
        lambda ctx: glass.end_opening(ctx, id),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )


@router.post(
    "/break-glass/{id}/close",
    **operation(glass.REVIEW, r.BreakGlassOpening, refuses=(404, 409, 412)),
)
def close_break_glass(id: UUID, body: sb.ReviewOpening, call: Caller) -> Response:
    """Review an opening of a resident of the district.

    By a supervisor who did not open it; what was still open is shut at once.
    """
    return call.change(
        lambda ctx: glass.close_opening(ctx, id, body.note, justified=body.justified),
        glass.READ,
        lambda reading, made: _show(call, reading, made),
    )
