"""Requests and planned services of the model: plain states and no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
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
