"""Residents, contacts, consents and notes as the actor sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    decrypted,
    encrypt_row,
    require_vault,
    vault_of,
)
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.residents import likeness as alike
from casework.adapters.persistence.residents.searching import found_by
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.rows.many import insert_many
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import note_opened
from casework.adapters.persistence.scope.who_sees_what import (
    ScopeForm,
    form_of,
    narrowed,
    once_for_each_form,
    seen,
    seen_or_opened,
)
from casework.domain.access.policy import Scope, is_outside
from casework.domain.duplicates.events import MergeUndone, ResidentsMerged
from casework.domain.duplicates.likeness import DuplicateCandidate, Likeness
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.privacy.masks import TIMELINE_LEAVES_OUT
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports.paging import Page, Paging, Row

_former = alias_of(t.resident, "former")


@once_for_each_form
def _following(form: ScopeForm, *, is_locked: bool) -> Select[Any]:
    """The resident of the parameter ``resident``, or into whom their record was merged."""
    # The choice stands inside: compared with a choice, under row-level security no index is
    # used, and every resident was read.
    current = func.coalesce(_former.c.merged_into_id, _former.c.id)
    into = select(current).where(_former.c.id == bindparam("resident")).scalar_subquery()
    query = select(t.resident).where(t.resident.c.id == into, seen_or_opened(t.resident, form))
    return query.with_for_update() if is_locked else query


class SqlResidents:
    """The repository of residents for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about
        self._vault = vault_of(connection)

    def get(self, id: UUID, *, lock: bool = False) -> Resident:
        form, facts = form_of(self._scope, self._now)
        query = _following(form, is_locked=lock)
        row = self._connection.execute(query, facts | {"resident": id}).first()
        if row is None:
            raise NotFound("no such resident")
        found: Resident = from_row(Resident, row, self._vault)
        if found.merged_into_id is not None:  # while this waited for the lock
            return self.get(id, lock=lock)
        self._about |= {id, found.id}
        note_opened(self._about, self._scope, found, found.id)
        return found

    def taken_over(self, resident_id: UUID, applied_on: date) -> UUID | None:
        case = t.care_case
        query = select(case.c.id).where(
            case.c.resident_id == resident_id,
            case.c.applied_on == applied_on,
            case.c.taken_over_at.is_not(None),
        )
        return self._connection.scalar(query.order_by(case.c.id.desc()))

    def of_case(self, case_id: UUID) -> Resident:
        query = (
            select(t.resident)
            .join(t.care_case, t.care_case.c.resident_id == t.resident.c.id)
            .where(t.care_case.c.id == case_id, seen(t.care_case, self._scope, self._now))
            .with_for_update(of=t.resident)
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such case")
        found: Resident = from_row(Resident, row, self._vault)
        self._about.add(found.id)
        return found

    def contacts(self, resident_id: UUID) -> list[Contact]:
        query = select(t.contact).where(t.contact.c.resident_id == resident_id)
        return [
            from_row(Contact, row, self._vault)
            for row in self._connection.execute(query.order_by(t.contact.c.id))
        ]

    def with_contacts(self, id: UUID) -> tuple[Resident, list[Contact]]:
        return self.get(id), self.contacts(id)

    def former(self, resident_id: UUID) -> list[Resident]:
        """The records that were merged into a resident who was loaded before."""
        query = select(t.resident).where(t.resident.c.merged_into_id == resident_id)
        rows = self._connection.execute(query.order_by(t.resident.c.id))
        return [from_row(Resident, row, self._vault) for row in rows]

    def add(self, resident: Resident, contacts: Sequence[Contact]) -> None:
        self._connection.execute(insert(t.resident), [stored(resident, self._vault)])
        self._add_contacts(contacts)

    def save(self, resident: Resident, contacts: Sequence[Contact] | None) -> None:
        row = stored(resident, self._vault)
        if is_outside(self._scope, resident):  # they leave the actor's scope
            session_context.allow_residents(self._connection, [resident.id])
        update_row(self._connection, t.resident, row)
        if contacts is not None:
            self._connection.execute(
                delete(t.contact).where(t.contact.c.resident_id == resident.id)
            )
            self._add_contacts(contacts)

    def rrn(self, resident_id: UUID) -> str | None:
        query = select(t.resident.c.rrn).where(t.resident.c.id == resident_id)
        found = self._connection.scalar(query)
        number: str | None = decrypted(t.resident, "rrn", found, resident_id, self._vault)
        return number

    def save_rrn(self, resident_id: UUID, number: str | None) -> None:
        row = {"rrn": number, "rrn_index": number}
        self._connection.execute(
            update(t.resident)
            .where(t.resident.c.id == resident_id)
            .values(encrypt_row(t.resident, row, resident_id, self._vault))
        )

    def open_case(self, resident_id: UUID) -> UUID | None:
        return self._connection.scalar(
            select(t.care_case.c.id).where(
                t.care_case.c.resident_id == resident_id, t.care_case.c.status != "closed"
            )
        )

    def move_with_resident(self, resident: Resident) -> None:
        """Moves merged duplicates as well, and the queue entries of all these."""
        place = {"centre_code": resident.centre_code, "district_code": resident.district_code}
        for table in (t.care_case, t.referral, t.deadline):
            self._connection.execute(
                update(table).where(table.c.resident_id == resident.id).values(place)
            )
        former = [one.id for one in self.former(resident.id)]
        if former and is_outside(self._scope, resident):  # they leave it as well
            session_context.allow_residents(self._connection, [resident.id, *former])
        self._connection.execute(
            update(t.resident).where(t.resident.c.merged_into_id == resident.id).values(place)
        )
        alike.place(self._connection, resident)

    def _add_contacts(self, contacts: Sequence[Contact]) -> None:
        if contacts:
            self._connection.execute(
                insert(t.contact), [stored(one, self._vault) for one in contacts]
            )

    def like(self, likeness: Likeness, but: UUID) -> list[DuplicateCandidate]:
        sees = seen(t.resident, self._scope, self._now)
        return alike.candidates(self._connection, likeness, but, sees)

    def consent(self, id: UUID, *, lock: bool = False) -> Consent:
        query: Any = (
            select(t.consent)
            .join(t.resident, t.resident.c.id == t.consent.c.resident_id)
            .where(t.consent.c.id == id, seen(t.resident, self._scope, self._now))
        )
        if lock:
            query = query.with_for_update(of=t.consent)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such consent")
        found: Consent = from_row(Consent, row, self._vault)
        self._about.add(found.resident_id)
        return found

    def consents(self, resident_id: UUID) -> list[Consent]:
        query = select(t.consent).where(t.consent.c.resident_id == resident_id)
        return [
            from_row(Consent, row, self._vault)
            for row in self._connection.execute(query.order_by(t.consent.c.id))
        ]

    def with_consents(self, id: UUID) -> tuple[Resident, list[Consent]]:
        resident = self.get(id)
        return resident, self.consents(resident.id)

    def add_consent(self, consent: Consent) -> None:
        self._connection.execute(insert(t.consent), [stored(consent, self._vault)])

    def save_consent(self, consent: Consent) -> None:
        update_row(self._connection, t.consent, stored(consent, self._vault))

    def add_note(self, *notes: Note) -> None:
        insert_many(self._connection, t.note, [stored(note, self._vault) for note in notes])

    def note(self, id: UUID, *, lock: bool = False) -> Note:
        query: Any = (
            select(t.note)
            .join(t.resident, t.resident.c.id == t.note.c.resident_id)
            .where(t.note.c.id == id, seen(t.resident, self._scope, self._now))
        )
        if lock:
            query = query.with_for_update(of=t.note)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such note")
        found: Note = from_row(Note, row, self._vault)
        self._about.add(found.resident_id)
        return found

    def save_note(self, note: Note) -> None:
        update_row(self._connection, t.note, stored(note, self._vault))

    def notes(self, resident_id: UUID, paging: Paging) -> Page:
        of = self.get(resident_id).id
        query = select(t.note).where(t.note.c.resident_id == of)
        return page(
            self._connection,
            query,
            [t.note.c.written_at, t.note.c.id],
            paging,
            newest_first=True,
            make=lambda row: from_row(Note, row, self._vault),
        )

    def last_notes(self, resident_id: UUID, limit: int) -> list[Note]:
        query = select(t.note).where(
            t.note.c.resident_id == resident_id, t.note.c.corrected_by_note_id.is_(None)
        )
        query = query.order_by(t.note.c.written_at.desc(), t.note.c.id.desc()).limit(limit)
        return [from_row(Note, row, self._vault) for row in self._connection.execute(query)]

    def call_backs(self, resident_id: UUID) -> list[Note]:
        note = t.note
        query = select(note).where(
            note.c.resident_id == resident_id,
            note.c.come_back_on.is_not(None),
            note.c.answered_at.is_(None),
            note.c.corrected_by_note_id.is_(None),
        )
        return [
            from_row(Note, row, self._vault)
            for row in self._connection.execute(query.order_by(note.c.come_back_on, note.c.id))
        ]

    def search(self, filters: Row, paging: Paging) -> Page:
        """Each is named in the audit entry; a survivor is found by the data of duplicates too."""

        def sees(table: Any) -> ColumnElement[bool]:
            return seen(table, self._scope, self._now)

        shown = page(
            self._connection,
            found_by(filters, sees, self._scope.actor, require_vault(self._vault)),
            [t.resident.c.id],
            paging,
            make=lambda row: from_row(Resident, row, self._vault),
        )
        self._about.update(one.id for one in shown.rows)
        return shown

    def timeline(self, resident_id: UUID, paging: Paging) -> Page:
        of = self.get(resident_id).id
        records = select(t.resident.c.id).where(
            or_(t.resident.c.id == of, t.resident.c.merged_into_id == of)
        )
        query = select(t.event).where(t.event.c.resident_id.in_(records))
        query = query.where(narrowed(t.event, self._scope, self._now))
        self._about.update(self._connection.scalars(records))
        hidden = TIMELINE_LEAVES_OUT.get(self._scope.actor.role)
        if hidden is not None:
            query = query.where(t.event.c.subject_type.not_in(hidden))
        shown = page(
            self._connection,
            query,
            [t.event.c.at, t.event.c.id],
            paging,
            newest_first=True,
            make=lambda row: from_row(Event, row),
        )
        for one in shown.rows:  # a merge that was undone names who is a resident again
            if isinstance(one, ResidentsMerged | MergeUndone):
                named = (one.duplicate_id, one.survivor_id)
                self._about.update(id for id in named if id is not None)
        return shown
