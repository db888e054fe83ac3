"""The scope of queries for figures, and which counted cells are shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from casework.domain.access.policy import Actor, Relation, Role, Scope
from casework.domain.clocks.standards import CareField
from casework.domain.errors import Invalid, NotFound, Refusal
from casework.domain.figures.figures import Figure, Month, Period
from casework.domain.figures.questions import (
    Question,
    left_out,
    of_a_month,
    of_the_city,
    overall,
    seen_of_frozen,
    whole_months,
    with_frozen,
    within_scope,
)
from casework.domain.figures.tallying import Cell

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
ASKED = Question(period=MARCH)
AGENCY = UUID(int=7)
OF_CENTRE = Scope(
    Actor(UUID(int=1), Role.WORKER, centre_code="C1", district_code="D1"), Relation.CENTRE
)
OF_DISTRICT = Scope(Actor(UUID(int=2), Role.SUPERVISOR, district_code="D1"), Relation.DISTRICT)
OF_CITY = Scope(Actor(UUID(int=3), Role.CITY), Relation.CITY)
OF_AGENCY = Scope(Actor(UUID(int=4), Role.PROVIDER, provider_id=AGENCY), Relation.OWN_AGENCY)


class Map:
    """Two districts with a centre each, and a second one in the first."""

    def district_of(self, centre: str) -> str | None:
        return {"C1": "D1", "C2": "D1", "C3": "D2"}.get(centre)

    def all_districts(self) -> list[str]:
        return ["D1", "D2"]


@pytest.mark.parametrize(
    ("scope", "narrowed", "refusal"),
    [
        (OF_CENTRE, {"centre": "C1"}, None),
        (OF_CENTRE, {"centre": "C2"}, NotFound),
        (OF_DISTRICT, {"centre": "C2"}, None),
        (OF_DISTRICT, {"centre": "C3"}, NotFound),
        (OF_DISTRICT, {"centre": "C9"}, NotFound),
        (OF_DISTRICT, {"district": "D2"}, NotFound),
        (OF_CITY, {"district": "D2"}, None),
        (OF_CITY, {"district": "D9"}, NotFound),
        (OF_CITY, {"district": "D2", "by": "month"}, Invalid),
        (OF_CITY, {"centre": "C1"}, Invalid),
        (OF_CITY, {"service": "CARE-MEALS"}, Invalid),
        (OF_CITY, {"period": Period(date(2026, 3, 1), date(2026, 3, 30))}, Invalid),
        (OF_CITY, {"period": Period(date(2026, 3, 2), date(2026, 3, 31))}, Invalid),
        (OF_AGENCY, {"provider": UUID(int=8)}, NotFound),
    ],
)
def test_a_question_reaches_as_far_as_who_asks(
    scope: Scope, narrowed: dict[str, Any], refusal: type[Refusal] | None
) -> None:
    asked = replace(ASKED, **narrowed)
    if refusal is None:
        assert within_scope(asked, scope, Map()) == asked
    else:
        with pytest.raises(refusal):
            within_scope(asked, scope, Map())


def test_an_agency_asks_of_itself() -> None:
    assert within_scope(ASKED, OF_AGENCY, Map()).provider == AGENCY


def test_a_closed_month_answers_where_it_is_asked_for_as_a_whole() -> None:
    assert whole_months(MARCH) == [Month(2026, 3)]
    assert whole_months(Period(date(2026, 2, 2), date(2026, 4, 29))) == [Month(2026, 3)]


def a_cell(figure: Figure = Figure.ON_TIME, **facts: Any) -> Cell:
    return Cell(**({"figure": figure, "centre": "C1"} | facts))


def test_of_a_frozen_month_everybody_sees_their_part() -> None:
    here, there = a_cell(held_by="worker"), a_cell(centre="C2", held_by="provider")
    frozen = Counter({here: 1, there: 2})
    assert seen_of_frozen(frozen, ASKED, OF_CENTRE) == {here: 1}
    assert seen_of_frozen(frozen, replace(ASKED, centre="C2"), OF_DISTRICT) == {there: 2}
    assert seen_of_frozen(frozen, ASKED, OF_DISTRICT) == frozen
    assert seen_of_frozen(frozen, ASKED, OF_AGENCY) == {there: 2}


def test_people_of_single_months_are_not_added_up() -> None:
    monthly = a_cell(Figure.PEOPLE_SERVED, month="2026-03")
    once, clock = a_cell(Figure.PEOPLE_SERVED), a_cell(month="2026-03")
    assert overall(Counter({monthly: 3, once: 2, clock: 1})) == {once: 2, clock: 1}


def test_what_cannot_be_told_by_field_or_agency_is_left_out() -> None:
    assert left_out(ASKED) == set()
    assert left_out(replace(ASKED, field=CareField.CARE)) == left_out(ASKED, "field")
    assert left_out(ASKED, "provider") - left_out(ASKED, "field") == {"unmet_needs"}


def test_a_month_has_nothing_of_the_moment() -> None:
    assert of_a_month([{"kind": "response", "running": 2, "overdue": 1}]) == [{"kind": "response"}]


def test_a_closed_month_stands_for_its_district_alone() -> None:
    live = Counter(
        {
            a_cell(month="2026-03", district="26110"): 3,
            a_cell(month="2026-03", district="26350"): 4,
            a_cell(month="2026-04", district="26110"): 5,
            a_cell(district="26110"): 6,
        }
    )
    frozen = Counter({a_cell(month="2026-03", district="26110", centre="2611051000"): 1})
    found = with_frozen(live, [("2026-03", "26110", frozen)])
    assert found == frozen + Counter(
        {
            a_cell(month="2026-03", district="26350"): 4,
            a_cell(month="2026-04", district="26110"): 5,
            a_cell(district="26110"): 6,
        }
    )


def test_the_city_is_answered_by_months_and_by_what_is_of_the_moment() -> None:
    monthly, now = a_cell(month="2026-03"), a_cell(Figure.RUNNING)
    people = a_cell(Figure.PEOPLE_SERVED, month="2026-03")
    cells = Counter({monthly: 1, now: 2, people: 3, a_cell(): 4, a_cell(Figure.PEOPLE_SERVED): 5})
    assert of_the_city(cells, with_people=True) == Counter({monthly: 1, now: 2, people: 3})
    assert of_the_city(cells, with_people=False) == Counter({monthly: 1, now: 2})
