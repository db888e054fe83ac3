"""Looking: each answer one SELECT or a few, scoped to the asker in the same statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Connection, exists, func, or_, select, union

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.case_queries import CaseQueries
from casework.adapters.persistence.conferences import ConferenceQueries
from casework.adapters.persistence.duplicates import SqlDuplicates
from casework.adapters.persistence.figures import SqlFigures
from casework.adapters.persistence.households import SqlHouseholds
from casework.adapters.persistence.job_queries import JobQueries
from casework.adapters.persistence.mapper import from_row
from casework.adapters.persistence.merging import SqlMerges
from casework.adapters.persistence.notice_queries import NoticeQueries
from casework.adapters.persistence.offering_queries import OfferingQueries
from casework.adapters.persistence.paging import page
from casework.adapters.persistence.residents import SqlResidents
from casework.adapters.persistence.scope import seen
from casework.adapters.persistence.standards import SqlStandards
from casework.adapters.persistence.worklists import Worklists
from casework.domain.access import Reach, Relation
from casework.domain.deadlines import Deadline
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.lifecycle import OPEN
from casework.domain.referrals import Referral
from casework.domain.residents import Consent, Contact, Note, Resident, digits_of
from casework.domain.standards import REFERRAL
from casework.workflows.ports import Page, Paging, ReferralView, Row


class SqlReading(
    Worklists, OfferingQueries, CaseQueries, ConferenceQueries, JobQueries, NoticeQueries
):
    """Everything that can be looked at, in one transaction of one asker."""

    def __init__(
        self, connection: Connection, reach: Reach, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self.reach, self._now, self._about = connection, reach, now, about
        self._residents = SqlResidents(connection, reach, now, about)
        self.figures = SqlFigures(connection, reach, now, about)
        self.standards = SqlStandards(connection, reach, now)
        self.duplicates = SqlDuplicates(connection, reach, now, about)
        self.merges = SqlMerges(connection, reach, now, about)
        self.households = SqlHouseholds(connection, reach, now, about)

    def _sees(self, table: Any) -> ColumnElement[bool]:
        return seen(table, self.reach, self._now)

    # Residents

    def resident(self, id: UUID) -> tuple[Resident, list[Contact]]:
        """A resident with contacts."""
        return self._residents.get(id), self._residents.contacts(id)

    def consents(self, resident_id: UUID) -> list[Consent]:
        """A resident's consents."""
        return self._residents.consents(self._residents.get(resident_id).id)

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
        return page(
            self._connection,
            query,
            [t.note.c.written_at, t.note.c.id],
            paging,
            newest_first=True,
            make=lambda row: from_row(Note, row),
        )

    def search(self, wanted: Row, paging: Paging) -> Page:
        """Residents within reach; each named in the audit entry. One into whom others were merged
        is found by what was written of those, too.
        """
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
            fits.append(written.c.id.in_(_with_phone(wanted["phone"])))
        if fits:
            whose = func.coalesce(written.c.merged_into_id, written.c.id)
            query = query.where(t.resident.c.id.in_(select(whose).where(*fits)))
        found = page(
            self._connection,
            query,
            [t.resident.c.id],
            paging,
            make=lambda row: from_row(Resident, row),
        )
        self.about(*(one.id for one in found.rows))
        return found

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
                t.referral.c.resident_id.in_(resident_ids), t.referral.c.status.in_(sorted(OPEN))
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
            query = query.where(t.event.c.case_id.in_(sent), t.event.c.subject_type != REFERRAL)
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
            late = exists().where(t.deadline.c.subject_id == t.referral.c.id, self.is_overdue())
            query = query.where(late if filters["overdue"] else ~late)
        found = page(self._connection, query, [t.referral.c.id], paging, newest_first=True)
        self.about(*(row["resident_id"] for row in found.rows))
        return found

    def referral(self, id: UUID) -> ReferralView:
        """One referral with its agency, clocks and history: three statements."""
        query = (
            select(
                t.referral,
                t.care_case.c.status.label("case_status"),
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
            )
            .join(t.care_case, t.care_case.c.id == t.referral.c.case_id)
            .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
            .where(t.referral.c.id == id, self._sees(t.referral))
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such referral")
        referral: Referral = from_row(Referral, row)
        self.about(referral.resident_id)
        clocks = select(t.deadline).where(t.deadline.c.subject_id == id)
        history = select(t.event).where(t.event.c.subject_id == id)
        return ReferralView(
            referral=referral,
            case_is_open=row.case_status != "closed",
            provider_name=row.provider_name,
            provider_phone=row.provider_phone,
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

    # Clocks

    def deadline(self, id: UUID) -> Deadline:
        """One clock."""
        row = self._connection.execute(
            select(t.deadline).where(t.deadline.c.id == id, self._sees(t.deadline))
        ).first()
        if row is None:
            raise NotFound("no such deadline")
        found: Deadline = from_row(Deadline, row)
        self.about(found.resident_id)
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
        return page(self._connection, query, [step.c.raised_at, step.c.tier, step.c.id], paging)

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


def _with_phone(phone: str) -> CompoundSelect[Any]:
    """Residents with that telephone, or close to somebody who has it; each by its index."""
    digits = digits_of(phone)
    return union(
        select(t.resident.c.id).where(t.resident.c.phone_digits == digits),
        select(t.contact.c.resident_id).where(t.contact.c.phone_digits == digits),
    )
