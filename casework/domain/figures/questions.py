"""Questions to the figures: filters, scope, and the cells that answer them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from uuid import UUID

from casework.domain.access.policy import Scope
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import PROVIDER, CareField, ClockKind, Part
from casework.domain.errors import Invalid, NotFound
from casework.domain.figures.figures import Month, Period
from casework.domain.figures.tallying import (
    OF_NO_FIELD,
    OF_NO_PROVIDER,
    Cells,
    filtered,
    is_people,
)

# What is of the moment, and of no month.
_OF_NOW: Final = frozenset({"running", "overdue"})
# What the city does not narrow its question by: it asks of all.
_NOT_FOR_THE_CITY: Final = ("centre", "field", "provider", "service", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is counted, of which days; a filter left out does not filter.

    ``by`` is what the answer is grouped by: ``field``, ``district``, ``centre``, ``provider`` or
    ``month``, the only one for which cells have their month. A ``reason`` is one of
    ``UNMET_REASONS``; a ``cause`` is of the list of the reviews, which stand above the figures.
    """

    period: Period
    by: str | None = None
    district: str | None = None
    centre: str | None = None
    field: CareField | None = None
    provider: UUID | None = None
    kind: ClockKind | None = None
    held_by: Part | None = None
    status: ReferralStatus | None = None
    cause: str | None = None
    service: str | None = None
    reason: str | None = None


class KnownPlaces(Protocol):
    """Which districts and centres there are."""

    def district_of(self, centre: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def all_districts(self) -> Collection[str]:
        """The codes of the districts."""
        ...


def within_scope(question: Question, scope: Scope, places: KnownPlaces) -> Question:
    """The question within the actor's scope; outside it, NotFound (404).

    The city may ask only for what is a sum of published cells: whole months, and no centre.
    """
    bounds = scope.bounds
    if question.district is not None:
        known = places.all_districts() if bounds.district is None else [bounds.district]
        _found(question.district in known, "district")
    if scope.counts_alone:
        _check_for_city(question)
    elif question.centre is not None:
        home = places.district_of(question.centre)
        _found(home is not None, "centre")
        _found(bounds.hold_centre(question.centre, home), "centre")
    if bounds.provider is not None:
        _found(question.provider in (None, bounds.provider), "provider")
        return replace(question, provider=bounds.provider)
    return question


def _found(condition: bool, what: str) -> None:
    if not condition:
        raise NotFound(f"no such {what}")


def _check_for_city(question: Question) -> None:
    period = question.period
    months = Month.of(period.since), Month.of(period.until)
    if (period.since, period.until) != (months[0].first, months[1].last):
        raise Invalid("whole months only", code="whole_months", field="from")
    for name in _NOT_FOR_THE_CITY:
        if getattr(question, name) is not None:
            raise Invalid("the city asks of all", code="not_for_the_city", field=name)
    if question.by == "centre":
        raise Invalid("not by centre for the city", code="not_for_the_city", field="by")
    if question.district is not None and question.by is not None:
        raise Invalid("not with this for the city", code="not_for_the_city", field="by")


def whole_months(period: Period) -> list[Month]:
    """The months of which every day is asked for: a closed one answers for these alone."""
    return [one for one in period.months() if period.within(one) == Period(one.first, one.last)]


def seen_of_frozen(cells: Cells, question: Question, scope: Scope) -> Cells:
    """The cells of a closed month that the question asks for and the actor may see.

    An agency sees the clocks that it held.
    """
    bounds = scope.bounds
    centre = question.centre if bounds.centre is None else bounds.centre
    provider = None if question.provider is None else str(question.provider)
    found = filtered(cells, centre=centre, field=question.field, provider=provider)
    if bounds.provider is not None:
        return Counter({c: n for c, n in found.items() if c.held_by in (None, PROVIDER)})
    return found


def with_frozen(live: Cells, frozen: Iterable[tuple[str, str, Cells]]) -> Cells:
    """Cells by month, those of a closed month and district as they were frozen.

    ``frozen`` are a month, the district that closed it, and its cells.
    """
    closed = list(frozen)
    places = {(month, district) for month, district, _ in closed}
    found = Counter({c: n for c, n in live.items() if (c.month, c.district) not in places})
    for _, _, cells in closed:
        found.update(cells)
    return found


def of_the_city(cells: Cells, *, with_people: bool) -> Cells:
    """The cells that answer the city: of a month, or of the moment.

    People are counted once in every month: over several, nothing adds them up.
    """
    return Counter(
        {
            cell: n
            for cell, n in cells.items()
            if (cell.month or cell.figure in _OF_NOW) and (with_people or not is_people(cell))
        }
    )


def overall(cells: Cells) -> Cells:
    """All cells but those of people by month, who would be counted in every one."""
    return Counter({cell: n for cell, n in cells.items() if not (cell.month and is_people(cell))})


def left_out(question: Question, by: str | None = None) -> set[str]:
    """The parts that cannot be counted by what the question narrows or is grouped by."""
    found = set[str]()
    if question.field is not None or by == "field":
        found |= OF_NO_FIELD
    if question.provider is not None or by == "provider":
        found |= OF_NO_PROVIDER
    return found


def of_a_month(clocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of clocks without what is of the moment, which a month does not have."""
    return [{name: value for name, value in row.items() if name not in _OF_NOW} for row in clocks]
