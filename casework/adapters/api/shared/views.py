"""Shared response views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from casework.adapters.api.shared.warning_sentences import warning_said
from casework.domain.access.policy import Actor
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.clocks.calendar import SEOUL, Pause, Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork, Deadline
from casework.domain.events import Event
from casework.domain.planning.warnings import CatalogueWarning
from casework.domain.privacy.masks import MaskState, masked, without_masked
from casework.workflows.ports.paging import Row


def picked(row: Row, *names: str) -> dict[str, Any]:
    """Some columns of a row under their own names."""
    return {name: row[name] for name in names}


def fields_of(of: Any, names: Sequence[str]) -> dict[str, Any]:
    """Fields as they are called, instants with Seoul's offset."""
    values = {name: getattr(of, name) for name in names}
    return {k: instant(v) if isinstance(v, datetime) else v for k, v in values.items()}


def agency_of(providers: Any, id: UUID) -> dict[str, Any]:
    """An agency by its id, with its name and telephone."""
    known = providers[id]
    return {"id": id, "name": known["name"], "phone": known["phone"]}


def instant(at: datetime | None) -> str | None:
    """RFC 3339 with Seoul's offset."""
    return None if at is None else at.astimezone(SEOUL).isoformat()


def number(quantity: Decimal) -> int | float:
    """A quantity as JSON has it: whole where it is whole."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def target(of: Target) -> dict[str, Any]:
    """Amount and unit, or the fixed day."""
    if of.unit is Unit.ON_DATE:
        return {"on": date.fromordinal(of.amount), "unit": of.unit}
    return {"amount": of.amount, "unit": of.unit}


def deadline(clock: Deadline, now: datetime) -> dict[str, Any]:
    """A clock as it stands now."""
    return {
        "id": clock.id,
        "kind": clock.kind,
        "subject": {"type": clock.subject_type, "id": clock.subject_id},
        "held_by": clock.held_by,
        "started_at": instant(clock.started_at),
        "due_at": instant(clock.due_at),
        "status": clock.status(now),
        "overdue": clock.is_overdue(now),
        "met_at": instant(clock.met_at),
        "recorded_at": instant(clock.recorded_at),
        "acted_on": clock.acted_on,
        "cancelled_at": instant(clock.cancelled_at),
        "breached_at": instant(clock.breached_at),
        "target": target(clock.target),
        "basis": clock.basis,
    }


def warnings(found: Iterable[CatalogueWarning], language: str) -> list[dict[str, Any]]:
    """What the catalogue says against planned services, by its code and in a sentence."""
    return [
        {
            "code": one.code,
            "planned_service_id": one.service_id,
            "service_code": one.service_code,
            "fact": one.fact,
            "limit": one.limit,
            "says": warning_said(one, language),
        }
        for one in found
    ]


def recounted(clocks: Sequence[RecountedClock]) -> list[dict[str, Any]]:
    """The clocks that a correction counted anew."""
    names = ("deadline_id", "kind", "due_at_before", "due_at")
    return [fields_of(one, names) for one in clocks]


def pause(of: Pause) -> dict[str, Any]:
    """A stretch that is left out."""
    return {
        "from": day_in_seoul(of.began_at),
        "until": of.until,
        "reason": of.reason,
        "resumed_at": instant(of.resumed_at),
    }


def event(one: Event, actor: Actor, action: str) -> dict[str, Any]:
    """One event, as this actor may see it."""
    body = {
        "id": one.id,
        "event": one.name,
        "at": instant(one.at),
        "recorded_at": instant(one.at),
        "subject": {"type": one.subject_type, "id": one.subject_id},
        "by": {"id": one.by_id, "role": one.by_role},
        "data": without_masked(one.data, actor, action, "event data"),
    }
    states = () if one.by_role == actor.role else (MaskState.BY_ANOTHER,)
    return masked(body, actor, action, "event", states)


class Lateness:
    """How late things are on one day, in working days of their district."""

    def __init__(self, clockwork: Clockwork, now: datetime) -> None:
        self._clockwork, self._today = clockwork, day_in_seoul(now)
        self._known: dict[tuple[str, date], int] = {}

    def of(self, row: Row) -> int:
        """Working days since the due day of an overdue row."""
        key = row["district_code"], day_in_seoul(row["due_at"])
        if key not in self._known:
            calendar = self._clockwork.calendar_of(key[0])
            self._known[key] = calendar.working_days(key[1], self._today)
        return self._known[key]
