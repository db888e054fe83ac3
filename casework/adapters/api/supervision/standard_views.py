"""Response views of standards, the calendar and recounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.clock_sentence import holiday_name
from casework.adapters.api.supervision.standard_sentences import why_standard
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, Role
from casework.domain.casefile.states import HoldReason
from casework.domain.clocks.calendar import Target, Unit, WorkingCalendar
from casework.domain.clocks.standards import (
    STATUTORY,
    ClockKind,
    ClockSubject,
    EscalationTier,
    Standard,
)
from casework.domain.supervision.recounting import Recount
from casework.domain.supervision.setting_standards import Holiday

SCOPE = ("kind", "field", "service_code", "priority", "district_code")


def standard(of: Standard, actor: Actor) -> WithETag:
    """A standard; without ``set_by`` it is as shipped."""
    return WithETag(
        {"id": of.id}
        | {name: getattr(of, name) for name in SCOPE}
        | {
            "target": shared_views.target(of.target),
            "lapse_after": _period(of.lapse_after),
            "escalation": None if of.escalation is None else _tiers(of.escalation),
            "basis": of.basis,
            "in_force": of.in_force,
            "set_at": shared_views.instant(of.set_at),
            "set_by": of.set_by,
            "version": of.version,
            "allowed_actions": _allowed(of, actor),
        },
        of.version,
    )


def _allowed(of: Standard, actor: Actor) -> list[str]:
    owns = actor.role == Role.ADMIN or of.district_code == actor.district_code
    return ["recalculate", *(["change"] if owns else [])]


def _period(of: Target | None) -> dict[str, Any] | None:
    return None if of is None else shared_views.target(of)


def _tiers(escalation_tiers: Iterable[EscalationTier]) -> list[dict[str, Any]]:
    return [
        {"tier": one.tier, "after": shared_views.target(one.after), "to": one.to}
        for one in escalation_tiers
    ]


def effective(
    of: Standard | None, kind: ClockKind, about: ClockSubject, language: str
) -> dict[str, Any]:
    """Which standard applies, what it says, and why it is this one."""
    law, target = STATUTORY.get(kind), of.target if of else None
    if law and target and target.unit is law.unit and target.amount > law.amount:
        target = law  # written by hand: no date is later than the law's
    return {
        "kind": kind,
        "target": _period(target),
        "standard_id": of and of.id,
        "why": why_standard(of, kind, about, language),
        "basis": of and of.basis,
        "lapse_after": _period(of.lapse_after if of else None),
        "escalation": _tiers(of.escalation_tiers) if of else [],
        "limit": _period(law),
    }


def longest_hold(reason: HoldReason, days: int) -> dict[str, Any]:
    """How long a hold for that reason lasts at most."""
    return {"reason": reason, "limit": {"amount": days, "unit": Unit.DAYS}}


def standard_of_clock(of: Standard | None) -> dict[str, Any] | None:
    """By which standard a clock was set; what it says now may differ from what the clock keeps."""
    if of is None:
        return None
    return {"id": of.id} | {name: getattr(of, name) for name in SCOPE} | {"in_force": of.in_force}


def holiday(of: Holiday) -> dict[str, Any]:
    """A day that was declared."""
    return {
        "id": of.id,
        "on": of.day,
        "closed": of.closed,
        "name": of.name,
        "name_en": holiday_name(of.name, "en"),
        "district_code": of.district_code,
    }


def calendar(known: WorkingCalendar, year: int, declared: list[Holiday]) -> list[dict[str, Any]]:
    """The holidays of a year, by law or declared; the district's declaration wins."""
    days: dict[date, dict[str, Any]] = {
        on: {
            "id": None,
            "on": on,
            "closed": True,
            "name": name,
            "name_en": holiday_name(name, "en"),
            "district_code": None,
        }
        for on, name in known.holidays_in(year).items()
    }
    days |= {one.day: holiday(one) for one in declared}
    return [days[on] for on in sorted(days)]


def recount(of: Recount) -> dict[str, Any]:
    """Which clocks were recounted: when they were due, and when they are."""
    return {
        "changed": len(of.changes),
        "replanned": of.replanned,
        "failed": of.failed,
        "deadlines": [
            {
                "id": one["id"],
                "kind": one["kind"],
                "due_at": {"before": _moment(one["before"]), "after": _moment(one["after"])},
                "standard_id": one.get("standard_id"),
                "cancelled": one.get("ends", False),
            }
            for one in of.changes
        ],
    }


def recounted(of: Mapping[str, Any]) -> dict[str, Any]:
    """One recount of one clock; ``name`` is the holiday's."""
    return {
        "at": shared_views.instant(of["at"]),
        "because": of["because"],
        "reason_id": of["reason_id"],
        "on": of.get("on"),
        "closed": of.get("closed"),
        "name": of["name"],
        "due_at_before": _moment(of["before"]),
    }


def _moment(at: datetime | str) -> str | None:
    return shared_views.instant(datetime.fromisoformat(at) if isinstance(at, str) else at)
