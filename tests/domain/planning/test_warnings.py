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
from casework.domain.planning.warnings import AskedElsewhere, most_in, of_request

FIRST = date(2026, 3, 2)


def item(quantity: str, per: str, days: int = 365, unit: str = "hour") -> PlannedItem:
    return PlannedItem(
        id=UUID(int=1), service_code="CARE", content="help", quantity=Decimal(quantity), unit=unit,
        per=per, starts_on=FIRST, ends_on=FIRST + timedelta(days=days - 1),
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
