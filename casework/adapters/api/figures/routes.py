"""Figures: counts, shares and medians, closed months, what was not found, and time by holder."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from casework.adapters.api.figures import bodies as f
from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.bodies import Code, EmptyBody
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.route import GuardedRoute
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases.time_spent import time_spent
from casework.domain.clocks.standards import PLANNED_SERVICE, REFERRAL, ClockKind
from casework.domain.figures.figures import Figure, Month
from casework.domain.figures.questions import Question, in_reach
from casework.domain.privacy.masks import sees_clock
from casework.workflows.figures import figures
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["figures"])
READ, OPEN, CLOSE = "figures.read", "figures.open", "figures.close"
CLOCKS = {
    "kind": "response",
    "held_by": "provider",
    "ended": 40,
    "on_time": 33,
    "late": 7,
    "excused": 1,
    "cancelled_late": 2,
    "running": 12,
    "overdue": 3,
    "on_time_share": 0.825,
    "median_working_days": 2.0,
    "p90_working_days": 5,
}
PARTS = {
    "applications": 31,
    "plans": {"submitted": 25, "approved": 22, "returned": 3},
    "referrals": [{"field": "care", "status": "in_progress", "count": 18}],
    "clocks": [CLOCKS],
    "holders": [
        {
            "held_by": "provider",
            "ended": 61,
            "working_days": 190,
            "on_time_share": 0.8525,
            "median_working_days": 3.0,
            "p90_working_days": 7,
        }
    ],
    "causes": [{"cause": "provider_slow", "count": 6}],
    "unmet_needs": [
        {"field": "medical", "service": "MED-VISIT", "reason": "at_capacity", "count": 5}
    ],
    "people_served": 57,
}
ANSWER = {
    "from": "2026-03-01",
    "to": "2026-03-31",
    "as_of": "2026-04-02T09:00:00+09:00",
    "scope": {
        "district": "26350",
        "centre": None,
        "field": None,
        "provider": None,
        "under_five_hidden": False,
    },
    "by": None,
} | PARTS
CORRECTION = {"figure": "applications", "frozen": 31, "now": 32, "difference": 1}
CLOSED = {
    "month": "2026-03",
    "district": "26350",
    "closed_at": "2026-04-02T09:00:00+09:00",
    "closed_by": "0190…",
}
UNMET = {
    "planned_service_id": "0190…",
    "case_id": "0190…",
    "case_status": "supported",
    "service_code": "MED-VISIT",
    "field": "medical",
    "centre_code": "2635051000",
    "reason": "at_capacity",
    "since": "2026-03-20T10:00:00+09:00",
}
TIME = {
    "from": "2026-03-03",
    "to": "2026-04-02",
    "days": 30,
    "by_holder": [{"held_by": "worker", "days": 9, "working_days": 7}],
    "shared": 0,
    "paused": 4,
    "nobody": 3,
}


@router.get(
    "/figures",
    operation_id="get_figures",
    summary="Counts, on-time shares and times, within scope",
    **operation(READ, ANSWER, refuses=(404,)),
)
def get_figures(
    call: Caller,
    period: f.OfFigures,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    field: Annotated[shared.CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    by: Annotated[f.GroupedBy | None, Query(description="the same in groups as well")] = None,
) -> Response:
    """A part that the filter or the grouping cannot tell is null. For the city a count under
    five is null. Running and overdue are of now, whatever the period.
    """
    period.check(by_month=by == "month")
    asked = Question(
        period=period, by=by, district=district, centre=centre, field=field, provider=provider
    )
    return call.look(READ, lambda reading: _shown(figures.figures(call.ctx, reading, asked)))


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    instants = {k: shared_views.instant(answer[k]) for k in ("as_of", "closed_at") if k in answer}
    return answer | instants


@router.get(
    "/figures/cases",
    operation_id="open_figure",
    summary="The cases behind a number",
    **operation(
        OPEN,
        {
            "items": [
                {
                    "case_id": "0190…",
                    "resident_id": "0190…",
                    "centre_code": "2635051000",
                    "subject": {"type": "deadline", "id": "0190…"},
                }
            ],
            "next_cursor": None,
        },
        refuses=(404,),
    ),
)
def open_figure(
    call: Caller,
    paged: Paged,
    period: f.OfFigures,
    figure: Annotated[Figure, Query(description="which number")],
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    field: Annotated[shared.CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    kind: Annotated[ClockKind | None, Query()] = None,
    held_by: Annotated[shared.Holder | None, Query()] = None,
    status: Annotated[ReferralStatus | None, Query(description="of referrals")] = None,
    cause: Annotated[shared.Cause | None, Query(description="of causes")] = None,
    service: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query(description="of unmet needs")] = None,
) -> Response:
    """One row for each that was counted. A filter the figure cannot be told by is refused."""
    asked = Question(
        period=period,
        district=district,
        centre=centre,
        field=field,
        provider=provider,
        kind=kind,
        held_by=held_by,
        status=status,
        cause=cause,
        service=service,
        reason=reason,
    )

    def show(row: Row) -> dict[str, Any]:
        return {
            "case_id": row["case_id"],
            "resident_id": row["resident_id"],
            "centre_code": row["centre_code"],
            "subject": {"type": _SUBJECTS.get(figure, "deadline"), "id": row["id"]},
        }

    return call.pages(
        OPEN,
        paged,
        lambda reading, paging: reading.figures.behind(
            figure, in_reach(asked, reading.reach, reading.figures), paging
        ),
        show,
    )


_SUBJECTS = {
    Figure.APPLICATIONS: "case",
    Figure.PLANS_SUBMITTED: "plan_version",
    Figure.PLANS_APPROVED: "plan_version",
    Figure.PLANS_RETURNED: "plan_version",
    Figure.REFERRALS: REFERRAL,
    Figure.UNMET_NEEDS: PLANNED_SERVICE,
    Figure.PEOPLE_SERVED: "resident",
}


@router.get(
    "/figures/months",
    operation_id="list_closed_months",
    summary="Which months are closed",
    **operation(READ, {"items": [CLOSED], "next_cursor": None}),
)
def list_closed_months(call: Caller, paged: Paged) -> Response:
    """Newest first: of the own district, or for agencies and the city of all."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.figures.closed_months(paging),
        lambda row: {
            "month": row["month"],
            "district": row["district_code"],
            "closed_at": shared_views.instant(row["closed_at"]),
            "closed_by": row["closed_by"],
        },
    )


@router.get(
    "/figures/months/{month}",
    operation_id="get_closed_month",
    summary="A closed month, as it was frozen, and what came later",
    **operation(READ, CLOSED | PARTS | {"corrections": [CORRECTION]}, refuses=(404,)),
)
def get_closed_month(
    month: str, call: Caller, district: Annotated[Code | None, Query()] = None
) -> Response:
    """404 while the month is not closed. Agencies and the city name the district."""
    which = Month.parse(month)
    return call.look(
        READ,
        lambda reading: _shown(figures.closed_month(call.ctx, reading, which, district)),
    )


@router.post(
    "/figures/months/{month}/close",
    operation_id="close_month",
    summary="Freeze the figures of a month",
    **operation(CLOSE, CLOSED | PARTS | {"corrections": []}, status=201, refuses=(409,)),
)
def close_month(month: str, body: EmptyBody, call: Caller) -> Response:
    """Of the own district. What is entered later shows as a correction beside them."""
    which = Month.parse(month)
    return call.change(
        lambda ctx: figures.close_month(ctx, which),
        READ,
        lambda reading, _made: _shown(figures.closed_month(call.ctx, reading, which, None)),
    )


@router.get(
    "/unmet-needs",
    operation_id="list_unmet_needs",
    summary="What was wanted and not found",
    **operation("unmet.read", {"items": [UNMET], "next_cursor": None}, refuses=(404,)),
)
def list_unmet_needs(
    call: Caller,
    paged: Paged,
    period: f.OfRegister,
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[shared.CareField | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query()] = None,
) -> Response:
    """The register, newest first, without what was taken up again."""
    asked = Question(
        period=period,
        service=service,
        field=field,
        district=district,
        centre=centre,
        reason=reason,
    )
    return call.pages(
        "unmet.read",
        paged,
        lambda reading, paging: reading.figures.unmet_needs(
            in_reach(asked, reading.reach, reading.figures), paging
        ),
        lambda row: {
            "planned_service_id": row["id"],
            "case_id": row["case_id"],
            "case_status": row["case_status"],
            "service_code": row["service_code"],
            "field": row["field"],
            "centre_code": row["centre_code"],
            "reason": row["reason"],
            "since": shared_views.instant(row["settled_at"]),
        },
    )


@router.get(
    "/unmet-needs/summary",
    operation_id="summarise_unmet_needs",
    summary="What was wanted and not found, counted",
    **operation(
        "unmet.count",
        {
            "by": "service",
            "from": "2026-01-01",
            "to": "2026-03-31",
            "total": 12,
            "groups": [
                {
                    "key": "MED-VISIT",
                    "name": "방문진료",
                    "count": 12,
                    "oldest_since": "2026-01-07T10:00:00+09:00",
                }
            ],
        },
        refuses=(404,),
    ),
)
def summarise_unmet_needs(
    call: Caller,
    period: f.OfRegister,
    by: Annotated[f.UnmetBy, Query()] = "service",
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[shared.CareField | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query()] = None,
) -> Response:
    """Most frequent first. The city asks of all, and sees no count under five."""
    asked = Question(
        period=period,
        service=service,
        field=field,
        district=district,
        centre=centre,
        reason=reason,
    )

    def show(reading: Reading) -> dict[str, Any]:
        found = figures.unmet_summary(reading, asked, by)
        groups = [
            one | {"oldest_since": shared_views.instant(one["oldest_since"])}
            for one in found["groups"]
        ]
        return found | {"groups": groups}

    return call.look("unmet.count", show)


@router.get(
    "/cases/{id}/time",
    operation_id="case_time",
    summary="How the days of a case were spent, by holder",
    **operation("case.read", TIME, refuses=(404,)),
)
def case_time(id: UUID, call: Caller) -> Response:
    """Days after the application until the closing, or today; whom each was waited for."""

    def show(reading: Reading) -> dict[str, Any]:
        file = reading.files.whole(id)
        calendar = call.ctx.clockwork.calendar_of(file.case.district_code)
        clocks = [one for one in file.deadlines.values() if sees_clock(call.ctx.actor, one)]
        spent = time_spent(file.case, clocks, calendar, call.ctx.act.today)
        return {
            "from": spent.since,
            "to": spent.until,
            "days": spent.days,
            "by_holder": [
                {"held_by": holder, "days": days, "working_days": working}
                for holder, (days, working) in spent.holders.items()
            ],
            "shared": spent.shared,
            "paused": spent.paused,
            "nobody": spent.nobody,
        }

    return call.look("case.read", show)
