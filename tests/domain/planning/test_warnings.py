"""What the catalogue warns of: the most of a week, a month, a year or in all, and doubles."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from casework.domain.casefile.plan import PlannedItem
from casework.domain.clocks.standards import CareField
from casework.domain.directory.directory import Limit, Service
from casework.domain.directory.eligibility import Comparison, Rule
from casework.domain.planning.quantities import most_in, most_together
from casework.domain.planning.warnings import AskedElsewhere, of_plan, of_request

FIRST = date(2026, 3, 2)


def item(
    quantity: str, per: str, days: int = 365, unit: str = "hour", *, id: int = 1, after: int = 0
) -> PlannedItem:
    first = FIRST + timedelta(days=after)
    return PlannedItem(
        id=UUID(int=id), service_code="CARE", content="help", quantity=Decimal(quantity), unit=unit,
        per=per, starts_on=first, ends_on=first + timedelta(days=days - 1),
    )  # fmt: skip


def service(*limits: Limit, rules: tuple[Rule, ...] = ()) -> dict[str, Service]:
    one = Service(
        code="CARE", field=CareField.CARE, name_ko="돌봄", name_en="care", run_by="city",
        unit="hour", limit_note=None, basis="Act 18", certainty="C", limits=limits,
        eligibility=rules,
    )  # fmt: skip
    return {"CARE": one}


def said(one: PlannedItem, known: dict[str, Any] | None = None, **catalogue: Any) -> list[str]:
    limits = catalogue.pop("limits", ())
    return [str(w.code) for w in of_request(one, service(*limits, **catalogue), known or {}, [])]


@pytest.mark.parametrize(
    ("quantity", "per", "days", "period", "most"),
    [
        ("3", "once", 365, "month", 3), ("3", "once", 365, "once", 3),
        ("2", "day", 365, "week", 14), ("2", "day", 5, "week", 10),
        ("2", "day", 365, "month", 62), ("2", "day", 30, "month", 60),
        ("2", "day", 400, "year", 730), ("2", "day", 400, "once", 800),
        ("7", "week", 365, "week", 7), ("7", "week", 365, "month", 31),
        ("7", "week", 365, "year", 365), ("7", "week", 14, "once", 14),
        ("2", "month", 365, "month", 2), ("2", "month", 400, "year", 24),
        ("2", "month", 30, "once", 2), ("2", "month", 31, "once", 4),
        ("31", "month", 365, "week", 7),
    ],
)  # fmt: skip
def test_the_most_of_a_period_is_counted(
    quantity: str, per: str, days: int, period: str, most: int
) -> None:
    assert most_in(item(quantity, per, days), period) == most


@pytest.mark.parametrize(("quantity", "warns"), [("39", False), ("40", False), ("40.5", True)])
def test_a_limit_is_passed_by_more_and_not_by_as_much(quantity: str, warns: bool) -> None:
    limit = Limit(quantity=40, unit="hour", per="month")
    assert said(item(quantity, "month"), limits=(limit,)) == (["over_limit"] if warns else [])


# The first day is Monday, 2 March 2026: 30 days of that month, 31 of May.
@pytest.mark.parametrize(
    ("one", "other", "period", "most", "lines"),
    [
        (("20", "month"), ("20", "month"), "month", 40, 2),
        (("20", "month", 15), ("20", "month", 15, 15), "month", 40, 2),
        (("20", "month", 30), ("20", "month", 30, 30), "month", 20, 1),
        (("1", "day"), ("1", "day"), "month", 62, 2),
        (("1", "day", 7), ("1", "day", 7, 7), "week", 7, 1),
        (("1", "day", 8), ("1", "day", 7, 7), "week", 8, 2),
        (("7", "week", 4), ("14", "week", 4, 4), "week", 10, 2),
        (("2", "month", 305), ("2", "month", 365, 305), "year", 24, 1),
        (("2", "month", 306), ("2", "month", 30, 200), "year", 24, 2),
        (("40", "once"), ("2", "month", 61), "once", 46, 2),
        (("40", "once", 10), ("40", "once", 10, 100), "month", 40, 1),
        (("1", "day", 2_900_000), ("1", "day", 1), "year", 366, 1),
    ],
)
def test_the_most_of_two_lines_is_that_of_one_period_of_the_calendar(
    one: Any, other: Any, period: str, most: int, lines: int
) -> None:
    others = item(*other[:3], id=2, after=other[3] if len(other) > 3 else 0)
    planned, found = most_together([item(*one), others], period)
    assert (float(planned), len(found)) == (most, lines)


@pytest.mark.parametrize(("quantity", "warns"), [("19", False), ("20", False), ("20.5", True)])
def test_two_lines_warn_where_together_they_pass_a_limit(quantity: str, warns: bool) -> None:
    limit = Limit(quantity=40, unit="hour", per="month")
    items = [item("20", "month"), item(quantity, "month", id=2), item("90", "month", 1, "visit")]
    found = [w for w in of_plan(items[:2], [], service(limit), {}) if w.limit]
    assert [str(w.code) for w in found] == ["over_limit_together"] * (2 if warns else 0)
    if warns:
        assert found[0].fact == {
            "quantity": 40.5, "unit": "hour", "per": "month", "planned_services": [UUID(int=2)],
        }  # fmt: skip
        assert found[1].fact["planned_services"] == [UUID(int=1)]


def test_who_passes_a_limit_alone_is_not_told_of_the_others() -> None:
    limit = Limit(quantity=40, unit="hour", per="month")
    items = [item("41", "month"), item("1", "month", id=2)]
    found = [(w.service_id.int, str(w.code)) for w in of_plan(items, [], service(limit), {})]
    assert [one for one in found if one[1] != "already_given"] == [
        (1, "over_limit"), (2, "over_limit_together"),
    ]  # fmt: skip


def test_another_unit_is_said_and_not_compared() -> None:
    limit = Limit(quantity=1, unit="hour", per="month")
    assert said(item("9", "week", unit="visit"), limits=(limit,)) == ["unit_differs"]


def test_a_rule_that_is_not_met_warns_and_one_that_nobody_knows_says_so() -> None:
    rule = Rule(fact="age", comparison=Comparison.AT_LEAST, values=("65",), basis="Act 2")
    for known, codes in (
        ({"age": "64"}, ["not_eligible"]), ({"age": "65"}, []), ({}, ["eligibility_unknown"]),
    ):  # fmt: skip
        assert said(item("1", "week"), known, rules=(rule,)) == codes


def test_the_same_service_elsewhere_is_named_and_another_is_not() -> None:
    same, another = (
        AskedElsewhere(id=UUID(int=n), service_code=code, planned_service_id=None)
        for n, code in ((7, "CARE"), (8, "MEALS"))
    )
    (warning,) = of_request(item("1", "week"), service(), {}, [same, another])
    assert warning.fact == {"referrals": [UUID(int=7)], "planned_services": []}
