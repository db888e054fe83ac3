"""Cases: opened, surveyed, assessed, checked, given to another, closed; and their signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.casefile import responses as casefile_responses
from casework.adapters.api.casefile import views as render
from casework.adapters.api.cases import bodies as si
from casework.adapters.api.cases import check_bodies
from casework.adapters.api.shared.bodies import Code, Number, RaiseSignal
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import recounted
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.case_numbers import read_case_number
from casework.domain.cases.checks import Findings
from casework.domain.cases.intake import Finding
from casework.domain.errors import StaleVersion, require
from casework.workflows.cases import correcting, intake, running
from casework.workflows.context import Context
from casework.workflows.ports.results import Corrected, CorrectedInCase, RecordInCase
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["cases"])
READ, WRITE = "case.read", "case.write"


def _shown(call: Call, reading: Reading, id: UUID) -> WithETag:
    return render.case(reading.cases.get(id), call.ctx.actor, call.ctx.now)


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    """Change a case and show it."""
    return call.change(use_case, READ, lambda reading, made: _shown(call, reading, made))


@router.post("/cases", **operation(WRITE, casefile_responses.Case, status=201, refuses=(404, 409)))
def open_case(body: si.OpenCase, call: Caller) -> Response:
    """Open a case on an application.

    A worker who opens it carries it. A resident has at most one open case.
    """
    application = body.model_dump(exclude={"resident_id", "consent_id"})
    return _change(
        call, lambda ctx: intake.open_case(ctx, body.resident_id, application, body.consent_id)
    )


@router.get("/cases", **operation(READ, page_of(casefile_responses.CaseRow)))
def list_cases(
    call: Caller,
    paged: Paged,
    status: Annotated[CaseStatus | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    worker: Annotated[UUID | Literal["none"] | None, Query()] = None,
    number: Annotated[Number | None, Query(description="number of the case")] = None,
    legal_hold: Annotated[bool | None, Query()] = None,
    past_retention: Annotated[bool | None, Query()] = None,
) -> Response:
    """Cases I see, newest first.

    Filtered by state, centre, number, or the worker who carries them; ``none`` are the open cases
    that nobody carries. Those of ``past_retention`` are deleted by the next run of retention.
    """
    filters: dict[str, Any] = {
        "status": status,
        "centre": centre,
        "worker": worker,
        "legal_hold": legal_hold,
        "past_retention": past_retention,
    }
    if number is not None:
        filters["number"] = read_case_number(number, "number")
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.cases.listed(filters, paging),
        lambda row: render.case_row(row, call.ctx.actor),
    )


@router.get("/cases/{id}", **operation(READ, casefile_responses.Case, refuses=(404,)))
def get_case(id: UUID, call: Caller) -> Response:
    """A case with clocks and referrals.

    Everything of it but the plan, and what the account may do to it now.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.patch(
    "/cases/{id}",
    **operation(WRITE, casefile_responses.CorrectedCase, refuses=(404, 409, 412, 428)),
)
def correct_case(id: UUID, body: si.CorrectCase, call: Caller) -> Response:
    """Put right what the application says.

    Needs ``If-Match``. The former values are kept; the clocks that were counted anew are named.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    given = body.model_dump(exclude_unset=True, exclude={"reason"})
    changes = {
        name: value
        for name, value in given.items()
        if value is not None or name in ("discharge_on", "consent_id")
    }

    def show(reading: Reading, made: Corrected) -> WithETag:
        shown = _shown(call, reading, made.id)
        shown["recounted"] = recounted(made.recounted)
        return shown

    return call.change(
        lambda ctx: correcting.correct_application(ctx, id, changes, body.reason), READ, show
    )


@router.post(
    "/cases/{id}/pre-survey",
    **operation(WRITE, casefile_responses.SurveyedCase, refuses=(404, 409, 412)),
)
def record_pre_survey(id: UUID, body: si.RecordPreSurvey, call: Caller) -> Response:
    """Record the pre-survey; its score decides the route.

    The route ``guidance`` closes the case and needs what the resident was told. Until the
    determination a ``correction`` replaces the answers.
    """
    facts, correction = body.model_dump(exclude={"correction"}), body.correction
    return call.change(
        lambda ctx: (
            intake.record_pre_survey(ctx, id, **facts)
            if correction is None
            else correcting.correct_pre_survey(ctx, id, facts, correction.reason)
        ),
        READ,
        lambda reading, made: render.surveyed(
            reading.cases.get(made), call.ctx.actor, call.ctx.now
        ),
    )


@router.post(
    "/cases/{id}/assessments",
    **operation(
        "assessment.write", casefile_responses.AssessedCase, status=201, refuses=(404, 409, 412)
    ),
)
def record_assessment(id: UUID, body: si.RecordAssessment, call: Caller) -> Response:
    """Record an assessment; the first is the determination.

    In a later state it is a reassessment, which moves nothing. One that ``corrects`` another takes
    its place; the determination is corrected until a plan is submitted.
    """
    finding = Finding(
        **body.model_dump(exclude={"needs", "corrects", "reason"}),
        needs=[need.model_dump(exclude_none=True) for need in body.needs],
    )
    corrects, reason = body.corrects, body.reason or ""
    require(
        corrects is not None or not reason,
        "name the assessment that it corrects",
        code="corrects_required",
        field="corrects",
    )
    return call.change(
        lambda ctx: (
            intake.record_assessment(ctx, id, finding)
            if corrects is None
            else correcting.correct_assessment(ctx, id, corrects, finding, reason)
        ),
        READ,
        lambda reading, made: _assessment(call, reading, made),
    )


def _assessment(call: Call, reading: Reading, made: RecordInCase) -> dict[str, Any]:
    view = reading.cases.get(made.case_id)
    it = next(one for one in view.assessments if one.id == made.id)
    shown = render.case(view, call.ctx.actor, call.ctx.now)
    return render.assessment(it) | {"case": dict(shown)}


@router.post(
    "/cases/{id}/checks",
    **operation(WRITE, casefile_responses.Check, status=201, refuses=(404, 409, 412)),
)
def record_check(id: UUID, body: check_bodies.RecordCheck, call: Caller) -> Response:
    """Record how things go.

    The next check is due within six months, or on an earlier day that is set here. A second check
    of one day needs ``confirm``.
    """
    findings = Findings(**body.model_dump(exclude={"confirm"}))
    return call.change(
        lambda ctx: running.record_check(ctx, id, findings, confirmed=body.confirm),
        READ,
        lambda reading, made: render.check(
            next(one for one in reading.cases.get(made.case_id).checks if one.id == made.id)
        ),
    )


@router.post(
    "/checks/{id}/correct",
    **operation(WRITE, casefile_responses.CorrectedCheck, refuses=(404, 409, 412)),
)
def correct_check(id: UUID, body: check_bodies.CorrectCheck, call: Caller) -> Response:
    """Put a check right.

    It stays between the checks before and after it. The former values are kept with the case; the
    clocks that rest on it are counted anew. ``If-Match`` names the version of the case.
    """
    given = body.model_dump(exclude_unset=True, exclude={"reason"})
    changes = {n: value for n, value in given.items() if value is not None or n == "next_check_on"}
    return call.change(
        lambda ctx: correcting.correct_check(ctx, id, changes, body.reason), READ, _corrected_check
    )


@router.post(
    "/checks/{id}/enter-in-error",
    **operation("case.supervise", casefile_responses.CorrectedCheck, refuses=(404, 409, 412)),
)
def enter_check_in_error(id: UUID, body: check_bodies.EnterCheckInError, call: Caller) -> Response:
    """Say of a case's newest check that it never was.

    It stays to be seen and counts for nothing: the clock that it met runs again, the one that it
    began ends. ``If-Match`` names the version of the case.
    """
    return call.change(
        lambda ctx: correcting.enter_check_in_error(ctx, id, body.reason), READ, _corrected_check
    )


def _corrected_check(reading: Reading, made: CorrectedInCase) -> dict[str, Any]:
    checks = reading.cases.get(made.case_id).checks
    shown = render.check(next(one for one in checks if one.id == made.id))
    return shown | {"recounted": recounted(made.recounted)}


@router.post(
    "/cases/{id}/signals",
    **operation(WRITE, casefile_responses.Signal, status=201, refuses=(404, 409, 412)),
)
def raise_signal(id: UUID, body: RaiseSignal, call: Caller) -> Response:
    """Note that something changed.

    A clock starts on the worker, who must answer.
    """
    return call.change(
        lambda ctx: running.raise_signal(ctx, id, body.kind, body.note),
        READ,
        lambda reading, made: render.signal(reading.cases.signal(made.id), call.ctx.actor),
    )


@router.post(
    "/signals/{id}/answer", **operation(WRITE, casefile_responses.Signal, refuses=(404, 409, 412))
)
def answer_signal(id: UUID, body: check_bodies.AnswerSignal, call: Caller) -> Response:
    """Say what is done about a signal.

    Ends the clock that the signal started.
    """
    return call.change(
        lambda ctx: running.answer_signal(ctx, id, body.note),
        READ,
        lambda reading, made: render.signal(reading.cases.signal(made.id), call.ctx.actor),
    )


@router.post(
    "/cases/{id}/assign",
    **operation("case.supervise", casefile_responses.Case, refuses=(404, 409, 412)),
)
def assign_case(id: UUID, body: check_bodies.AssignCase, call: Caller) -> Response:
    """Give a case to a worker of its centre.

    Its clocks go with it.
    """
    return _change(call, lambda ctx: running.assign_case(ctx, id, body.worker_id))


@router.post(
    "/cases/{id}/close", **operation(WRITE, casefile_responses.Case, refuses=(404, 409, 412))
)
def close_case(id: UUID, body: check_bodies.CloseCase, call: Caller) -> Response:
    """Close a case.

    Open referrals are refused, unless they are to end in the same act. Every clock stops.
    """
    what = body.model_dump(exclude={"end_open_referrals"}) | {"end_open": body.end_open_referrals}
    return _change(call, lambda ctx: running.close_case(ctx, id, dict(what)))
