"""Care conferences: planned or recorded, their agenda, their decisions, their minutes."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Response
from fastapi.responses import PlainTextResponse

from casework.adapters.api.planning import bodies as s
from casework.adapters.api.planning import conference_views as render
from casework.adapters.api.planning import responses as r
from casework.adapters.api.shared.bodies import Day
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, File, Paged, operation
from casework.adapters.api.shared.views import recounted
from casework.adapters.api.shared.views import warnings as said
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import require
from casework.workflows.planning import conferences, correcting, planning, warnings
from casework.workflows.ports.results import Corrected
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(prefix="/conferences", tags=["conferences"])
DECIDE = "plan.decide"
MINUTES = """Minutes of a care conference

District: Haeundae-gu
Held on: 2026-04-17

Members:
- … (…)

Agenda:
1. case 01900000-0000-7000-8000-000000000001, plan version 1: approved
"""


def _shown(call: Call, reading: Reading, id: UUID) -> Any:
    view = reading.conferences.shown(id)
    found = warnings.of_agenda(call.ctx, reading, view)
    shown = {case: said(of, call.language) for case, of in found.items()}
    return render.conference(view, call.ctx.act, shown)


@router.post("", **operation(DECIDE, r.Conference, status=201))
def hold_conference(body: s.HoldConference, call: Caller) -> Response:
    """Plan or record a meeting.

    Its members are entered once; its agenda is put together before, its decisions are not.
    """
    members = [one.model_dump() for one in body.members]
    return call.change(
        lambda ctx: conferences.hold_conference(ctx, body.held_on, members),
        DECIDE,
        lambda reading, made: _shown(call, reading, made),
    )


@router.get("", **operation(DECIDE, page_of(r.ConferenceRow)))
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
    """The district's meetings, newest first.

    By the day they are held, with how many plans they have and have decided.
    """
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


@router.get("/{id}", **operation(DECIDE, r.Conference, refuses=(404,)))
def get_conference(id: UUID, call: Caller) -> Response:
    """A meeting with its agenda.

    Each plan with the version and hash that a decision names, and what was decided.
    """
    return call.look(DECIDE, lambda reading: _shown(call, reading, id))


@router.post("/{id}/correct", **operation(DECIDE, r.CorrectedConference, refuses=(404, 409, 412)))
def correct_conference(id: UUID, body: s.CorrectConference, call: Caller) -> Response:
    """Put the day of a meeting right.

    Every plan that it decided was decided on that day, all of them or none; the clocks that rest on
    it are counted anew. The former day is kept with the meeting and with each case.
    """

    def show(reading: Reading, made: Corrected) -> Any:
        shown = _shown(call, reading, made.id)
        shown["recounted"] = recounted(made.recounted)
        return shown

    return call.change(
        lambda ctx: correcting.correct_conference(ctx, id, body.held_on, body.reason), DECIDE, show
    )


@router.post("/{id}/agenda", **operation(DECIDE, r.Conference, refuses=(404, 412)))
def put_on_agenda(id: UUID, body: s.PutOnAgenda, call: Caller) -> Response:
    """Put submitted plans on the agenda.

    All of them or none; one that is there already stays.
    """
    return call.change(
        lambda ctx: conferences.put_on_agenda(ctx, id, body.case_ids),
        DECIDE,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/{id}/decisions", **operation(DECIDE, r.DecisionResults, refuses=(404, 409, 412), is_long=True)
)
def decide_in_conference(id: UUID, body: s.ConferenceDecisions, call: Caller) -> Response:
    """Record up to 100 decisions of a meeting.

    Each is a transaction of its own and has a result of its own.
    """
    call.once(DECIDE, lambda work: conferences.check_decisions(call.ctx, work, id))
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
    **operation(DECIDE, File(("text/plain",), MINUTES), refuses=(404,)),
)
def get_minutes(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """The minutes as text.

    In Korean or English; cases by their reference, since the text leaves the system.
    """
    language = language_of(accept_language)
    with call.ctx.reading(DECIDE) as reading:
        text = render.minutes(reading.conferences.shown(id), language)
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    return PlainTextResponse(text, headers=headers)
