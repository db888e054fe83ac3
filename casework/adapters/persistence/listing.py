"""Putting agencies and what they offer into the directory."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.mapper import from_row, to_row
from casework.domain.directory import Offering, Provider


class SqlListing:
    """The directory's entries, to be added to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def provider_by_slug(self, slug: str) -> Provider | None:
        """The agency of that slug, active or not."""
        query = select(t.provider).where(t.provider.c.slug == slug)
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Provider, row)

    def add_provider(self, provider: Provider) -> None:
        """A new agency."""
        self._connection.execute(insert(t.provider), [to_row(provider)])

    def offers(self, provider_id: UUID, service_code: str) -> bool:
        """Whether the agency has an offering of the service."""
        query = select(t.offering.c.id).where(
            t.offering.c.provider_id == provider_id, t.offering.c.service_code == service_code
        )
        return self._connection.execute(query).first() is not None

    def add_offering(self, offering: Offering) -> None:
        """A new offering with the centres it covers."""
        self._connection.execute(insert(t.offering), [to_row(offering)])
        covers = [{"offering_id": offering.id, "centre_code": one} for one in offering.centres]
        if covers:
            self._connection.execute(insert(t.offering_centre), covers)

    def centres_of(self, district_code: str) -> list[str]:
        """The codes of a district's centres."""
        query = select(t.centre.c.code).where(t.centre.c.district_code == district_code)
        return list(self._connection.scalars(query.order_by(t.centre.c.code)))
