"""Figures: counts, shares and medians, closed months, what was not found, and time by holder."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.figures import bodies as f
from casework.adapters.api.figures import responses as r
from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.bodies import Code, EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.routers import SubjectRouter
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases.time_spent import time_spent
from casework.domain.clocks.standards import PLANNED_SERVICE, REFERRAL, CareField, ClockKind, Part
from casework.domain.figures.figures import Figure, Month
from casework.domain.figures.questions import Question, within_scope
from casework.domain.privacy.masks import sees_clock
from casework.workflows.figures import figures
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["figures"])
READ, OPEN, CLOSE = "figures.read", "figures.open", "figures.close"


@router.get("/figures", **operation(READ, r.Figures, refuses=(404,), may_be_stale=True))
def get_figures(
    call: Caller,
    period: f.OfFigures,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    by: Annotated[f.GroupedBy | None, Query(description="the same in groups as well")] = None,
) -> Response:
    """Counts, on-time shares and times, within scope.

    A part that the filter or the grouping cannot tell is null.

    The city is told multiples of five, and null where nothing is shown: every number is a sum of
    published cells, of two figures that count the same it is told one, and no times. Running and
    overdue are of now, whatever the period; what runs is null for the city.
    """
    period.check(by_month=by == "month")
    question = Question(
        period=period, by=by, district=district, centre=centre, field=field, provider=provider
    )
    return call.look(READ, lambda reading: _shown(figures.figures(call.ctx, reading, question)))


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    instants = {k: shared_views.instant(answer[k]) for k in ("as_of", "closed_at") if k in answer}
    return answer | instants


@router.get(
    "/figures/cases",
    **operation(OPEN, page_of(r.CountedSubject), refuses=(404,), may_be_stale=True),
)
def open_figure(
    call: Caller,
    paged: Paged,
    period: f.OfFigures,
    figure: Annotated[Figure, Query(description="which number")],
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    kind: Annotated[ClockKind | None, Query()] = None,
    held_by: Annotated[shared.Holder | None, Query()] = None,
    status: Annotated[ReferralStatus | None, Query(description="of referrals")] = None,
    cause: Annotated[shared.Cause | None, Query(description="of causes")] = None,
    service: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query(description="of unmet needs")] = None,
) -> Response:
    """The cases behind a number.

    One row for each that was counted. A filter that the figure cannot be counted by is refused.
    """
    question = Question(
        period=period,
        district=district,
        centre=centre,
        field=field,
        provider=provider,
        kind=kind,
        held_by=held_by and Part(held_by),
        status=status,
        cause=cause,
        service=service,
        reason=reason,
    )

    def show(row: Row) -> dict[str, Any]:
        return {
            "case_id": row["case_id"],
            "case_number": row["case_number"],
            "resident_id": row["resident_id"],
            "centre_code": row["centre_code"],
            "subject": {"type": _SUBJECTS.get(figure, "deadline"), "id": row["id"]},
        }

    return call.pages(
        OPEN,
        paged,
        lambda reading, paging: reading.figures.behind(
            figure, within_scope(question, reading.scope, reading.figures), paging
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


@router.get("/figures/months", **operation(READ, page_of(r.ClosedMonthRow), may_be_stale=True))
def list_closed_months(call: Caller, paged: Paged) -> Response:
    """Which months are closed.

    Newest first: of the own district, or for agencies and the city of all.
    """
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
    "/figures/months/{month}", **operation(READ, r.ClosedMonth, refuses=(404,), may_be_stale=True)
)
def get_closed_month(
    month: str, call: Caller, district: Annotated[Code | None, Query()] = None
) -> Response:
    """A closed month, as it was frozen, and what came later.

    404 while the month is not closed. Agencies and the city name the district.
    """
    which = Month.parse(month)
    return call.look(
        READ,
        lambda reading: _shown(figures.closed_month(call.ctx, reading, which, district)),
    )


@router.post(
    "/figures/months/{month}/close", **operation(CLOSE, r.ClosedMonth, status=201, refuses=(409,))
)
def close_month(month: str, body: EmptyBody, call: Caller) -> Response:
    """Freeze the figures of a month.

    Of the own district. What is entered later shows as a correction beside them.
    """
    which = Month.parse(month)
    return call.change(
        lambda ctx: figures.close_month(ctx, which),
        READ,
        lambda reading, _made: _shown(figures.closed_month(call.ctx, reading, which, None)),
    )


@router.get(
    "/unmet-needs",
    **operation("unmet.read", page_of(r.UnmetNeed), refuses=(404,), may_be_stale=True),
)
def list_unmet_needs(
    call: Caller,
    paged: Paged,
    period: f.OfRegister,
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query()] = None,
) -> Response:
    """What was wanted and not found.

    The register, newest first, without what was taken up again.
    """
    question = Question(
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
            within_scope(question, reading.scope, reading.figures), paging
        ),
        lambda row: {
            "planned_service_id": row["id"],
            "case_id": row["case_id"],
            "case_number": row["case_number"],
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
    **operation("unmet.count", r.UnmetNeedSummary, refuses=(404,), may_be_stale=True),
)
def summarise_unmet_needs(
    call: Caller,
    period: f.OfRegister,
    by: Annotated[f.UnmetBy, Query()] = "service",
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    centre: Annotated[Code | None, Query()] = None,
    reason: Annotated[f.UnmetReason | None, Query()] = None,
) -> Response:
    """What was wanted and not found, counted.

    Most frequent first. The city asks of all, and is told sums of published cells.
    """
    question = Question(
        period=period,
        service=service,
        field=field,
        district=district,
        centre=centre,
        reason=reason,
    )

    def show(reading: Reading) -> dict[str, Any]:
        found = figures.unmet_summary(call.ctx, reading, question, by)
        groups = [
            one | {"oldest_since": shared_views.instant(one["oldest_since"])}
            for one in found["groups"]
        ]
        return found | {"groups": groups}

    return call.look("unmet.count", show)


@router.get("/cases/{id}/time", **operation("case.read", r.CaseTime, refuses=(404,)))
def case_time(id: UUID, call: Caller) -> Response:
    """How the days of a case were spent, by holder.

    Days after the application until the closing, or today; whom each was waited for.
    """

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
