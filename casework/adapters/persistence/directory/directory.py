"""The organisation and the directory, which everyone may read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select
from sqlalchemy.sql.functions import aggregate_strings

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.offering_queries import (
    accepts_requests,
    centres_of,
    designated,
    designated_to,
    is_listed,
)
from casework.adapters.persistence.directory.places import has_free_place
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.rows.offerings import offering_of
from casework.domain.access.policy import Scope
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.directory import Centre, EntryState, Offering, distance_km
from casework.domain.errors import Invalid, NotFound
from casework.workflows.ports.paging import Page, Paging, Row

KNOWN_AS = ("slug", "name", "kind")
# What else of its agency and service decides whether it accepts referrals.
LISTED = {
    "provider_ended_on": t.provider.c.ended_on,
    "designated_to": designated_to(),
    "service_from": t.service.c.valid_from,
    "service_to": t.service.c.valid_to,
    "service_state": t.service.c.state,
}


def _with_its_centres(*which: ColumnElement[bool]) -> Select[Any]:
    """An offering with its agency and service, and the centres it covers as one text."""
    covers = t.offering_centre.c
    reached = (
        select(aggregate_strings(covers.centre_code, ","))
        .where(covers.offering_id == t.offering.c.id)
        .scalar_subquery()
    )
    return (
        select(
            t.offering,
            reached.label("covers"),
            *(t.provider.c[name].label(f"known_as_{name}") for name in KNOWN_AS),
            *(column.label(name) for name, column in LISTED.items()),
        )
        .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
        .join(t.service, t.service.c.code == t.offering.c.service_code)
        .where(*which, t.provider.c.is_active)
    )


# Built once: a referral that is made asks for one.
_BY_ID: Final = _with_its_centres(t.offering.c.id == bindparam("id"))
_BY_NAMES: Final = _with_its_centres(
    t.provider.c.slug == bindparam("slug"), t.offering.c.service_code == bindparam("service")
)


class SqlDirectory:
    """Centres and offerings."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope, self._today = connection, scope, day_in_seoul(now)
        self._districts: dict[str, str | None] = {}

    def offering(self, id: UUID) -> Offering | None:
        return self._offering(_BY_ID, {"id": id})

    def offering_of(self, provider_slug: str, service_code: str) -> Offering | None:
        return self._offering(_BY_NAMES, {"slug": provider_slug, "service": service_code})

    def _offering(self, query: Select[Any], named: dict[str, Any]) -> Offering | None:
        row = self._connection.execute(query, named).first()
        if row is None:
            return None
        values: dict[str, Any] = dict(row._mapping)
        centres = values.pop("covers")
        names = frozenset(values.pop(f"known_as_{name}") for name in KNOWN_AS)
        return offering_of(values, centres=centres.split(",") if centres else [], known_as=names)

    def known_providers(self, ids: Iterable[UUID]) -> set[UUID]:
        wanted = set(ids)
        if not wanted:
            return set()
        query = select(t.provider.c.id).where(
            t.provider.c.id.in_(wanted), accepts_requests(self._today)
        )
        return set(self._connection.scalars(query))

    def has_district(self, code: str) -> bool:
        known = select(t.district.c.code).where(t.district.c.code == code)
        return self._connection.execute(known).first() is not None

    def centre(self, code: str) -> Centre | None:
        row = self._connection.execute(select(t.centre).where(t.centre.c.code == code)).first()
        return None if row is None else from_row(Centre, row)

    def covers(self, offering_id: UUID, centre_code: str) -> bool:
        reached = select(t.offering_centre.c.centre_code).where(
            t.offering_centre.c.offering_id == offering_id,
            t.offering_centre.c.centre_code == centre_code,
        )
        return self._connection.execute(reached).first() is not None

    def centre_district(self, centre_code: str) -> str | None:
        if centre_code not in self._districts:  # a centre stays where it is
            query = select(t.centre.c.district_code).where(t.centre.c.code == centre_code)
            self._districts[centre_code] = self._connection.scalar(query)
        return self._districts[centre_code]

    def district(self, code: str) -> Row:
        row = self._connection.execute(select(t.district).where(t.district.c.code == code)).first()
        if row is None:
            raise NotFound("no such district")
        return dict(row._mapping)

    def districts(self, paging: Paging) -> Page:
        return page(self._connection, select(t.district), [t.district.c.code], paging)

    def centres(self, district: str | None, paging: Paging) -> Page:
        query = select(t.centre)
        if district is not None:
            self._known(t.district, district, "district")
            query = query.where(t.centre.c.district_code == district)
        return page(self._connection, query, [t.centre.c.code], paging)

    def services(self, paging: Paging) -> Page:
        query = select(t.service).where(t.service.c.state == EntryState.PUBLISHED)
        return page(self._connection, query, [t.service.c.code], paging)

    def providers(self, paging: Paging) -> Page:
        query = select(t.provider).where(accepts_requests(self._today))
        found = page(self._connection, query, [t.provider.c.slug], paging)
        held = designated(self._connection, [row["id"] for row in found.rows], self._today)
        for row in found.rows:
            row["designations"] = held.get(row["id"], [])
        return found

    def offerings(
        self,
        service: str | None,
        centre: str | None,
        is_open: bool | None,
        paging: Paging,
        is_free: bool | None = None,
    ) -> Page:
        query = (
            select(
                t.offering,
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
                *t.provider.c["lat", "lon"],
            )
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .join(t.service, t.service.c.code == t.offering.c.service_code)
            .where(*is_listed(self._today))
        )
        if service is not None:
            self._known(t.service, service, "service")
            query = query.where(t.offering.c.service_code == service)
        if is_open is not None:
            query = query.where(t.offering.c.is_open == is_open)
        if is_free is not None:
            free = has_free_place(self._today, self._scope.actor)
            query = query.where(free if is_free else ~free)
        if centre is None:
            found = page(self._connection, query, [t.offering.c.id], paging)
        else:
            found = self._nearest(query, centre, paging)
        self._add_centres(found)
        return found

    def _nearest(self, query: Select[Any], centre: str, paging: Paging) -> Page:
        """In memory: what covers one centre is some hundred rows at most."""
        point = self._known(t.centre, centre, "centre")
        covering = query.join(
            t.offering_centre, t.offering_centre.c.offering_id == t.offering.c.id
        ).where(t.offering_centre.c.centre_code == centre)
        rows = [
            {
                **row,
                "distance_km": round(
                    distance_km((point.lat, point.lon), (row["lat"], row["lon"])), 3
                ),
            }
            for row in (found._mapping for found in self._connection.execute(covering))
        ]
        rows.sort(key=_nearest_first)
        if paging.after is not None:
            rows = [row for row in rows if _nearest_first(row) > paging.after]
        shown = rows[: paging.limit]
        more = len(rows) > paging.limit
        return Page(shown, _nearest_first(shown[-1]) if more else None)

    def _add_centres(self, found: Page) -> None:
        """The centres that each offering covers."""
        centres = centres_of(self._connection, [row["id"] for row in found.rows])
        for row in found.rows:
            row["centres"] = centres.get(row["id"], [])

    def _known(self, table: Any, code: str, what: str) -> Any:
        """The row of that code. Refuses a code that nobody has, which would filter all away."""
        row = self._connection.execute(select(table).where(table.c.code == code)).first()
        if row is None:
            raise Invalid(f"no such {what}", code=f"unknown_{what}", field=what)
        return row


def _nearest_first(row: Row) -> tuple[float, str]:
    return row["distance_km"], str(row["id"])
