"""Response views of referrals: domain objects as JSON, not validated again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from casework.adapters.api.shared.views import deadline, event, fields_of, instant, number
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor
from casework.domain.casefile.plan import PlannedItem
from casework.domain.privacy.masks import (
    MaskState,
    is_shown,
    judged_as_shown,
    masked,
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
    "requested_on",
    "requested_at",
    "answered_on",
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
    "held_with_case",
    "disposition",
    "disposed_at",
)
ROW_FIELDS = (
    "id",
    "status",
    "priority",
    "resident_id",
    "case_id",
    "case_number",
    "planned_service_id",
    "service_code",
    "field",
    "centre_code",
    "offering_id",
)


def _states(view: ReferralView) -> list[MaskState]:
    """In which of the states that the masks know this referral is."""
    it = view.referral
    return states_of_referral(it.status, consent_is_withdrawn=view.consent_is_withdrawn)


def _disclosed(view: ReferralView, actor: Actor) -> dict[str, Any]:
    """What was disclosed of the resident, as it stands now; before the request nothing was."""
    told = view.referral.disclosed or ()
    of = {name: getattr(view.resident, name) if name in told else None for name in OF_RESIDENT}
    return masked({"id": view.resident.id} | of, actor, READ, "referral resident")


def _asked(item: PlannedItem | None) -> dict[str, Any] | None:
    """What the plan asks for; null where no version has the service any more."""
    if item is None:
        return None
    return {
        "content": item.content,
        "quantity": number(item.quantity),
        "unit": item.unit,
        "per": item.per,
        "from": item.starts_on,
        "to": item.ends_on,
    }


def referral(
    view: ReferralView, actor: Actor, now: datetime, warnings: Sequence[dict[str, Any]] = ()
) -> WithETag:
    """A referral with agency, clocks, history and what this actor may do to it now."""
    it = view.referral
    body = {name: getattr(it, name) for name in REFERRAL_FIELDS}
    for name, value in body.items():
        if isinstance(value, datetime):
            body[name] = instant(value)
    basis = {"kind": it.basis_kind} | ({"consent_id": it.consent_id} if it.consent_id else {})
    body |= {
        "case_number": view.case_number,
        "basis": masked(basis, actor, READ, "referral basis"),
        "provider": {
            "id": it.provider_id,
            "name": view.provider_name,
            "phone": view.provider_phone,
        },
        "resident": _disclosed(view, actor),
        "asked": _asked(view.asked),
        "contact": fields_of(view.contact, ("centre", "worker", "phone", "centre_phone")),
        "judged": judged_as_shown(it.judged, it.disclosed or (), actor),
        "warnings": list(warnings),
        "replaces": it.replaces_id,
        "replaced_by": it.replaced_by_id,
        "deadlines": [
            masked(deadline(clock, now), actor, READ, "deadline")
            for clock in view.deadlines
            if sees_clock(actor, clock)
        ],
        "history": [event(one, actor, READ) for one in view.history if is_shown(actor, READ, one)],
        "allowed_actions": allowed_actions(view.case_is_open, it, actor, now, died=view.has_died),
    }
    return WithETag(masked(body, actor, READ, "referral", _states(view)), it.version)


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
        return masked(body, actor, READ, "referral row")

    return show
