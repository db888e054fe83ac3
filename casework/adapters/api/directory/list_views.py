"""Response views of list rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casework.adapters.api.directory import capacity_views
from casework.adapters.api.shared.views import picked
from casework.domain.access.policy import Actor
from casework.domain.casefile.retained import years_of
from casework.domain.directory.directory import Service
from casework.workflows.ports.paging import Row


def district(row: Row) -> dict[str, Any]:
    """A district in both languages, and for how many years it retains closed cases."""
    return {
        "code": row["code"],
        "name": row["name_ko"],
        "name_en": row["name_en"],
        "retention_years": years_of(row["retention_years"]),
        "retention_basis": row["retention_basis"],
    }


def centre(row: Row) -> dict[str, Any]:
    """A community centre and the point that stands for it."""
    return picked(row, "code", "name", "district_code", "lat", "lon", "phone")


def service(row: Row) -> dict[str, Any]:
    """A service of the catalogue; ``limit_note`` None means that no limit is known."""
    names = ("code", "field", "run_by", "unit", "limit_note", "basis", "certainty")
    return picked(row, *names, "fresh_for_days") | {
        "name": row["name_ko"],
        "name_en": row["name_en"],
        "eligibility": row["eligibility"] or [],
        "given_at": row["given_at"],
        "limits": row["limits"] or [],
        "co_payments": row["co_payments"] or [],
        "valid_from": row["valid_from"],
        "valid_to": row["valid_to"],
    }


def provider(row: Row) -> dict[str, Any]:
    """An agency."""
    names = ("id", "slug", "name", "kind", "phone", "district_code", "designations", "lat", "lon",
             "languages", "ended_on")  # fmt: skip
    return picked(row, *names) | {
        "opening_hours": row["opening_hours"] or [],
        "contacts": row["contacts"] or [],
    }


def offering(
    row: Row, services: Mapping[str, Service], actor: Actor, now: datetime
) -> dict[str, Any]:
    """Who gives what where, with its places and how old that figure is."""
    return picked(row, "id", "provider_id", "service_code", "centres") | {
        "open": row["is_open"],
        "provider": {
            "id": row["provider_id"],
            "name": row["provider_name"],
            "phone": row["provider_phone"],
        },
        "capacity": capacity_views.figures(row, services, actor, now),
        "distance_km": row.get("distance_km"),
    }
