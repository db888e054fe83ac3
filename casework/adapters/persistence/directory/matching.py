"""The queries of matching and coverage: one or two statements each."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.offering_queries import (
    designated_to,
    holders,
    is_listed,
)
from casework.adapters.persistence.directory.places import has_free_place
from casework.adapters.persistence.residents.residents import SqlResidents
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.rows.offerings import offering_of
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.adapters.persistence.tables.figures import provider_answers
from casework.domain.access.policy import Scope
from casework.domain.casefile.states import Disposition, ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.coverage import Agency, CentreCoverage, cover
from casework.domain.directory.directory import Centre, Provider
from casework.domain.directory.matching import CandidateOffering, ResponseRate
from casework.domain.directory.past import STATES, PastSetback, setback
from casework.domain.residents.resident import Resident

AS_PROVIDER, AS_MEASURED, AS_CENTRE = "of_", "how_", "at_"


class SqlMatching:
    """Who offers what where, for one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, residents: SqlResidents, now: datetime
    ) -> None:
        self._connection, self._scope, self._residents = connection, scope, residents
        self._now, self._today = now, day_in_seoul(now)

    def resident(self, id: UUID) -> Resident:
        return self._residents.get(id)

    def candidates(
        self, service_code: str, centre_code: str
    ) -> tuple[Centre, list[CandidateOffering]] | None:
        covers, one, by, how = t.offering_centre, t.offering, t.provider, provider_answers
        offered = (
            covers.join(one, one.c.id == covers.c.offering_id)
            .join(by, by.c.id == one.c.provider_id)
            .outerjoin(how, how.c.provider_id == by.c.id)
        )
        query = (
            select(
                one,
                *_named(t.centre, AS_CENTRE),
                *_named(by, AS_PROVIDER),
                *_named(how, AS_MEASURED),
                t.service.c.given_at.label("usually_at"),
                t.service.c.fresh_for_days,
                t.service.c.valid_to.label("service_to"),
                designated_to().label("designated_to"),
            )
            .select_from(
                t.centre.join(t.service, t.service.c.code == service_code).outerjoin(
                    offered,
                    and_(
                        covers.c.centre_code == t.centre.c.code,
                        one.c.service_code == service_code,
                        one.c.is_open,
                        *is_listed(self._today),
                    ),
                )
            )
            .where(t.centre.c.code == centre_code)
        )
        rows = [row._mapping for row in self._connection.execute(query)]
        if not rows:
            return None
        centre: Centre = from_row(Centre, rows[0], prefix=AS_CENTRE)
        return centre, [_candidate(row) for row in rows if row["id"] is not None]

    def setbacks(self, resident_id: UUID, since: datetime) -> list[PastSetback]:
        of = t.referral.c
        query = select(of.provider_id, of.status, of.reason, of.disposition, of.ended_at).where(
            of.resident_id == resident_id,
            of.status.in_(STATES),
            of.ended_at > since,
            seen(t.referral, self._scope, self._now),
        )
        found = []
        for row in self._connection.execute(query):
            disposition = Disposition(row.disposition) if row.disposition else None
            what = setback(ReferralStatus(row.status), row.reason, disposition)
            if what is not None:
                on = day_in_seoul(row.ended_at)
                found.append(PastSetback(provider_id=row.provider_id, setback=what, on=on))
        return found

    def coverage(self, service_code: str | None, designation: str | None) -> list[CentreCoverage]:
        covers, one, by = t.offering_centre, t.offering, t.provider
        is_meant: list[ColumnElement[bool]] = [one.c.is_open, *is_listed(self._today)]
        if service_code is not None:
            is_meant.append(one.c.service_code == service_code)
        if designation is not None:
            is_meant.append(by.c.id.in_(holders(designation, self._today)))
        is_free = has_free_place(self._today, self._scope.actor)
        query = (
            select(
                covers.c.centre_code,
                *by.c["id", "name", "lat", "lon"],
                func.max(case((is_free, 1), else_=0)).label("is_accepting"),
            )
            .select_from(
                covers.join(one, one.c.id == covers.c.offering_id)
                .join(by, by.c.id == one.c.provider_id)
                .join(t.centre, t.centre.c.code == covers.c.centre_code)
                .join(t.service, t.service.c.code == one.c.service_code)
            )
            .where(*is_meant, self._within_scope())
            .group_by(covers.c.centre_code, *by.c["id", "name", "lat", "lon"])
        )
        agencies: dict[str, list[Agency]] = defaultdict(list)
        for row in self._connection.execute(query):
            agencies[row.centre_code].append(
                Agency(
                    id=row.id,
                    name=row.name,
                    point=(row.lat, row.lon),
                    is_accepting=bool(row.is_accepting),
                )
            )
        centres = select(t.centre).where(self._within_scope()).order_by(t.centre.c.code)
        return [
            cover(from_row(Centre, row), agencies[row.code])
            for row in self._connection.execute(centres)
        ]

    def _within_scope(self) -> ColumnElement[bool]:
        """The centres shown to the actor; who offers what there is no personal data."""
        return seen(t.centre, self._scope)


def _named(table: Any, prefix: str) -> list[Any]:
    return [column.label(prefix + column.name) for column in table.c]


def _candidate(row: Any) -> CandidateOffering:
    names = ("answers", "median_days", "accepted_share", "as_of")
    how = {name: row[AS_MEASURED + name] for name in names}
    own = {column.name: row[column.name] for column in t.offering.c}
    ends = {name: row[name] for name in ("service_to", "designated_to")}
    ends["provider_ended_on"] = row[AS_PROVIDER + "ended_on"]
    return CandidateOffering(
        offering=offering_of(own, centres=[], **ends),
        provider=from_row(Provider, row, prefix=AS_PROVIDER),
        measured=ResponseRate(**how) if how["answers"] is not None else None,
        given_at=row["given_at"] or row["usually_at"],
        fresh_for=timedelta(days=row["fresh_for_days"]),
    )
