"""Retention of closed cases: a district's schedule, and legal holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.casefile import responses as casefile_responses
from casework.adapters.api.casefile import views as render
from casework.adapters.api.cases import retention_bodies as s
from casework.adapters.api.directory import list_views
from casework.adapters.api.directory import responses as r
from casework.adapters.api.shared.bodies import Code
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.workflows.cases import retaining
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["cases"])


@router.post(
    "/districts/{code}/retention",
    tags=["directory"],
    **operation(retaining.SCHEDULE, r.District, refuses=(404,)),
)
def set_retention(code: Code, body: s.SetRetention, call: Caller) -> Response:
    """Say for how many years a district retains closed cases.

    Never less than the law asks; what is past its time is deleted by the next run of retention.
    A supervisor does it for the own district.
    """
    return call.change(
        lambda ctx: retaining.set_schedule(ctx, code, body.years, body.basis),
        "directory.read",
        lambda reading, made: list_views.district(reading.directory.district(made)),
    )


@router.post(
    "/cases/{id}/legal-hold",
    **operation(retaining.HOLD, casefile_responses.Case, refuses=(404, 409, 412)),
)
def place_legal_hold(id: UUID, body: s.PlaceLegalHold, call: Caller) -> Response:
    """Put a case under legal hold.

    Nothing of it is deleted until the hold is ended. Placed anew, it is reviewed and goes on.
    """
    return call.change(
        lambda ctx: retaining.place_legal_hold(ctx, id, body.reason, body.review_on),
        "case.read",
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/cases/{id}/legal-hold/end",
    **operation(retaining.HOLD, casefile_responses.Case, refuses=(404, 409, 412)),
)
def end_legal_hold(id: UUID, body: s.EndLegalHold, call: Caller) -> Response:
    """End the legal hold of a case.

    Its file is deleted when its time has passed, at the earliest by the next run.
    """
    return call.change(
        lambda ctx: retaining.end_legal_hold(ctx, id, body.reason),
        "case.read",
        lambda reading, made: _shown(call, reading, made),
    )


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    return render.case(reading.cases.get(id), call.ctx.actor, call.ctx.now)
