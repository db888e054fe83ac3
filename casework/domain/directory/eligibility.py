"""Who a service is meant for: rules as data, each judged on one known fact.

A rule never refuses. It says ``met``, ``not_met``, or ``unknown`` where the fact was not asked;
what follows from it is a person's decision, so the fact is always shown beside the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from casework.domain.errors import require

if TYPE_CHECKING:  # a service of the directory has rules, and a resident is far from it
    from casework.domain.residents.resident import Resident

FACTS: Final = (
    "age",
    "sex",
    "lives_alone",
    "mobility",
    "ltc_grade",
    "disability",
    "insurance",
    "income_tier",
    "district_code",
)
MAX_LIST_LENGTH: Final = 40


class Comparison(StrEnum):
    """How a fact is compared with a rule's values."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ONE_OF = "one_of"
    KNOWN = "known"


class RuleResult(StrEnum):
    """What a rule says of one person."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One condition: ``age at_least 65``, ``ltc_grade one_of 1 2 3``; and where it comes from.

    ``values`` are texts; ``at_least`` and ``at_most`` take one whole number and are for the age.
    ``known`` takes none: that the fact stands in the record is all that can be said.
    """

    fact: str
    comparison: Comparison
    values: tuple[str, ...]
    basis: str
    certainty: str = "C"

    def check(self) -> None:
        """Refuse a rule that could never be judged."""
        require(self.fact in FACTS, "no such fact", code="unknown_fact", field="fact")
        require(self.basis.strip(), "a rule says where it comes from", field="basis")
        wanted = {Comparison.ONE_OF: range(1, MAX_LIST_LENGTH + 1), Comparison.KNOWN: range(1)}
        require(
            len(self.values) in wanted.get(self.comparison, range(1, 2)),
            "one_of needs values, known has none, the others have one",
            code="rule_values",
            field="values",
        )
        if self.comparison in (Comparison.AT_LEAST, Comparison.AT_MOST):
            require(
                self.fact == "age" and self.values[0].isdecimal() and self.values[0].isascii(),
                "only the age is compared with a whole number",
                code="rule_values",
                field="values",
            )

    def judge(self, fact: str | None) -> RuleResult:
        """What the rule says of a fact, None where it was never asked."""
        if fact is None:
            return RuleResult.UNKNOWN
        match self.comparison:
            case Comparison.AT_LEAST:
                holds = int(fact) >= int(self.values[0])
            case Comparison.AT_MOST:
                holds = int(fact) <= int(self.values[0])
            case Comparison.ONE_OF:
                holds = fact in self.values
            case Comparison.KNOWN:
                holds = True
        return RuleResult.MET if holds else RuleResult.NOT_MET


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRule:
    """A rule with the fact it was judged on."""

    rule: Rule
    fact: str | None
    verdict: RuleResult


def rule_of(stored: Mapping[str, Any]) -> Rule:
    """The rule as data says it; refuses what could never be judged."""
    named = str(stored.get("comparison"))
    require(named in set(Comparison), "no such comparison", field="comparison")
    rule = Rule(
        fact=str(stored.get("fact")),
        comparison=Comparison(named),
        values=tuple(map(str, stored.get("values") or ())),
        basis=str(stored.get("basis") or ""),
        certainty=str(stored.get("certainty") or "C"),
    )
    rule.check()
    return rule


def as_data(rule: Rule) -> dict[str, Any]:
    """The rule as data."""
    return {
        "fact": rule.fact,
        "comparison": rule.comparison.value,
        "values": list(rule.values),
        "basis": rule.basis,
        "certainty": rule.certainty,
    }


def age_on(birth_date: date, day: date) -> int:
    """Full years on a day; someone born on 29 February turns a year older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def facts_of(resident: Resident, day: date) -> dict[str, str | None]:
    """What is known of a resident that rules ask for, as text."""
    known: dict[str, str | None] = {
        name: getattr(resident, name) for name in FACTS if name not in ("age", "lives_alone")
    }
    alone = resident.lives_alone
    known["lives_alone"] = None if alone is None else "yes" if alone else "no"
    known["age"] = str(age_on(resident.birth_date, day))
    return known


def judge(rules: Iterable[Rule], facts: Mapping[str, str | None]) -> list[JudgedRule]:
    """Every rule on its fact, in the order of the rules; a fact that is missing is unknown."""
    return [
        JudgedRule(rule=rule, fact=facts.get(rule.fact), verdict=rule.judge(facts.get(rule.fact)))
        for rule in rules
    ]


def overall_result(judged: Sequence[JudgedRule]) -> RuleResult:
    """``not_met`` where one is not, else ``unknown`` where one is unknown, else ``met``."""
    verdicts = {one.verdict for one in judged}
    for worst in (RuleResult.NOT_MET, RuleResult.UNKNOWN):
        if worst in verdicts:
            return worst
    return RuleResult.MET


def snapshot(judged: Sequence[JudgedRule], day: date) -> dict[str, Any] | None:
    """A judgement as stored: rules, facts and verdicts of that day; None without a rule."""
    if not judged:
        return None
    return {
        "on": day.isoformat(),
        "verdict": overall_result(judged).value,
        "rules": [facts_shown(one) for one in judged],
    }


def facts_shown(one: JudgedRule) -> dict[str, Any]:
    """A rule beside the fact it was judged on, and the verdict."""
    return as_data(one.rule) | {"value": one.fact, "verdict": one.verdict.value}
