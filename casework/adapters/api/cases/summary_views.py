"""What a worker is asked for on the telephone, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.adapters.api.casefile.views import hold
from casework.adapters.api.residents import views as residents
from casework.adapters.api.shared.views import agency_of, deadline, fields_of, number
from casework.domain.access.policy import Actor, may
from casework.domain.casefile.plan import PlannedItem, VersionStatus
from casework.domain.casefile.referral import Referral
from casework.domain.privacy.masks import masked, sees_clock
from casework.domain.residents.resident import Contact, Note, Resident
from casework.workflows.ports.casefile import CaseView

READ = "case.read"
CASE_FIELDS = ("id", "number", "status", "urgent", "applied_on", "centre_code", "district_code")
ITEM_FIELDS = ("id", "service_code", "content", "unit", "per", "starts_on", "ends_on")
REFERRAL_FIELDS = ("id", "status", "priority", "expected_start_on", "started_on", "hold_until")
LAST_NOTES = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What was read for the page: the case, its resident, and what was said with them."""

    view: CaseView
    resident: Resident
    contacts: Sequence[Contact]
    notes: Sequence[Note]
    call_backs: Sequence[Note]


def summary(known: Known, actor: Actor, now: datetime) -> dict[str, Any]:
    """The case as its worker would tell it, as far as the reader may see it."""
    view, it = known.view, known.view.file.case
    body = fields_of(it, CASE_FIELDS) | {
        "worker": {"id": it.worker_id, "name": view.worker_name} if it.worker_id else None,
        "hold": hold(it) if it.is_on_hold(now) else None,
        "resident": residents.person(known.resident, actor),
        "contacts": [residents.contact(one, actor) for one in known.contacts],
        "services": [_service(view, one, actor) for one in _planned(view)],
        "deadlines": _running(view, actor, now),
        "call_backs": [_call_back(one) for one in known.call_backs],
        "notes": [residents.note(one, actor) for one in known.notes],
    }
    return masked(body, actor, READ, "case summary")


def _planned(view: CaseView) -> list[PlannedItem]:
    """What the version in force says, or before there is one, the one that is being made."""
    made = view.file.version_in(VersionStatus.DRAFT, VersionStatus.SUBMITTED)
    version = view.file.in_force or made
    return version.services if version else []


def _service(view: CaseView, item: PlannedItem, actor: Actor) -> dict[str, Any]:
    service = view.file.service(item.id)
    asked = view.file.referrals_of(service) if may(actor, "referral.read") else []
    return fields_of(item, ITEM_FIELDS) | {
        "quantity": number(item.quantity),
        "field": service.field,
        "settled": view.file.is_settled(service),
        "referrals": [_referral(view, one) for one in asked],
    }


def _referral(view: CaseView, it: Referral) -> dict[str, Any]:
    return fields_of(it, REFERRAL_FIELDS) | {"provider": agency_of(view.providers, it.provider_id)}


def _running(view: CaseView, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """The clocks that have not ended, first due first."""
    clocks = sorted(view.file.running(), key=lambda one: (one.due_at, one.id))
    return [
        masked(deadline(one, now), actor, READ, "deadline")
        for one in clocks
        if sees_clock(actor, one)
    ]


def _call_back(it: Note) -> dict[str, Any]:
    """A promise to come back: its day, and the first line of what was said."""
    return {
        "note_id": it.id,
        "come_back_on": it.come_back_on,
        "with": it.with_whom,
        "text": it.text.partition("\n")[0],
        "written_by": it.written_by,
    }
