"""The ports of residents within the actor's scope, and of everything stored about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from casework.domain.agencies.rosters import MonthlyDelivery
from casework.domain.casefile.case import Signal
from casework.domain.duplicates.likeness import DuplicateCandidate, Likeness
from casework.domain.events import Event
from casework.domain.privacy.access_requests import AccessRequest
from casework.domain.residents.homes import WayIn
from casework.domain.residents.households import HouseholdMember
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports.casefile import CaseView
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row


class Residents(Protocol):
    """Residents within the actor's scope."""

    def get(self, id: UUID, *, lock: bool = False) -> Resident:
        """A resident within scope, else NotFound; a merged id resolves to the survivor."""
        ...

    def contacts(self, resident_id: UUID) -> list[Contact]:
        """The people close to a resident who was loaded before."""
        ...

    def with_contacts(self, id: UUID) -> tuple[Resident, list[Contact]]:
        """A resident with contacts."""
        ...

    def add(self, resident: Resident, contacts: Sequence[Contact]) -> None:
        """Add a resident with contacts."""
        ...

    def save(self, resident: Resident, contacts: Sequence[Contact] | None) -> None:
        """Save a resident; contacts are replaced where given."""
        ...

    def rrn(self, resident_id: UUID) -> str | None:
        """The registration number of a resident who was loaded before."""
        ...

    def save_rrn(self, resident_id: UUID, number: str | None) -> None:
        """Store or delete the number of a resident who was loaded before."""
        ...

    def open_case(self, resident_id: UUID) -> UUID | None:
        """The open case of a resident who was loaded before, if there is one."""
        ...

    def taken_over(self, resident_id: UUID, applied_on: date) -> UUID | None:
        """The case that was taken over with that application, of a resident who was loaded before.

        None where there is none.
        """
        ...

    def of_case(self, case_id: UUID) -> Resident:
        """The resident of a case within scope, locked: residents are locked before their cases."""
        ...

    def move_with_resident(self, resident: Resident) -> None:
        """Move a resident's cases, referrals and clocks to the resident's new centre."""
        ...

    def like(self, likeness: Likeness, but: UUID) -> list[DuplicateCandidate]:
        """Candidates for similarity within scope, merged records included."""
        ...

    def consent(self, id: UUID, *, lock: bool = False) -> Consent:
        """A consent of a resident within scope, else NotFound."""
        ...

    def consents(self, resident_id: UUID) -> list[Consent]:
        """Every consent of a resident who was loaded before."""
        ...

    def with_consents(self, id: UUID) -> tuple[Resident, list[Consent]]:
        """A resident, and their consents."""
        ...

    def add_consent(self, consent: Consent) -> None:
        """Add a consent."""
        ...

    def save_consent(self, consent: Consent) -> None:
        """Save a withdrawn consent."""
        ...

    def add_note(self, *notes: Note) -> None:
        """Add contact notes, in one statement."""
        ...

    def note(self, id: UUID, *, lock: bool = False) -> Note:
        """A contact note of a resident within scope, else NotFound."""
        ...

    def save_note(self, note: Note) -> None:
        """Save a note that was answered or corrected."""
        ...

    def notes(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's contact notes, newest first."""
        ...

    def last_notes(self, resident_id: UUID, limit: int) -> list[Note]:
        """The newest notes of a resident who was loaded before, but for those put right since."""
        ...

    def call_backs(self, resident_id: UUID) -> list[Note]:
        """Promises to come back to a resident who was loaded before, unanswered, by day."""
        ...

    def search(self, filters: Row, paging: Paging) -> Page:
        """Residents by name, birth date, centre, or a phone of theirs or of a contact."""
        ...

    def timeline(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's events, newest first; to an assessor those of cases sent for assessment."""
        ...


class Disclosures(Protocol):
    """Disclosures of residents' data."""

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        """Every disclosure of a resident within scope, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentRecord:
    """Everything that is stored about one resident, and who read it."""

    resident: Resident
    # Records that were merged into this one.
    former: Sequence[Resident]
    contacts: Sequence[Contact]
    homes: Sequence[HouseholdMember]
    ways_in: Sequence[WayIn]
    consents: Sequence[Consent]
    notes: Sequence[Note]
    cases: Sequence[CaseView]
    delivered: Sequence[MonthlyDelivery]
    signals: Sequence[Signal]
    requests: Sequence[AccessRequest]
    events: Sequence[Event]
    viewers: Sequence[Row]


class AccessRequests(Protocol):
    """Data access requests of residents within the actor's scope."""

    def add(self, request: AccessRequest) -> None:
        """Add a request."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> AccessRequest:
        """One whose resident is within scope, else NotFound."""
        ...

    def save(self, request: AccessRequest) -> None:
        """Save a request."""
        ...

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        """Those of one resident, newest first."""
        ...

    def unanswered(self, paging: Paging) -> Page:
        """Unanswered requests, the most urgent first."""
        ...
