"""Setting standards and holidays: valid values, and what the law forbids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor, Role
from casework.domain.act import Act
from casework.domain.clocks.calendar import (
    KNOWN_YEARS,
    SEOUL,
    Target,
    Unit,
    WorkingCalendar,
    due_at,
    end_of,
)
from casework.domain.clocks.instants import after_due
from casework.domain.clocks.no_answer import USUAL_LAPSE
from casework.domain.clocks.standards import (
    CARE_KINDS,
    CITY_BASIS,
    DISTRICT_BASIS,
    FIXED_DAY_KINDS,
    GIVER,
    HEAD,
    HELD_BY,
    PLANNED_SERVICE,
    PROVIDER,
    REFERRAL,
    STATUTORY,
    STATUTORY_BASIS,
    SUBJECT_OF,
    SUPERVISOR,
    WORKER,
    CareField,
    ClockKind,
    EscalationTier,
    Part,
    Priority,
    Standard,
)
from casework.domain.directory.directory import Service
from casework.domain.errors import Forbidden, Invalid, require
from casework.domain.events import EventMetadata
from casework.domain.supervision.events import StandardAdded, StandardChanged

NOTIFIED_ROLES: Final = (WORKER, PROVIDER, SUPERVISOR, HEAD)
TIERS: Final = range(1, 4)
UNITS: Final = (Unit.HOURS, Unit.WORKING_DAYS, Unit.DAYS, Unit.MONTHS)
# A year or two: what is longer was mistyped.
MAX_AMOUNT: Final = {Unit.HOURS: 8784, Unit.WORKING_DAYS: 366, Unit.DAYS: 732, Unit.MONTHS: 24}
CHANGEABLE: Final = ("target", "lapse_after", "escalation", "basis", "in_force")
# One week without holidays, to compare periods of different units on each of its days.
_ANY_WEEK: Final = tuple(date(2024, 1, day) for day in range(8, 15))
_PLAIN: Final = WorkingCalendar({})


@dataclass(slots=True, kw_only=True)
class Holiday:
    """A day that was declared closed, or open, for a district or everywhere."""

    id: UUID
    day: date
    closed: bool
    name: str
    district_code: str | None
    declared_at: datetime | None = None
    declared_by: UUID | None = None


def new_standard(
    facts: Mapping[str, Any], catalogue: Mapping[str, Service], act: Act, *, usual_lapse: bool
) -> Standard:
    """A standard from a request. With ``usual_lapse`` the request did not set the lapse.

    Then the usual one applies, unless the target is longer: nothing lapses before it is due.
    """
    _check_district(act.by, facts.get("district_code"))
    given = {key: value for key, value in facts.items() if value is not None}
    given = {"basis": _usual_basis(facts)} | given
    given["field"] = field_of(catalogue, facts.get("service_code"), facts.get("field"))
    given["kind"] = ClockKind(given["kind"])
    given["priority"] = Priority(given["priority"]) if "priority" in given else None
    standard = Standard(**given, id=act.new_id(), set_at=act.at, set_by=act.by.id)
    check_standard(standard)
    after = USUAL_LAPSE.get(standard.kind)
    if usual_lapse and after and not _ever_before(after, standard.target):
        standard = replace(standard, lapse_after=after)
    return standard


def change_standard(standard: Standard, changes: Mapping[str, Any], act: Act) -> list[str]:
    """The names of the fields that change; refuses an invalid change."""
    _check_district(act.by, standard.district_code)
    unknown = set(changes) - set(CHANGEABLE)
    require(not unknown, "cannot be changed", field=min(unknown, default=""))
    for name in ("target", "basis", "in_force"):
        require(changes.get(name, True) is not None, "cannot be nothing", field=name)
    changed = _with(standard, changes, act)
    require(
        changed.in_force or not changed.is_widest or changed.kind == ClockKind.PROGRESS,
        "without it, clocks of this kind would not run at all",
        code="standard_needed",
        field="in_force",
    )
    check_standard(changed)
    return [name for name in changes if getattr(changed, name) != getattr(standard, name)]


def changed_standard(standard: Standard, changes: Mapping[str, Any], act: Act) -> Standard:
    """The standard with checked changes, their author and the next version."""
    changed = _with(standard, changes, act)
    return replace(changed, set_at=act.at, set_by=act.by.id)


def _with(standard: Standard, changes: Mapping[str, Any], act: Act) -> Standard:
    facts = {name: value for name, value in changes.items() if name != "in_force"}
    if changes.get("in_force", standard.in_force) != standard.in_force:
        facts["ended_at"] = act.at if standard.in_force else None
    return replace(standard, **facts)


def added_event(standard: Standard, act: Act) -> StandardAdded:
    """What is said of a new standard: codes and amounts, no text of anybody's."""
    return StandardAdded(
        EventMetadata.of(act, standard.id),
        kind=standard.kind,
        field=standard.field,
        service_code=standard.service_code,
        priority=standard.priority,
        district_code=standard.district_code,
        target=standard.target,
        lapse_after=standard.lapse_after,
        escalation=standard.escalation,
        in_force=standard.in_force,
    )


def changed_event(changed: Standard, names: Sequence[str], act: Act) -> StandardChanged:
    """What is said of a standard that says something else: the names, and what each is now."""
    return StandardChanged(
        EventMetadata.of(act, changed.id),
        fields=tuple(names),
        target=changed.target if "target" in names else None,
        lapse_after=changed.lapse_after if "lapse_after" in names else None,
        escalation=changed.escalation if "escalation" in names else None,
        in_force=changed.in_force if "in_force" in names else None,
    )


def check_standard(standard: Standard) -> None:
    """Refuse what no clock could run by, or what the law forbids."""
    kind = standard.kind
    require(
        kind not in FIXED_DAY_KINDS,
        "due on a day of its own",
        code="kind_fixed",
        field="kind",
    )
    for name in ("service_code", "field"):
        require(
            SUBJECT_OF[kind] in (PLANNED_SERVICE, REFERRAL) or getattr(standard, name) is None,
            "this clock is about no single service",
            code="scope_never_applies",
            field=name,
        )
    require(
        kind in CARE_KINDS or standard.priority is None,
        "nothing in the programme is more urgent than the rest",
        code="scope_never_applies",
        field="priority",
    )
    _check_amount(standard.target, "target", least=1)
    _check_law(kind, standard.target)
    _check_lapse(kind, standard)
    if standard.escalation is not None:
        _check_escalation(kind, standard.target, standard.escalation)


def check_holiday(on: date, district_code: str | None, by: Actor) -> None:
    """Refuse a day of which the calendar says nothing, and a district of somebody else."""
    require(
        on.year in KNOWN_YEARS,
        f"from {KNOWN_YEARS[0]} to {KNOWN_YEARS[-1]}",
        code="year_unknown",
        field="on",
    )
    _check_district(by, district_code)


def _check_district(by: Actor, district_code: str | None) -> None:
    """A district sets its own; what holds everywhere is the administrator's."""
    if by.role == Role.SUPERVISOR and district_code != by.district_code:
        raise Forbidden("not your district", code="district_out_of_scope")


def _usual_basis(facts: Mapping[str, Any]) -> str:
    if facts["kind"] in STATUTORY:
        return STATUTORY_BASIS
    return DISTRICT_BASIS if facts.get("district_code") else CITY_BASIS


def field_of(
    catalogue: Mapping[str, Service],
    code: str | None,
    field: CareField | None,
    *,
    named: str = "service_code",
) -> CareField | None:
    """The field that was given, or that of the service; they must agree."""
    if code is None:
        return field
    if code not in catalogue:
        raise Invalid("no such service", code="unknown_service", field=named)
    service = catalogue[code]
    require(
        field in (None, service.field),
        f"{code} is of the field {service.field}",
        code="field_of_service",
        field="field",
    )
    return service.field


def _check_amount(of: Target, field: str, *, least: int) -> None:
    require(of.unit in UNITS, f"one of {', '.join(UNITS)}", field=f"{field}.unit")
    require(
        least <= of.amount <= MAX_AMOUNT[of.unit],
        f"{least} to {MAX_AMOUNT[of.unit]} {of.unit}",
        code="amount_out_of_range",
        field=f"{field}.amount",
    )


def _check_law(kind: ClockKind, target: Target) -> None:
    law = STATUTORY.get(kind)
    if law is not None and (target.unit is not law.unit or target.amount > law.amount):
        raise Invalid(
            f"{STATUTORY_BASIS} allows at most {law.amount} {law.unit}, counted in {law.unit}",
            code="statutory_limit",
            field="target",
            article=STATUTORY_BASIS,
            limit={"amount": law.amount, "unit": law.unit},
        )


def _check_lapse(kind: ClockKind, standard: Standard) -> None:
    after = standard.lapse_after
    if after is None:
        return
    require(
        kind in USUAL_LAPSE,
        "only an unanswered request lapses",
        code="never_lapses",
        field="lapse_after",
    )
    _check_amount(after, "lapse_after", least=1)
    require(
        not _ever_before(after, standard.target),
        "it would lapse before it is due",
        code="lapse_before_due",
        field="lapse_after",
    )


def _ever_before(one: Target, other: Target) -> bool:
    """Whether a period can be over before another that begins with it, holidays apart."""
    starts = (datetime(day.year, day.month, day.day, 9, tzinfo=SEOUL) for day in _ANY_WEEK)
    return any(due_at(_PLAIN, at, one) < due_at(_PLAIN, at, other) for at in starts)


def notified_roles(kind: ClockKind) -> tuple[Part, ...]:
    """Whom the tiers of a clock may tell: in the programme who holds it, who gave it, the head."""
    return NOTIFIED_ROLES if kind in CARE_KINDS else (HELD_BY[kind], GIVER, HEAD)


def _check_escalation(
    kind: ClockKind, target: Target, escalation_tiers: tuple[EscalationTier, ...]
) -> None:
    """Each tier at one moment, each after the one below it, nobody notified twice of the same."""
    roles = notified_roles(kind)
    in_hours = target.unit is Unit.HOURS
    for n, escalation_tier in enumerate(escalation_tiers):
        field = f"escalation.{n}"
        require(
            escalation_tier.tier in TIERS,
            f"{TIERS[0]} to {TIERS[-1]}",
            code="tier_out_of_range",
            field=f"{field}.tier",
        )
        require(
            escalation_tier.to in roles,
            f"one of {', '.join(roles)}",
            field=f"{field}.to",
        )
        is_hours = escalation_tier.after.unit is Unit.HOURS
        require(
            in_hours or not is_hours,
            "hours, for a target that is not in hours, would be sent at night",
            code="escalation_unit",
            field=f"{field}.after.unit",
        )
        _check_amount(escalation_tier.after, f"{field}.after", least=0 if is_hours else 1)
    for n, (before, escalation_tier) in enumerate(pairwise(escalation_tiers), start=1):
        _check_rising(before, escalation_tier, f"escalation.{n}")
    told = [(escalation_tier.tier, escalation_tier.to) for escalation_tier in escalation_tiers]
    for n, one in enumerate(told):
        require(
            one not in told[:n],
            "this tier tells this one already",
            code="tier_twice",
            field=f"escalation.{n}",
        )


def _check_rising(before: EscalationTier, escalation_tier: EscalationTier, field: str) -> None:
    require(
        escalation_tier.tier >= before.tier,
        "tiers in their order",
        code="escalation_not_rising",
        field=f"{field}.tier",
    )
    if escalation_tier.tier == before.tier:
        require(
            escalation_tier.after == before.after,
            "a tier has one moment; it may tell several",
            code="tier_twice",
            field=f"{field}.after",
        )
        return
    require(
        all(
            after_due(_PLAIN, due, before.after) < after_due(_PLAIN, due, escalation_tier.after)
            for day in _ANY_WEEK
            for due in (end_of(day) - timedelta(hours=12), end_of(day))
        ),
        "a higher tier comes later than the one below it",
        code="escalation_not_rising",
        field=f"{field}.after",
    )
