"""What goes out: domain objects as JSON shapes. Documented, not validated again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from casework.adapters.http.call import WithETag
from casework.domain.access.policy import Actor
from casework.domain.clocks.calendar import SEOUL, Pause, Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import Event
from casework.domain.privacy.masks import (
    State,
    covered,
    is_told,
    judged_as_told,
    left,
    sees_clock,
    states_of_referral,
)
from casework.domain.referring.referring import allowed_actions
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.paging import Row

READ = "referral.read"
OF_RESIDENT = ("name", "birth_date", "sex", "address", "phone")

REFERRAL_FIELDS = (
    "id",
    "status",
    "priority",
    "resident_id",
    "case_id",
    "planned_service_id",
    "service_code",
    "field",
    "centre_code",
    "offering_id",
    "message",
    "outside_area_reason",
    "disclosed",
    "created_at",
    "requested_at",
    "answered_at",
    "place_offered_at",
    "accepted_at",
    "expected_start_on",
    "expected_on",
    "started_on",
    "ended_at",
    "ended_on",
    "outcome",
    "reason",
    "note",
    "on_behalf",
    "hold_until",
    "disposition",
    "disposed_at",
)
ROW_FIELDS = (
    "id",
    "status",
    "priority",
    "resident_id",
    "case_id",
    "planned_service_id",
    "service_code",
    "field",
    "centre_code",
    "offering_id",
)


def instant(at: datetime | None) -> str | None:
    """RFC 3339 with Seoul's offset."""
    return None if at is None else at.astimezone(SEOUL).isoformat()


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
        "cancelled_at": instant(clock.cancelled_at),
        "breached_at": instant(clock.breached_at),
        "target": target(clock.target),
        "basis": clock.basis,
    }


def pause(of: Pause) -> dict[str, Any]:
    """A stretch that is left out."""
    return {
        "from": day_in_seoul(of.began_at),
        "until": of.until,
        "reason": of.reason,
        "resumed_at": instant(of.resumed_at),
    }


def event(one: Event, actor: Actor, action: str) -> dict[str, Any]:
    """One thing that happened, as this asker is told it."""
    body = {
        "id": one.id,
        "event": one.name,
        "at": instant(one.at),
        "subject": {"type": one.subject_type, "id": one.subject_id},
        "by": {"id": one.by_id, "role": one.by_role},
        "data": left(one.data, actor, action, "event data"),
    }
    states = () if one.by_role == actor.role else (State.BY_ANOTHER,)
    return covered(body, actor, action, "event", states)


def _states(view: ReferralView) -> list[State]:
    """In which of the states that the masks know this referral is."""
    it = view.referral
    return states_of_referral(it.status, consent_is_withdrawn=view.consent_is_withdrawn)


def _disclosed(view: ReferralView, actor: Actor) -> dict[str, Any]:
    """What was told of the resident, as it stands now; before the request nothing was."""
    told = view.referral.disclosed or ()
    of = {name: getattr(view.resident, name) if name in told else None for name in OF_RESIDENT}
    return covered({"id": view.resident.id} | of, actor, READ, "referral resident")


def referral(view: ReferralView, actor: Actor, now: datetime) -> WithETag:
    """A referral with agency, clocks, history and what this asker may do to it now."""
    it = view.referral
    body = {name: getattr(it, name) for name in REFERRAL_FIELDS}
    for name, value in body.items():
        if isinstance(value, datetime):
            body[name] = instant(value)
    basis = {"kind": it.basis_kind} | ({"consent_id": it.consent_id} if it.consent_id else {})
    body |= {
        "basis": covered(basis, actor, READ, "referral basis"),
        "provider": {
            "id": it.provider_id,
            "name": view.provider_name,
            "phone": view.provider_phone,
        },
        "resident": _disclosed(view, actor),
        "judged": judged_as_told(it.judged, it.disclosed or (), actor),
        "replaces": it.replaces_id,
        "replaced_by": it.replaced_by_id,
        "deadlines": [
            covered(deadline(clock, now), actor, READ, "deadline")
            for clock in view.deadlines
            if sees_clock(actor, clock)
        ],
        "history": [event(one, actor, READ) for one in view.history if is_told(actor, READ, one)],
        "allowed_actions": allowed_actions(view.case_is_open, it, actor, now),
    }
    return WithETag(covered(body, actor, READ, "referral", _states(view)), it.version)


def referral_row(actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """A referral in a list."""

    def show(row: Row) -> dict[str, Any]:
        body = {name: row[name] for name in ROW_FIELDS} | {
            "provider": {
                "id": row["provider_id"],
                "name": row["provider_name"],
                "phone": row["provider_phone"],
            },
            "requested_at": instant(row["requested_at"]),
        }
        return covered(body, actor, READ, "referral row")

    return show
