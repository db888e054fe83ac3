"""Queries of the organisation and the directory, which hold no personal data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.tables.directory import designation
from casework.domain.directory.designations import GIVEN_UNDER
from casework.domain.directory.directory import EntryState

_held = alias_of(designation, "held")


def accepts_requests(today: date) -> ColumnElement[bool]:
    """Agencies that may receive referrals on a day."""
    agency = t.provider.c
    return and_(agency.is_active, or_(agency.ended_on.is_(None), agency.ended_on >= today))


def holds(table: Any, today: date) -> ColumnElement[bool]:
    """Rows that are valid on a day."""
    return and_(
        or_(table.c.valid_from.is_(None), table.c.valid_from <= today),
        or_(table.c.valid_to.is_(None), table.c.valid_to >= today),
    )


def designated_to() -> ColumnElement[date | None]:
    """Of an offering: the last day of its agency's designation to give it; NULL where none ends."""
    given, held = t.offering.c, _held
    meant = (
        and_(held.c.code == str(code), given.service_code.in_(services))
        for code, services in GIVEN_UNDER.items()
    )
    # A designation without a last day is counted and has none: then there is no last day.
    ends = case((func.count() == func.count(held.c.valid_to), func.max(held.c.valid_to)))
    query = select(ends).where(held.c.provider_id == given.provider_id, or_(*meant))
    return query.correlate(t.offering).scalar_subquery()


def is_designated(today: date) -> ColumnElement[bool]:
    """Offerings whose agency's designation to give them, if it had one, has not ended."""
    return func.coalesce(designated_to(), today) >= today


def is_listed(today: date) -> tuple[ColumnElement[bool], ...]:
    """Offerings, with agency and service, that are published and available on a day."""
    published = [table.c.state == EntryState.PUBLISHED for table in (t.offering, t.service)]
    in_force = (accepts_requests(today), is_designated(today), holds(t.service, today))
    return (*published, *in_force)


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
