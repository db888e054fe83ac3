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

OPEN = {"draft", "requested", "waitlisted", "accepted", "in_progress", "on_hold"}
CAME_TO_NOTHING = {"declined", "lapsed", "failed", "withdrawn"}
FROM = {
    "send": {"draft"},
    "accept": {"requested", "waitlisted"},
    "waitlist": {"requested"},
    "decline": {"requested", "waitlisted"},
    "start": {"accepted"},
    "report": {"in_progress"},
    "hold": {"accepted", "in_progress"},
    "resume": {"on_hold"},
    "complete": {"in_progress"},
    "fail": {"accepted", "in_progress", "on_hold"},
    "cancel": OPEN,
    "withdraw": OPEN,
    "enter-in-error": OPEN | CAME_TO_NOTHING | {"completed", "cancelled"},
}
TO = {
    "send": "requested", "accept": "accepted", "waitlist": "waitlisted", "decline": "declined",
    "start": "in_progress", "hold": "on_hold", "complete": "completed", "fail": "failed",
    "cancel": "cancelled", "withdraw": "withdrawn", "enter-in-error": "entered_in_error",
}  # fmt: skip
# Of a case that is reopened, what counts on from where it did.
KEPT_FROM_BEFORE = {"first_check", "check", "discharge"}
WAITS_FOR = {"requested": "response", "waitlisted": "waitlist", "accepted": "start"}
HELD_BY = {"assessment": "assessor", "decision": "supervisor"} | dict.fromkeys(
    ("response", "waitlist", "start"), "provider"
)


@dataclass
class ModelReferral:
    """One request: its state, and its state before a hold."""

    id: UUID
    provider: str
    consent: UUID | None
    priority: str = "routine"
    status: str = "draft"
    held_from: str = ""
    hold_until: date = date.max
    with_case: bool = False
    owed: bool = False
    disposed: bool = False
    # The days that were said, and since when it waited for a place that was answered in the end.
    requested_on: date | None = None
    answered_on: date | None = None
    waited_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    outcome: str = ""
    ended_by_closing: bool = False
    # When request and answer were recorded, from which a day counts that was the same.
    requested_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether something can still come of it."""
        return self.status in OPEN

    @property
    def owes(self) -> bool:
        """Whether someone must say what happens instead."""
        return self.owed and not self.disposed and self.status != "entered_in_error"

    def stands(self, today: date) -> str:
        """The state that counts: a hold is over when its last day has passed."""
        over = self.status == "on_hold" and self.hold_until < today
        return self.held_from if over else self.status

    def may(self, action: str, today: date) -> bool:
        """Whether the move is possible, in an open case."""
        own_word = action == "resume" and self.status == "on_hold"
        return own_word or self.stands(today) in FROM[action]

    def move(self, action: str, today: date, until: date | None = None) -> None:
        """Make a move that is possible."""
        self.status, self.with_case = self.stands(today), False
        if action == "resume":
            self.status = self.held_from if self.status == "on_hold" else self.status
        elif action == "hold":
            assert until is not None
            self.held_from, self.hold_until, self.status = self.status, until, "on_hold"
        else:
            self.status = TO.get(action, self.status)

    def end_with_case(self, today: date) -> None:
        """What had started ended early; what had not is cancelled."""
        started = "in_progress" in (self.status, self.status == "on_hold" and self.held_from)
        self.status = "completed" if started else "cancelled"
        self.ended_on, self.ended_by_closing = (today if started else None), True

    def acted(self, action: str, on: date, at: datetime) -> None:
        """An act has its day."""
        if action == "send":
            self.requested_on, self.requested_at = on, at
        elif action in ("accept", "waitlist", "decline"):
            if action != "waitlist" and self.answered_on is not None:
                self.waited_on = self.answered_on
            self.answered_on, self.answered_at = on, at
        elif action == "start":
            self.started_on = on
        elif action == "complete":
            self.ended_on = on

    def follows(self, action: str) -> date | None:
        """The last day of what a move follows."""
        asked = self.answered_on or self.requested_on
        return self.started_on if action in ("report", "complete") else asked


@dataclass
class ModelService:
    """A planned service with its requests.

    ``facts`` are what was asked and what was served, and ``words`` the dispositions and direct
    settlements; each in order, with the number of the act.
    """

    id: UUID
    code: str
    ends_on: date
    status: str = "drafted"
    referrals: list[ModelReferral] = field(default_factory=list)
    facts: list[tuple[int, str, ModelReferral]] = field(default_factory=list)
    words: list[tuple[int, str, ModelReferral | None]] = field(default_factory=list)

    def add(self, one: ModelReferral, act: int) -> None:
        """Another request, sent or not."""
        self.referrals.append(one)
        if one.status == "requested":
            self.facts.append((act, "asked", one))

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to be done about it: the last fact or word says so."""
        if any(one.is_open or one.owes for one in self.referrals):
            return False
        facts = [
            (act, what) for act, what, one in self.facts
            if one.status != "entered_in_error" and (what == "asked" or self.was_served(one))
        ]  # fmt: skip
        said = [(act, word) for act, word, _ in self.words[-1:] if word != "re_refer"]
        last = max(facts + said, default=(0, "asked"))
        return last[1] != "asked"

    def moved(self, one: ModelReferral, action: str, outcome: str, act: int) -> None:
        """What a move means for the service: asked, served, or to be decided upon."""
        if action == "send":
            self.facts.append((act, "asked", one))
        if action == "complete":
            one.outcome = outcome
            self.facts.append((act, "served", one))
        if action in ("complete", "decline", "fail", "withdraw", "lapse"):
            one.owed = self.is_left_by(one)

    def was_served(self, one: ModelReferral) -> bool:
        """Whether a referral gave the service, as planned or to its last day."""
        in_full = one.ended_on is not None and one.ended_on >= self.ends_on
        ended = one.status == "completed" and not one.ended_by_closing
        return ended and (one.outcome == "ended_as_planned" or in_full)

    def is_left_by(self, one: ModelReferral) -> bool:
        """Whether its end leaves the service to nobody."""
        others = any(other.is_open for other in self.referrals if other is not one)
        return not (others or self.was_served(one))

    @property
    def is_in_use(self) -> bool:
        """Whether a version without it must wait."""
        return any(one.is_open or one.owes for one in self.referrals)

    def lacks_request(self) -> bool:
        """Whether nobody was asked and no word is owed."""
        asked = any(one.is_open and one.status != "draft" for one in self.referrals)
        return not (asked or self.is_settled or any(one.owes for one in self.referrals))

    def asks(self, provider: str) -> bool:
        """Whether an agency has an open request."""
        return any(one.is_open and one.provider == provider for one in self.referrals)

    def take_back(self, referral: ModelReferral) -> None:
        """What was said instead of a referral in error falls with it, if it was the last word.

        Only a disposition can then be the last word again.
        """
        if self.words and self.words[-1][2] is referral:
            stands = [w for w in self.words if w[2] and w[2].status != "entered_in_error"]
            self.words = stands


@dataclass
class ModelVersion:
    """A version of the plan and the services that it names."""

    services: list[ModelService]
    status: str = "draft"
    decided_on: date | None = None


@dataclass
class ModelAssessment:
    """What an assessor found; the first is the determination."""

    id: UUID
    assessed_on: date
    received_on: date
    is_determination: bool
    recorded_at: datetime


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
