"""Supervision: what is overdue, why a clock shows its date, and what is decided about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.bodies import Code
from casework.adapters.api.shared.clock_sentence import sentence
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.supervision import bodies as s
from casework.adapters.api.supervision import views
from casework.adapters.api.supervision.standard_sentences import recounts_said
from casework.adapters.api.supervision.worklist_routes import ITEM
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import WithETag, respond
from casework.adapters.http.route import GuardedRoute
from casework.domain.clocks.calendar import end_of, midnight
from casework.domain.clocks.standards import ClockKind
from casework.domain.privacy.masks import as_told
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.ports.supervision import OverdueFilter
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.supervision.reviews import review_deadline

router = APIRouter(route_class=GuardedRoute, tags=["supervision"])
OVERDUE, REVIEW, READ = "overdue.read", "overdue.review", "deadline.read"
NEW_WITHIN: Final = timedelta(days=7)
UPCOMING: Final = timedelta(days=14)
REVIEWED = {
    "action": "chase",
    "cause": "provider_slow",
    "reason": None,
    "until": "2026-03-31",
    "at": "2026-03-27T10:00:00+09:00",
    "by": "0190…",
}
OVERDUE_ITEM = ITEM | {
    "tier": 2,
    "told": [{"tier": 2, "to": ["supervisor"], "at": "2026-03-27T09:00:00+09:00"}],
    "last_review": None,
    "excused": False,
}
SUMMARY = {
    "by": "centre",
    "total": 31,
    "excused": 2,
    "groups": [
        {
            "key": "2635051000",
            "name": "우1동",
            "count": 31,
            "new": 4,
            "excused": 2,
            "oldest_due_at": "2026-03-02T23:59:59+09:00",
            "median_working_days_late": 3,
        }
    ],
    "cases_without_worker": 1,
    "upcoming": [{"worker_id": "0190…", "name": "…", "count": 12}],
}
DEADLINE = {
    "id": "0190…",
    "kind": "response",
    "held_by": "provider",
    "status": "running",
    "due_at": "2026-03-26T23:59:59+09:00",
    "overdue": True,
    "case_id": "0190…",
    "last_review": REVIEWED,
    "allowed_actions": ["review"],
}
EXPLANATION = {
    "start": "2026-09-22T10:00:00+09:00",
    "rule": "Civil Act 157: the first day is not counted; working days only",
    "basis": "city service target",
    "target": {"amount": 3, "unit": "working_days"},
    "left_out": [{"on": "2026-09-25", "why": "추석"}],
    "pauses": [],
    "extensions": [],
    "standard": {
        "id": "0190…",
        "kind": "response",
        "field": None,
        "service_code": None,
        "priority": None,
        "district_code": None,
        "in_force": True,
    },
    "recounts": [],
    "due_at": "2026-09-29T23:59:59+09:00",
    "sentence": "3 working days from 2026-09-22, leaving out 24–26 September (Chuseok) …",
}
STEP = {
    "tier": 1,
    "due_at": "2026-03-26T23:59:59+09:00",
    "at": "2026-03-27T09:00:00+09:00",
    "raised_at": "2026-03-27T09:00:00+09:00",
    "to": ["worker", "provider"],
    "passed_over": False,
    "quiet": False,
    "review": None,
}


def since_of(given: datetime | shared.RecentDay | None) -> datetime | None:
    """An instant; a day counts from its midnight."""
    return given if given is None or isinstance(given, datetime) else midnight(given)


@router.get(
    "/overdue",
    operation_id="list_overdue",
    summary="Every overdue deadline in scope",
    **operation(OVERDUE, {"items": [OVERDUE_ITEM], "next_cursor": None}),
)
def list_overdue(
    call: Caller,
    paged: Paged,
    centre: Annotated[Code | None, Query()] = None,
    worker: Annotated[UUID | None, Query()] = None,
    kind: Annotated[ClockKind | None, Query()] = None,
    field: Annotated[shared.CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    held_by: Annotated[shared.Holder | None, Query()] = None,
    tier: Annotated[int | None, Query(ge=1, le=9, description="the highest that was told")] = None,
    answered: Annotated[bool | None, Query(description="reviewed, and nothing since")] = None,
    since: Annotated[
        shared.Instant | shared.RecentDay | None, Query(description="due since")
    ] = None,
) -> Response:
    """Longest overdue first; a filter left out filters nothing."""
    filters = OverdueFilter(
        centre=centre,
        worker=worker,
        kind=kind,
        field=field,
        provider=provider,
        held_by=held_by,
        tier=tier,
        answered=answered,
        since=since_of(since),
    )
    lateness = shared_views.Lateness(call.ctx.clockwork, call.ctx.now)
    return call.pages(
        OVERDUE,
        paged,
        lambda reading, paging: reading.worklists.overdue(filters, paging),
        views.overdue_item(lateness, call.ctx.actor),
    )


@router.get(
    "/overdue/summary",
    operation_id="summarise_overdue",
    summary="What is late, counted",
    **operation(OVERDUE, SUMMARY),
)
def summarise_overdue(
    call: Caller,
    by: Annotated[shared.GroupedBy, Query()] = "centre",
    since: Annotated[
        shared.Instant | shared.RecentDay | None,
        Query(description="new since; 7 days ago if left out"),
    ] = None,
) -> Response:
    """Counts, oldest, median working days late and new ones; what falls due in 14 days."""
    ctx = call.ctx
    new_since = since_of(since) or ctx.now - NEW_WITHIN
    lateness = shared_views.Lateness(ctx.clockwork, ctx.now)

    def show(reading: Reading) -> dict[str, Any]:
        rows = reading.worklists.overdue_by(by)
        return {
            "by": by,
            "total": len(rows),
            "excused": sum(bool(row["excused"]) for row in rows),
            "groups": views.groups(rows, lateness, new_since),
            "cases_without_worker": reading.worklists.cases_without_worker(),
            "upcoming": [
                shared_views.picked(row, "worker_id", "name", "count")
                for row in reading.worklists.falling_due(end_of(ctx.act.today + UPCOMING))
            ],
        }

    return call.look(OVERDUE, show)


def _shown(call: Call, reading: Reading, id: UUID) -> WithETag:
    return views.deadline(
        reading.deadlines.get(id), reading.deadlines.last_review(id), call.ctx.actor, call.ctx.now
    )


@router.post(
    "/overdue/reviews",
    operation_id="review_many",
    summary="Decide about up to 100 overdue deadlines",
    **operation(
        REVIEW,
        {
            "results": [
                {"deadline_id": "0190…", "status": 200},
                {"deadline_id": "0190…", "status": 409, "code": "not_overdue"},
            ]
        },
        is_long=True,
    ),
)
def review_many(body: s.ReviewDeadlines, call: Caller) -> Response:
    """Each is a transaction of its own and has a result of its own."""
    call.once(REVIEW, {})
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
    "/overdue/{deadline_id}/review",
    operation_id="review_overdue",
    summary="Decide about an overdue deadline",
    **operation(REVIEW, DEADLINE, refuses=(404, 409, 412)),
)
def review_overdue(deadline_id: UUID, body: s.ReviewDeadline, call: Caller) -> Response:
    """Ask again, extend, reassign, redirect or excuse, with a coded cause."""
    verdict = ReviewDecision(**body.model_dump())
    return call.change(
        lambda ctx: review_deadline(ctx, deadline_id, verdict),
        READ,
        lambda reading, resource: _shown(call, reading, resource["id"]),
    )


@router.get(
    "/deadlines/{id}",
    operation_id="get_deadline",
    summary="A deadline as it stands",
    **operation(READ, DEADLINE, refuses=(404,)),
)
def get_deadline(id: UUID, call: Caller) -> Response:
    """With whose it is and what was last decided about it."""
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.get(
    "/deadlines/{id}/explanation",
    operation_id="explain_deadline",
    summary="Why this date?",
    **operation(READ, EXPLANATION, refuses=(404,)),
)
def explain_deadline(
    id: UUID, call: Caller, accept_language: Annotated[str | None, Header()] = None
) -> Response:
    """Start, rule, each day left out and why, and the same in one sentence (ko, en)."""

    def show(reading: Reading) -> WithETag:
        clock = as_told(reading.deadlines.get(id), call.ctx.actor)
        found = call.ctx.clockwork.explain(clock)
        recounts, language = reading.standards.recounts_of(id), language_of(accept_language)
        said = sentence(found, language) + recounts_said(recounts, language)
        return WithETag(views.explanation(found, recounts, said, call.ctx.actor), clock.stamp)

    return call.look(READ, show)


@router.get(
    "/deadlines/{id}/escalations",
    operation_id="list_escalations",
    summary="Who was told when, and who answered",
    **operation(READ, {"items": [STEP], "next_cursor": None}, refuses=(404,)),
)
def list_escalations(id: UUID, call: Caller, paged: Paged) -> Response:
    """The ledger of one deadline; tier -1 is the reminder, 0 the breach."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.deadlines.ledger(id, paging),
        views.ledger_entry(call.ctx.actor),
    )
