"""What is counted, figure by figure: one SELECT each, for the count and for the list behind it.

Every one has the columns ``id``, ``case_id``, ``resident_id``, ``centre_code``, ``district_code``
and the filters of its question, so that a number and the cases behind it cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    null,
    or_,
    select,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_RUNNING, is_overdue
from casework.adapters.persistence.figures.source_rows import during, place_of, rows_of
from casework.adapters.persistence.figures.unmet_source import unmet
from casework.adapters.persistence.scope.who_sees_what import counted
from casework.domain.access.policy import Scope
from casework.domain.casefile.plan import PlanDecision
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import Invalid
from casework.domain.figures.figures import OUTCOMES, Figure, Period
from casework.domain.figures.questions import Question

FILTERS: Final = (
    "district", "centre", "field", "provider", "kind", "held_by", "status", "cause",
    "service", "reason",
)  # fmt: skip
Columns = Mapping[str, Any]


def source(figure: Figure, question: Question, scope: Scope, now: datetime) -> Select[Any]:
    """The rows that a figure counts."""
    if figure is Figure.PEOPLE_SERVED:
        return _people(question, scope)
    if figure in OUTCOMES:
        query, columns = ended_clocks(question, scope)
        query = query.where(outcome_of_clock() == figure.value)
    elif figure is Figure.ENTERED_LATE:
        query, columns = ended_clocks(question, scope)
        query = query.where(outcome_of_clock().is_not(None), t.deadline.c.acted_on.is_not(None))
    else:
        query, columns = _SOURCES[figure](question, scope, now)
    return filtered(query, columns, question)


def filtered(query: Select[Any], columns: Columns, question: Question) -> Select[Any]:
    """Only what the question selects; refuses a filter that the figure does not support."""
    for name in FILTERS:
        value = getattr(question, name)
        if value is None:
            continue
        if name not in columns:
            raise Invalid("this figure cannot be counted by it", code="not_told_by", field=name)
        query = query.where(columns[name] == value)
    return query


# Applications and plans


def applications(question: Question, scope: Scope, _now: datetime) -> tuple[Select[Any], Columns]:
    """Applications by the day on which they were made."""
    one, period = t.care_case, question.period
    query = rows_of(one, one.c.applied_on.label("on")).where(
        counted(one, scope), one.c.applied_on.between(period.since, period.until)
    )
    return query, place_of(one)


def _plans(
    decision: PlanDecision | None,
) -> Callable[[Question, Scope, datetime], tuple[Select[Any], Columns]]:
    """Versions by their submission, or by the day of the decision."""

    def rows(question: Question, scope: Scope, _now: datetime) -> tuple[Select[Any], Columns]:
        version, home, period = t.plan_version, t.care_case, question.period
        if decision is None:
            query = rows_of(version, version.c.submitted_at.label("at"), home=home)
            query = query.join(home, home.c.id == version.c.case_id)
            query = query.where(during(version.c.submitted_at, period))
        else:
            query = rows_of(version, version.c.decided_on.label("on"), home=home)
            query = query.join(home, home.c.id == version.c.case_id).where(
                version.c.decision == decision,
                version.c.decided_on.between(period.since, period.until),
            )
        return query.where(counted(home, scope)), place_of(home)

    return rows


# Referrals and the people they serve


def state_of_referral(period: Period, now: datetime) -> Any:
    """Where a referral stood when the period was over: ``state_on`` of the domain, in SQL."""
    one, today = t.referral, day_in_seoul(now)
    if period.until >= today:
        return one.c.status
    ended = and_(
        one.c.status.not_in(sorted(OPEN)),
        or_(
            one.c.ended_on <= period.until,
            and_(one.c.ended_on.is_(None), one.c.ended_at < period.ends),
        ),
    )
    return case(
        (or_(one.c.status == ReferralStatus.ENTERED_IN_ERROR, ended), one.c.status),
        (one.c.started_on <= period.until, ReferralStatus.IN_PROGRESS.value),
        (
            and_(one.c.accepted_at.is_not(None), one.c.answered_on <= period.until),
            ReferralStatus.ACCEPTED.value,
        ),
        (_waits_since(period), ReferralStatus.WAITLISTED.value),
        else_=ReferralStatus.REQUESTED.value,
    )


def _waits_since(period: Period) -> ColumnElement[bool]:
    """Whether it was answered in the period: the first answer, where a later one accepted it."""
    one = t.referral
    later = and_(one.c.accepted_at.is_not(None), one.c.accepted_at != one.c.answered_at)
    return case((later, one.c.answered_at < period.ends), else_=one.c.answered_on <= period.until)


def referrals(question: Question, scope: Scope, now: datetime) -> tuple[Select[Any], Columns]:
    """Referrals by the moment they were sent; a draft was not sent yet."""
    one = t.referral
    state = state_of_referral(question.period, now)
    query = rows_of(
        one,
        one.c.requested_at.label("at"),
        one.c.field,
        one.c.provider_id,
        state.label("state"),
        *one.c["status", "started_on", "accepted_at", "answered_at", "ended_on", "ended_at"],
        one.c.answered_on,
    ).where(counted(one, scope), during(one.c.requested_at, question.period))
    return query, place_of(one) | {
        "field": one.c.field,
        "provider": one.c.provider_id,
        "status": state,
        "service": one.c.service_code,
    }


def was_served(period: Period) -> ColumnElement[bool]:
    """Whether the service of a referral ran on some day of the period."""
    one = t.referral
    return and_(
        one.c.status != ReferralStatus.ENTERED_IN_ERROR,
        one.c.started_on <= period.until,
        or_(
            one.c.ended_at.is_(None),
            one.c.ended_on >= period.since,
            and_(one.c.ended_on.is_(None), one.c.ended_at >= period.begins),
        ),
    )


def served(question: Question, scope: Scope) -> tuple[ColumnElement[bool], Columns]:
    """The condition on referrals that makes somebody a person served."""
    one = t.referral
    columns = place_of(one) | {
        "field": one.c.field,
        "provider": one.c.provider_id,
        "service": one.c.service_code,
    }
    return and_(counted(one, scope), was_served(question.period)), columns


def _people(question: Question, scope: Scope) -> Select[Any]:
    """Everybody served, once each, with the first of the cases in which they were."""
    one, person = t.referral, t.resident
    condition, columns = served(question, scope)
    services = filtered(select(one.c.case_id).where(condition), columns, question).where(
        one.c.resident_id == person.c.id
    )
    first = services.order_by(one.c.id).limit(1).correlate(person).scalar_subquery()
    return select(
        person.c.id.label("id"),
        first.label("case_id"),
        person.c.id.label("resident_id"),
        person.c.centre_code.label("centre_code"),
        person.c.district_code.label("district_code"),
    ).where(services.correlate(person).exists())


# Clocks


def lapsed() -> ColumnElement[bool]:
    """Whether a clock was cancelled because nobody answered its request."""
    return and_(
        t.deadline.c.cancelled_at.is_not(None),
        t.deadline.c.kind.in_([ClockKind.RESPONSE.value, ClockKind.WAITLIST.value]),
        t.referral.c.status == ReferralStatus.LAPSED,
    )


def outcome_of_clock() -> Any:
    """How a clock that ended counts: ``outcome`` of the domain, in SQL; else NULL."""
    clock = t.deadline
    in_vain = and_(clock.c.cancelled_at.is_not(None), ~func.coalesce(lapsed(), false()))
    return case(
        (and_(clock.c.met_at.is_(None), clock.c.cancelled_at.is_(None)), null()),
        (and_(in_vain, clock.c.cancelled_at <= clock.c.due_at), null()),
        (clock.c.excused, Figure.EXCUSED.value),
        (in_vain, Figure.CANCELLED_LATE.value),
        (clock.c.met_at <= clock.c.due_at, Figure.ON_TIME.value),
        else_=Figure.LATE.value,
    )


def _clock_columns() -> dict[str, Any]:
    clock = t.deadline
    return place_of(clock) | {
        "field": clock.c.field,
        "provider": clock.c.provider_id,
        "kind": clock.c.kind,
        "held_by": clock.c.held_by,
        "service": clock.c.service_code,
    }


def _clocks(scope: Scope, *more: Any) -> Select[Any]:
    """Clocks of care, but for those that a request or a check entered in error began."""
    clock, request = t.deadline, t.referral
    return (
        rows_of(clock, *clock.c["kind", "held_by", "field", "provider_id"], *more)
        .outerjoin(request, request.c.id == clock.c.subject_id)
        .where(
            counted(clock, scope),
            clock.c.case_id.is_not(None),
            or_(request.c.id.is_(None), request.c.status != ReferralStatus.ENTERED_IN_ERROR),
            or_(clock.c.cancelled_at.is_(None), clock.c.cancelled_at > clock.c.started_at),
        )
    )


def ended_clocks(question: Question, scope: Scope) -> tuple[Select[Any], Columns]:
    """Clocks by the moment they ended."""
    clock, period = t.deadline, question.period
    ended = or_(during(clock.c.met_at, period), during(clock.c.cancelled_at, period))
    query = _clocks(
        scope,
        *clock.c["started_at", "met_at", "acted_on", "cancelled_at", "due_at", "excused", "pauses"],
        outcome_of_clock().label("outcome"),
        func.coalesce(lapsed(), false()).label("lapsed"),
    ).where(ended)
    return query, _clock_columns()


def running(_question: Question, scope: Scope, _now: datetime) -> tuple[Select[Any], Columns]:
    """Clocks that run now, whatever the period."""
    clock = t.deadline
    return (
        _clocks(scope, clock.c.due_at, clock.c.paused_until).where(IS_RUNNING),
        _clock_columns(),
    )


def overdue(_question: Question, scope: Scope, now: datetime) -> tuple[Select[Any], Columns]:
    """Clocks that are overdue now, by the one predicate, whatever the period."""
    clock = t.deadline
    return (
        _clocks(scope, clock.c.due_at, clock.c.paused_until).where(is_overdue(now)),
        _clock_columns(),
    )


def causes(question: Question, scope: Scope, _now: datetime) -> tuple[Select[Any], Columns]:
    """Clocks that were reviewed in the period, each with the cause that was named last."""
    review, later = t.review, t.review.alias("later")
    period = question.period
    query, columns = reviews(scope)
    query = query.where(
        during(review.c.reviewed_at, period),
        ~exists().where(
            later.c.deadline_id == t.deadline.c.id,
            later.c.reviewed_at < period.ends,
            or_(
                later.c.reviewed_at > review.c.reviewed_at,
                and_(later.c.reviewed_at == review.c.reviewed_at, later.c.id > review.c.id),
            ),
        ),
    )
    return query, columns


def reviews(scope: Scope) -> tuple[Select[Any], Columns]:
    """Every review of a clock, with the cause that it names."""
    clock, review = t.deadline, t.review
    query = _clocks(
        scope, review.c.reviewed_at.label("at"), review.c.cause, review.c.id.label("review_id")
    ).join(review, review.c.deadline_id == clock.c.id)
    return query, _clock_columns() | {"cause": review.c.cause}


_SOURCES: Final = {
    Figure.APPLICATIONS: applications,
    Figure.PLANS_SUBMITTED: _plans(None),
    Figure.PLANS_APPROVED: _plans(PlanDecision.APPROVE),
    Figure.PLANS_RETURNED: _plans(PlanDecision.RETURN),
    Figure.REFERRALS: referrals,
    Figure.RUNNING: running,
    Figure.OVERDUE: overdue,
    Figure.CAUSES: causes,
    Figure.UNMET_NEEDS: unmet,
}
