"""A rule is judged on one known fact, shows it, and never refuses anybody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from casework.adapters import reference
from casework.domain.directory.eligibility import (
    FACTS,
    MAX_LIST_LENGTH,
    Comparison,
    Rule,
    RuleResult,
    age_on,
    as_data,
    facts_of,
    judge,
    overall_result,
    rule_of,
    snapshot,
)
from casework.domain.errors import Invalid
from tests.factories.people import ResidentFactory

DAY = date(2026, 3, 27)


def rule(fact: str, comparison: str, *values: str, basis: str = "Act 17") -> Rule:
    return Rule(fact=fact, comparison=Comparison(comparison), values=values, basis=basis)


def verdict(of: Rule, fact: str | None) -> str:
    return judge([of], {of.fact: fact})[0].verdict


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(1961, 3, 28), DAY, 64),  # the day before the birthday
        (date(1961, 3, 27), DAY, 65),  # on the birthday, which is counted in
        (date(1961, 3, 26), DAY, 65),  # the day after it
        (date(1960, 2, 29), date(2025, 2, 28), 64),
        (date(1960, 2, 29), date(2025, 3, 1), 65),
        (date(1960, 2, 29), date(2028, 2, 28), 67),
        (date(1960, 2, 29), date(2028, 2, 29), 68),
        (DAY, DAY, 0),
    ],
)
def test_an_age_is_in_full_years_and_turns_on_the_birthday(born: date, on: date, age: int) -> None:
    assert age_on(born, on) == age


@pytest.mark.parametrize(
    ("comparison", "verdicts"),
    [
        ("at_least", {"64": "not_met", "65": "met", "66": "met", "9": "not_met", "100": "met"}),
        ("at_most", {"64": "met", "65": "met", "66": "not_met", "9": "met", "100": "not_met"}),
    ],
)
def test_an_age_is_compared_as_a_number(comparison: str, verdicts: dict[str, str]) -> None:
    for age, wanted in verdicts.items():
        assert verdict(rule("age", comparison, "65"), age) == wanted, age


def test_one_of_several_values_is_enough_and_must_be_the_same() -> None:
    grades = rule("ltc_grade", "one_of", "1", "2")
    assert [verdict(grades, fact) for fact in ("1", "2", "3", "12")] == [
        "met", "met", "not_met", "not_met",
    ]  # fmt: skip


def test_what_need_only_be_known_is_never_unmet() -> None:
    known = rule("ltc_grade", "known")
    assert verdict(known, "5") == "met"
    assert verdict(known, None) == "unknown"


def test_a_fact_that_was_never_asked_is_unknown_whatever_the_rule() -> None:
    for one in (rule("age", "at_least", "65"), rule("age", "at_most", "65"),
                rule("sex", "one_of", "female"), rule("disability", "known")):  # fmt: skip
        assert verdict(one, None) == RuleResult.UNKNOWN
        assert judge([one], {})[0].fact is None


def test_the_worst_verdict_is_that_of_all() -> None:
    old, alone = rule("age", "at_least", "65"), rule("lives_alone", "one_of", "yes")
    for facts, wanted in (
        ({"age": "80", "lives_alone": "yes"}, "met"),
        ({"age": "80", "lives_alone": None}, "unknown"),
        ({"age": "60", "lives_alone": None}, "not_met"),
        ({"age": None, "lives_alone": "no"}, "not_met"),
    ):
        assert overall_result(judge([old, alone], facts)) == wanted, facts
    assert overall_result([]) == RuleResult.MET


@pytest.mark.parametrize(
    ("fact", "comparison", "values"),
    [
        ("age", "at_least", ("65",)),
        ("age", "at_most", ("0",)),
        ("ltc_grade", "one_of", ("1",)),
        ("ltc_grade", "one_of", tuple(map(str, range(MAX_LIST_LENGTH)))),
        ("disability", "known", ()),
    ],
)
def test_a_rule_that_can_be_judged_is_taken(
    fact: str, comparison: str, values: tuple[str, ...]
) -> None:
    rule(fact, comparison, *values).check()


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"fact": "height"}, "fact", "unknown_fact"),
        ({"fact": None}, "fact", "unknown_fact"),
        ({"comparison": "about"}, "comparison", "invalid"),
        ({"basis": " "}, "basis", "invalid"),
        ({"basis": None}, "basis", "invalid"),
        ({"values": []}, "values", "rule_values"),
        ({"values": ["65", "66"]}, "values", "rule_values"),
        ({"values": ["old"]}, "values", "rule_values"),
        ({"values": ["-1"]}, "values", "rule_values"),
        ({"values": ["٦٥"]}, "values", "rule_values"),
        ({"fact": "income_tier"}, "values", "rule_values"),
        ({"comparison": "one_of", "values": []}, "values", "rule_values"),
        (
            {"comparison": "one_of", "values": ["1"] * (MAX_LIST_LENGTH + 1)},
            "values",
            "rule_values",
        ),
        ({"comparison": "known"}, "values", "rule_values"),
    ],
)
def test_a_rule_that_could_never_be_judged_is_refused(
    wrong: dict[str, Any], field: str, code: str
) -> None:
    right = {"fact": "age", "comparison": "at_least", "values": ["65"], "basis": "Act 2"}
    assert rule_of(right).values == ("65",)
    with pytest.raises(Invalid) as caught:
        rule_of(right | wrong)
    assert caught.value.code == code
    assert [one["field"] for one in caught.value.facts["errors"]] == [field]


def test_a_rule_is_the_same_after_it_was_written_down() -> None:
    for services in reference.services():
        for one in services.eligibility:
            assert rule_of(as_data(one)) == one


def test_the_facts_of_a_resident_are_those_that_rules_ask_for() -> None:
    someone = ResidentFactory(
        birth_date=date(1944, 3, 28), lives_alone=True, ltc_grade="3", income_tier="70"
    )
    known = facts_of(someone, DAY)
    assert set(known) == set(FACTS)
    assert known | {"age": "81", "sex": "female", "lives_alone": "yes", "mobility": None} == known
    assert (known["ltc_grade"], known["income_tier"], known["disability"]) == ("3", "70", None)
    for alone, said in ((False, "no"), (None, None)):
        assert facts_of(ResidentFactory(lives_alone=alone), DAY)["lives_alone"] == said


def test_what_was_judged_is_kept_with_rule_fact_and_verdict() -> None:
    judged = judge([rule("age", "at_least", "65"), rule("ltc_grade", "known")], {"age": "81"})
    assert snapshot(judged, DAY) == {
        "on": "2026-03-27",
        "verdict": "unknown",
        "rules": [
            {"fact": "age", "comparison": "at_least", "values": ["65"], "basis": "Act 17",
             "certainty": "C", "value": "81", "verdict": "met"},
            {"fact": "ltc_grade", "comparison": "known", "values": [], "basis": "Act 17",
             "certainty": "C", "value": None, "verdict": "unknown"},
        ],
    }  # fmt: skip
    assert snapshot([], DAY) is None


def test_shipped_rules_name_services_of_the_catalogue_and_where_they_come_from() -> None:
    services = {one.code: one for one in reference.services()}
    with_rules = {code for code, one in services.items() if one.eligibility}
    assert with_rules == {code for code in services if code.startswith("NUR-")} | {
        "CARE-DISABILITY"
    }
    for code in with_rules:
        for one in services[code].eligibility:
            assert one.basis.startswith("Act ")
    assert services["MED-VISIT"].given_at == "home"
    assert services["NUR-DAY"].given_at == "site"
    assert services["CARE-MEALS"].given_at is None
