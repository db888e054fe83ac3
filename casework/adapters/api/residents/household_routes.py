"""Households: a couple and one visit; a link that opens nobody's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.residents import bodies, views
from casework.adapters.api.residents import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.workflows.context import Context
from casework.workflows.residents import households

router = SubjectRouter(tags=["households"])
WRITE = "case.write"


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    return call.change(
        use_case,
        WRITE,
        lambda reading, made: views.household(reading.households.shown(made)),
    )


@router.post("/households", **operation(WRITE, r.Household, status=201, refuses=(404, 409)))
def make_household(body: bodies.MakeHousehold, call: Caller) -> Response:
    """Link residents who live together.

    All of them within scope; nobody is of two households. The dead only with ``confirm``.
    """
    return _change(
        call,
        lambda ctx: households.make_household(
            ctx, body.resident_ids, body.kind, confirmed=body.confirm
        ),
    )


@router.get("/households/{id}", **operation(WRITE, r.Household, refuses=(404,)))
def get_household(id: UUID, call: Caller) -> Response:
    """A household.

    The members within scope by name, and how many others there are.
    """
    return call.look(WRITE, lambda reading: views.household(reading.households.shown(id)))


@router.post("/households/{id}/members", **operation(WRITE, r.Household, refuses=(404, 409, 412)))
def join_household(id: UUID, body: bodies.JoinHousehold, call: Caller) -> Response:
    """One more lives there.

    They and somebody of the household are within scope.
    """
    return _change(
        call,
        lambda ctx: households.join_household(ctx, id, body.resident_id, confirmed=body.confirm),
    )


@router.post(
    "/households/{id}/members/{resident_id}/leave",
    **operation(WRITE, r.Household, refuses=(404, 409, 412)),
)
def leave_household(
    id: UUID, resident_id: UUID, call: Caller, body: EmptyBody | None = None
) -> Response:
    """One lives there no longer.

    One within scope; the others stay linked.
    """
    return _change(call, lambda ctx: households.leave_household(ctx, id, resident_id))
