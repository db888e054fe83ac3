"""The audit: who saw whom, whom an account's reads affected, and the monthly review."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.audit import bodies as s
from casework.adapters.api.audit import responses as r
from casework.adapters.api.audit import views as render
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.clocks.calendar import ONE_DAY, midnight
from casework.domain.errors import Invalid, require
from casework.domain.figures.figures import Month
from casework.workflows.audit import trail

router = SubjectRouter(prefix="/audit", tags=["audit"])
READ, REVIEW = trail.READ, trail.REVIEW
# User names and ids of accounts; names of actions.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{1,119}$"
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


@router.get("", **operation(READ, page_of(r.AuditEntry)))
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
    """Who did what about whom, newest first.

    Ids and codes, nobody's name but the account's. Looking here is an entry too.
    """
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


@router.get("/affected", **operation(READ, page_of(r.AffectedResident), may_be_stale=True))
def list_affected(
    call: Caller,
    paged: Paged,
    actor: Annotated[
        str, Query(max_length=120, pattern=NAME, description="user name, or id of an account")
    ],
    since: From = None,
    until: To = None,
) -> Response:
    """Everybody an account saw or changed in a period.

    Each resident once: how often, first and last, by which actions.
    """
    first, last = _period(since, until)
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.audit.affected(actor, first, last or call.ctx.now, paging),
        render.affected,
    )


@router.get("/summary", **operation(READ, page_of(r.AuditSummary), may_be_stale=True))
def get_audit_summary(
    call: Caller,
    paged: Paged,
    month: Annotated[str, Query(max_length=7)],
    before: Annotated[
        str | None, Query(max_length=40, description="an instant; only what was before it")
    ] = None,
) -> Response:
    """What each account did in a month.

    The unusual first: by break-glass access, exports, out of hours, refused and failed. An account
    that did nothing is left out.

    Out of hours is before 8, from 20 on, or on a day that is not worked.

    At most 100,000 entries are counted at once, the newest; ``counted_from`` says from when on.
    What came earlier is asked for with ``before``.
    """
    of, last = Month.parse(month), _moment(before, "before")
    return call.pages(
        READ,
        paged,
        lambda reading, paging: trail.summary(call.ctx, reading, of, last, paging),
        render.summary,
    )


@router.post("/reviews", **operation(REVIEW, r.AuditReview, status=201, refuses=(409,)))
def review_audit(body: s.ReviewMonth, call: Caller) -> Response:
    """Record that a month was reviewed.

    Of a chain, without one's own entries, or of another's account.
    """
    reviewed = trail.Reviewed(**body.model_dump())
    return call.change(
        lambda ctx: trail.record_review(ctx, reviewed),
        READ,
        lambda reading, made: render.review(reading.audit.review(made)),
    )


@router.get("/reviews", **operation(READ, page_of(r.AuditReview)))
def list_audit_reviews(
    call: Caller, paged: Paged, month: Annotated[str | None, Query(max_length=7)] = None
) -> Response:
    """Reviews, newest month first.

    Of one month, or all.
    """
    of = str(Month.parse(month)) if month is not None else None
    return call.pages(
        READ, paged, lambda reading, paging: reading.audit.reviews(of, paging), render.review
    )


@router.get("/reviews/due", **operation(READ, page_of(r.AuditReviewDue)))
def list_audit_reviews_due(call: Caller) -> Response:
    """Months that are over and were not reviewed.

    Of the last 24, by chain, and accounts that a reviewer had to leave out.
    """
    with call.ctx.reading(READ) as reading:
        owed = trail.unreviewed(call.ctx, reading)
    return respond({"items": owed, "next_cursor": None}, 200)
