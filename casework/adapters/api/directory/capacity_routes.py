"""The places of an offering: how many are free, as of when, and who says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.directory import capacity_bodies as s
from casework.adapters.api.directory import capacity_views
from casework.adapters.api.directory import responses as r
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import StaleVersion
from casework.workflows.directory import places
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["directory"])
READ, STATE = "directory.read", "capacity.write"


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    ctx = call.ctx
    return capacity_views.of_offering(reading.places.shown(id), ctx.catalogue, ctx.actor, ctx.now)


@router.get("/offerings/{id}/capacity", **operation(READ, r.OfferingPlaces, refuses=(404,)))
def get_capacity(id: UUID, call: Caller) -> Response:
    """The places of an offering.

    As its agency stated them, and as acceptances and endings have changed them since.

    The city and other agencies are told the free places last stated, and nothing that moves with
    referrals: that is null, and there is no ``ETag``.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.patch(
    "/offerings/{id}/capacity", **operation(STATE, r.OfferingPlaces, refuses=(404, 412, 428))
)
def state_capacity(id: UUID, body: s.StateFigures, call: Caller) -> Response:
    """State how many places are free.

    Needs ``If-Match``: a place that was taken meanwhile is not given away once more.

    By the agency itself, a supervisor of its district, or an administrator. The figures are as of
    now, and a mark that the offering is full ends with them.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    return call.change(
        lambda ctx: places.state_figures(ctx, id, body.statement()),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )
