"""Looking: each answer one SELECT or a few, scoped to the asker in the same statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Connection, exists, func, or_, select, union

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.accounts import SqlAccountAdministration
from casework.adapters.persistence.agencies.inbox import SqlInbox
from casework.adapters.persistence.agencies.links import SqlLinks
from casework.adapters.persistence.agencies.rosters import SqlRosters
from casework.adapters.persistence.agencies.staff import SqlStaff
from casework.adapters.persistence.audit.trail import SqlAuditTrail
from casework.adapters.persistence.casefile.case_queries import CaseQueries
from casework.adapters.persistence.casefile.referral_views import view_of, viewed
from casework.adapters.persistence.directory.editing import SqlDirectoryEditing
from casework.adapters.persistence.directory.matching import SqlMatching
from casework.adapters.persistence.directory.offering_queries import OfferingQueries
from casework.adapters.persistence.directory.places import SqlPlaces
from casework.adapters.persistence.duplicates.duplicates import SqlDuplicates
from casework.adapters.persistence.duplicates.merging import SqlMerges
from casework.adapters.persistence.engine.encrypted_columns import (
    decrypt_row,
    require_vault,
    vault_of,
)
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.exchange.imports import SqlImports
from casework.adapters.persistence.figures.figures import SqlFigures
from casework.adapters.persistence.notices.notice_queries import NoticeQueries
from casework.adapters.persistence.planning.conferences import ConferenceQueries
from casework.adapters.persistence.privacy.access_requests import SqlAccessRequests
from casework.adapters.persistence.privacy.break_glass import OpeningQueries
from casework.adapters.persistence.privacy.disclosures import DisclosureQueries
from casework.adapters.persistence.residents.households import SqlHouseholds
from casework.adapters.persistence.residents.residents import SqlResidents
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.scope.scope import note_opened, seen, seen_or_opened
from casework.adapters.persistence.supervision.job_queries import JobQueries
from casework.adapters.persistence.supervision.standards import SqlStandards
from casework.adapters.persistence.supervision.worklists import Worklists
from casework.domain.access.policy import EVERYTHING, Reach, Relation
from casework.domain.casefile.case import Signal
from casework.domain.casefile.lifecycle import OPEN
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.privacy.masks import CLOCKS, TIMELINE_LEAVES_OUT, searches_untold_contacts
from casework.domain.residents.resident import Consent, Contact, Note, Resident, digits_of
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.paging import Row
from casework.workflows.ports.residents import ResidentRecord
from casework.workflows.ports.unit_of_work import Page, Paging
from casework.workflows.ports.vault import Vault


class SqlReading(
    Worklists,
    OfferingQueries,
    CaseQueries,
    ConferenceQueries,
    JobQueries,
    NoticeQueries,
    DisclosureQueries,
    OpeningQueries,
):
    """Everything that can be looked at, in one transaction of one asker."""

    def __init__(
        self, connection: Connection, reach: Reach, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self.reach, self._now, self._about = connection, reach, now, about
        self._residents = SqlResidents(connection, reach, now, about)
        self.places = SqlPlaces(connection, reach)
        self.figures = SqlFigures(connection, reach, now, about)
        self.standards = SqlStandards(connection, reach, now)
        self.duplicates = SqlDuplicates(connection, reach, now, about)
        self.merges = SqlMerges(connection, reach, now, about)
        self.households = SqlHouseholds(connection, reach, now, about)
        self.matching = SqlMatching(connection, reach, self._residents, now)
        self.account_administration = SqlAccountAdministration(connection)
        self.staff = SqlStaff(connection, reach)
        self.inbox = SqlInbox(connection, reach, now, about)
        self.directory_editing = SqlDirectoryEditing(connection, reach, now, about)
        self.audit = SqlAuditTrail(connection, about)
        self.access_requests = SqlAccessRequests(connection, reach, now, about)
        self.imports = SqlImports(connection, reach, now, about)
        self.rosters = SqlRosters(connection, reach, now, about)
        self.links = SqlLinks(connection)

    def _sees(self, table: Any) -> ColumnElement[bool]:
        return seen(table, self.reach, self._now)

    # Residents

    def resident(self, id: UUID) -> tuple[Resident, list[Contact]]:
        """A resident with contacts."""
        return self._residents.get(id), self._residents.contacts(id)

    def rrn(self, resident_id: UUID) -> str | None:
        """A resident's registration number."""
        return self._residents.rrn(self._residents.get(resident_id).id)

    def consents(self, resident_id: UUID) -> tuple[Resident, list[Consent]]:
        """A resident, and their consents."""
        resident = self._residents.get(resident_id)
        return resident, self._residents.consents(resident.id)

    def consent(self, id: UUID) -> Consent:
        """One consent."""
        return self._residents.consent(id)

    def note(self, id: UUID) -> Note:
        """One contact note."""
        return self._residents.note(id)

    def notes(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's contact notes, newest first."""
        of = self._residents.get(resident_id).id
        query = select(t.note).where(t.note.c.resident_id == of)
        vault = vault_of(self._connection)
        return page(
            self._connection,
            query,
            [t.note.c.written_at, t.note.c.id],
            paging,
            newest_first=True,
            make=lambda row: from_row(Note, row, vault),
        )

    def held(self, resident_id: UUID) -> ResidentRecord:
        """Everything that is held of a resident within reach, wherever it was written, also where
        there once were several records of them.

        Who asks is owed all of it, and not only what the worker who hands it out usually sees.
        """
        resident = self._residents.get(resident_id)
        former = self._residents.former(resident.id)
        records = [resident.id, *(one.id for one in former)]
        self.about(*records)
        whole = SqlReading(self._connection, EVERYTHING, self._now, self._about)
        return ResidentRecord(
            resident=resident,
            former=former,
            contacts=self._of(Contact, t.contact, records, t.contact.c.id),
            homes=self.households.of_residents(records),
            ways_in=self.rosters.ways_in(records),
            consents=self._residents.consents(resident.id),
            notes=self._of(Note, t.note, records, t.note.c.id),
            cases=[whole.case(row["id"]) for row in whole.cases_of(resident.id)],
            delivered=self.rosters.of_residents(records),
            signals=self._of(Signal, t.signal, records, t.signal.c.id),
            requests=self.access_requests.all_of(records),
            events=self._of(Event, t.event, records, t.event.c.at, t.event.c.id),
            lookers=self.audit.lookers(records),
        )

    def _of(self, cls: type[Any], table: Any, residents: list[UUID], *order: Any) -> list[Any]:
        query = select(table).where(table.c.resident_id.in_(residents)).order_by(*order)
        vault = vault_of(self._connection)
        return [from_row(cls, row, vault) for row in self._connection.execute(query)]

    def search(self, wanted: Row, paging: Paging) -> Page:
        """Residents within reach; each named in the audit entry. One into whom others were merged
        is found by what was written of those, too.
        """
        vault = vault_of(self._connection)
        query = select(t.resident).where(
            self._sees(t.resident), t.resident.c.merged_into_id.is_(None)
        )
        if wanted.get("centre_code") is not None:
            query = query.where(t.resident.c.centre_code == wanted["centre_code"])
        written = t.resident.alias("written")
        fits = [
            written.c[name] == wanted[name]
            for name in ("name", "birth_date")
            if wanted.get(name) is not None
        ]
        if wanted.get("phone") is not None:
            fits.append(written.c.id.in_(self._with_phone(wanted["phone"], require_vault(vault))))
        if fits:
            # A join, and not a list to be in: PostgreSQL would look through a whole centre for it.
            whose = func.coalesce(written.c.merged_into_id, written.c.id)
            found = select(whose.label("id")).where(*fits).distinct().subquery()
            query = query.join(found, found.c.id == t.resident.c.id)
        shown = page(
            self._connection,
            query,
            [t.resident.c.id],
            paging,
            make=lambda row: from_row(Resident, row, vault),
        )
        self.about(*(one.id for one in shown.rows))
        return shown

    def _with_phone(self, phone: str, vault: Vault) -> CompoundSelect[Any]:
        """Residents with that telephone, or close to somebody who has it; each by its index."""
        forms = vault.blinds("phone", digits_of(phone) or "")
        of_contact = t.contact.c.phone_digits.in_(forms)
        return union(
            select(t.resident.c.id).where(t.resident.c.phone_digits.in_(forms)),
            select(t.contact.c.resident_id).where(of_contact, *self._contacts_shown()),
        )

    def _contacts_shown(self) -> list[ColumnElement[bool]]:
        """Which contacts' telephones the asker may search by: those they would be shown."""
        return [] if searches_untold_contacts(self.reach.actor) else [t.contact.c.may_be_told]

    def open_referrals_of(self, resident_ids: list[UUID]) -> list[Row]:
        """Open referrals of residents who were found, with their agencies' telephones."""
        query = (
            select(
                *t.referral.c["id", "resident_id", "service_code", "status"],
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
                t.provider.c.id.label("provider_id"),
            )
            .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
            .where(
                t.referral.c.resident_id.in_(resident_ids),
                t.referral.c.status.in_(sorted(OPEN)),
                self._sees(t.referral),
            )
            .order_by(t.referral.c.id)
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def timeline(self, resident_id: UUID, paging: Paging) -> Page:
        """Events, newest first; of a case that was sent for assessment, those of that case."""
        of = self._residents.get(resident_id).id
        records = select(t.resident.c.id).where(
            or_(t.resident.c.id == of, t.resident.c.merged_into_id == of)
        )
        query = select(t.event).where(t.event.c.resident_id.in_(records))
        if self.reach.relation is Relation.CASES_SENT:
            sent = select(t.care_case.c.id).where(self._sees(t.care_case))
            query = query.where(t.event.c.case_id.in_(sent))
        hidden = TIMELINE_LEAVES_OUT.get(self.reach.actor.role)
        if hidden is not None:
            query = query.where(t.event.c.subject_type.not_in(hidden))
        return page(
            self._connection,
            query,
            [t.event.c.at, t.event.c.id],
            paging,
            newest_first=True,
            make=lambda row: from_row(Event, row),
        )

    # Referrals

    def referrals(self, filters: Row, paging: Paging) -> Page:
        """Referrals, newest first."""
        query = (
            select(
                t.referral,
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
            )
            .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
            .where(self._sees(t.referral))
        )
        columns = {
            "status": "status",
            "field": "field",
            "provider": "provider_id",
            "centre": "centre_code",
        }
        for name, column in columns.items():
            if filters.get(name) is not None:
                query = query.where(t.referral.c[column] == filters[name])
        if filters.get("overdue") is not None:
            late = exists().where(
                t.deadline.c.subject_id == t.referral.c.id,
                self.is_overdue(),
                *self._clocks_shown(),
            )
            query = query.where(late if filters["overdue"] else ~late)
        found = page(self._connection, query, [t.referral.c.id], paging, newest_first=True)
        for row in found.rows:
            decrypt_row(t.referral, row, row["id"], vault_of(self._connection))
        self.about(*(row["resident_id"] for row in found.rows))
        return found

    def _clocks_shown(self) -> list[ColumnElement[bool]]:
        """By which clocks the asker may filter: those they would be shown."""
        known = CLOCKS.get(self.reach.actor.role)
        if known is None:
            return []
        name, is_it, value = known
        return [t.deadline.c[name] == value if is_it else t.deadline.c[name] != value]

    def referral(self, id: UUID) -> ReferralView:
        """One referral with its agency, clocks and history: three statements."""
        query = viewed().where(
            t.referral.c.id == id, seen_or_opened(t.referral, self.reach, self._now)
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such referral")
        clocks = select(t.deadline).where(t.deadline.c.subject_id == id)
        history = select(t.event).where(t.event.c.subject_id == id)
        view = view_of(
            row,
            vault_of(self._connection),
            deadlines=[
                from_row(Deadline, one)
                for one in self._connection.execute(
                    clocks.order_by(t.deadline.c.started_at, t.deadline.c.id)
                )
            ],
            history=[
                from_row(Event, one)
                for one in self._connection.execute(history.order_by(t.event.c.at, t.event.c.id))
            ],
        )
        referral = view.referral
        self.about(referral.resident_id)
        note_opened(self._about, self.reach, referral, referral.resident_id)
        return view

    # Clocks

    def deadline(self, id: UUID) -> Deadline:
        """One clock."""
        row = self._connection.execute(
            select(t.deadline).where(
                t.deadline.c.id == id, seen_or_opened(t.deadline, self.reach, self._now)
            )
        ).first()
        if row is None:
            raise NotFound("no such deadline")
        found: Deadline = from_row(Deadline, row)
        self.about(found.resident_id)
        note_opened(self._about, self.reach, found, found.resident_id)
        return found

    def ledger(self, deadline_id: UUID, paging: Paging) -> Page:
        """Raised steps in order, each with the review that answered it."""
        self.deadline(deadline_id)
        step = t.escalation
        query = (
            select(
                step,
                *t.review.c["action", "cause", "reason", "until", "reviewed_at", "reviewed_by"],
            )
            .outerjoin(t.review, t.review.c.id == step.c.review_id)
            .where(step.c.deadline_id == deadline_id, step.c.raised_at.is_not(None))
        )
        keys = [step.c.raised_at, step.c.tier, step.c.id]
        found = page(self._connection, query, keys, paging)
        for row in found.rows:
            decrypt_row(
                t.review, row, row["review_id"], vault_of(self._connection), reason="reason"
            )
        return found

    # Accounts

    def accounts(self, role: str | None, centre: str | None, paging: Paging) -> Page:
        """Accounts within reach, by user name."""
        actor, account = self.reach.actor, t.account
        scopes: dict[Relation, ColumnElement[bool]] = {
            Relation.CENTRE: account.c.centre_code == actor.centre_code,
            Relation.DISTRICT: account.c.district_code == actor.district_code,
            Relation.OWN_AGENCY: account.c.provider_id == actor.provider_id,
        }
        query = select(
            *account.c[
                "id", "username", "name", "role", "centre_code", "district_code", "provider_id"
            ]
        ).where(account.c.is_active)
        if self.reach.relation in scopes:
            query = query.where(scopes[self.reach.relation])
        if role is not None:
            query = query.where(account.c.role == role)
        if centre is not None:
            query = query.where(account.c.centre_code == centre)
        return page(self._connection, query, [account.c.username], paging)

    def list_standards(self, filters: Row, paging: Paging) -> Page:
        """Standards by kind; a filter that is None filters nothing."""
        return self.standards.listed(filters, paging)
