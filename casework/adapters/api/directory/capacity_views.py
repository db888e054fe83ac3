"""Response views of an offering's places: figures, their age, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from casework.adapters.api.shared import views as shared_views
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, may
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory import capacity
from casework.domain.directory.directory import FRESH_FOR_DAYS, Service
from casework.domain.directory.told_places import PlacesTold, places_told
from casework.workflows.ports.paging import Row


def figures(
    row: Row, services: Mapping[str, Service], actor: Actor, now: datetime
) -> dict[str, Any]:
    """What an agency stated, as the referrals have changed it since, and how far to believe it.

    ``free`` is what somebody new could have now: nothing while it is marked full, and no place that
    is for those who wait. Who is not told how referrals move them is told what was stated.
    """
    it, today = told_of(row, actor), day_in_seoul(now)
    fresh_for = timedelta(days=_fresh_days(services, row["service_code"]))
    is_marked = capacity.is_marked_full(it, today)
    free = capacity.free_places(it, today)
    return {
        "maximum": it.maximum,
        "available": it.available,
        "free": free,
        "full": free == 0,
        "full_until": it.full_until if is_marked else None,
        "waiting": it.waiting,
        "for_waiting": it.for_waiting,
        "unit": row["unit"],
        "as_of": shared_views.instant(row["as_of"]),
        "age_days": (today - day_in_seoul(row["as_of"])).days,
        "is_stale": capacity.is_stale(SimpleNamespace(**row), fresh_for, now),
        "version": it.version,
    }


def told_of(row: Row, actor: Actor) -> PlacesTold:
    """The places of a row as the actor is told them."""
    return places_told(SimpleNamespace(**row), actor)


def of_offering(
    row: Row, services: Mapping[str, Service], actor: Actor, now: datetime
) -> dict[str, Any]:
    """The places of one offering; ``held`` and ``waitlisted`` are those of referrals.

    Only who is told how referrals move them gets the version of that.
    """
    it = told_of(row, actor)
    body = {
        "offering_id": row["id"],
        "provider_id": row["provider_id"],
        "service_code": row["service_code"],
        "open": row["is_open"],
        **figures(row, services, actor, now),
        "held": it.held,
        "waitlisted": it.waitlisted,
        "fresh_for_days": _fresh_days(services, row["service_code"]),
        "stated_by": row["stated_by"],
        "asked_at": shared_views.instant(row["asked_at"]),
        "allowed_actions": ["capacity"] if _may_state(row, actor) else [],
    }
    return body if it.version is None else WithETag(body, it.version)


def _fresh_days(services: Mapping[str, Service], code: str) -> int:
    """As long as is usual, for a service so new that this process has not read of it."""
    known = services.get(code)
    return FRESH_FOR_DAYS if known is None else known.fresh_for_days


def _may_state(row: Row, actor: Actor) -> bool:
    """Whether this one states the figures of this offering."""
    if not may(actor, "capacity.write"):
        return False
    if actor.provider_id is not None:
        return bool(row["provider_id"] == actor.provider_id)
    return actor.district_code in (None, row["provider_district_code"])
