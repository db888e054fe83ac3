"""The directory for the actors who maintain it, with its history of changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.directory.answering import answered_by, answering, seated
from casework.adapters.persistence.directory.offering_queries import centres_of
from casework.adapters.persistence.directory.overview import overview
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, table_of, to_row
from casework.adapters.persistence.rows.offerings import offering_of
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.who_sees_what import (
    has_list,
    is_told_numbers,
    listed,
    seen,
)
from casework.domain.access.policy import Scope
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.plan import ServiceStatus
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralOutcome, ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.answering import Answering
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import EntryState, Offering, Provider, Service
from casework.domain.directory.entries import DirectoryChange
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.notices.notices import WorkThatEnds
from casework.workflows.ports.directory import OpenWork
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

ASKED: Final = (ReferralStatus.REQUESTED, ReferralStatus.WAITLISTED, ReferralStatus.ACCEPTED)
RUNNING: Final = (ReferralStatus.IN_PROGRESS, ReferralStatus.ON_HOLD)
SHOWN_REFERRALS: Final = 200
OPEN_WORK: Final = "open_work"


class SqlDirectoryEditing:
    """For one transaction of one actor, who maintains a district's agencies, their own, or all."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def _editable(self) -> ColumnElement[bool]:
        """Which agencies the actor maintains."""
        return seen(t.provider, self._scope, self._now)

    def _one(self, query: Any, what: str, *, lock: bool, of: Any) -> Any:
        row = self._connection.execute(query.with_for_update(of=of) if lock else query).first()
        if row is None:
            raise NotFound(f"no such {what}")
        return row

    # Agencies

    def provider(self, id: UUID, *, lock: bool = False) -> Provider:
        query = select(t.provider).where(t.provider.c.id == id, self._editable())
        row = self._one(query, "provider", lock=lock, of=t.provider)
        found: Provider = from_row(Provider, row)
        return found

    def provider_by_slug(self, slug: str) -> Provider | None:
        query = select(t.provider).where(t.provider.c.slug == slug, self._editable())
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Provider, row)

    def add_provider(self, provider: Provider) -> None:
        with _the_only_one("slug_taken"):
            self._connection.execute(insert(t.provider), [to_row(provider)])

    def save_provider(self, provider: Provider) -> None:
        self._save(provider)

    # Offerings

    def offering(self, id: UUID, *, lock: bool = False) -> Offering:
        query = (
            select(t.offering)
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .where(t.offering.c.id == id, self._editable())
        )
        row = self._one(query, "offering", lock=lock, of=t.offering)
        return offering_of(row._mapping, centres=centres_of(self._connection, [id]).get(id, []))

    def add_offering(self, offering: Offering) -> None:
        with _the_only_one("offering_exists"):
            self._connection.execute(insert(t.offering), [to_row(offering)])
        self._cover(offering.id, offering.centres)

    def save_offering(self, offering: Offering) -> None:
        self._save(offering)
        covers = t.offering_centre
        before = set(centres_of(self._connection, [offering.id]).get(offering.id, []))
        gone = before - set(offering.centres)
        if gone:
            self._connection.execute(
                delete(covers).where(
                    covers.c.offering_id == offering.id, covers.c.centre_code.in_(gone)
                )
            )
        self._cover(offering.id, set(offering.centres) - before)

    def _cover(self, id: UUID, centres: Iterable[str]) -> None:
        rows = [{"offering_id": id, "centre_code": code} for code in sorted(centres)]
        if rows:
            self._connection.execute(insert(t.offering_centre), rows)

    # Services

    def service(self, code: str, *, lock: bool = False) -> Service:
        query = select(t.service).where(t.service.c.code == code)
        found: Service = from_row(Service, self._one(query, "service", lock=lock, of=t.service))
        return found

    def add_service(self, service: Service) -> None:
        with _the_only_one("service_exists"):
            self._connection.execute(insert(t.service), [to_row(service)])

    def save_service(self, service: Service) -> None:
        update_row(self._connection, t.service, to_row(service))

    # Designations

    def designation(self, id: UUID, *, lock: bool = False) -> Designation:
        table = t.designation
        query = (
            select(table)
            .join(t.provider, t.provider.c.id == table.c.provider_id)
            .where(table.c.id == id, self._editable())
        )
        row = self._one(query, "designation", lock=lock, of=table)
        found: Designation = from_row(Designation, row)
        return found

    def designations(self, provider_id: UUID) -> list[Designation]:
        table = t.designation
        query = select(table).where(table.c.provider_id == provider_id).order_by(table.c.id)
        return [from_row(Designation, row) for row in self._connection.execute(query)]

    def add_designation(self, designation: Designation) -> None:
        self._connection.execute(insert(t.designation), [to_row(designation)])

    def save_designation(self, designation: Designation) -> None:
        self._save(designation)

    def _save(self, thing: Any) -> None:
        update_row(self._connection, table_of(type(thing)), to_row(thing))

    # Codes

    def save_centre_phone(self, code: str, phone: str | None) -> None:
        this = and_(t.centre.c.code == code, seen(t.centre, self._scope))
        done = self._connection.execute(update(t.centre).where(this).values(phone=phone))
        if done.rowcount == 0:
            raise NotFound("no such centre")

    def save_retention(self, district_code: str, years: int | None, basis: str | None) -> None:
        if not self._scope.bounds.hold_district(district_code):
            raise NotFound("no such district")
        this = t.district.c.code == district_code
        says = {"retention_years": years, "retention_basis": basis}
        if self._connection.execute(update(t.district).where(this).values(says)).rowcount == 0:
            raise NotFound("no such district")

    def centres_of(self, district_code: str) -> list[str]:
        query = select(t.centre.c.code).where(t.centre.c.district_code == district_code)
        return list(self._connection.scalars(query.order_by(t.centre.c.code)))

    def unknown_centres(self, codes: Iterable[str]) -> list[str]:
        return self._unknown(t.centre.c.code, codes)

    def unknown_districts(self, codes: Iterable[str]) -> list[str]:
        return self._unknown(t.district.c.code, codes)

    def _unknown(self, column: Any, codes: Iterable[str]) -> list[str]:
        wanted = set(codes)
        known = set(self._connection.scalars(select(column).where(column.in_(wanted))))
        return sorted(wanted - known)

    # History

    def note(self, changes: Iterable[DirectoryChange]) -> None:
        rows = [to_row(one) for one in changes]
        if rows:
            self._connection.execute(insert(t.directory_change), rows)

    def history(self, kinds: Collection[str], subject_id: object, paging: Paging) -> Page:
        table = t.directory_change
        query = (
            select(table, t.account.c.name.label("by_name"))
            .outerjoin(t.account, t.account.c.id == table.c.by_id)
            .where(table.c.subject_type.in_(kinds), table.c.subject_id == str(subject_id))
        )
        return page(self._connection, query, [table.c.id], paging, newest_first=True)

    # Lists

    def entries(self, filters: Row, paging: Paging) -> Page:
        columns = {
            "state": t.offering.c.state,
            "service": t.offering.c.service_code,
            "district": t.provider.c.district_code,
            "field": t.service.c.field,
        }
        query = (
            select(
                t.offering,
                t.service.c.field,
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
            )
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .join(t.service, t.service.c.code == t.offering.c.service_code)
            .where(self._editable())
        )
        self._check_known(filters)
        for name, wanted in filters.items():
            if name in columns and wanted is not None:
                query = query.where(columns[name] == wanted)
        today, body = day_in_seoul(self._now), filters.get("body")
        if body is not None:
            query = query.where(answered_by(self._connection, self._scope, body, today))
        found = page(self._connection, query, [t.offering.c.id], paging)
        covers = centres_of(self._connection, [row["id"] for row in found.rows])
        for row in found.rows:
            row["centres"] = covers.get(row["id"], [])
        answers = self.answering()
        for row in found.rows:
            row["answered_by"] = answers.of(row["service_code"], row["field"])
        return found

    def answering(self) -> Answering:
        return answering(self._connection, day_in_seoul(self._now))

    def seated(self, body_id: UUID) -> frozenset[UUID]:
        return seated(self._connection, body_id, day_in_seoul(self._now))

    def _check_known(self, filters: Row) -> None:
        """Refuse a code that nobody has, which would filter all away."""
        for name, code in (("service", t.service.c.code), ("district", t.district.c.code)):
            wanted = filters.get(name)
            if wanted is not None and self._unknown(code, [wanted]):
                raise Invalid(f"no such {name}", code=f"unknown_{name}", field=name)

    def states_of(self, ids: Collection[UUID]) -> dict[UUID, EntryState]:
        query = (
            select(t.offering.c.id, t.offering.c.state)
            .join(t.provider, t.provider.c.id == t.offering.c.provider_id)
            .where(t.offering.c.id.in_(ids), self._editable())
        )
        return {row.id: EntryState(row.state) for row in self._connection.execute(query)}

    def overview(self, district: str | None, service: str | None, paging: Paging) -> Page:
        of = self._scope.actor
        return overview(self._connection, of, self._now, district, service, paging)

    # What is open

    def open_work(self, provider_id: UUID, services: Collection[str] | None) -> OpenWork:
        offering = t.offering.c
        query = select(offering.id).where(offering.provider_id == provider_id)
        if services is not None:
            query = query.where(offering.service_code.in_(services))
        ids = list(self._connection.scalars(query))
        asked, running = self._number(ids, ASKED), self._number(ids, RUNNING)
        is_listed = has_list(t.referral, OPEN_WORK, self._scope)
        return OpenWork(
            requests=asked, running=running, referrals=self._listed(ids) if is_listed else None
        )

    def open_referrals(
        self, provider_id: UUID, services: Collection[str] | None
    ) -> list[WorkThatEnds]:
        """Read for the system itself: who maintains the directory need not see the cases."""
        one = t.referral.c
        names = ("id", "case_id", "centre_code", "district_code", "provider_id")
        query = (
            select(*(one[name] for name in names), t.care_case.c.worker_id)
            .join(t.care_case, t.care_case.c.id == one.case_id)
            .where(one.provider_id == provider_id, one.status.in_(sorted(OPEN)))
            .order_by(one.id)
        )
        if services is not None:
            query = query.where(one.service_code.in_(services))
        with session_context.as_system(self._connection):
            return [WorkThatEnds(**row._mapping) for row in self._connection.execute(query)]

    def planned_with(self, service_code: str, after: date) -> list[WorkThatEnds]:
        """Read for the system itself, as above."""
        one, asked, case = t.planned_service.c, t.referral.c, t.care_case.c
        of_it = asked.planned_service_id == one.id
        is_open = exists().where(of_it, asked.status.in_(sorted(OPEN)))
        has_ended = exists().where(of_it, asked.outcome == ReferralOutcome.ENDED_AS_PLANNED)
        query = (
            select(
                one.id,
                one.case_id,
                *t.care_case.c["centre_code", "district_code", "worker_id"],
            )
            .join(t.care_case, case.id == one.case_id)
            .where(
                one.service_code == service_code,
                one.ends_on > after,
                one.status != ServiceStatus.DROPPED,
                case.status != CaseStatus.CLOSED,
                or_(is_open, and_(one.settlement.is_(None), ~has_ended)),
            )
            .order_by(one.id)
        )
        with session_context.as_system(self._connection):
            return [WorkThatEnds(**row._mapping) for row in self._connection.execute(query)]

    def _number(self, offering_ids: list[UUID], states: tuple[ReferralStatus, ...]) -> int:
        """How many referrals are in such a state; row-level security exposes only the number."""
        table = t.referral
        of_them = table.c.offering_id.in_(offering_ids)
        query = select(func.count()).where(
            of_them, table.c.status.in_(states), seen(table, self._scope, self._now)
        )
        behind = self._connection.dialect.name == "postgresql"
        if behind and is_told_numbers(self._scope):
            name = "casework_open_requests" if states is ASKED else "casework_running_services"
            count = getattr(func, name)(t.offering.c.id, type_=Integer)
            query = select(func.sum(count)).where(t.offering.c.id.in_(offering_ids))
        return int(self._connection.scalar(query) or 0)

    def _listed(self, offering_ids: list[UUID]) -> list[dict[str, Any]]:
        """Those that the actor sees, oldest first."""
        table = t.referral
        names = ("id", "status", "service_code", "resident_id", "case_id", "centre_code")
        query = (
            select(*table.c[names], number_of(table.c.case_id))
            .where(
                table.c.offering_id.in_(offering_ids),
                table.c.status.in_((*ASKED, *RUNNING)),
                listed(table, OPEN_WORK, self._scope),
            )
            .order_by(table.c.id)
            .limit(SHOWN_REFERRALS)
        )
        # The JSON of an answer takes plain text as keys, which the names of columns are not.
        keys = (*names, "case_number")
        rows = [dict(zip(keys, row, strict=True)) for row in self._connection.execute(query)]
        self._about.update(row["resident_id"] for row in rows)
        return rows


@contextmanager
def _the_only_one(code: str) -> Iterator[None]:
    """Raise the conflict where another transaction inserted it first."""
    try:
        yield
    except IntegrityError as error:
        if is_taken(error):
            raise Conflict("there is one already", code=code) from None
        raise
