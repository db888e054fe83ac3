"""An independent model of a case: plain states and no database.

It knows the possible acts and the state after them. It counts no days: what lapses and resumes
with time it is told by the clock of the test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from casework.domain.clocks.calendar import day_in_seoul
from tests.proofs._counts import PAUSED_WITH_CASE, ModelClock, counts_from, resume_all
from tests.proofs._services import FROM, ModelReferral, ModelService

# Of a case that is reopened, what counts on from where it did.
KEPT_FROM_BEFORE = {"first_check", "check", "discharge"}
WAITS_FOR = {"requested": "response", "waitlisted": "waitlist", "accepted": "start"}
HELD_BY = {"assessment": "assessor", "decision": "supervisor"} | dict.fromkeys(
    ("response", "waitlist", "start"), "provider"
)


@dataclass
class ModelVersion:
    """A version of the plan and the services that it names."""

    services: list[ModelService]
    status: str = "draft"
    decided_on: date | None = None
    was_submitted: bool = False


@dataclass
class ModelAssessment:
    """What an assessor found; the first is the determination."""

    id: UUID
    assessed_on: date
    received_on: date
    is_determination: bool
    recorded_at: datetime


@dataclass
class ModelCheck:
    """A look at how things go, and the clock that it met."""

    id: UUID
    on: date
    next_check_on: date | None
    met: ModelClock
    was_made: bool = True


@dataclass
class ModelCase:
    """One episode; ``clocks`` are the case's own that run."""

    id: UUID
    resident: UUID
    centre: str
    worker: str | None
    urgent: bool
    opened_at: datetime
    applied_on: date
    discharge_on: date | None = None
    channel: str = "self"
    status: str = "applied"
    before: str = ""
    closed_for: str = ""
    arrived: bool = False
    held_until: date | None = None
    first_approved_on: date | None = None
    last_checked_on: date | None = None
    effective_on: date | None = None
    is_guided: bool = False
    assessments: list[ModelAssessment] = field(default_factory=list)
    checks: list[ModelCheck] = field(default_factory=list)
    clocks: Counter[str] = field(default_factory=lambda: Counter(survey=1))
    stopped: Counter[str] = field(default_factory=Counter)
    signals: list[UUID] = field(default_factory=list)
    versions: list[ModelVersion] = field(default_factory=list)
    services: list[ModelService] = field(default_factory=list)
    # The running clocks, a signal's by the signal; and of the act that is being done: on which day
    # its clocks count from, which name that act, and which begin again.
    counts: dict[tuple[UUID, str], ModelClock] = field(default_factory=dict)
    dated: dict[str, tuple[date, str]] = field(default_factory=dict)
    renewed: set[str] = field(default_factory=set)
    next_check_on: date | None = None
    kept: dict[tuple[UUID, str], ModelClock] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether the episode goes on."""
        return self.status != "closed"

    @property
    def referrals(self) -> Iterator[ModelReferral]:
        """All requests."""
        return (one for service in self.services for one in service.referrals)

    def version(self, status: str) -> ModelVersion | None:
        """The newest version in a state."""
        return next((one for one in reversed(self.versions) if one.status == status), None)

    def live(self) -> list[ModelService]:
        """The services that were not dropped."""
        return [one for one in self.services if one.status != "dropped"]

    def is_held(self, today: date) -> bool:
        """Whether a hold of the whole case lasts."""
        return self.held_until is not None and self.held_until >= today

    def hold(self, at: datetime, until: date, *, along: bool) -> None:
        """The case rests, and with it what runs, where that is meant."""
        self.held_until, today = until, day_in_seoul(at)
        for clock in self.counts.values():
            if clock.kind in PAUSED_WITH_CASE:
                clock.pause(at, until, of_case=True)
        for one in self.referrals:
            if one.is_open:
                one.status = one.stands(today)
                if along and one.status in FROM["hold"]:
                    one.move("hold", today, until)
                    one.with_case = True

    def resume(self, at: datetime) -> None:
        """It goes on early, and what rested with it."""
        self.held_until, today = None, day_in_seoul(at)
        resume_all(self.counts.values(), at, of_case=True)
        for one in self.referrals:
            if one.status == "on_hold" and one.with_case:
                one.move("resume", today)

    @property
    def is_determined(self) -> bool:
        """Whether a first assessment was recorded."""
        return any(one.is_determination for one in self.assessments)

    @property
    def decision_follows(self) -> date:
        """The last day of what a decision follows: determination, and the decision before."""
        found = [one.received_on for one in self.assessments if one.is_determination]
        decided = [one.decided_on for one in self.versions if one.decided_on is not None]
        return max([*(found or [self.applied_on]), *decided])

    @property
    def may_draft(self) -> bool:
        """Whether a plan may be written."""
        states = {"planning", "supported"} | ({"applied", "surveying"} if self.urgent else set())
        return self.status in states and self.version("submitted") is None

    def drop(self, kept: list[ModelService], status: str) -> None:
        """Take out the services of a status that are not kept."""
        for one in self.services:
            if one.status == status and one not in kept:
                one.status = "dropped"

    def approve(self, version: ModelVersion, on: date) -> None:
        """The version is in force, and the one before it no longer."""
        before = self.version("approved")
        if before:
            before.status = "superseded"
        version.status, self.status = "approved", "supported"
        self.drop(version.services, "in_force")
        for one in version.services:
            one.status = "in_force"
        self.clocks["notify_plan"] = 1
        self.renewed.add("notify_plan")
        if self.first_approved_on is None:
            self.clocks["first_check"], self.first_approved_on = 1, on

    def close(self, reason: str, today: date) -> None:
        """Everything ends; what stood is kept for a reopening."""
        self.closed_for, self.effective_on, self.is_guided = reason, today, reason == "guided"
        self.kept = {key: one for key, one in self.counts.items() if key[1] in KEPT_FROM_BEFORE}
        for one in self.referrals:
            if one.is_open:
                one.end_with_case(today)
        self.before, self.status = self.status, "closed"
        self.stopped, self.clocks = self.clocks, Counter()
        self.held_until, self.arrived = None, False

    def reopen(self, worker: str | None) -> None:
        """The state before, with the case's own clocks; nobody waits for an answered signal.

        It goes to the worker who carries it still, or waits for one.
        """
        self.worker, self.arrived, self.effective_on = worker, worker is None, None
        self.status, self.clocks = self.before, self.stopped
        self.stopped = Counter()
        if self.is_guided:  # the pre-survey itself closed it: it is to be repeated
            self.status, self.clocks["survey"] = "applied", 1
            self.clocks.pop("assessment", None)
        self.counts |= self.kept
        self.await_discharge()
        if self.signals:
            self.clocks["signal"] = len(self.signals)
        else:
            self.clocks.pop("signal", None)

    def checked(self, check: ModelCheck) -> None:
        """The next one is counted from this."""
        self.checks.append(check)
        self.last_checked_on, self.next_check_on = check.on, check.next_check_on
        self.clocks.pop("first_check", None)
        self.clocks["check"] = 1
        self.dated["check"] = check.on, "check"
        self.renewed.add("check")

    def never_checked(self, check: ModelCheck) -> None:
        """What the newest check met runs again; of a closed case, once that goes on."""
        check.was_made = False
        made = [one for one in self.checks if one.was_made]
        self.last_checked_on = made[-1].on if made else None
        clocks, counts = (self.clocks, self.counts) if self.is_open else (self.stopped, self.kept)
        clocks.pop("check", None)
        counts.pop((self.id, "check"), None)
        clocks[check.met.kind], counts[self.id, check.met.kind] = 1, check.met

    def await_discharge(self) -> None:
        """Somebody waits to come home until a first service is given."""
        self.clocks.pop("discharge", None)
        if self.is_open and self.discharge_on and not any(r.started_on for r in self.referrals):
            self.clocks["discharge"] = 1

    def settle(self, now: datetime) -> None:
        """After an act: what it began counts from its day, else from now; what it ended is gone."""
        running = [
            (id, kind) for id, kinds in self.expected_clocks().items() for kind in kinds
            if kind != "signal"
        ]  # fmt: skip
        running += [(id, "signal") for id in self.signals if self.is_open]
        for key in running:
            if key not in self.counts or key[1] in self.renewed:
                on, by = self.dated.get(key[1], (day_in_seoul(now), ""))
                self.counts[key] = ModelClock(key[1], counts_from(on, now), by)
                if key[1] == "check":
                    self.counts[key].on = self.next_check_on
        self.counts = {key: self.counts[key] for key in running}
        awaited = self.counts.get((self.id, "discharge"))
        if awaited:
            awaited.since = counts_from(self.applied_on, self.opened_at)
            awaited.on = self.discharge_on
        self.dated, self.renewed = {}, set()

    def expected_clocks(self) -> dict[UUID, list[str]]:
        """The kinds that run, by what they are about."""
        if not self.is_open:
            return {}
        found = {self.id: sorted(self.clocks.elements())}
        for service in self.services:
            wanted = service.status == "in_force" or (service.status == "drafted" and self.urgent)
            found[service.id] = ["link"] if wanted and service.lacks_request() else []
            for one in service.referrals:
                state = one.held_from if one.status == "on_hold" else one.status
                kind = "disposition" if one.owes else WAITS_FOR.get(state)
                found[one.id] = [kind] if kind else []
        return {id: kinds for id, kinds in found.items() if kinds}

    def holder(self, kind: str) -> str:
        """Who holds a clock; what nobody of a new centre has taken on is the supervisor's."""
        usual = HELD_BY.get(kind, "worker")
        return "supervisor" if usual == "worker" and self.arrived else usual


def miscounted(case: ModelCase, state: Any) -> Iterator[str]:
    """Where a clock counts from another instant, rests at other times, or is due otherwise."""
    signals = {row.deadline_id: row.id for row in state.signals.values()}
    priorities = {one.id: one.priority for one in case.referrals}
    own = "urgent" if case.urgent else "routine"
    for clock in state.deadlines():
        mine = case.counts.get((signals.get(clock.id, clock.subject_id), clock.kind))
        if clock.case_id != case.id or not clock.is_running or mine is None:
            continue
        if clock.started_at != mine.since:
            yield f"{clock.kind} counts from {clock.started_at}, not {mine.since}"
        edges = sorted((pause.began_at, pause.ends_at) for pause in clock.pauses)
        if edges != sorted((pause.began_at, pause.ends_at) for pause in mine.pauses):
            yield f"{clock.kind} rests {edges}, not {mine.pauses}"
        due_at = mine.due_at(priorities.get(clock.subject_id, own))
        if clock.extended_until is None and clock.due_at != due_at:
            yield f"{clock.kind} is due {clock.due_at}, not {due_at}"


def differs(case: ModelCase, state: Any, worker_id: UUID | None) -> Iterator[str]:
    """Where the database tells another story than the model."""
    row = state.cases[case.id]
    if (row.status, row.centre_code) != (case.status, case.centre):
        yield f"the case is {row.status} in {row.centre_code}, not {case.status} in {case.centre}"
    if row.worker_id != worker_id:
        yield f"the case is carried by {row.worker_id}, not {worker_id} ({case.worker})"
    if (row.hold_until, row.arrived_at is not None) != (case.held_until, case.arrived):
        yield f"held until {row.hold_until}, arrived {row.arrived_at}: not {case.held_until}"
    stored = {one.id: one.status for one in state.of("services", case)}
    if stored != {one.id: one.status for one in case.services}:
        yield f"services are {stored}, not {case.services}"
    stored = {one.id: one.status for one in state.of("referrals", case)}
    if stored != {one.id: one.status for one in case.referrals}:
        yield f"referrals are {stored}, not {list(case.referrals)}"
    versions = [v.status for v in sorted(state.of("versions", case), key=lambda v: v.number)]
    if versions != [one.status for one in case.versions]:
        yield f"versions are {versions}, not {[one.status for one in case.versions]}"
    running: dict[UUID, list[str]] = {}
    for clock in state.running():
        if clock.case_id == case.id:
            running.setdefault(clock.subject_id, []).append(clock.kind)
            if clock.held_by != case.holder(clock.kind):
                yield f"{clock.kind} is held by {clock.held_by}, not {case.holder(clock.kind)}"
            if (clock.worker_id, clock.centre_code) != (worker_id, case.centre):
                yield f"{clock.kind} is of {clock.worker_id} in {clock.centre_code}"
    running = {id: sorted(kinds) for id, kinds in running.items()}
    if running != case.expected_clocks():
        yield f"the clocks {running} run, not {case.expected_clocks()}"
