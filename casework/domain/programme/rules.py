"""The rules of a body, each with what it rests on.

What its ordinance says is entered, with the article. Until then a council goes by the rules of the
community social-security council, with which it may be merged (Act 20①): Social Security Benefits
Act, Enforcement Rule 5. Any other body has no quorum, decides by consensus, and needs no notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from casework.domain.errors import require
from casework.domain.programme.kinds import BodyKind


class RuleName(StrEnum):
    """What a body has a rule for."""

    SEATS = "seats"
    QUORUM = "quorum"
    DECIDES = "decides"
    DEPUTIES = "deputies"
    NOTICE_DAYS = "notice_days"
    TERM_YEARS = "term_years"
    MERGED = "merged"


class Quorum(StrEnum):
    """How many seats must be there, where it is not a number."""

    NONE = "none"
    MAJORITY = "majority"


class Decides(StrEnum):
    """Who decides."""

    MAJORITY_PRESENT = "majority_present"
    CONSENSUS = "consensus"
    CHAIR = "chair"


class Standing(StrEnum):
    """What a rule rests on."""

    ENTERED = "entered"
    SSB_RULE_5 = "ssb_rule_5"
    NONE_ENTERED = "none_entered"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it says, what it rests on, and the words of that where it was entered."""

    value: Any
    standing: Standing
    basis: str | None = None


# What was entered: by the name of the rule, its value and its basis.
Entered = Mapping[str, Mapping[str, Any]]
NO_LIMITS: Final[Mapping[str, int | None]] = {"min": None, "max": None}
# Rule 5: ten to forty members, two years, told five days before; it opens with a majority of all
# members and decides by a majority of those present. It says nothing of deputies.
SSB_RULE_5: Final[dict[RuleName, Any]] = {
    RuleName.SEATS: {"min": 10, "max": 40},
    RuleName.QUORUM: Quorum.MAJORITY,
    RuleName.DECIDES: Decides.MAJORITY_PRESENT,
    RuleName.NOTICE_DAYS: 5,
    RuleName.TERM_YEARS: 2,
}
NONE_ENTERED: Final[dict[RuleName, Any]] = {
    RuleName.SEATS: NO_LIMITS,
    RuleName.QUORUM: Quorum.NONE,
    RuleName.DECIDES: Decides.CONSENSUS,
    RuleName.DEPUTIES: False,
    RuleName.NOTICE_DAYS: 0,
    RuleName.TERM_YEARS: None,
    RuleName.MERGED: False,
}


def rule_of(kind: BodyKind, entered: Entered, name: RuleName) -> Rule:
    """A rule of a body: as it was entered, else the default of its kind."""
    said = entered.get(name)
    if said is not None:
        return Rule(said["value"], Standing.ENTERED, said["basis"])
    if kind is BodyKind.COUNCIL and name in SSB_RULE_5:
        return Rule(SSB_RULE_5[name], Standing.SSB_RULE_5)
    return Rule(NONE_ENTERED[name], Standing.NONE_ENTERED)


def rules_of(kind: BodyKind, entered: Entered) -> dict[RuleName, Rule]:
    """Every rule of a body."""
    return {name: rule_of(kind, entered, name) for name in RuleName}


def with_rules(before: Entered, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The rules that are entered after a change; None takes a rule back to the default."""
    every = dict(before) | dict(changes)
    after = {name: said for name, said in every.items() if said is not None}
    seats = after.get(RuleName.SEATS)
    if seats is not None:
        least, most = seats["value"]["min"], seats["value"]["max"]
        require(
            least is None or most is None or least <= most,
            "the least number of seats is over the most",
            code="seats_range",
            field="rules.seats.max",
        )
    return after
