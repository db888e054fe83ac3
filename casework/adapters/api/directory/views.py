"""The directory as its maintainers see it: states, versions, history, open work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from casework.adapters.api.shared import views as shared_views
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor
from casework.domain.directory.answering import Answering, AnsweringBody
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import EntryState, Offering, Provider, Service
from casework.domain.directory.eligibility import as_data
from casework.domain.directory.entries import steps_from
from casework.domain.directory.told_places import changes_told, places_told
from casework.workflows.ports.directory import OpenWork
from casework.workflows.ports.paging import Row


def service(one: Service, answering: Answering, today: date) -> WithETag:
    """A service in any state, with the body that answers for it."""
    body = {
        "code": one.code,
        "field": one.field,
        "answered_by": _answered_by(answering.of(one.code, one.field)),
        "name": one.name_ko,
        "name_en": one.name_en,
        "run_by": one.run_by,
        "unit": one.unit,
        "limit_note": one.limit_note,
        "limits": [asdict(limit) for limit in one.limits],
        "co_payments": [asdict(paid) for paid in one.co_payments],
        "eligibility": [as_data(rule) for rule in one.eligibility],
        "given_at": one.given_at,
        "fresh_for_days": one.fresh_for_days,
        "basis": one.basis,
        "certainty": one.certainty,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "in_force": one.is_in_force(today),
        "state": one.state,
        "version": one.version,
        "steps": steps_from(one.state),
    }
    return WithETag(body, one.version)


def designation(one: Designation, today: date) -> WithETag:
    """A designation, and whether it holds today."""
    body = {
        "id": one.id,
        "provider_id": one.provider_id,
        "code": one.code,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "designated_by": one.designated_by,
        "in_force": one.is_in_force(today),
        "version": one.version,
    }
    return WithETag(body, one.version)


def provider(one: Provider, designations: list[Designation], today: date) -> WithETag:
    """An agency with all its designations, past ones too."""
    names = ("id", "slug", "name", "kind", "phone", "district_code", "lat", "lon", "languages",
             "opening_hours", "contacts", "ended_on", "end_reason", "version")  # fmt: skip
    body = {name: getattr(one, name) for name in names}
    body["designations"] = [dict(designation(it, today)) for it in designations]
    return WithETag(body, one.version)


def offering(one: Offering, actor: Actor) -> WithETag:
    """An offering in any state."""
    body = {
        "id": one.id,
        "provider_id": one.provider_id,
        "service_code": one.service_code,
        "open": one.is_open,
        "given_at": one.given_at,
        "centres": one.centres,
        "capacity": _capacity(one, actor),
        "state": one.state,
        "version": one.version,
        "steps": steps_from(one.state),
    }
    return WithETag(body, one.version)


def _capacity(one: Any, actor: Actor) -> dict[str, Any]:
    """The figures of an offering, or of the attributes of its row, as the actor is told them."""
    told = places_told(one, actor)
    return {
        "maximum": told.maximum,
        "available": told.available,
        "waiting": told.waiting,
        "unit": one.unit,
        "as_of": shared_views.instant(one.as_of),
        "by": one.stated_by,
    }


def entry(row: Row, actor: Actor) -> dict[str, Any]:
    """An entry of the list, with the body that answers for its service."""
    return {
        "id": row["id"],
        "provider_id": row["provider_id"],
        "service_code": row["service_code"],
        "field": row["field"],
        "answered_by": _answered_by(row["answered_by"]),
        "provider": {
            "id": row["provider_id"],
            "name": row["provider_name"],
            "phone": row["provider_phone"],
        },
        "open": row["is_open"],
        "given_at": row["given_at"],
        "centres": row["centres"],
        "capacity": _capacity(SimpleNamespace(**row), actor),
        "state": row["state"],
        "version": row["version"],
        "steps": steps_from(EntryState(row["state"])),
    }


def _answered_by(body: AnsweringBody | None) -> dict[str, Any] | None:
    return None if body is None else asdict(body)


def stepped(
    results: Mapping[UUID, tuple[int, str | None]], states: Mapping[UUID, EntryState]
) -> dict[str, Any]:
    """The result and state of each entry; nothing of one that the actor does not maintain."""
    return {
        "results": [
            {"offering_id": id, "status": status}
            | ({"code": code} if code else {})
            | {"state": states.get(id), "steps": steps_from(states[id]) if id in states else []}
            for id, (status, code) in results.items()
        ]
    }


def changed_for(actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """What was done of a thing, as the actor is told it."""
    return lambda row: change(row, actor)


def change(row: Row, actor: Actor) -> dict[str, Any]:
    """What was done, and each field before and after, but for places that are not told."""
    told = changes_told(row["after"], actor, row["provider_id"])
    return {
        "id": row["id"],
        "of": row["subject_type"],
        "did": row["did"],
        "at": shared_views.instant(row["at"]),
        "by": {"id": row["by_id"], "name": row["by_name"], "role": row["by_role"]},
        "fields": [
            {"field": name, "before": row["before"].get(name), "after": after}
            for name, after in told.items()
        ],
    }


def open_work(found: OpenWork, provider_id: object, code: str | None) -> dict[str, Any]:
    """An agency's open work; the list is for actors who see cases."""
    return {
        "provider_id": provider_id,
        "designation": code,
        "requests": found.requests,
        "running": found.running,
        "referrals": found.referrals,
    }


def cell(row: Row) -> dict[str, Any]:
    """A service in a district."""
    return {**row, "oldest_as_of": shared_views.instant(row["oldest_as_of"])}
