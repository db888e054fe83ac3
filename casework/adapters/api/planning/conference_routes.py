"""Care conferences: planned or recorded, their agenda, their decisions, their minutes."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse

from casework.adapters.api.planning import bodies as s
from casework.adapters.api.planning import conference_views as render
from casework.adapters.api.shared.bodies import Day
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import respond
from casework.adapters.http.route import GuardedRoute
from casework.domain.errors import require
from casework.workflows.planning import conferences, planning
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, prefix="/conferences", tags=["conferences"])
DECIDE = "plan.decide"
SHORT = {
    "id": "0190…",
    "district_code": "26350",
    "held_on": "2026-04-17",
    "members": [{"name": "…", "agency": "…"}],
    "recorded_by": "0190…",
    "recorded_at": "2026-04-13T09:00:00+09:00",
}
MEETING = SHORT | {
    "agenda": [
        {
            "case_id": "0190…",
            "version": 1,
            "hash": "9f86d0…",
            "decision": None,
            "decided_elsewhere": False,
            "allowed_actions": ["decision"],
        }
    ],
    "allowed_actions": ["agenda", "decisions"],
}
MINUTES = """Minutes of a care conference

District: Haeundae-gu
Held on: 2026-04-17

Members:
- … (…)

Agenda:
1. case 0190…, plan version 1: approved
"""


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    return render.conference(reading.conferences.shown(id), call.ctx.act)


@router.post(
    "",
    operation_id="hold_conference",
    summary="Plan or record a meeting",
    **operation(DECIDE, MEETING, status=201),
)
def hold_conference(body: s.HoldConference, call: Caller) -> Response:
    """Its members are entered once; its agenda is put together before, its decisions are not."""
    members = [one.model_dump() for one in body.members]
    return call.change(
        lambda ctx: conferences.hold_conference(ctx, body.held_on, members),
        DECIDE,
        lambda reading, made: _shown(call, reading, made["id"]),
    )


@router.get(
    "",
    operation_id="list_conferences",
    summary="The district's meetings, newest first",
    **operation(DECIDE, {"items": [SHORT | {"agenda": 11, "decided": 10}], "next_cursor": None}),
)
def list_conferences(
    call: Caller,
    paged: Paged,
    since: Annotated[
        Day | None, Query(alias="from", description="held on that day or later")
    ] = None,
    until: Annotated[
        Day | None, Query(alias="to", description="held on that day or before")
    ] = None,
) -> Response:
    """By the day they are held, with how many plans they have and have decided."""
    require(
        since is None or until is None or since <= until,
        "it lies before `from`",
        code="ends_before_start",
        field="to",
    )
    return call.pages(
        DECIDE,
        paged,
        lambda reading, paging: reading.conferences.listed(since, until, paging),
        render.conference_row,
    )


@router.get(
    "/{id}",
    operation_id="get_conference",
    summary="A meeting with its agenda",
    **operation(DECIDE, MEETING, refuses=(404,)),
)
def get_conference(id: UUID, call: Caller) -> Response:
    """Each plan with the version and hash that a decision names, and what was decided."""
    return call.look(DECIDE, lambda reading: _shown(call, reading, id))


@router.post(
    "/{id}/agenda",
    operation_id="put_on_agenda",
    summary="Put submitted plans on the agenda",
    **operation(DECIDE, MEETING, refuses=(404, 412)),
)
def put_on_agenda(id: UUID, body: s.PutOnAgenda, call: Caller) -> Response:
    """All of them or none; one that is there already stays."""
    return call.change(
        lambda ctx: conferences.put_on_agenda(ctx, id, body.case_ids),
        DECIDE,
        lambda reading, made: _shown(call, reading, made["id"]),
    )


@router.post(
    "/{id}/decisions",
    operation_id="decide_in_conference",
    summary="Record up to 100 decisions of a meeting",
    **operation(
        DECIDE,
        {
            "results": [
                {"case_id": "0190…", "status": 200},
                {"case_id": "0190…", "status": 409, "code": "version_changed"},
            ]
        },
        refuses=(404, 409, 412),
        is_long=True,
    ),
)
def decide_in_conference(id: UUID, body: s.ConferenceDecisions, call: Caller) -> Response:
    """Each is a transaction of its own and has a result of its own."""
    call.once(DECIDE, {"id": id}, lambda work: conferences.check_decisions(call.ctx, work, id))
    results = []
    for one in body.decisions:
        command = planning.DecisionCommand(
            version=one.version,
            hash=one.hash,
            approve=one.decision == "approve",
            reason=one.reason,
            conference_id=id,
        )
        status, code = call.part(
            DECIDE,
            one.case_id,
            partial(planning.decide_plan, case_id=one.case_id, command=command),
        )
        results.append(
            {"case_id": one.case_id, "status": status} | ({"code": code} if code else {})
        )
    return respond({"results": results}, 200)


@router.get(
    "/{id}/minutes",
    operation_id="get_minutes",
    summary="The minutes as text",
    response_class=PlainTextResponse,
    **operation(DECIDE, MINUTES, refuses=(404,), media_type="text/plain"),
)
def get_minutes(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """In Korean or English; cases by their reference, since the text leaves the system."""
    language = language_of(accept_language)
    with call.ctx.reading(DECIDE) as reading:
        text = render.minutes(reading.conferences.shown(id), language)
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    return PlainTextResponse(text, headers=headers)
