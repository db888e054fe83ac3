"""What the use cases need from outside: the database, and nothing else yet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from casework.domain.access.policy import Reach
from casework.domain.casefile.case import Signal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import Event
from casework.domain.notices.outbox import Subscription
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports.access import AccountAdministration
from casework.workflows.ports.agencies import Inbox, Staff
from casework.workflows.ports.audit import AuditTrail
from casework.workflows.ports.break_glass import Openings, OpeningView
from casework.workflows.ports.casefile import (
    CaseFiles,
    CaseView,
    Conferences,
    ConferenceView,
    PlanView,
    ReferralView,
)
from casework.workflows.ports.directory import DirectoryEditing
from casework.workflows.ports.directory_reading import (
    AccountReading,
    Accounts,
    Directory,
    DirectoryReading,
)
from casework.workflows.ports.duplicates import Duplicates, Households, Merges
from casework.workflows.ports.exchange import Imports
from casework.workflows.ports.figures import Figures
from casework.workflows.ports.links import Links, Rosters
from casework.workflows.ports.matching import Matching
from casework.workflows.ports.notices import NoticeStore
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row
from casework.workflows.ports.places import Places
from casework.workflows.ports.residents import AccessRequests, ResidentRecord, Residents
from casework.workflows.ports.standards import Standards
from casework.workflows.ports.supervision import JobView, OverdueFilter, WorklistFilter


class Work(Protocol):
    """One transaction of one asker. Whatever is not committed never happened."""

    reach: Reach

    @property
    def staff(self) -> Staff:
        """The accounts of one's own agency, for its lead."""
        ...

    @property
    def inbox(self) -> Inbox:
        """What one's own agency is asked for."""
        ...

    @property
    def account_administration(self) -> AccountAdministration:
        """The accounts themselves, for whoever keeps them."""
        ...

    @property
    def figures(self) -> Figures:
        """Counting and closed months."""
        ...

    @property
    def files(self) -> CaseFiles:
        """Case files."""
        ...

    @property
    def residents(self) -> Residents:
        """Residents, consents and notes."""
        ...

    @property
    def directory(self) -> Directory:
        """Who offers what."""
        ...

    @property
    def places(self) -> Places:
        """The places of offerings."""
        ...

    @property
    def directory_editing(self) -> DirectoryEditing:
        """The directory itself, for whoever keeps it."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Whom work can be given to."""
        ...

    @property
    def notices(self) -> NoticeStore:
        """Notices, messages and who listens to them."""
        ...

    @property
    def standards(self) -> Standards:
        """Standards, declared holidays and recounts."""
        ...

    @property
    def conferences(self) -> Conferences:
        """Meetings and their agendas."""
        ...

    @property
    def duplicates(self) -> Duplicates:
        """Pairs that may be one person."""
        ...

    @property
    def merges(self) -> Merges:
        """Merges and what they moved."""
        ...

    @property
    def households(self) -> Households:
        """Who lives together."""
        ...

    @property
    def openings(self) -> Openings:
        """Openings of residents out of scope."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The record of who saw what, and its reviews."""
        ...

    @property
    def access_requests(self) -> AccessRequests:
        """Residents who ask what is held of them."""
        ...

    @property
    def imports(self) -> Imports:
        """Files that are taken in, and their rows."""
        ...

    @property
    def rosters(self) -> Rosters:
        """What agencies delivered, and what a home is like."""
        ...

    def record(self, events: Iterable[Event]) -> None:
        """Events that belong to no case file."""
        ...

    def about(self, *resident_ids: UUID) -> None:
        """Whom the audit entry of this work is about."""
        ...

    def acknowledge(self, deadline: Deadline, review_id: UUID) -> None:
        """Mark the raised steps of a clock as answered by a review."""
        ...

    def commit(self, status: int, resource: dict[str, Any]) -> None:
        """Make all of it happen, with its audit entry and the idempotency row, at once."""
        ...


class Store(Protocol):
    """Where transactions come from."""

    def work(self, reach: Reach, action: str, now: datetime) -> AbstractContextManager[Work]:
        """A transaction for one asker and one action."""
        ...

    def reading(self, reach: Reach, action: str, now: datetime) -> AbstractContextManager[Reading]:
        """A look for one asker; its audit entry is written when the look is over."""
        ...


# The status under which a key is held by what is going on, in many transactions.
IN_FLIGHT: Final = 102


class Replay(Exception):
    """This request was carried out before, under the same idempotency key."""

    def __init__(self, status: int, resource: dict[str, Any]) -> None:
        super().__init__("carried out before")
        self.status, self.resource = status, resource


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What the record keeps of a request besides what it does."""

    task: str = ""
    asked_for: str | None = None
    source: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None
    digest: str = ""


class Reading(Protocol):
    """What can be looked at, each as the asker sees it, each one statement or a few."""

    reach: Reach

    @property
    def places(self) -> Places:
        """The places of offerings."""
        ...

    @property
    def staff(self) -> Staff:
        """The accounts of one's own agency, for its lead."""
        ...

    @property
    def inbox(self) -> Inbox:
        """What one's own agency is asked for."""
        ...

    @property
    def directory_editing(self) -> DirectoryReading:
        """The directory itself, for whoever keeps it."""
        ...

    @property
    def account_administration(self) -> AccountReading:
        """The accounts themselves, for whoever keeps them."""
        ...

    @property
    def figures(self) -> Figures:
        """Counting and closed months."""
        ...

    @property
    def standards(self) -> Standards:
        """Standards, declared holidays and recounts."""
        ...

    @property
    def duplicates(self) -> Duplicates:
        """Pairs that may be one person."""
        ...

    @property
    def matching(self) -> Matching:
        """Who offers what where."""
        ...

    @property
    def merges(self) -> Merges:
        """Merges and what they moved."""
        ...

    @property
    def households(self) -> Households:
        """Who lives together."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The record of who saw what, and its reviews."""
        ...

    @property
    def access_requests(self) -> AccessRequests:
        """Residents who ask what is held of them."""
        ...

    @property
    def imports(self) -> Imports:
        """Files that are taken in, and their rows."""
        ...

    @property
    def rosters(self) -> Rosters:
        """What agencies delivered, and what a home is like."""
        ...

    @property
    def links(self) -> Links:
        """Links of agencies that answer without an account."""
        ...

    def held(self, resident_id: UUID) -> ResidentRecord:
        """Everything that is held of a resident within reach."""
        ...

    def about(self, *resident_ids: UUID) -> None:
        """Whom the audit entry of this look is about."""
        ...

    def resident(self, id: UUID) -> tuple[Resident, list[Contact]]:
        """A resident with contacts."""
        ...

    def search(self, wanted: Row, paging: Paging) -> Page:
        """Residents by name, birth date, centre, or a phone of theirs or of a contact."""
        ...

    def cases_of(self, resident_id: UUID) -> list[Row]:
        """Id, state and day of application of a resident's cases, newest first."""
        ...

    def open_referrals_of(self, resident_ids: list[UUID]) -> list[Row]:
        """Open referrals of residents who were found, with their agencies' telephones."""
        ...

    def rrn(self, resident_id: UUID) -> str | None:
        """A resident's registration number."""
        ...

    def consents(self, resident_id: UUID) -> tuple[Resident, list[Consent]]:
        """A resident, and their consents."""
        ...

    def consent(self, id: UUID) -> Consent:
        """One consent."""
        ...

    def disclosures(self, resident_id: UUID, paging: Paging) -> Page:
        """What was told of a resident, newest first."""
        ...

    def notes(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's contact notes, newest first."""
        ...

    def note(self, id: UUID) -> Note:
        """One contact note."""
        ...

    def timeline(self, resident_id: UUID, paging: Paging) -> Page:
        """A resident's events, newest first."""
        ...

    def cases(
        self, status: str | None, centre: str | None, worker: UUID | None, paging: Paging
    ) -> Page:
        """Cases, newest first."""
        ...

    def case_file(self, case_id: UUID, *, with_plan: bool = False) -> CaseFile:
        """A case with all its clocks, unlocked."""
        ...

    def case(self, id: UUID) -> CaseView:
        """A case with everything that is shown of it."""
        ...

    def plan(self, case_id: UUID) -> PlanView:
        """The plan of a case, in all its versions."""
        ...

    def signal(self, id: UUID) -> Signal:
        """One signal."""
        ...

    def conference(self, id: UUID) -> ConferenceView:
        """A meeting of the asker's district with its agenda."""
        ...

    def conferences(self, since: date | None, until: date | None, paging: Paging) -> Page:
        """Meetings of the asker's district held from one day to another, newest first."""
        ...

    def referrals(self, filters: Row, paging: Paging) -> Page:
        """Referrals, newest first."""
        ...

    def referral(self, id: UUID) -> ReferralView:
        """One referral."""
        ...

    def deadline(self, id: UUID) -> Deadline:
        """One clock."""
        ...

    def ledger(self, deadline_id: UUID, paging: Paging) -> Page:
        """Who was told when about a clock, and who answered with what."""
        ...

    def last_review(self, deadline_id: UUID) -> Row | None:
        """What was last decided about an overdue clock, if anything was."""
        ...

    def worklist(self, wanted: WorklistFilter, paging: Paging) -> Page:
        """What the asker has to do, most pressing first."""
        ...

    def overdue(self, filters: OverdueFilter, paging: Paging) -> Page:
        """Every overdue clock in reach, longest overdue first."""
        ...

    def overdue_by(self, key: str) -> list[Row]:
        """Key, label and due date of every overdue clock in reach."""
        ...

    def cases_without_worker(self) -> int:
        """Open cases that nobody carries."""
        ...

    def falling_due(self, until: datetime) -> list[Row]:
        """How many clocks fall due by an instant, for each worker."""
        ...

    def districts(self, paging: Paging) -> Page:
        """The districts, by code."""
        ...

    def centres(self, district: str | None, paging: Paging) -> Page:
        """The centres, of one district or all, by code. Refuses a district that is unknown."""
        ...

    def services(self, paging: Paging) -> Page:
        """The catalogue, by code."""
        ...

    def providers(self, paging: Paging) -> Page:
        """The active agencies, by slug."""
        ...

    def offerings(
        self,
        service: str | None,
        centre: str | None,
        is_open: bool | None,
        paging: Paging,
        is_free: bool | None = None,
    ) -> Page:
        """Offerings, with what they cover. Refuses a service or a centre that is unknown."""
        ...

    def accounts(self, role: str | None, centre: str | None, paging: Paging) -> Page:
        """Accounts the asker may see."""
        ...

    def list_standards(self, filters: Row, paging: Paging) -> Page:
        """Standards by kind; a filter that is None filters nothing."""
        ...

    def runs(self, job: str, paging: Paging) -> Page:
        """Runs of a job, newest first."""
        ...

    def messages(self, state: str | None, paging: Paging) -> Page:
        """Messages of the outbox, newest first; what they say is left out."""
        ...

    def opening(self, id: UUID) -> OpeningView:
        """One opening of a resident, made by the asker or theirs to review."""
        ...

    def openings(self, is_open: bool | None, paging: Paging) -> Page:
        """Openings the asker made or has to review, newest first; ``is_open``: not reviewed."""
        ...

    def held_notices(self) -> list[Row]:
        """What the brake holds within reach, longest first."""
        ...

    def subscriptions(self, paging: Paging) -> Page:
        """Endpoints within reach that listen."""
        ...

    def subscription(self, id: UUID) -> Subscription:
        """One of them."""
        ...

    def job(self, name: str) -> JobView:
        """A job as it stands."""
        ...

    def run(self, id: UUID) -> Row | None:
        """One run, if there is one."""
        ...
