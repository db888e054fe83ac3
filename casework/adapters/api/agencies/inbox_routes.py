"""An agency's inbox: what it owes, answers to many requests at once, how it has answered."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.agencies import inbox_bodies as s
from casework.adapters.api.agencies import inbox_views as render
from casework.adapters.api.agencies import responses as r
from casework.adapters.api.figures.bodies import OfFigures
from casework.adapters.api.shared.bodies import Code, Due
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.problems import status_of
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import scope_of
from casework.domain.agencies.inbox import check_each_once
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import ONE_DAY, midnight
from casework.domain.clocks.standards import Priority
from casework.domain.errors import Conflict
from casework.workflows.agencies import inbox
from casework.workflows.agencies.inbox import ANSWER, AnswersRefused, ReferralAnswer
from casework.workflows.ports.agencies import InboxFilter
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(prefix="/inbox", tags=["inbox"])
READ, FIGURES = render.READ, "inbox.figures"


def _filters(call: Call, due: str, **filters: Any) -> InboxFilter:
    """The filters, and from when until when it is due."""
    if due in ("all", "overdue"):
        return InboxFilter(**filters, overdue=due == "overdue")
    today = call.ctx.act.today
    until = today + (ONE_DAY if due == "today" else 7 * ONE_DAY)
    return InboxFilter(**filters, due_from=midnight(today), due_before=midnight(until))


@router.get("", **operation(READ, page_of(r.InboxItem)))
def list_inbox(
    call: Caller,
    paged: Paged,
    status: Annotated[s.State | None, Query()] = None,
    due: Annotated[Due, Query()] = "all",
    service: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    priority: Annotated[s.Priority | None, Query()] = None,
) -> Response:
    """What is asked of my agency, first due first.

    Requests to answer, waiting ones to take on, accepted ones to start, reports to give.

    Each as its agency may see it, with the deadline that runs and what may be done.
    """
    filters = _filters(
        call,
        due,
        status=status and ReferralStatus(status),
        service=service,
        centre=centre,
        priority=priority and Priority(priority),
    )
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.inbox.owed(filters, paging),
        render.inbox_item(call.ctx),
    )


@router.post("/answers", **operation(ANSWER, r.AnswerResults, refuses=(409,), is_long=True))
def give_answers(body: s.GiveAnswers, call: Caller) -> Response:
    """Answer up to 100 requests.

    Each by the rules of its single move, with its own result and in its own transaction.

    With ``all_or_nothing`` all are one transaction, and where any is refused (409) none is given.
    """
    answers = [s.answer_of(one) for one in body.answers]
    check_each_once([answer.referral_id for answer in answers])
    return _together(call, answers) if body.all_or_nothing else _one_by_one(call, answers)


def _one_by_one(call: Call, answers: list[ReferralAnswer]) -> Response:
    scope_of(call.ctx.actor, READ)  # or nobody could be shown what was done
    call.once(ANSWER)
    results = {
        answer.referral_id: call.part(
            ANSWER, answer.referral_id, partial(inbox.give_answer, answer=answer)
        )
        for answer in answers
    }
    return call.look(READ, lambda reading: _shown(call, reading, results))


def _together(call: Call, answers: list[ReferralAnswer]) -> Response:
    done: dict[UUID, tuple[int, str | None]] = {one.referral_id: (200, None) for one in answers}
    try:
        return call.change(
            lambda ctx: inbox.give_together(ctx, answers),
            READ,
            lambda reading, _made: _shown(call, reading, done),
        )
    except AnswersRefused as refused:
        results = [
            {"referral_id": id, "status": status_of(why), "code": why.code}
            for id, why in refused.refusals.items()
        ]
        raise Conflict(refused.detail, code=refused.code, results=results) from refused


def _shown(
    call: Call, reading: Reading, results: dict[UUID, tuple[int, str | None]]
) -> dict[str, Any]:
    """The result of each, and its present state as far as the actor sees it."""
    stands = reading.inbox.standing(results)
    return {
        "results": [
            {"referral_id": id, "status": status}
            | ({"code": code} if code else {})
            | render.standing(stands.get(id), call.ctx.actor, call.ctx)
            for id, (status, code) in results.items()
        ]
    }


@router.get("/figures", **operation(FIGURES, r.AgencyFigures))
def get_own_figures(call: Caller, period: OfFigures) -> Response:
    """How my agency has answered.

    Of the requests it received in the period, in all and by service.

    The time is working days, the share is of those that were answered in time or late (unanswered
    ones are late once lapsed).
    """
    return call.look(FIGURES, lambda reading: inbox.agency_figures(call.ctx, reading, period))
