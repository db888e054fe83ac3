"""The case file: a case with all that must agree with it at every moment.

Plan versions, planned services, referrals and clocks of one case are loaded, locked and saved
together, so that a rule that spans them is checked against the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import Assessment, Case, Check, Signal
from casework.domain.casefile.plan import (
    PlannedItem,
    PlannedService,
    PlanVersion,
    ServiceStatus,
    VersionStatus,
    items_asked,
)
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import Disposition
from casework.domain.clocks.calendar import Pause, Target
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.no_answer import USUAL_LAPSE
from casework.domain.clocks.standards import (
    HELD_BY,
    SUPERVISOR,
    WORKER,
    ClockKind,
    ClockSubject,
    Part,
)
from casework.domain.errors import NotFound
from casework.domain.events import ClockFacts, Event, EventMetadata

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class CaseFile:
    """One case and its parts. ``added`` collects new records that are only ever inserted.

    ``died_on`` is the day on which its resident died, where they did.
    """

    case: Case
    died_on: date | None = None
    versions: list[PlanVersion] = field(default_factory=list)
    services: dict[UUID, PlannedService] = field(default_factory=dict)
    referrals: dict[UUID, Referral] = field(default_factory=dict)
    deadlines: dict[UUID, Deadline] = field(default_factory=dict)
    signals: dict[UUID, Signal] = field(default_factory=dict)
    # Loaded for corrections only.
    assessments: dict[UUID, Assessment] = field(default_factory=dict)
    checks: dict[UUID, Check] = field(default_factory=dict)
    added: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _touched: dict[UUID, Deadline] = field(default_factory=dict)

    # Finding what is in the file

    def referral(self, id: UUID) -> Referral:
        """The referral of this case with that id."""
        return _found(self.referrals, id, "referral")

    def service(self, id: UUID) -> PlannedService:
        """The planned service of this case with that id."""
        return _found(self.services, id, "planned service")

    def referrals_of(self, service: PlannedService) -> list[Referral]:
        """Every referral that was ever made for a planned service."""
        return [r for r in self.referrals.values() if r.planned_service_id == service.id]

    def open_referrals(self) -> list[Referral]:
        """Referrals from which something can still come."""
        return [r for r in self.referrals.values() if r.is_open]

    def version_in(self, *statuses: VersionStatus) -> PlanVersion | None:
        """The newest plan version in one of these states."""
        fitting = [v for v in self.versions if v.status in statuses]
        return max(fitting, key=lambda v: v.number) if fitting else None

    @property
    def in_force(self) -> PlanVersion | None:
        """The approved version that counts now."""
        return self.version_in(VersionStatus.APPROVED)

    def asked(self, service: PlannedService) -> PlannedItem | None:
        """What the plan asks for a service, where the file was loaded with its plan."""
        return items_asked(self.versions).get(service.id)

    # Settled or not

    def is_settled(self, service: PlannedService) -> bool:
        """Rule 9: no referral open, no disposition owed, and the latest fact settles it.

        A completion that served it settles it, and any word but re-refer; a request that was made
        after that supersedes it, whatever became of the request.
        """
        referrals = self.referrals_of(service)
        if any(referral.is_open or referral.owes_disposition for referral in referrals):
            return False
        settled = [one.ended_at for one in referrals if one.served(service) and one.ended_at]
        if service.settlement not in (None, Disposition.RE_REFER) and service.settled_at:
            settled.append(service.settled_at)
        asked = [one.requested_at for one in referrals if one.was_asked and one.requested_at]
        return bool(settled) and (not asked or max(settled) >= max(asked))

    def update_link_clock(
        self,
        service: PlannedService,
        act: Act,
        *,
        since: datetime | None = None,
        on: date | None = None,
    ) -> None:
        """Start or end the ``link`` clock, as the present standing of the service asks.

        It runs while a wanted service is unsettled, nobody was asked and no disposition is owed;
        a request or a settlement meets it ``on`` its day, anything else that ends the need
        cancels it.
        """
        referrals = self.referrals_of(service)
        with_provider = any(referral.is_with_provider for referral in referrals)
        settled = self.is_settled(service)
        owed = any(referral.owes_disposition for referral in referrals)
        wanted = self.case.is_open and self._is_wanted(service)
        running = self.clock(ClockKind.LINK, service.id)
        if wanted and not (with_provider or settled or owed):
            if running is None:
                self.begin(ClockKind.LINK, service, act, since=since)
        elif running is not None:
            self.end(running, act, met=wanted and (with_provider or settled), on=on)

    def _is_wanted(self, service: PlannedService) -> bool:
        """In the version in force, or drafted in an urgent case, whose help need not wait."""
        return service.status == ServiceStatus.IN_FORCE or (
            service.status == ServiceStatus.DRAFTED and self.case.urgent
        )

    # Clocks

    def clock(self, kind: ClockKind, subject_id: UUID) -> Deadline | None:
        """The running clock of that kind on a subject, if there is one."""
        for deadline in self.deadlines.values():
            if deadline.kind == kind and deadline.subject_id == subject_id and deadline.is_running:
                return deadline
        return None

    def running(self, subject_id: UUID | None = None) -> list[Deadline]:
        """The running clocks of a subject, or of the whole case."""
        return [
            deadline
            for deadline in self.deadlines.values()
            if deadline.is_running and subject_id in (None, deadline.subject_id)
        ]

    def begin(
        self,
        kind: ClockKind,
        subject: Case | PlannedService | Referral,
        act: Act,
        *,
        since: datetime | None = None,
        target: Target | None = None,
        basis: str | None = None,
    ) -> Deadline | None:
        """Start a clock on the subject, counted from ``since`` (an instant; now if None)."""
        deadline = act.clockwork.begin(
            kind,
            id=act.new_id(),
            subject_id=subject.id,
            about=self.about(subject),
            started_at=since or act.at,
            target=target,
            basis=basis,
        )
        if deadline is not None:
            deadline.held_by = self._holder(kind)
            self.deadlines[deadline.id] = deadline
            self._touched[deadline.id] = deadline
            self.pass_over(deadline, self.case.taken_over_at)
            self._follow_discharge()
            self._follow_lapse(deadline, act)
        return deadline

    def end(self, deadline: Deadline, act: Act, *, met: bool, on: date | None = None) -> None:
        """Stop a clock: met by what was done ``on`` a day, or cancelled as it no longer matters."""
        act.clockwork.meet(deadline, on, act.at) if met else deadline.cancel(act.at)
        self._touched[deadline.id] = deadline
        if deadline.kind == ClockKind.DISCHARGE:
            self._follow_discharge()

    def run_again(self, deadline: Deadline) -> None:
        """A clock of the case that nothing met after all is held by whoever holds the case now.

        Of a closed case it ended with the case.
        """
        case, about = self.case, self.about(self.case)
        deadline.met_at = deadline.recorded_at = deadline.acted_on = None
        deadline.worker_id, deadline.held_by = about.worker_id, self._holder(deadline.kind)
        deadline.centre_code, deadline.district_code = about.centre_code, about.district_code
        if case.closed_at is not None:
            deadline.cancel(case.closed_at)
        self._touched[deadline.id] = deadline
        self._follow_discharge()

    def _holder(self, kind: ClockKind) -> Part:
        """Nobody of the new centre has taken an arrived case on yet: it is the supervisor's."""
        arrived = self.case.arrived_at is not None and HELD_BY[kind] == WORKER
        return SUPERVISOR if arrived else HELD_BY[kind]

    def _follow_discharge(self) -> None:
        """While somebody waits to come home, nothing of their case can wait."""
        awaited = self.clock(ClockKind.DISCHARGE, self.case.id) is not None
        for deadline in self.running():
            deadline.can_wait = not awaited

    def meet(self, kind: ClockKind, act: Act, *, on: date | None = None) -> None:
        """Meet the case's clock of that kind, if it runs, by what was done ``on`` a day."""
        deadline = self.clock(kind, self.case.id)
        if deadline is not None:
            self.end(deadline, act, met=True, on=on)

    def pause(self, deadline: Deadline, act: Act, pause: Pause) -> None:
        """Leave a stretch out of a clock."""
        deadline.pauses = (*deadline.pauses, pause)
        self.recount(deadline, act)

    def touch(self, deadline: Deadline) -> None:
        """A clock changed its holder: the next event includes it."""
        self._touched[deadline.id] = deadline

    def recount(self, deadline: Deadline, act: Act) -> None:
        """Recalculate a changed clock."""
        act.clockwork.recount(deadline)
        self.pass_over(deadline, self.case.taken_over_at)
        self._touched[deadline.id] = deadline
        self._follow_lapse(deadline, act)

    def pass_over(self, deadline: Deadline, until: datetime | None) -> None:
        """What lay in the past when a clock was taken over is never raised, however often planned.

        With None nothing was taken over.
        """
        if until is not None and deadline.planned is not None:
            deadline.planned = tuple(
                replace(step, passed_over=step.at <= until) for step in deadline.planned
            )

    def _follow_lapse(self, deadline: Deadline, act: Act) -> None:
        """A referral is given up by the clock on which its answer is waited for."""
        referral = self.referrals.get(deadline.subject_id)
        if referral is not None and deadline.kind in USUAL_LAPSE:
            referral.lapse_at = act.clockwork.lapses_at(deadline, referral.waits_since)

    def about(self, subject: Case | PlannedService | Referral) -> ClockSubject:
        """What a clock on this subject is about."""
        case = self.case
        return ClockSubject(
            case_id=case.id,
            resident_id=case.resident_id,
            centre_code=case.centre_code,
            district_code=case.district_code,
            worker_id=case.worker_id,
            provider_id=getattr(subject, "provider_id", None),
            field=getattr(subject, "field", None),
            service_code=getattr(subject, "service_code", None),
            priority=getattr(subject, "priority", case.priority),
        )

    # What happened

    def meta(self, subject: Case | PlannedService | Referral | Deadline, act: Act) -> EventMetadata:
        """What an event says of when it happened, to what of this case, and by whom."""
        case = self.case
        return EventMetadata.of(act, subject.id, resident_id=case.resident_id, case_id=case.id)

    def record(self, event: Event) -> None:
        """Write down what happened, with every clock it touched as it now stands."""
        clocks = tuple(ClockFacts.of(clock) for clock in self._touched.values())
        self._touched.clear()
        self.events.append(replace(event, clocks=clocks))


def _found(things: dict[UUID, T], id: UUID, what: str) -> T:
    if id not in things:
        raise NotFound(f"no such {what}")
    return things[id]


def by_id(things: Iterable[Any]) -> dict[UUID, Any]:
    """Things keyed by their ids."""
    return {thing.id: thing for thing in things}
