"""Supervision: what is overdue, why a clock shows its date, and what is decided about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Header, Query, Response

from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.bodies import Code
from casework.adapters.api.shared.clock_sentence import sentence
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.supervision import bodies as s
from casework.adapters.api.supervision import responses as r
from casework.adapters.api.supervision import views
from casework.adapters.api.supervision.standard_sentences import recounts_said
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import WithETag, respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.clocks.calendar import end_of, midnight
from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.domain.privacy.masks import as_shown
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.ports.supervision import Concern, OverdueFilter
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.supervision.reviews import review_deadline

router = SubjectRouter(tags=["supervision"])
OVERDUE, REVIEW, READ = "overdue.read", "overdue.review", "deadline.read"
NEW_WITHIN: Final = timedelta(days=7)
UPCOMING: Final = timedelta(days=14)


def since_of(given: datetime | shared.RecentDay | None) -> datetime | None:
    """An instant; a day counts from its midnight."""
    return given if given is None or isinstance(given, datetime) else midnight(given)


@router.get("/overdue", **operation(OVERDUE, page_of(r.OverdueItem)))
def list_overdue(
    call: Caller,
    paged: Paged,
    centre: Annotated[Code | None, Query()] = None,
    worker: Annotated[UUID | None, Query()] = None,
    kind: Annotated[ClockKind | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    held_by: Annotated[shared.Holder | None, Query()] = None,
    tier: Annotated[
        int | None, Query(ge=1, le=9, description="the highest that was raised")
    ] = None,
    answered: Annotated[bool | None, Query(description="reviewed, and nothing since")] = None,
    since: Annotated[
        shared.Instant | shared.RecentDay | None, Query(description="due since")
    ] = None,
    subject: Annotated[Concern | None, Query(description="only what is of care, or not")] = None,
) -> Response:
    """Every overdue deadline in scope.

    Longest overdue first; a filter left out filters nothing.
    """
    filters = OverdueFilter(
        centre=centre,
        worker=worker,
        kind=kind,
        field=field,
        provider=provider,
        held_by=held_by and Part(held_by),
        tier=tier,
        answered=answered,
        since=since_of(since),
        subject=subject,
    )
    lateness = shared_views.Lateness(call.ctx.clockwork, call.ctx.now)
    return call.pages(
        OVERDUE,
        paged,
        lambda reading, paging: reading.worklists.overdue(filters, paging),
        views.overdue_item(lateness, call.ctx.actor),
    )


@router.get("/overdue/summary", **operation(OVERDUE, r.OverdueSummary))
def summarise_overdue(
    call: Caller,
    by: Annotated[shared.GroupedBy, Query()] = "centre",
    since: Annotated[
        shared.Instant | shared.RecentDay | None,
        Query(description="new since; 7 days ago if left out"),
    ] = None,
    subject: Annotated[Concern | None, Query(description="only what is of care, or not")] = None,
) -> Response:
    """What is late, counted.

    Counts, oldest, median working days late and new ones; what falls due in 14 days.
    """
    ctx = call.ctx
    new_since = since_of(since) or ctx.now - NEW_WITHIN
    lateness = shared_views.Lateness(ctx.clockwork, ctx.now)

    def show(reading: Reading) -> dict[str, Any]:
        rows = reading.worklists.overdue_by(by, subject)
        return {
            "by": by,
            "total": sum(row["count"] for row in rows),
            "excused": sum(row["count"] for row in rows if row["excused"]),
            "groups": views.groups(rows, lateness, new_since),
            "cases_without_worker": reading.worklists.cases_without_worker(),
            "upcoming": [
                shared_views.picked(row, "worker_id", "name", "count")
                for row in reading.worklists.falling_due(end_of(ctx.act.today + UPCOMING))
            ],
        }

    return call.look(OVERDUE, show)


def _shown(call: Call, reading: Reading, id: UUID) -> WithETag:
    clock, last_review = reading.deadlines.get(id), reading.deadlines.last_review(id)
    number, body = reading.deadlines.case_number(clock), reading.deadlines.body_name(clock)
    return views.deadline(clock, number, body, last_review, call.ctx.actor, call.ctx.now)


@router.post("/overdue/reviews", **operation(REVIEW, r.ReviewResults, is_long=True))
def review_many(body: s.ReviewDeadlines, call: Caller) -> Response:
    """Decide about up to 100 overdue deadlines.

    Each is a transaction of its own and has a result of its own.
    """
    call.once(REVIEW)
    results = []
    for one in body.reviews:
        verdict = ReviewDecision(**one.model_dump(exclude={"deadline_id"}))
        status, code = call.part(
            REVIEW,
            one.deadline_id,
            partial(review_deadline, deadline_id=one.deadline_id, verdict=verdict),
        )
        results.append(
            {"deadline_id": one.deadline_id, "status": status} | ({"code": code} if code else {})
        )
    return respond({"results": results}, 200)


@router.post(
    "/overdue/{deadline_id}/review", **operation(REVIEW, r.DeadlineDetail, refuses=(404, 409, 412))
)
def review_overdue(deadline_id: UUID, body: s.ReviewDeadline, call: Caller) -> Response:
    """Decide about an overdue deadline.

    Ask again, extend, reassign, redirect or excuse, with a coded cause.
    """
    verdict = ReviewDecision(**body.model_dump())
    return call.change(
        lambda ctx: review_deadline(ctx, deadline_id, verdict),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.get("/deadlines/{id}", **operation(READ, r.DeadlineDetail, refuses=(404,)))
def get_deadline(id: UUID, call: Caller) -> Response:
    """A deadline as it stands.

    With whose it is and what was last decided about it.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.get("/deadlines/{id}/explanation", **operation(READ, r.Explanation, refuses=(404,)))
def explain_deadline(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """Why this date?

    Start, rule, each day left out and why, and the same in one sentence (ko, en).
    """

    def show(reading: Reading) -> WithETag:
        clock = as_shown(reading.deadlines.get(id), call.ctx.actor)
        found = call.ctx.clockwork.explain(clock)
        recounts, language = reading.standards.recounts_of(id), language_of(accept_language)
        said = sentence(found, language) + recounts_said(recounts, language)
        return WithETag(views.explanation(found, recounts, said, call.ctx.actor), clock.stamp)

    return call.look(READ, show)


@router.get(
    "/deadlines/{id}/escalations", **operation(READ, page_of(r.EscalationStep), refuses=(404,))
)
def list_escalations(id: UUID, call: Caller, paged: Paged) -> Response:
    """Who was notified when, and who answered.

    The ledger of one deadline; tier -1 is the reminder, 0 the breach.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.deadlines.ledger(id, paging),
        views.ledger_entry(call.ctx.actor),
    )
