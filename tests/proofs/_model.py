"""An independent model of a case: plain states and no database.

It knows the possible acts and the state after them. It counts no days: what lapses and resumes
with time it is told by the clock of the test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

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
WAITS_FOR = {"requested": "response", "waitlisted": "waitlist", "accepted": "start"}
HELD_BY = {"assessment": "assessor", "decision": "supervisor"} | dict.fromkeys(
    ("response", "waitlist", "start"), "provider"
)


@dataclass
class ModelReferral:
    """One request: its state, and its state before a hold."""

    id: UUID
    provider: str
    consented: bool
    status: str = "draft"
    held_from: str = ""
    hold_until: date = date.max
    with_case: bool = False
    owed: bool = False
    disposed: bool = False

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

    def end_with_case(self) -> None:
        """What had started ended early; what had not is cancelled."""
        started = "in_progress" in (self.status, self.status == "on_hold" and self.held_from)
        self.status = "completed" if started else "cancelled"


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
        facts = [(act, what) for act, what, one in self.facts if one.status != "entered_in_error"]
        said = [(act, word) for act, word, _ in self.words[-1:] if word != "re_refer"]
        last = max(facts + said, default=(0, "asked"))
        return last[1] != "asked"

    def moved(self, one: ModelReferral, action: str, outcome: str, today: date, act: int) -> None:
        """What a move means for the service: asked, served, or to be decided upon."""
        if action == "send":
            self.facts.append((act, "asked", one))
        if action == "complete" and (outcome == "ended_as_planned" or today >= self.ends_on):
            self.facts.append((act, "served", one))
        elif action in ("complete", "decline", "fail", "withdraw", "lapse"):
            one.owed = not any(other.is_open for other in self.referrals if other is not one)

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


@dataclass
class ModelCase:
    """One episode; ``clocks`` are the case's own that run."""

    id: UUID
    resident: UUID
    centre: str
    worker: str | None
    urgent: bool
    status: str = "applied"
    before: str = ""
    arrived: bool = False
    held_until: date | None = None
    checked: bool = False
    # The day of the first approval, until a check was made.
    approved_on: date | None = None
    clocks: Counter[str] = field(default_factory=lambda: Counter(survey=1))
    stopped: Counter[str] = field(default_factory=Counter)
    signals: list[UUID] = field(default_factory=list)
    versions: list[ModelVersion] = field(default_factory=list)
    services: list[ModelService] = field(default_factory=list)

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

    def hold(self, today: date, until: date, *, along: bool) -> None:
        """The case rests, and with it what runs, where that is meant."""
        self.held_until = until
        for one in self.referrals:
            if one.is_open:
                one.status = one.stands(today)
                if along and one.status in FROM["hold"]:
                    one.move("hold", today, until)
                    one.with_case = True

    def resume(self, today: date) -> None:
        """It goes on early, and what rested with it."""
        self.held_until = None
        for one in self.referrals:
            if one.status == "on_hold" and one.with_case:
                one.move("resume", today)

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

    def approve(self, version: ModelVersion, today: date) -> None:
        """The version is in force, and the one before it no longer."""
        before = self.version("approved")
        if before:
            before.status = "superseded"
        version.status, self.status = "approved", "supported"
        self.drop(version.services, "in_force")
        for one in version.services:
            one.status = "in_force"
        self.clocks["notify_plan"] = 1
        if not self.checked:
            self.clocks["first_check"], self.checked = 1, True
            self.approved_on = today

    def close(self) -> None:
        """Everything ends; what stood is kept for a reopening."""
        for one in self.referrals:
            if one.is_open:
                one.end_with_case()
        self.before, self.status = self.status, "closed"
        self.stopped, self.clocks = self.clocks, Counter()
        self.held_until, self.arrived = None, False

    def reopen(self) -> None:
        """The state before, with the case's own clocks; nobody waits for an answered signal."""
        self.status, self.clocks = self.before, self.stopped
        self.stopped = Counter()
        if self.signals:
            self.clocks["signal"] = len(self.signals)
        else:
            self.clocks.pop("signal", None)

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
