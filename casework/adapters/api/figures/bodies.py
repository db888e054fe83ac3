"""Request parameters of figures: the period, the filters, and what can be counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import Depends, Query

from casework.adapters.api.shared.bodies import RecentDay
from casework.adapters.api.shared.routing import Caller
from casework.domain.access.policy import Role
from casework.domain.errors import Invalid
from casework.domain.figures.figures import Month, Period

GroupedBy = Literal["field", "district", "centre", "provider", "month"]
UnmetBy = Literal["service", "centre", "district", "field", "reason"]
UnmetReason = Literal[
    "at_capacity",
    "out_of_area",
    "not_eligible",
    "cannot_reach",
    "resident_refused",
    "duplicate",
    "other",
    "provider_unable",
    "resident_unreachable",
    "died",
    "resident_asked",
    "consent_withdrawn",
    "no_answer",
    "nobody_offers_it",
]
A_YEAR: Final = timedelta(days=365)


def _period(
    call: Caller, since: RecentDay | None, until: RecentDay | None, month: str | None
) -> Period | None:
    """The requested days; None where none are given."""
    if month is not None:
        if since is not None or until is not None:
            raise Invalid("a month, or from and to", field="month")
        whole = Month.parse(month)
        return Period(whole.first, whole.last)
    if since is None and until is None:
        return None
    today = call.ctx.act.today
    if until is None:
        this = Month.of(today)
        until = this.last if call.ctx.actor.role == Role.CITY else today
    return Period(since or Month.of(until).first, until)


def _of_figures(
    call: Caller,
    since: Annotated[
        RecentDay | None, Query(alias="from", description="this month's first day")
    ] = None,
    until: Annotated[RecentDay | None, Query(alias="to", description="that day too; today")] = None,
    month: Annotated[str | None, Query(description="YYYY-MM, instead of both")] = None,
) -> Period:
    """The month so far, where nothing is said; for the city the month."""
    found = _period(call, since, until, month)
    if found is None:
        this, today = Month.of(call.ctx.act.today), call.ctx.act.today
        found = Period(this.first, this.last if call.ctx.actor.role == Role.CITY else today)
    found.check()
    return found


def _of_register(
    call: Caller,
    since: Annotated[RecentDay | None, Query(alias="from", description="a year ago")] = None,
    until: Annotated[RecentDay | None, Query(alias="to", description="that day too; today")] = None,
    month: Annotated[str | None, Query(description="YYYY-MM, instead of both")] = None,
) -> Period:
    """The last twelve months with the present one, where nothing is said."""
    found = _period(call, since, until, month)
    if found is None:
        this, today = Month.of(call.ctx.act.today), call.ctx.act.today
        first = Month.of(this.first - A_YEAR).first
        found = Period(first, this.last if call.ctx.actor.role == Role.CITY else today)
    found.check()
    return found


OfFigures = Annotated[Period, Depends(_of_figures)]
OfRegister = Annotated[Period, Depends(_of_register)]
