"""The organisation and the directory, which everyone may read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.offering_queries import is_asked
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Reach, Role
from casework.domain.cases.handover import Absence
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.directory import Centre, Offering

KNOWN_AS = ("slug", "name", "kind")
# What else of its agency and service decides whether it may be asked.
LISTED = {
    "provider_ended_on": t.provider.c.ended_on,
    "service_from": t.service.c.valid_from,
    "service_to": t.service.c.valid_to,
    "service_state": t.service.c.state,
}


class SqlDirectory:
    """Centres and offerings."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection, self._today = connection, day_in_seoul(now)

    def offering(self, id: UUID) -> Offering | None:
        """An offering of an active agency with the centres it covers."""
        covers = t.offering_centre
        query = (
            select(
                t.offering,
                covers.c.centre_code.label("covers"),
                *(t.provider.c[name].label(f"known_as_{name}") for name in KNOWN_AS),
                *(column.label(name) for name, column in LISTED.items()),
            )
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .join(t.service, t.service.c.code == t.offering.c.service_code)
            .outerjoin(covers, covers.c.offering_id == t.offering.c.id)
            .where(t.offering.c.id == id, t.provider.c.is_active)
        )
        rows = self._connection.execute(query).all()
        if not rows:
            return None
        values: dict[str, Any] = dict(rows[0]._mapping)
        del values["covers"]
        names = frozenset(values.pop(f"known_as_{name}") for name in KNOWN_AS)
        centres = [row.covers for row in rows if row.covers]
        return Offering(**values, centres=centres, known_as=names)

    def known_providers(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are agencies which may still be asked."""
        wanted = set(ids)
        if not wanted:
            return set()
        query = select(t.provider.c.id).where(t.provider.c.id.in_(wanted), is_asked(self._today))
        return set(self._connection.scalars(query))

    def has_district(self, code: str) -> bool:
        """Whether there is such a district."""
        known = select(t.district.c.code).where(t.district.c.code == code)
        return self._connection.execute(known).first() is not None

    def centre(self, code: str) -> Centre | None:
        """A centre, or None where there is no such one."""
        row = self._connection.execute(select(t.centre).where(t.centre.c.code == code)).first()
        return None if row is None else from_row(Centre, row)

    def covers(self, offering_id: UUID, centre_code: str) -> bool:
        """Whether an offering reaches a centre."""
        reached = select(t.offering_centre.c.centre_code).where(
            t.offering_centre.c.offering_id == offering_id,
            t.offering_centre.c.centre_code == centre_code,
        )
        return self._connection.execute(reached).first() is not None

    def centre_district(self, centre_code: str) -> str | None:
        """The district of a centre."""
        query = select(t.centre.c.district_code).where(t.centre.c.code == centre_code)
        return self._connection.scalar(query)


class SqlAccounts:
    """Accounts that work can be given to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def worker_of(self, id: UUID, centre_code: str) -> Account | None:
        """An active worker of that centre."""
        query = select(t.account).where(
            t.account.c.id == id,
            t.account.c.role == Role.WORKER,
            t.account.c.is_active,
            t.account.c.centre_code == centre_code,
        )
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Account, row)

    def worker_in_reach(self, id: UUID, reach: Reach, *, active: bool = True) -> Account | None:
        """A worker of the asker's district, or None; one who has left counts where asked."""
        query = select(t.account).where(
            t.account.c.id == id,
            t.account.c.role == Role.WORKER,
            t.account.c.district_code == reach.actor.district_code,
        )
        if active:
            query = query.where(t.account.c.is_active)
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Account, row)

    def add_absence(self, absence: Absence) -> None:
        """A new absence."""
        self._connection.execute(insert(t.absence), [to_row(absence)])
