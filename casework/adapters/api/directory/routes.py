"""The organisation, the catalogue, who offers what where, and who has an account."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from casework.adapters.api.access import list_views as account_views
from casework.adapters.api.access import responses as access_responses
from casework.adapters.api.directory import list_views
from casework.adapters.api.directory import responses as r
from casework.adapters.api.shared import bodies as s
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import Role

router = SubjectRouter(tags=["directory"])
READ, LIST = "directory.read", "account.list"


def _list_of(example: object) -> dict[str, object]:
    return {"items": [example], "next_cursor": None}


@router.get("/districts", **operation(READ, page_of(r.District)))
def list_districts(call: Caller, paged: Paged) -> Response:
    """The districts, by code.

    Codes and names.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.districts(paging),
        list_views.district,
    )


@router.get("/centres", **operation(READ, page_of(r.Centre)))
def list_centres(
    call: Caller, paged: Paged, district: Annotated[s.Code | None, Query()] = None
) -> Response:
    """The community centres, by code.

    Of one district or all; an unknown one is 422 ``unknown_district``.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.centres(district, paging),
        list_views.centre,
    )


@router.get("/services", **operation(READ, page_of(r.CatalogueService)))
def list_services(call: Caller, paged: Paged) -> Response:
    """The catalogue, by code.

    Each service with its field, unit, limit and legal basis.
    """
    return call.pages(
        READ, paged, lambda reading, paging: reading.directory.services(paging), list_views.service
    )


@router.get("/providers", **operation(READ, page_of(r.ProviderRow)))
def list_providers(call: Caller, paged: Paged) -> Response:
    """The agencies, by slug.

    Those that are active.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory.providers(paging),
        list_views.provider,
    )


@router.get("/offerings", **operation(READ, page_of(r.OfferingRow)))
def list_offerings(
    call: Caller,
    paged: Paged,
    service: Annotated[s.Code | None, Query()] = None,
    centre: Annotated[s.Code | None, Query()] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    is_free: Annotated[bool | None, Query(alias="free")] = None,
) -> Response:
    """Who offers what where.

    With ``centre``, those that cover it, nearest first, with their distance.

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
        lambda row: list_views.offering(row, ctx.catalogue, ctx.actor, ctx.now),
    )


@router.get(
    "/accounts", tags=["organisation"], **operation(LIST, page_of(access_responses.AccountRow))
)
def list_accounts(
    call: Caller,
    paged: Paged,
    role: Annotated[Role | None, Query()] = None,
    centre: Annotated[s.Code | None, Query()] = None,
) -> Response:
    """Whom I can assign to.

    Active accounts within the account's scope, by user name.
    """
    return call.pages(
        LIST,
        paged,
        lambda reading, paging: reading.accounts.listed(role, centre, paging),
        account_views.account,
    )
