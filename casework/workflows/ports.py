"""What the use cases need from outside: the database, and nothing else yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Reach
from casework.domain.agencies.rosters import Delivered
from casework.domain.audit.reviews import AuditReview
from casework.domain.casefile.case import Assessment, Check, Signal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import Conference
from casework.domain.casefile.referral import Referral
from casework.domain.cases.handover import Absence
from casework.domain.clocks.calendar import Pause
from casework.domain.clocks.deadlines import Deadline
from casework.domain.directory.directory import Centre, Offering
from casework.domain.duplicates.likeness import Candidate, Likeness
from casework.domain.events import Event
from casework.domain.figures.figures import Figure, Period
from casework.domain.figures.tallying import Cells
from casework.domain.notices.outbox import Subscription
from casework.domain.planning.conferences import AgendaItem, Submission
from casework.domain.privacy.access_requests import AccessRequest
from casework.domain.residents.homes import WayIn
from casework.domain.residents.households import Member
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports_break_glass import Openings, OpeningView
from casework.workflows.ports_directory import DirectoryKeeping
from casework.workflows.ports_duplicates import Duplicates, Households, Merges
from casework.workflows.ports_imports import Imports
from casework.workflows.ports_inbox import Inbox, Staff
from casework.workflows.ports_links import Links, Rosters
from casework.workflows.ports_matching import Matching
from casework.workflows.ports_notices import NoticeBook
from casework.workflows.ports_paging import Page as Page
from casework.workflows.ports_paging import Paging as Paging
from casework.workflows.ports_places import Places
from casework.workflows.ports_signing import AccountKeeping
from casework.workflows.ports_standards import Standards


class CaseFiles(Protocol):
    """Case files as the asker sees them; a file is locked until the commit."""

    def of_case(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file of a case. Raises NotFound outside the asker's reach, as do all below."""
        ...

    def whole(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file of a case with its ended clocks and its signals."""
        ...

    def carried_by(self, worker_id: UUID) -> list[UUID]:
        """The open cases a worker carries, within reach, ids ascending."""
        ...

    def of_planned_service(self, id: UUID) -> CaseFile:
        """The file a planned service belongs to."""
        ...

    def of_referral(self, id: UUID) -> CaseFile:
        """The file a referral belongs to, if the asker sees that referral."""
        ...

    def of_deadline(self, id: UUID) -> CaseFile:
        """The file a clock belongs to."""
        ...

    def of_signal(self, id: UUID) -> CaseFile:
        """The file a signal was raised in."""
        ...

    def resting_on(self, consent_id: UUID) -> list[CaseFile]:
        """The files with an open referral that rests on a consent."""
        ...

    def add(self, file: CaseFile) -> None:
        """A new file. Raises Conflict ``open_case_exists`` where the resident has an open one."""
        ...

    def save(self, file: CaseFile, at: datetime) -> None:
        """What changed in a loaded file; ``at`` tells which clocks ended late."""
        ...


class Residents(Protocol):
    """Residents as the asker sees them."""

    def get(self, id: UUID, *, lock: bool = False) -> Resident:
        """A resident within reach, else NotFound; a merged one's id leads to the survivor."""
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

    def keep_rrn(self, resident_id: UUID, number: str | None) -> None:
        """Write down, or forget, the number of a resident who was loaded before."""
        ...

    def open_case(self, resident_id: UUID) -> UUID | None:
        """The open case of a resident who was loaded before, if there is one."""
        ...

    def of_case(self, case_id: UUID) -> Resident:
        """The resident of a case within reach, locked: residents are locked before their cases."""
        ...

    def bring_along(self, resident: Resident) -> None:
        """Cases, referrals and clocks follow a resident who moved to another centre."""
        ...

    def like(self, likeness: Likeness, but: UUID) -> list[Candidate]:
        """Who within reach may be alike, merged duplicates among them: the rule decides."""
        ...

    def consent(self, id: UUID, *, lock: bool = False) -> Consent:
        """A consent of a resident within reach, else NotFound."""
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


class Directory(Protocol):
    """Who offers what; read by everyone."""

    def offering(self, id: UUID) -> Offering | None:
        """An offering of an active agency with the centres it covers, or None."""
        ...

    def known_providers(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are active agencies."""
        ...

    def has_district(self, code: str) -> bool:
        """Whether there is such a district."""
        ...

    def centre(self, code: str) -> Centre | None:
        """A centre, or None where there is no such one."""
        ...

    def covers(self, offering_id: UUID, centre_code: str) -> bool:
        """Whether an offering reaches a centre."""
        ...

    def centre_district(self, centre_code: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...


class Accounts(Protocol):
    """Accounts that work can be given to."""

    def worker_of(self, id: UUID, centre_code: str) -> Account | None:
        """An active worker of that centre, or None."""
        ...

    def worker_in_reach(self, id: UUID, reach: Reach, *, active: bool = True) -> Account | None:
        """A worker of the asker's district, or None; one who has left counts where asked."""
        ...

    def add_absence(self, absence: Absence) -> None:
        """A new absence."""
        ...


class Conferences(Protocol):
    """Meetings as the asker sees them."""

    def get(self, id: UUID, *, lock: bool = False) -> Conference:
        """A meeting of the asker's district, else NotFound."""
        ...

    def add(self, conference: Conference) -> None:
        """A new meeting."""
        ...

    def agenda(self, id: UUID) -> frozenset[UUID]:
        """The plan versions that a meeting is to decide."""
        ...

    def submissions(self, case_ids: Iterable[UUID]) -> Mapping[UUID, Submission | None]:
        """The cases within reach, each with the plan that awaits its decision, if one does."""
        ...

    def add_items(self, items: Sequence[AgendaItem]) -> None:
        """More for an agenda."""
        ...

    def stamp(self, id: UUID) -> int:
        """How often a meeting changed: it grows with its agenda and with what is decided."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be counted, of which days; a filter left out filters nothing.

    ``by`` is what the answer is grouped by: ``field``, ``district``, ``centre``, ``provider`` or
    ``month``, the only one for which cells have their month.
    """

    period: Period
    by: str | None = None
    district: str | None = None
    centre: str | None = None
    field: str | None = None
    provider: UUID | None = None
    kind: str | None = None
    held_by: str | None = None
    status: str | None = None
    cause: str | None = None
    service: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedMonth:
    """The figures of a district's month as they were when it was closed."""

    id: UUID
    district_code: str
    month: str
    closed_at: datetime
    closed_by: UUID | None
    cells: Cells


# The working days from one day to another in a district, pauses left out.
Spent = Callable[[str, date, date, Sequence[Pause]], int]


class Figures(Protocol):
    """Counting, within the asker's reach; nobody's name is among the answers."""

    def counted(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        """Every figure that its filters can tell; of people, those named (``people_by``)."""
        ...

    def behind(self, figure: Figure, question: Question, paging: Paging) -> Page:
        """What was counted for one figure, one row each; the asker's audit entry names whom."""
        ...

    def close(self, month: ClosedMonth) -> None:
        """Freeze a month. Raises Conflict ``month_closed`` where it is closed."""
        ...

    def closed(self, districts: Iterable[str] | None, months: Iterable[str]) -> list[ClosedMonth]:
        """The closed ones among some months, of some districts or of all."""
        ...

    def closed_months(self, paging: Paging) -> Page:
        """Which months are closed, newest first, in the asker's district or anywhere."""
        ...

    def unmet_needs(self, question: Question, paging: Paging) -> Page:
        """What was wanted and not found, newest first."""
        ...

    def unmet_by(self, key: str, question: Question) -> list[Row]:
        """Key, count and the oldest ``since`` of what was wanted and not found."""
        ...

    def names(self, by: str, keys: Iterable[str]) -> Mapping[str, str]:
        """What districts, centres, services and agencies are called; others have no name."""
        ...

    def district_of(self, centre: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def all_districts(self) -> list[str]:
        """The codes of the districts."""
        ...


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
    def register(self) -> AccountKeeping:
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
    def keeping(self) -> DirectoryKeeping:
        """The directory itself, for whoever keeps it."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Whom work can be given to."""
        ...

    @property
    def notices(self) -> NoticeBook:
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


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """What of the worklist: ``due`` is ``overdue``, ``today``, ``week`` (from today) or ``all``."""

    due: str = "all"
    kind: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueFilter:
    """What to leave out of the overdue list; a filter left out filters nothing."""

    centre: str | None = None
    worker: UUID | None = None
    kind: str | None = None
    field: str | None = None
    provider: UUID | None = None
    held_by: str | None = None
    tier: int | None = None
    answered: bool | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralView:
    """A referral with its agency, its resident, clocks and history."""

    referral: Referral
    resident: Resident
    consent_is_withdrawn: bool
    case_is_open: bool
    provider_name: str
    provider_phone: str
    deadlines: list[Deadline]
    history: list[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case with the names that are shown beside it. ``providers`` are keyed by their ids."""

    file: CaseFile
    resident_name: str
    worker_name: str | None
    providers: Mapping[UUID, Row]
    assessments: list[Assessment]
    checks: list[Check]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceView:
    """A meeting with its agenda: of each plan case, number, hash, authors, state and decision."""

    conference: Conference
    district: Row
    items: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with its meetings and the names of its agencies, both keyed by their ids."""

    file: CaseFile
    providers: Mapping[UUID, Row]
    conferences: Mapping[UUID, Conference]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Everything that is held of one resident, and who looked at it."""

    resident: Resident
    # Records that were merged into this one: what else is written of the same person.
    former: Sequence[Resident]
    contacts: Sequence[Contact]
    homes: Sequence[Member]
    ways_in: Sequence[WayIn]
    consents: Sequence[Consent]
    notes: Sequence[Note]
    cases: Sequence[CaseView]
    delivered: Sequence[Delivered]
    signals: Sequence[Signal]
    requests: Sequence[AccessRequest]
    events: Sequence[Event]
    lookers: Sequence[Row]


class AuditTrail(Protocol):
    """Who saw whom, how much in a month, and who reviewed it. No name of a resident is in it."""

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Entries, newest first; a filter that is None filters nothing."""
        ...

    def affected(self, actor: str, since: datetime | None, until: datetime, paging: Paging) -> Page:
        """Everybody an account's entries of a period are about, each once."""
        ...

    def summary(
        self, since: datetime, until: datetime, closed: Iterable[date], paging: Paging
    ) -> Page:
        """What each account did in a period, by user name; ``closed`` are its holidays."""
        ...

    def add(self, review: AuditReview) -> None:
        """A new review."""
        ...

    def review(self, id: UUID) -> AuditReview:
        """One review."""
        ...

    def reviews(self, month: str | None, paging: Paging) -> Page:
        """Reviews, newest month first."""
        ...

    def reviews_since(self, month: str) -> list[AuditReview]:
        """Every review of a month or of a later one."""
        ...

    def chains(self) -> list[str]:
        """The chains there are."""
        ...

    def first_at(self) -> datetime | None:
        """The instant of the oldest entry."""
        ...

    def has_account(self, username: str) -> bool:
        """Whether there is that account."""
        ...

    def count(
        self, since: datetime, until: datetime, *, chain: str | None, account: str | None
    ) -> int:
        """How many entries a chain, an account, or an account within a chain has in a period."""
        ...


class AccessRequests(Protocol):
    """Residents who ask what is held of them, as far as the asker sees the residents."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it stands. Dry runs do not count but while they go on.

    ``last_tick`` is the last one of a scheduler that was done, ``last_success`` of anyone.
    """

    last_run: Row | None
    last_success: Row | None
    last_tick: Row | None
    in_flight: Sequence[Row]


class AccountReading(AccountKeeping, Protocol):
    """Accounts as whoever keeps them looks at them."""

    def listed_tokens(self, account_id: UUID, paging: Paging) -> Page:
        """The tokens of an account page by page, newest first, without their digests."""
        ...


class DirectoryReading(DirectoryKeeping, Protocol):
    """The directory, its drafts and its past, as whoever keeps it looks at them."""

    def history(self, kinds: Collection[str], subject_id: object, paging: Paging) -> Page:
        """The changes of a thing, of some kinds, newest first, with who made them."""
        ...

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Offerings within reach in every state; a filter that is None filters nothing."""
        ...

    def states_of(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The states of those offerings that are within reach."""
        ...

    def overview(self, district: str | None, service: str | None, paging: Paging) -> Page:
        """For each district and service of the list, what is offered there."""
        ...


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
    def keeping(self) -> DirectoryReading:
        """The directory itself, for whoever keeps it."""
        ...

    @property
    def register(self) -> AccountReading:
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

    def held(self, resident_id: UUID) -> Held:
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


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep would do: clocks with a step due, referrals to lapse, holds to resume."""

    steps: int
    lapses: int
    resumptions: int

    @property
    def moves(self) -> int:
        """What changes a state, and goes through the aggregate."""
        return self.lapses + self.resumptions

    @property
    def total(self) -> int:
        """All three."""
        return self.steps + self.moves


@dataclass(frozen=True, slots=True)
class Raised:
    """What one batch of a sweep did: steps it claimed, clocks whose step it raised."""

    steps: int
    clocks: int


class SweepStore(Protocol):
    """What the overdue sweep asks of the database."""

    def begin_run(
        self,
        job: str,
        as_of: datetime,
        now: datetime,
        *,
        dry_run: bool,
        slot: datetime | None,
        started_by: UUID | None,
    ) -> UUID | None:
        """A run record, or None where this slot was taken by another scheduler."""
        ...

    def end_run(self, run_id: UUID, now: datetime, counts: dict[str, int]) -> None:
        """Note how a run ended."""
        ...

    def break_off(self, run_id: UUID, error: str) -> None:
        """Note why a run never ended."""
        ...

    def count(self, as_of: datetime) -> Found:
        """What is due at that instant and not yet raised."""
        ...

    def raise_due(self, run_id: UUID, as_of: datetime, limit: int) -> Raised:
        """Raise the highest due step of about ``limit`` clocks, in one transaction."""
        ...

    def to_lapse(self, as_of: datetime) -> list[UUID]:
        """Referrals that nobody answered in time, longest waiting first."""
        ...

    def to_resume(self, as_of: datetime) -> list[UUID]:
        """Referrals whose hold has run out."""
        ...

    def cases_to_resume(self, as_of: datetime) -> list[UUID]:
        """Cases whose hold has run out."""
        ...
