"""Unmet needs: planned services that were not found, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, and_, case, exists, func, literal, or_, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.figures.source_rows import during, place_of, rows_of
from casework.adapters.persistence.scope.who_sees_what import counted
from casework.domain.access.policy import Scope
from casework.domain.casefile.referral_moves import CAME_TO_NOTHING, OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.figures.figures import NO_ANSWER, NOBODY_OFFERS_IT
from casework.domain.figures.questions import Question

# Spelt out, so that both databases' planners match it to the partial index.
_IS_UNMET: Final = text("planned_service.settlement = 'unmet_need'")


def unmet(
    question: Question, scope: Scope, _now: datetime
) -> tuple[Select[Any], Mapping[str, Any]]:
    """Planned services that were not found, by the moment that was said, until taken up again."""
    one, home, request = t.planned_service, t.care_case, t.referral
    again = exists().where(
        request.c.case_id == one.c.case_id,
        request.c.planned_service_id == one.c.id,
        or_(
            request.c.status.in_(sorted(OPEN)),
            and_(
                request.c.status == ReferralStatus.COMPLETED, request.c.ended_at >= one.c.settled_at
            ),
        ),
    )
    why = _why_unmet()
    query = (
        rows_of(
            one,
            one.c.settled_at.label("at"),
            one.c.settled_at,
            one.c.field,
            one.c.service_code,
            why.label("reason"),
            home.c.status.label("case_status"),
            home=home,
        )
        .join(home, home.c.id == one.c.case_id)
        .where(
            counted(home, scope),
            _IS_UNMET,
            during(one.c.settled_at, question.period),
            ~again,
        )
    )
    return query, place_of(home) | {
        "field": one.c.field,
        "service": one.c.service_code,
        "reason": why,
    }


def _why_unmet() -> Any:
    """Why the last request came to nothing, or that there was none."""
    one, request = t.planned_service, t.referral.alias("request")
    last = (
        select(
            case(
                (request.c.status == ReferralStatus.LAPSED, literal(NO_ANSWER)),
                else_=request.c.reason,
            )
        )
        .where(
            request.c.case_id == one.c.case_id,
            request.c.planned_service_id == one.c.id,
            request.c.status.in_(sorted(CAME_TO_NOTHING)),
            request.c.ended_at <= one.c.settled_at,
        )
        .order_by(request.c.ended_at.desc(), request.c.id.desc())
        .limit(1)
        .correlate(one)
        .scalar_subquery()
    )
    return func.coalesce(last, NOBODY_OFFERS_IT)
