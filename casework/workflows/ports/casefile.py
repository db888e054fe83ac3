"""The ports of case files, and the views of cases, plans, referrals and meetings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from casework.domain.casefile.case import Assessment, Check, Signal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.plan import Conference, PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import Event
from casework.domain.planning.conferences import AgendaItem, Submission
from casework.domain.planning.warnings import AskedElsewhere
from casework.domain.residents.resident import Resident
from casework.domain.supervision.programme_clocks import ProgrammeClocks
from casework.workflows.ports.paging import Page, Paging, Row


class CaseFiles(Protocol):
    """Case files within the actor's scope; a file is locked until the commit."""

    def of_case(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file of a case. Raises NotFound outside the actor's scope, as do all below."""
        ...

    def whole(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file of a case with its ended clocks and its signals."""
        ...

    def carried_by(self, worker_id: UUID) -> list[UUID]:
        """The open cases a worker carries, within scope, ids ascending."""
        ...

    def of_planned_service(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file a planned service belongs to."""
        ...

    def of_referral(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file a referral belongs to, if the actor sees that referral."""
        ...

    def of_deadline(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The file a clock belongs to."""
        ...

    def of_signal(self, id: UUID) -> CaseFile:
        """The file a signal was raised in."""
        ...

    def to_correct(self, id: UUID) -> CaseFile:
        """The file of a case with its ended clocks, its assessments and its checks."""
        ...

    def to_correct_check(self, id: UUID) -> CaseFile:
        """That of the case of a check."""
        ...

    def resting_on(self, consent_id: UUID) -> list[CaseFile]:
        """The files with an open referral that rests on a consent."""
        ...

    def add(self, file: CaseFile) -> None:
        """Add a file. Raises Conflict ``open_case_exists`` where the resident has an open one."""
        ...

    def save(self, file: CaseFile, at: datetime) -> None:
        """Save a loaded file; ``at`` determines which clocks ended late."""
        ...

    def several(self, ids: Sequence[UUID]) -> list[CaseFile]:
        """The files of those of these cases that are within scope, with their plans, by id.

        Locked and read in two statements, however many they are.
        """
        ...

    def save_several(self, files: Sequence[CaseFile], at: datetime) -> None:
        """Save loaded files that have nothing new but events, as many as these in few statements.

        Raises TypeError for a file that has more, which is saved by itself.
        """
        ...


class Cases(Protocol):
    """Cases and plans, read-only."""

    def listed(self, filters: Row, paging: Paging) -> Page:
        """Cases within scope, newest first, by status, centre, worker or number.

        Of the worker ``none`` those open ones that nobody carries.
        """
        ...

    def of_resident(self, resident_id: UUID) -> list[Row]:
        """Id, number, state and day of application of a resident's cases, newest first."""
        ...

    def open_of(self, resident_ids: list[UUID]) -> Mapping[UUID, Row]:
        """The open case of each of these residents who has one, as far as the actor sees it."""
        ...

    def get(self, id: UUID) -> CaseView:
        """A case with everything its view shows, else NotFound."""
        ...

    def plan(self, case_id: UUID) -> PlanView:
        """The plan of a case, in all its versions."""
        ...

    def signal(self, id: UUID) -> Signal:
        """A signal of a case within scope, else NotFound."""
        ...


class Referrals(Protocol):
    """Referrals, read-only."""

    def listed(self, filters: Row, paging: Paging) -> Page:
        """Referrals within scope, newest first; None does not filter."""
        ...

    def get(self, id: UUID) -> ReferralView:
        """A referral with its agency, clocks and history, else NotFound."""
        ...

    def open_of(self, resident_ids: list[UUID]) -> list[Row]:
        """Open referrals of residents who were found, with their agencies' telephones."""
        ...


class Deadlines(Protocol):
    """Clocks one by one."""

    def get(self, id: UUID) -> Deadline:
        """A clock within scope, else NotFound."""
        ...

    def ledger(self, deadline_id: UUID, paging: Paging) -> Page:
        """The raised steps of a clock: who was notified when, and the reviews."""
        ...

    def last_review(self, deadline_id: UUID) -> Row | None:
        """The latest review of an overdue clock, if any."""
        ...

    def of_programme(self, ids: Sequence[UUID]) -> ProgrammeClocks:
        """Those of these clocks that are of the programme and within scope, locked."""
        ...

    def save_programme(self, unit: ProgrammeClocks, at: datetime) -> None:
        """Write clocks that were loaded so, plan their steps again, add what happened."""
        ...

    def case_number(self, deadline: Deadline) -> str | None:
        """The number of the case of a clock that was loaded before; the programme has none."""
        ...

    def body_name(self, deadline: Deadline) -> str | None:
        """What the body is called that holds a clock of the programme."""
        ...

    def acknowledge(self, deadline: Deadline, review_id: UUID) -> None:
        """Mark the raised steps of a clock as answered by a review."""
        ...


class Conferences(Protocol):
    """Meetings within the actor's scope."""

    def get(self, id: UUID, *, lock: bool = False) -> Conference:
        """A meeting of the actor's district, else NotFound."""
        ...

    def to_correct(self, id: UUID) -> Conference:
        """A meeting of the actor's district to which no decision can refer meanwhile."""
        ...

    def add(self, conference: Conference) -> None:
        """Add a meeting."""
        ...

    def save(self, conference: Conference) -> None:
        """Save a corrected meeting."""
        ...

    def decided(self, id: UUID) -> Mapping[UUID, list[UUID]]:
        """The plan versions that a meeting decided, by their cases within scope, in order."""
        ...

    def agenda(self, id: UUID) -> frozenset[UUID]:
        """The plan versions that a meeting is to decide."""
        ...

    def submissions(self, case_ids: Iterable[UUID]) -> Mapping[UUID, Submission | None]:
        """The cases within scope, each with the plan that awaits its decision, if one does."""
        ...

    def add_items(self, items: Sequence[AgendaItem]) -> None:
        """Add items to an agenda."""
        ...

    def stamp(self, id: UUID) -> int:
        """A meeting's version: it grows with its agenda and its decisions."""
        ...

    def shown(self, id: UUID) -> ConferenceView:
        """A meeting with its agenda and the names of its district, else NotFound."""
        ...

    def plans(self, version_ids: Sequence[UUID]) -> list[PlanToDecide]:
        """Versions of plans within scope, each with its resident and what is asked already."""
        ...

    def listed(self, since: date | None, until: date | None, paging: Paging) -> Page:
        """Meetings within scope held from one day to another, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WhomToCall:
    """The centre that asks, who has the case there today, their telephone, and the centre's."""

    centre: str
    worker: str | None
    phone: str | None
    centre_phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralView:
    """A referral with its agency, its resident, what is asked, clocks and history."""

    referral: Referral
    resident: Resident
    case_number: str
    consent_is_withdrawn: bool
    case_is_open: bool
    provider_name: str
    provider_phone: str
    asked: PlannedItem | None
    contact: WhomToCall
    deadlines: list[Deadline]
    history: list[Event]
    # The lines of the plan that asks for it, for those who see all of a plan.
    lines: list[PlannedItem] = field(default_factory=list)
    # The open referrals of the resident that the actor sees; none for an agency.
    open_ones: list[Row] = field(default_factory=list)

    @property
    def has_died(self) -> bool:
        """Whether the death of the resident is recorded."""
        return self.resident.died_on is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case with the names that are shown beside it. ``providers`` are keyed by their ids.

    ``retention_years`` are those of its district's schedule, None where it has none.
    """

    file: CaseFile
    resident_name: str
    worker_name: str | None
    retention_years: int | None
    providers: Mapping[UUID, Row]
    assessments: list[Assessment]
    checks: list[Check]
    corrections: list[Correction]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceView:
    """A meeting with its agenda: of each plan case, number, hash, authors, state and decision."""

    conference: Conference
    district: Row
    items: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToDecide:
    """The lines of a plan, whom it is for, and the open referrals that agencies have."""

    case_id: UUID
    services: Sequence[PlannedItem]
    resident: Resident
    asked: Sequence[AskedElsewhere]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with its meetings and the names of its agencies, both keyed by their ids."""

    file: CaseFile
    providers: Mapping[UUID, Row]
    conferences: Mapping[UUID, Conference]
