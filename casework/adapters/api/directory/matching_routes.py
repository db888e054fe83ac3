"""Who near a resident can take this on now, and where nobody can."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Response

from casework.adapters.api.directory import matching_bodies as m
from casework.adapters.api.directory import matching_views
from casework.adapters.api.directory import responses as r
from casework.adapters.api.shared import bodies as s
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.problems import language_of
from casework.adapters.http.routers import SubjectRouter
from casework.domain.directory.designations import DesignationCode
from casework.workflows.directory import matching

router = SubjectRouter(tags=["directory"])
MATCH, COVER = "offering.match", "coverage.read"


@router.post("/offerings/match", **operation(MATCH, r.Matches, refuses=(404, 409), use_key=False))
def match_offerings(
    body: m.FindMatches, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """Who near a resident can take this on now.

    The open offerings that cover a resident, or a centre, in the order in which to ask them.

    Each says ``why``: every factor with its value and its rank, 1 first; the next factor counts
    where the one before is equal, and at last the offering's id. A rule refuses nobody.
    """
    question = matching.MatchQuestion(**body.model_dump())
    language = language_of(accept_language)
    return call.look(
        MATCH,
        lambda reading: matching_views.matched(
            matching.match(call.ctx, reading, question), language
        ),
    )


@router.get("/coverage", **operation(COVER, page_of(r.CentreCoverageGap)))
def list_holes(
    call: Caller,
    paged: Paged,
    service: Annotated[s.Code | None, Query(description="by its code; else any")] = None,
    designation: Annotated[
        DesignationCode | None, Query(description="of the agency; else any")
    ] = None,
) -> Response:
    """The centres where nobody takes anybody on, or nobody near.

    Within scope, by code. An agency accepts while an open offering of it has a free place.

    ``hole`` is ``nobody`` (nothing is open for the centre), ``full`` (nothing of that has a free
    place) or ``far`` (more than 15 minutes to the nearest that accepts).
    """
    return call.pages(
        COVER,
        paged,
        lambda reading, paging: matching.coverage_gaps(
            call.ctx, reading, service, designation, paging
        ),
        matching_views.coverage_gap,
    )
