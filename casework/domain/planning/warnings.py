"""What the catalogue says against a plan or a request: it warns, and refuses nothing.

Each warning has what is planned or known beside what the catalogue says, so that a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from casework.domain.casefile.plan import PlannedItem
from casework.domain.directory.directory import Limit, Service
from casework.domain.directory.eligibility import RuleResult, judge
from casework.domain.planning.quantities import most_in, most_together


class WarningCode(StrEnum):
    """What the catalogue warns of."""

    UNIT_DIFFERS = "unit_differs"
    OVER_LIMIT = "over_limit"
    OVER_LIMIT_TOGETHER = "over_limit_together"
    NOT_ELIGIBLE = "not_eligible"
    ELIGIBILITY_UNKNOWN = "eligibility_unknown"
    ALREADY_GIVEN = "already_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueWarning:
    """A warning about a planned service: the fact, and the limit where there is one."""

    code: WarningCode
    service_id: UUID
    service_code: str
    fact: Mapping[str, Any]
    limit: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedElsewhere:
    """An open referral for the resident: which service, for which planned service."""

    id: UUID
    service_code: str
    planned_service_id: UUID | None


def of_plan(
    items: Sequence[PlannedItem],
    asked: Sequence[AskedElsewhere],
    catalogue: Mapping[str, Service],
    known: Mapping[str, str | None],
) -> list[CatalogueWarning]:
    """What is to be said of the lines of a plan, one by one.

    ``asked`` are the open referrals of the case, ``known`` the resident's facts.
    """
    return [
        warning
        for item in items
        for warning in (
            *of_item(item, catalogue, known),
            *_over_together(item, items, catalogue),
            *_doubled(
                item,
                [one for one in asked if one.planned_service_id != item.id],
                _beside(item, items),
            ),
        )
    ]


def of_request(
    item: PlannedItem,
    catalogue: Mapping[str, Service],
    known: Mapping[str, str | None],
    others: Sequence[AskedElsewhere],
    items: Sequence[PlannedItem] = (),
) -> list[CatalogueWarning]:
    """What is to be said of a referral.

    ``others`` are the resident's other open ones, ``items`` the lines of the plan.
    """
    return [
        *of_item(item, catalogue, known),
        *_over_together(item, items, catalogue),
        *_doubled(item, others, []),
    ]


def of_item(
    item: PlannedItem, catalogue: Mapping[str, Service], known: Mapping[str, str | None]
) -> Iterator[CatalogueWarning]:
    """Unit, limits and eligibility of one planned service."""
    service = catalogue.get(item.service_code)
    if service is None:
        return
    if item.unit != service.unit:
        fact, limit = {"unit": item.unit}, {"unit": service.unit}
        yield _warning(WarningCode.UNIT_DIFFERS, item, fact, limit)
    for one in service.limits:
        yield from _over(item, one)
    yield from _unfit(item, service, known)


def _over(item: PlannedItem, limit: Limit) -> Iterator[CatalogueWarning]:
    planned = most_in(item, limit.per)
    if item.unit == limit.unit and planned > limit.quantity:
        unit, per = limit.unit, limit.per
        fact = {"quantity": _number(planned), "unit": unit, "per": per}
        said = {"quantity": limit.quantity, "unit": unit, "per": per}
        yield _warning(WarningCode.OVER_LIMIT, item, fact, said)


def _over_together(
    item: PlannedItem, items: Iterable[PlannedItem], catalogue: Mapping[str, Service]
) -> Iterator[CatalogueWarning]:
    """Lines of one service that only together are more than a limit, of each that has a part."""
    service = catalogue.get(item.service_code)
    for limit in service.limits if service else ():
        if item.unit != limit.unit or most_in(item, limit.per) > limit.quantity:
            continue
        same = [
            one for one in items if (one.service_code, one.unit) == (item.service_code, item.unit)
        ]
        planned, lines = most_together(same, limit.per)
        others = [one.id for one in lines if one.id != item.id]
        if planned > limit.quantity and others and len(others) < len(lines):
            unit, per = limit.unit, limit.per
            fact: dict[str, Any] = {"quantity": _number(planned), "unit": unit, "per": per}
            said = {"quantity": limit.quantity, "unit": unit, "per": per}
            fact["planned_services"] = others
            yield _warning(WarningCode.OVER_LIMIT_TOGETHER, item, fact, said)


def _unfit(
    item: PlannedItem, service: Service, known: Mapping[str, str | None]
) -> Iterator[CatalogueWarning]:
    codes = {
        RuleResult.NOT_MET: WarningCode.NOT_ELIGIBLE,
        RuleResult.UNKNOWN: WarningCode.ELIGIBILITY_UNKNOWN,
    }
    for one in judge(service.eligibility, known):
        if one.verdict in codes:
            rule = one.rule
            fact = {"name": rule.fact, "value": one.fact}
            limit = {
                "comparison": rule.comparison.value,
                "values": list(rule.values),
                "basis": rule.basis,
            }
            yield _warning(codes[one.verdict], item, fact, limit)


def _beside(item: PlannedItem, items: Iterable[PlannedItem]) -> list[UUID]:
    """The same service in the same version, on some of the same days."""
    return [
        one.id
        for one in items
        if one.id != item.id
        and one.service_code == item.service_code
        and one.starts_on <= item.ends_on
        and item.starts_on <= one.ends_on
    ]


def _doubled(
    item: PlannedItem, others: Iterable[AskedElsewhere], beside: list[UUID]
) -> Iterator[CatalogueWarning]:
    """The same service is planned twice, or given or asked for elsewhere."""
    asked = [one.id for one in others if one.service_code == item.service_code]
    if asked or beside:
        fact = {"referrals": asked, "planned_services": beside}
        yield _warning(WarningCode.ALREADY_GIVEN, item, fact, None)


def _warning(
    code: WarningCode, item: PlannedItem, fact: Mapping[str, Any], limit: Mapping[str, Any] | None
) -> CatalogueWarning:
    return CatalogueWarning(
        code=code, service_id=item.id, service_code=item.service_code, fact=fact, limit=limit
    )


def _number(planned: Decimal) -> int | float:
    """At most two places, and none where it is whole."""
    rounded = round(planned, 2)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
