"""What is offered of each service in each district, in few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.offering_queries import (
    accepts_requests,
    holds,
    is_designated,
)
from casework.domain.access.policy import Actor
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.directory import EntryState
from casework.domain.directory.overview import OfferedPlaces, availability
from casework.domain.directory.told_places import Places, places_told
from casework.domain.errors import Invalid
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

Cell = tuple[str, str]
PLACES: Final = tuple(Places.__annotations__)


def overview(
    connection: Connection,
    actor: Actor,
    now: datetime,
    district: str | None,
    service: str | None,
    paging: Paging,
) -> Page:
    """By district and service; some hundred cells, so that a page is cut from all of them."""
    today = day_in_seoul(now)
    districts = _codes(connection, t.district.c, "district", district)
    listed = [t.service.c.state == EntryState.PUBLISHED, holds(t.service, today)]
    services = _codes(connection, t.service.c, "service", service, *listed)
    offered = _offered(connection, actor, now, district, service)
    cells = [(here, code) for here in districts for code in services]
    if paging.after is not None:
        cells = [cell for cell in cells if cell > tuple(paging.after)]
    shown = cells[: paging.limit]
    listed_there = _listed(connection, district, service)
    rows = [
        _row(cell, services[cell[1]], offered[cell], now, is_listed=cell in listed_there)
        for cell in shown
    ]
    return Page(rows, shown[-1] if len(cells) > paging.limit else None)


def _row(
    cell: Cell, service: Row, offered: list[OfferedPlaces], now: datetime, *, is_listed: bool
) -> dict[str, Any]:
    fresh_for = timedelta(days=service["fresh_for_days"])
    takers = [one for one in offered if one.is_open]
    return {
        "district_code": cell[0],
        "service_code": cell[1],
        "field": service["field"],
        "standing": availability(offered, now, fresh_for, is_listed=is_listed),
        "offerings": len(offered),
        "open": len(takers),
        "available": sum(one.available for one in takers),
        "free": sum(one.free(now) for one in takers),
        "waiting": _added(one.waiting for one in takers),
        "oldest_as_of": min((one.as_of for one in takers), default=None),
    }


def _added(counts: Iterable[int | None]) -> int | None:
    """Their sum; None where one of them is not told."""
    found = list(counts)
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None


def _codes(
    connection: Connection, table: Any, what: str, wanted: str | None, *listed: ColumnElement[bool]
) -> dict[str, Row]:
    """Codes in their order, with their rows; refuses one that nobody has."""
    query = select(
        table.code, *(table[name] for name in ("field", "fresh_for_days") if name in table)
    )
    if wanted is not None:
        if connection.execute(query.where(table.code == wanted)).first() is None:
            raise Invalid(f"no such {what}", code=f"unknown_{what}", field=what)
        query = query.where(table.code == wanted)
    found = connection.execute(query.where(*listed).order_by(table.code))
    return {row.code: dict(row._mapping) for row in found}


def _listed(connection: Connection, district: str | None, service: str | None) -> set[Cell]:
    """By district and service: where something is published, whether or not it takes requests."""
    query = (
        select(t.centre.c.district_code, t.offering.c.service_code)
        .distinct()
        .join(t.offering_centre, t.offering_centre.c.offering_id == t.offering.c.id)
        .join(t.centre, t.centre.c.code == t.offering_centre.c.centre_code)
        .where(t.offering.c.state == EntryState.PUBLISHED)
    )
    if district is not None:
        query = query.where(t.centre.c.district_code == district)
    if service is not None:
        query = query.where(t.offering.c.service_code == service)
    return {(row.district_code, row.service_code) for row in connection.execute(query)}


def _offered(
    connection: Connection, actor: Actor, now: datetime, district: str | None, service: str | None
) -> defaultdict[Cell, list[OfferedPlaces]]:
    """The published offerings that reach at least one centre of a district."""
    offering, today = t.offering.c, day_in_seoul(now)
    names = ("id", "service_code", "is_open", "as_of", *PLACES)
    query = (
        select(t.centre.c.district_code, *(offering[name] for name in names))
        .distinct()
        .join(t.provider, t.provider.c.id == offering.provider_id)
        .join(t.offering_centre, t.offering_centre.c.offering_id == offering.id)
        .join(t.centre, t.centre.c.code == t.offering_centre.c.centre_code)
        .where(
            offering.state == EntryState.PUBLISHED, accepts_requests(today), is_designated(today)
        )
    )
    if district is not None:
        query = query.where(t.centre.c.district_code == district)
    if service is not None:
        query = query.where(offering.service_code == service)
    found: defaultdict[Cell, list[OfferedPlaces]] = defaultdict(list)
    for row in connection.execute(query):
        told = places_told(row, actor)
        said = OfferedPlaces(
            is_open=row.is_open,
            available=told.available,
            for_waiting=told.for_waiting,
            full_until=told.full_until,
            waiting=told.waiting,
            as_of=row.as_of,
        )
        found[row.district_code, row.service_code].append(said)
    return found
