"""Residents as the actor sees them, and everything that is held of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """Residents as the actor sees them."""

    def get(self, id: UUID, *, lock: bool = False) -> Resident:
        """A resident within reach, else NotFound; a merged one's id leads to the survivor."""
        ...

    def contacts(self, resident_id: UUID) -> list[Contact]:
        """The people close to a resident who was loaded before."""
        ...

    def with_contacts(self, id: UUID) -> tuple[Resident, list[Contact]]:
        """A resident with contacts."""
        ...

    def add(self, resident: Resident, contacts: Sequence[Contact]) -> None:
        """A new resident with contacts."""
        ...

    def save(self, resident: Resident, contacts: Sequence[Contact] | None) -> None:
        """A changed resident; contacts are replaced where given."""
        ...

    def rrn(self, resident_id: UUID) -> str | None:
        """The registration number of a resident who was loaded before."""
        ...

    def save_rrn(self, resident_id: UUID, number: str | None) -> None:
        """Write down, or forget, the number of a resident who was loaded before."""
        ...

    def open_case(self, resident_id: UUID) -> UUID | None:
        """The open case of a resident who was loaded before, if there is one."""
        ...

    def of_case(self, case_id: UUID) -> Resident:
        """The resident of a case within reach, locked: residents are locked before their cases."""
        ...

    def move_with_resident(self, resident: Resident) -> None:
        """Cases, referrals and clocks follow a resident who moved to another centre."""
        ...

    def like(self, likeness: Likeness, but: UUID) -> list[DuplicateCandidate]:
        """Who within reach may be alike, merged duplicates among them: the rule decides."""
        ...

    def consent(self, id: UUID, *, lock: bool = False) -> Consent:
        """A consent of a resident within reach, else NotFound."""
        ...

    def consents(self, resident_id: UUID) -> list[Consent]:
        """Every consent of a resident who was loaded before."""
        ...

    def with_consents(self, id: UUID) -> tuple[Resident, list[Consent]]:
        """A resident, and their consents."""
        ...

    def add_consent(self, consent: Consent) -> None:
        """A new consent."""
        ...

    def save_consent(self, consent: Consent) -> None:
        """A withdrawn consent."""
        ...

    def add_note(self, note: Note) -> None:
        """A new contact note."""
        ...

    def note(self, id: UUID) -> Note:
        """A contact note of a resident within reach, else NotFound."""
        ...

    def notes(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's contact notes, newest first."""
        ...

    def search(self, wanted: Row, paging: Paging) -> Page:
        """Residents by name, birth date, centre, or a phone of theirs or of a contact."""
        ...

    def timeline(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's events, newest first; to an assessor those of cases sent for assessment."""
        ...


class Disclosures(Protocol):
    """What was told of residents."""

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        """Every disclosure of a resident within reach, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentRecord:
    """Everything that is held of one resident, and who looked at it."""

    resident: Resident
    # Records that were merged into this one: what else is written of the same person.
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
    lookers: Sequence[Row]


class AccessRequests(Protocol):
    """Residents who ask what is held of them, as far as the actor sees the residents."""

    def add(self, request: AccessRequest) -> None:
        """A new one."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> AccessRequest:
        """One whose resident is within reach, else NotFound."""
        ...

    def save(self, request: AccessRequest) -> None:
        """A changed one."""
        ...

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        """Those of one resident, newest first."""
        ...

    def unanswered(self, paging: Paging) -> Page:
        """Those to which an answer is owed, the most pressing first."""
        ...
