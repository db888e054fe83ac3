"""The organisation, the catalogue, who offers what where, and who has an account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from casework.adapters.api.access import list_views as account_views
from casework.adapters.api.directory import list_views
from casework.adapters.api.shared import bodies as s
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.route import GuardedRoute
from casework.domain.access.policy import Role

router = APIRouter(route_class=GuardedRoute, tags=["directory"])
READ, LIST = "directory.read", "account.list"
DISTRICT = {"code": "26350", "name": "해운대구", "name_en": "Haeundae-gu"}
CENTRE = {
    "code": "2635051000",
    "name": "우1동",
    "district_code": "26350",
    "lat": 35.163,
    "lon": 129.1596,
}
SERVICE = {"code": "MED-VISIT", "field": "medical", "name": "방문진료", "unit": "visit"}
PROVIDER = {
    "id": "0190…",
    "slug": "clinic-26350",
    "name": "…",
    "phone": "051-000-0000",
    "designations": ["home_visit_15"],
    "lat": 35.16,
    "lon": 129.16,
}
OFFERING = {
    "id": "0190…",
    "provider_id": "0190…",
    "service_code": "MED-VISIT",
    "open": True,
    "centres": ["2635051000"],
    "provider": {"id": "0190…", "name": "…", "phone": "051-000-0000"},
    "capacity": {
        "maximum": 12,
        "available": 3,
        "free": 3,
        "full": False,
        "full_until": None,
        "waiting": 0,
        "for_waiting": 0,
        "unit": "visit",
        "as_of": "2026-03-27T09:00:00+09:00",
        "age_days": 0,
        "is_stale": False,
        "version": 1,
    },
    "distance_km": 0.42,
}
ACCOUNT = {
    "id": "0190…",
    "username": "worker.2635051000",
    "name": "…",
    "role": "worker",
    "centre_code": "2635051000",
    "district_code": "26350",
    "provider_id": None,
}


def _list_of(example: object) -> dict[str, object]:
    return {"items": [example], "next_cursor": None}


@router.get(
    "/districts",
    operation_id="list_districts",
    summary="The districts, by code",
    **operation(READ, _list_of(DISTRICT)),
)
def list_districts(call: Caller, paged: Paged) -> Response:
    """Codes and names."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.districts(paging),
        list_views.district,
    )


@router.get(
    "/centres",
    operation_id="list_centres",
    summary="The community centres, by code",
    **operation(READ, _list_of(CENTRE)),
)
def list_centres(
    call: Caller, paged: Paged, district: Annotated[s.Code | None, Query()] = None
) -> Response:
    """Of one district or all; an unknown one is 422 ``unknown_district``."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.centres(district, paging),
        list_views.centre,
    )


@router.get(
    "/services",
    operation_id="list_services",
    summary="The catalogue, by code",
    **operation(READ, _list_of(SERVICE)),
)
def list_services(call: Caller, paged: Paged) -> Response:
    """Each service with its field, unit, limit and legal basis."""
    return call.pages(
        READ, paged, lambda reading, paging: reading.directory.services(paging), list_views.service
    )


@router.get(
    "/providers",
    operation_id="list_providers",
    summary="The agencies, by slug",
    **operation(READ, _list_of(PROVIDER)),
)
def list_providers(call: Caller, paged: Paged) -> Response:
    """Those that are active."""
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.providers(paging),
        list_views.provider,
    )


@router.get(
    "/offerings",
    operation_id="list_offerings",
    summary="Who offers what where",
    **operation(READ, _list_of(OFFERING)),
)
def list_offerings(
    call: Caller,
    paged: Paged,
    service: Annotated[s.Code | None, Query()] = None,
    centre: Annotated[s.Code | None, Query()] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    is_free: Annotated[bool | None, Query(alias="free")] = None,
) -> Response:
    """With ``centre``, those that cover it, nearest first, with their distance.

    ``free`` asks for those that are open and could take on somebody new now, or for all others.
    An unknown code is 422 ``unknown_service`` or ``unknown_centre``.
    """
    ctx = call.ctx
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.offerings(
            service, centre, is_open, paging, is_free
        ),
        lambda row: list_views.offering(row, ctx.catalogue, ctx.now),
    )


@router.get(
    "/accounts",
    operation_id="list_accounts",
    summary="Whom I can assign to",
    tags=["organisation"],
    **operation(LIST, _list_of(ACCOUNT)),
)
def list_accounts(
    call: Caller,
    paged: Paged,
    role: Annotated[Role | None, Query()] = None,
    centre: Annotated[s.Code | None, Query()] = None,
) -> Response:
    """Active accounts within the asker's reach, by user name."""
    return call.pages(
        LIST,
        paged,
        lambda reading, paging: reading.accounts.listed(role, centre, paging),
        account_views.account,
    )
