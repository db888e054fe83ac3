"""The places of an offering: how many are free, as of when, and who says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from casework.adapters.api.directory import capacity_bodies as s
from casework.adapters.api.directory import capacity_views
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.route import GuardedRoute
from casework.domain.errors import StaleVersion
from casework.workflows.directory import places
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["directory"])
READ, STATE = "directory.read", "capacity.write"
CAPACITY = {
    "offering_id": "0190…",
    "provider_id": "0190…",
    "service_code": "MED-VISIT",
    "open": True,
    "maximum": 12,
    "available": 3,
    "free": 2,
    "full": False,
    "full_until": None,
    "waiting": 1,
    "for_waiting": 1,
    "unit": "visit",
    "as_of": "2026-03-27T09:00:00+09:00",
    "age_days": 0,
    "is_stale": False,
    "version": 4,
    "held": 9,
    "waitlisted": 1,
    "fresh_for_days": 7,
    "stated_by": "0190…",
    "asked_at": None,
    "allowed_actions": ["capacity"],
}


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    ctx = call.ctx
    return capacity_views.of_offering(reading.places.shown(id), ctx.catalogue, ctx.actor, ctx.now)


@router.get(
    "/offerings/{id}/capacity",
    operation_id="get_capacity",
    summary="The places of an offering",
    **operation(READ, CAPACITY, refuses=(404,)),
)
def get_capacity(id: UUID, call: Caller) -> Response:
    """As its agency stated them, and as acceptances and endings have changed them since."""
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.patch(
    "/offerings/{id}/capacity",
    operation_id="state_capacity",
    summary="State how many places are free",
    **operation(STATE, CAPACITY, refuses=(404, 412, 428)),
)
def state_capacity(id: UUID, body: s.StateFigures, call: Caller) -> Response:
    """Needs ``If-Match``: a place that was taken meanwhile is not given away once more.

    By the agency itself, a supervisor of its district, or an administrator. The figures are as of
    now, and a mark that the offering is full ends with them.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    return call.change(
        lambda ctx: places.state_figures(ctx, id, body.statement()),
        READ,
        lambda reading, made: _shown(call, reading, made["id"]),
    )
