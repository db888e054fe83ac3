"""Who near a resident can take this on now, and where nobody can."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from casework.adapters.api.directory import matching_bodies as m
from casework.adapters.api.directory import matching_views
from casework.adapters.api.shared import bodies as s
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.problems import language_of
from casework.adapters.http.route import GuardedRoute
from casework.domain.directory.designations import DesignationCode
from casework.workflows.directory import matching

router = APIRouter(route_class=GuardedRoute, tags=["directory"])
MATCH, COVER = "offering.match", "coverage.read"
MATCHED = {
    "centre_code": "2635051000",
    "estimate": {"from": "centre_point", "detour_factor": 1.4, "speed_kmh": 24.0},
    "items": [
        {
            "offering_id": "0190…",
            "provider": {"id": "0190…", "name": "…", "phone": "051-000-0000"},
            "distance_km": 0.42,
            "minutes": 2,
            "within_15_minutes": True,
            "why": [
                {
                    "factor": "free_place",
                    "rank": 1,
                    "value": {
                        "free": 3,
                        "available": 3,
                        "maximum": 12,
                        "waiting": 0,
                        "full_until": None,
                    },
                    "says": "3 of 12 places free, 0 waiting.",
                }
            ],
        }
    ],
}
HOLE = {
    "centre_code": "2671025600",
    "name": "…",
    "district_code": "26710",
    "hole": "far",
    "open": 2,
    "accepting": 1,
    "nearest": {"id": "0190…", "name": "…"},
    "distance_km": 9.41,
    "minutes": 33,
}


@router.post(
    "/offerings/match",
    operation_id="match_offerings",
    summary="Who near a resident can take this on now",
    **operation(MATCH, MATCHED, refuses=(404,), use_key=False),
)
def match(
    body: m.FindMatches, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """The open offerings that cover a resident, or a centre, in the order in which to ask them.

    Each says ``why``: every factor with its value and its rank, 1 first; the next factor counts
    where the one before is equal, and at last the offering's id. A rule refuses nobody.
    """
    asked = matching.MatchQuestion(**body.model_dump())
    language = language_of(accept_language)
    return call.look(
        MATCH,
        lambda reading: matching_views.matched(matching.match(call.ctx, reading, asked), language),
    )


@router.get(
    "/coverage",
    operation_id="list_holes",
    summary="The centres where nobody takes anybody on, or nobody near",
    **operation(COVER, {"items": [HOLE], "next_cursor": None}),
)
def holes(
    call: Caller,
    paged: Paged,
    service: Annotated[s.Code | None, Query(description="by its code; else any")] = None,
    designation: Annotated[
        DesignationCode | None, Query(description="of the agency; else any")
    ] = None,
) -> Response:
    """Within reach, by code. An agency accepts while an open offering of it has a free place.

    ``hole`` is ``nobody`` (nothing is open for the centre), ``full`` (nothing of that has a free
    place) or ``far`` (more than 15 minutes to the nearest that accepts).
    """
    return call.pages(
        COVER,
        paged,
        lambda reading, paging: matching.holes(call.ctx, reading, service, designation, paging),
        matching_views.hole,
    )
