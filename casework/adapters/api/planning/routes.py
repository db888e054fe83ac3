"""Plans: drafted, submitted, decided, notified; settling a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.casefile import responses as casefile_responses
from casework.adapters.api.casefile import views as render
from casework.adapters.api.planning import bodies as s
from casework.adapters.api.planning import responses as r
from casework.adapters.api.planning import views
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.api.shared.views import warnings as said
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.casefile.plan import PlannedItem
from casework.domain.planning.planning import Draft
from casework.workflows.context import Context
from casework.workflows.planning import correcting, planning, warnings
from casework.workflows.ports.results import RecordInCase
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["plans"])
READ, WRITE, DECIDE = "case.read", "case.write", "plan.decide"


def _shown(call: Call, reading: Reading, case_id: UUID) -> WithETag:
    view = reading.cases.plan(case_id)
    found = said(warnings.of_plan(call.ctx, reading, view), call.language)
    return views.plan(view, call.ctx.actor, found)


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    """Change a plan and show it."""
    return call.change(use_case, READ, lambda reading, made: _shown(call, reading, made))


@router.get("/cases/{id}/plan", **operation(READ, r.Plan, refuses=(404,)))
def get_plan(id: UUID, call: Caller) -> Response:
    """The plan in all its versions.

    Its ``ETag`` is what the next draft names in ``If-Match``.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.put("/cases/{id}/plan/draft", **operation(WRITE, r.Plan, refuses=(404, 409, 412, 428)))
def put_draft(id: UUID, body: s.PutPlanDraft, call: Caller) -> Response:
    """Write the draft.

    The next version where none is in draft; else ``If-Match`` says which one was seen.
    """
    draft = Draft(
        goals=body.goals,
        items=[_item(one) for one in body.services],
        heard_on=body.heard.on,
        heard_from=body.heard.by,
    )
    return _change(call, lambda ctx: planning.put_draft(ctx, id, draft))


def _item(given: s.PlannedServiceInput) -> tuple[UUID | None, PlannedItem]:
    """The id it is known by, if any, and what is planned; a new one gets its id later."""
    return given.id, PlannedItem(**given.model_dump(exclude={"id"}), id=given.id or UUID(int=0))


@router.post(
    "/cases/{id}/plan/submit", **operation(WRITE, r.SubmittedVersion, refuses=(404, 409, 412))
)
def submit_plan(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Freeze the draft for decision.

    The decision names this version and hash.
    """
    return call.change(
        lambda ctx: planning.submit_plan(ctx, id),
        READ,
        lambda reading, made: _submitted(call, reading, id, made.version),
    )


def _submitted(call: Call, reading: Reading, case_id: UUID, number: int) -> WithETag:
    view = reading.cases.plan(case_id)
    found = said(warnings.of_plan(call.ctx, reading, view), call.language)
    return views.submitted(view, number, found)


@router.post("/cases/{id}/plan/decision", **operation(DECIDE, r.Plan, refuses=(404, 409, 412)))
def decide_plan(id: UUID, body: s.DecidePlan, call: Caller) -> Response:
    """Approve or return the submitted version.

    In a meeting, or without one and why; never on one's own draft.
    """
    meeting = body.conference
    command = planning.DecisionCommand(
        **body.model_dump(exclude={"decision", "conference", "warnings"}),
        approve=body.decision == "approve",
        held_on=meeting.held_on if meeting else None,
        members=[one.model_dump() for one in meeting.members] if meeting else None,
    )
    return _change(call, lambda ctx: planning.decide_plan(ctx, id, command))


@router.post(
    "/cases/{id}/plan/decision/correct", **operation(DECIDE, r.Plan, refuses=(404, 409, 412))
)
def correct_decision(id: UUID, body: s.CorrectDecision, call: Caller) -> Response:
    """Put right on which day a version was decided without a meeting.

    The day of a meeting is put right with the meeting. The clocks that rest on it are counted anew.
    """
    return _change(
        call,
        lambda ctx: correcting.correct_decision(
            ctx, id, body.version, body.decided_on, body.reason
        ),
    )


@router.post(
    "/cases/{id}/plan/notified",
    **operation(WRITE, casefile_responses.Case, refuses=(404, 409, 412)),
)
def notify_plan(id: UUID, body: s.NotifyPlan, call: Caller) -> Response:
    """Record that the resident was notified of the plan.

    Shows the case. It is said once of each plan. With a ``correction`` it puts right when, or who,
    was notified; the former day is kept, and the clock is met on the other.
    """
    correction = body.correction
    return call.change(
        lambda ctx: (
            planning.notify_plan(ctx, id, body.on, body.to)
            if correction is None
            else correcting.correct_notification(ctx, id, body.on, body.to, correction.reason)
        ),
        READ,
        lambda reading, made: render.case(reading.cases.get(made), call.ctx.actor, call.ctx.now),
    )


@router.post(
    "/planned-services/{id}/settle", **operation(WRITE, r.PlannedService, refuses=(404, 409, 412))
)
def settle_service(id: UUID, body: s.SettleService, call: Caller) -> Response:
    """Settle a planned service without a referral.

    Refused by the resident, found otherwise, no longer needed, or not found at all.
    """
    return call.change(
        lambda ctx: planning.settle_service(ctx, id, body.disposition, body.note),
        READ,
        lambda reading, made: _service(call, reading, made),
    )


def _service(call: Call, reading: Reading, made: RecordInCase) -> WithETag:
    file = reading.files.whole(made.case_id)
    return views.planned_service(file, file.service(made.id), call.ctx.actor)
