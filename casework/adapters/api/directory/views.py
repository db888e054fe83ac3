"""The directory as whoever keeps it sees it: states, versions, history, what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.adapters.api.shared import views as shared_views
from casework.adapters.http.responses import WithETag
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import Offering, Provider, Service
from casework.domain.directory.eligibility import as_data
from casework.domain.directory.entries import DIVISIONS, steps_from
from casework.workflows.ports.directory import OpenWork
from casework.workflows.ports.paging import Row

_WHEN: Final = "2026-03-27T09:00:00+09:00"
SERVICE: Final = {
    "code": "MED-VISIT",
    "field": "medical",
    "division": "health_policy",
    "name": "방문진료",
    "name_en": "Home doctor visit",
    "run_by": "national",
    "unit": "visit",
    "limit_note": None,
    "limits": [{"quantity": 24, "unit": "visit", "per": "year"}],
    "co_payments": [
        {
            "income_tier": "median_70",
            "district_code": None,
            "share_percent": None,
            "won_per_unit": 2000,
        }
    ],
    "eligibility": [
        {
            "fact": "age",
            "comparison": "at_least",
            "values": ["65"],
            "basis": "Act 2",
            "certainty": "C",
        }
    ],
    "given_at": "home",
    "fresh_for_days": 7,
    "basis": "Act 15",
    "certainty": "C",
    "valid_from": None,
    "valid_to": None,
    "in_force": True,
    "state": "published",
    "version": 1,
    "steps": ["withdraw"],
}
DESIGNATION: Final = {
    "id": "0190…",
    "provider_id": "0190…",
    "code": "home_visit_15",
    "valid_from": "2026-01-01",
    "valid_to": None,
    "designated_by": "부산광역시",
    "in_force": True,
    "version": 1,
}
PROVIDER: Final = {
    "id": "0190…",
    "slug": "clinic-26350",
    "name": "…",
    "kind": "clinic",
    "phone": "051-000-0000",
    "district_code": "26350",
    "lat": 35.16,
    "lon": 129.16,
    "opening_hours": [{"day": "mon", "opens": "09:00", "closes": "18:00"}],
    "contacts": [
        {"name": "…", "role": "…", "phone": "051-000-0000", "email": "desk@agency.example"}
    ],
    "designations": [DESIGNATION],
    "languages": ["ko", "en"],
    "ended_on": None,
    "end_reason": None,
    "version": 1,
}
OFFERING: Final = {
    "id": "0190…",
    "provider_id": "0190…",
    "service_code": "MED-VISIT",
    "open": True,
    "given_at": None,
    "centres": ["2635051000"],
    "capacity": {
        "maximum": 12,
        "available": 3,
        "waiting": 0,
        "unit": "visit",
        "as_of": _WHEN,
        "by": "0190…",
    },
    "state": "proposed",
    "version": 1,
    "steps": ["confirm"],
}
ENTRY: Final = OFFERING | {
    "field": "medical",
    "division": "health_policy",
    "provider": {"id": "0190…", "name": "…", "phone": "051-000-0000"},
}
STEPPED: Final = {
    "results": [
        {"offering_id": "0190…", "status": 200, "state": "confirmed",
         "steps": ["publish", "withdraw"]},
        {"offering_id": "0190…", "status": 409, "code": "own_entry", "state": "proposed",
         "steps": ["confirm"]},
    ]
}  # fmt: skip
CHANGED: Final = {
    "id": "0190…",
    "of": "offering",
    "did": "changed",
    "at": _WHEN,
    "by": {"id": "0190…", "name": "…", "role": "provider"},
    "fields": [{"field": "available", "before": 3, "after": 2}],
}
OPEN: Final = {
    "provider_id": "0190…",
    "designation": None,
    "requests": 2,
    "running": 5,
    "referrals": [
        {
            "id": "0190…",
            "status": "in_progress",
            "service_code": "MED-VISIT",
            "resident_id": "0190…",
            "case_id": "0190…",
            "centre_code": "2635051000",
        }
    ],
}
ENDED: Final = DESIGNATION | {"open": OPEN | {"designation": "home_visit_15"}}
CELL: Final = {
    "district_code": "26350",
    "service_code": "MED-VISIT",
    "field": "medical",
    "standing": "open",
    "offerings": 3,
    "open": 2,
    "available": 7,
    "free": 7,
    "waiting": 0,
    "oldest_as_of": _WHEN,
}


def service(one: Service, today: date) -> WithETag:
    """A service in any state."""
    body = {
        "code": one.code,
        "field": one.field,
        "division": DIVISIONS[one.field],
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


def offering(one: Offering) -> WithETag:
    """An offering in any state."""
    body = {
        "id": one.id,
        "provider_id": one.provider_id,
        "service_code": one.service_code,
        "open": one.is_open,
        "given_at": one.given_at,
        "centres": one.centres,
        "capacity": {
            "maximum": one.capacity,
            "available": one.available,
            "waiting": one.waiting,
            "unit": one.unit,
            "as_of": shared_views.instant(one.as_of),
            "by": one.stated_by,
        },
        "state": one.state,
        "version": one.version,
        "steps": steps_from(one.state),
    }
    return WithETag(body, one.version)


def entry(row: Row) -> dict[str, Any]:
    """An entry of the list, with the division that answers for its field."""
    return {
        "id": row["id"],
        "provider_id": row["provider_id"],
        "service_code": row["service_code"],
        "field": row["field"],
        "division": DIVISIONS[row["field"]],
        "provider": {
            "id": row["provider_id"],
            "name": row["provider_name"],
            "phone": row["provider_phone"],
        },
        "open": row["is_open"],
        "given_at": row["given_at"],
        "centres": row["centres"],
        "capacity": {
            "maximum": row["capacity"],
            "available": row["available"],
            "waiting": row["waiting"],
            "unit": row["unit"],
            "as_of": shared_views.instant(row["as_of"]),
            "by": row["stated_by"],
        },
        "state": row["state"],
        "version": row["version"],
        "steps": steps_from(row["state"]),
    }


def stepped(
    results: Mapping[UUID, tuple[int, str | None]], states: Mapping[UUID, str]
) -> dict[str, Any]:
    """What became of each entry, and where it stands; nothing of one that is not kept."""
    return {
        "results": [
            {"offering_id": id, "status": status}
            | ({"code": code} if code else {})
            | {"state": states.get(id), "steps": steps_from(states[id]) if id in states else []}
            for id, (status, code) in results.items()
        ]
    }


def change(row: Row) -> dict[str, Any]:
    """What was done, and each field before and after."""
    return {
        "id": row["id"],
        "of": row["subject_type"],
        "did": row["did"],
        "at": shared_views.instant(row["at"]),
        "by": {"id": row["by_id"], "name": row["by_name"], "role": row["by_role"]},
        "fields": [
            {"field": name, "before": row["before"].get(name), "after": after}
            for name, after in row["after"].items()
        ],
    }


def open_work(found: OpenWork, provider_id: object, code: str | None) -> dict[str, Any]:
    """What an agency has in hand; the list is for whoever sees cases."""
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
