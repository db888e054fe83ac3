"""Reading the organisation and the directory, which concern nobody in particular."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.places import has_free_place
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.tables.directory import designation
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.directory import EntryState, distance_km
from casework.domain.errors import Invalid
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging


def is_asked(today: date) -> ColumnElement[bool]:
    """Agencies that may be asked on a day."""
    agency = t.provider.c
    return and_(agency.is_active, or_(agency.ended_on.is_(None), agency.ended_on >= today))


def holds(table: Any, today: date) -> ColumnElement[bool]:
    """Rows that are valid on a day."""
    return and_(
        or_(table.c.valid_from.is_(None), table.c.valid_from <= today),
        or_(table.c.valid_to.is_(None), table.c.valid_to >= today),
    )


def is_listed(today: date) -> tuple[ColumnElement[bool], ...]:
    """Offerings, with agency and service, that are published and may be asked for on a day."""
    published = [table.c.state == EntryState.PUBLISHED for table in (t.offering, t.service)]
    return (*published, is_asked(today), holds(t.service, today))


def designated(connection: Connection, ids: Iterable[UUID], today: date) -> dict[UUID, list[str]]:
    """The designations of agencies that hold on a day."""
    table = designation
    query = select(table.c.provider_id, table.c.code).where(
        table.c.provider_id.in_(list(ids)), holds(table, today)
    )
    found: dict[UUID, list[str]] = {}
    for row in connection.execute(query.order_by(table.c.code)):
        found.setdefault(row.provider_id, []).append(row.code)
    return found


def holders(code: str, today: date) -> Select[tuple[UUID]]:
    """The agencies that hold a designation on a day."""
    return select(designation.c.provider_id).where(
        designation.c.code == code, holds(designation, today)
    )


def centres_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The centres that offerings cover, by code."""
    table = t.offering_centre
    query = select(table).where(table.c.offering_id.in_(list(ids))).order_by(table.c.centre_code)
    found: dict[UUID, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.offering_id, []).append(row.centre_code)
    return found


class OfferingQueries:
    """Districts, centres, services, providers and offerings."""

    _connection: Connection
    _now: datetime

    def districts(self, paging: Paging) -> Page:
        """The districts by code."""
        return page(self._connection, select(t.district), [t.district.c.code], paging)

    def centres(self, district: str | None, paging: Paging) -> Page:
        """The centres by code, of one district or all."""
        query = select(t.centre)
        if district is not None:
            self._check_known(t.district, district, "district")
            query = query.where(t.centre.c.district_code == district)
        return page(self._connection, query, [t.centre.c.code], paging)

    def services(self, paging: Paging) -> Page:
        """The published catalogue by code."""
        query = select(t.service).where(t.service.c.state == EntryState.PUBLISHED)
        return page(self._connection, query, [t.service.c.code], paging)

    def providers(self, paging: Paging) -> Page:
        """The active agencies by slug, with the designations that hold today."""
        today = day_in_seoul(self._now)
        query = select(t.provider).where(is_asked(today))
        found = page(self._connection, query, [t.provider.c.slug], paging)
        held = designated(self._connection, [row["id"] for row in found.rows], today)
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
        """Offerings; those that cover a centre come nearest first, with their distance in km."""
        query = (
            select(
                t.offering,
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
                *t.provider.c["lat", "lon"],
            )
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .join(t.service, t.service.c.code == t.offering.c.service_code)
            .where(*is_listed(day_in_seoul(self._now)))
        )
        if service is not None:
            self._check_known(t.service, service, "service")
            query = query.where(t.offering.c.service_code == service)
        if is_open is not None:
            query = query.where(t.offering.c.is_open == is_open)
        if is_free is not None:
            free = has_free_place(day_in_seoul(self._now))
            query = query.where(free if is_free else ~free)
        if centre is None:
            found = page(self._connection, query, [t.offering.c.id], paging)
        else:
            found = self._nearest(query, centre, paging)
        self._add_centres(found)
        return found

    def _nearest(self, query: Select[Any], centre: str, paging: Paging) -> Page:
        """In memory: what covers one centre is some hundred rows at most."""
        point = self._check_known(t.centre, centre, "centre")
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

    def _check_known(self, table: Any, code: str, what: str) -> Any:
        """The row of that code. Refuses a code that nobody has, which would filter all away."""
        row = self._connection.execute(select(table).where(table.c.code == code)).first()
        if row is None:
            raise Invalid(f"no such {what}", code=f"unknown_{what}", field=what)
        return row


def _nearest_first(row: Row) -> tuple[float, str]:
    return row["distance_km"], str(row["id"])
