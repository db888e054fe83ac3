"""The audit: who saw whom, whom an account's looks affected, and the monthly review."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from casework.adapters.api.audit import bodies as s
from casework.adapters.api.audit import views as render
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import respond
from casework.adapters.http.route import GuardedRoute
from casework.domain.clocks.calendar import ONE_DAY, midnight
from casework.domain.errors import Invalid, require
from casework.domain.figures.figures import Month
from casework.workflows.audit import trail

router = APIRouter(route_class=GuardedRoute, prefix="/audit", tags=["audit"])
READ, REVIEW = trail.READ, trail.REVIEW
ENTRY = {
    "id": "0190…",
    "at": "2026-03-27T10:00:00+09:00",
    "actor_id": "0190…",
    "actor": "worker.2635051000",
    "role": "worker",
    "action": "case.read",
    "task": "GET /residents/{id}",
    "subjects": ["0190…"],
    "asked_for": "0190…",
    "outcome": "ok",
    "code": None,
    "source": "10.0.0.7",
    "request_id": "0190…",
    "chain": "26350",
}
AFFECTED = {
    "resident_id": "0190…",
    "entries": 12,
    "first_at": "2026-03-02T10:00:00+09:00",
    "last_at": "2026-03-27T10:00:00+09:00",
    "actions": ["case.read", "referral.read"],
}
SUMMARY = {
    "id": "0190…",
    "username": "worker.2635051000",
    "role": "worker",
    "district_code": "26350",
    "entries": 812,
    "residents": 61,
    "refused": 3,
    "failed": 0,
    "out_of_hours": 9,
    "exports": 1,
    "break_glass": 0,
}
REVIEWED = {
    "id": "0190…",
    "month": "2026-03",
    "chain": "26350",
    "account": None,
    "left_out": None,
    "entries": 18_220,
    "findings": "…",
    "measures": None,
    "reviewed_at": "2026-04-02T10:00:00+09:00",
    "reviewer": "auditor",
}
OWED = {"month": "2026-03", "chain": "26350", "account": None}
# User names and ids of accounts; names of actions.
NAME = r"^[a-z0-9][a-z0-9._@+-]{1,119}$"
ACTION = r"^[a-z][a-z_.]{0,59}$"
Username = Annotated[str | None, Query(max_length=120, pattern=NAME)]
From = Annotated[
    str | None, Query(alias="from", max_length=40, description="a day, or an instant; included")
]
To = Annotated[
    str | None,
    Query(alias="to", max_length=40, description="a day, included, or an instant, excluded"),
]


def _moment(text: str | None, field: str, *, until: bool = False) -> datetime | None:
    """A day in Seoul, as a last one to its end, or an instant with its offset."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"(19|20|21)\d\d-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            return midnight(day + ONE_DAY if until else day)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 1900 < found.year < 2200:
            return found
    except ValueError:
        pass
    raise Invalid("a day, or an instant of RFC 3339 with its offset", field=field)


def _period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    first, last = _moment(since, "from"), _moment(until, "to", until=True)
    require(
        first is None or last is None or first <= last,
        "it lies before `from`",
        code="ends_before_start",
        field="to",
    )
    return first, last


@router.get(
    "",
    operation_id="list_audit",
    summary="Who did what about whom, newest first",
    **operation(READ, {"items": [ENTRY], "next_cursor": None}),
)
def list_audit(
    call: Caller,
    paged: Paged,
    subject: Annotated[UUID | None, Query(description="a resident, or an id asked in vain")] = None,
    actor: Username = None,
    since: From = None,
    until: To = None,
    action: Annotated[str | None, Query(max_length=60, pattern=ACTION)] = None,
    outcome: Annotated[Literal["ok", "refused", "failed"] | None, Query()] = None,
) -> Response:
    """Ids and codes, nobody's name but the account's. Looking here is an entry too."""
    first, last = _period(since, until)
    filters = {
        "subject": subject,
        "actor": actor,
        "since": first,
        "until": last,
        "action": action,
        "outcome": outcome,
    }
    return call.pages(
        READ, paged, lambda reading, paging: reading.audit.entries(filters, paging), render.entry
    )


@router.get(
    "/affected",
    operation_id="list_affected",
    summary="Everybody an account saw or changed in a period",
    **operation(READ, {"items": [AFFECTED], "next_cursor": None}),
)
def list_affected(
    call: Caller,
    paged: Paged,
    actor: Annotated[
        str, Query(max_length=120, pattern=NAME, description="user name, or id of an account")
    ],
    since: From = None,
    until: To = None,
) -> Response:
    """Each resident once: how often, first and last, by which actions."""
    first, last = _period(since, until)
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.audit.affected(actor, first, last or call.ctx.now, paging),
        render.affected,
    )


@router.get(
    "/summary",
    operation_id="get_audit_summary",
    summary="What each account did in a month",
    **operation(READ, {"items": [SUMMARY], "next_cursor": None}),
)
def get_audit_summary(
    call: Caller, paged: Paged, month: Annotated[str, Query(max_length=7)]
) -> Response:
    """Out of hours is before 8, from 20 on, or on a day that is not worked."""
    of = Month.parse(month)
    return call.pages(
        READ,
        paged,
        lambda reading, paging: trail.summary(call.ctx, reading, of, paging),
        render.plain,
    )


@router.post(
    "/reviews",
    operation_id="review_audit",
    summary="Record that a month was reviewed",
    **operation(REVIEW, REVIEWED, status=201, refuses=(409,)),
)
def review_audit(body: s.ReviewMonth, call: Caller) -> Response:
    """Of a chain, without one's own entries, or of another's account."""
    reviewed = trail.Reviewed(**body.model_dump())
    return call.change(
        lambda ctx: trail.record_review(ctx, reviewed),
        READ,
        lambda reading, made: render.review(reading.audit.review(made["id"])),
    )


@router.get(
    "/reviews",
    operation_id="list_audit_reviews",
    summary="Reviews, newest month first",
    **operation(READ, {"items": [REVIEWED], "next_cursor": None}),
)
def list_audit_reviews(
    call: Caller, paged: Paged, month: Annotated[str | None, Query(max_length=7)] = None
) -> Response:
    """Of one month, or all."""
    of = str(Month.parse(month)) if month is not None else None
    return call.pages(
        READ, paged, lambda reading, paging: reading.audit.reviews(of, paging), render.review
    )


@router.get(
    "/reviews/due",
    operation_id="list_audit_reviews_due",
    summary="Months that are over and were not reviewed",
    **operation(READ, {"items": [OWED], "next_cursor": None}),
)
def list_audit_reviews_due(call: Caller) -> Response:
    """Of the last 24, by chain, and accounts that a reviewer had to leave out."""
    with call.ctx.reading(READ) as reading:
        owed = trail.unreviewed(call.ctx, reading)
    return respond({"items": owed, "next_cursor": None}, 200)
