"""Residents, their contacts, consents and what was said with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case_moves import conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.errors import Conflict, require

# A consent that names no recipient, or one of these, is for anyone who needs it for its purpose.
ANYBODY: Final = frozenset({"all", "providers", "전체", "제공기관"})
MIN_BIRTH_YEAR: Final = 1890


class Sex(StrEnum):
    """As the resident is registered."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Mobility(StrEnum):
    """How far the resident gets alone."""

    INDEPENDENT = "independent"
    LIMITED = "limited"
    HOUSEBOUND = "housebound"


class ConsentPurpose(StrEnum):
    """What a consent is for."""

    OUTREACH = "outreach"
    INSTITUTION_APPLICATION = "institution_application"
    NHIS_ROUTE = "nhis_route"
    ADMINISTRATIVE_DATA = "administrative_data"
    DISCHARGE_NOTICE = "discharge_notice"
    PROVIDER_SHARING = "provider_sharing"


class NoteKind(StrEnum):
    """How somebody spoke with a resident, or that it is only written down."""

    CALL = "call"
    VISIT = "visit"
    MESSAGE = "message"
    NOTE = "note"


SEXES: Final = tuple(Sex)
MOBILITIES: Final = tuple(Mobility)
PURPOSES: Final = tuple(ConsentPurpose)


@dataclass(slots=True, kw_only=True)
class Contact:
    """Someone close to the resident, who may be informed or not."""

    id: UUID
    resident_id: UUID
    name: str
    relation: str
    phone: str
    may_be_told: bool = False


@dataclass(slots=True, kw_only=True)
class Resident:
    """A person who lives in the city and is, or may be, cared for at home."""

    id: UUID
    name: str
    birth_date: date
    sex: Sex
    centre_code: str
    district_code: str
    registered_at: datetime
    registered_by: UUID | None
    address: str | None = None
    phone: str | None = None
    lives_alone: bool | None = None
    mobility: Mobility | None = None
    ltc_grade: str | None = None
    disability: str | None = None
    insurance: str | None = None
    income_tier: str | None = None
    died_on: date | None = None
    # The one whom this record turned out to be: what is asked of it is asked of that one.
    merged_into_id: UUID | None = None
    version: int = 1

    def change(
        self, act: Act, changes: dict[str, Any], open_case: CaseFile | None = None
    ) -> list[str]:
        """Take over new facts; returns the names of the fields that really changed.

        While a case is open, the centre, on which all scope rests, is changed by a transfer only.
        """
        if "birth_date" in changes:
            check_birth_date(changes["birth_date"], act)
            check_born_before(changes["birth_date"], self.died_on, "birth_date")
        moves = changes.get("centre_code", self.centre_code) != self.centre_code
        if moves and open_case is not None:
            raise conflict(
                open_case,
                act,
                "while a case is open only a transfer changes the centre",
                code="open_case_transfer",
                case_id=open_case.case.id,
            )
        changed = [name for name, value in changes.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, changes[name])
        return changed


@dataclass(slots=True, kw_only=True)
class Consent:
    """What a resident or someone for them agreed to, until it is withdrawn."""

    id: UUID
    resident_id: UUID
    purpose: ConsentPurpose
    given_by: str
    given_on: date
    recipients: list[str]
    expires_on: date | None
    recorded_at: datetime
    recorded_by: UUID | None
    withdrawn_at: datetime | None = None
    withdrawn_by: UUID | None = None
    withdrawal_reason: str | None = None
    version: int = 1

    def is_valid(self, on: date) -> bool:
        """Whether something may rest on it on that day."""
        if self.withdrawn_at is not None or on < self.given_on:
            return False
        return self.expires_on is None or on <= self.expires_on

    def is_for(self, names: Collection[str]) -> bool:
        """Whether it lets one know who is called by any of these names."""
        meant = {one.strip().casefold() for one in self.recipients}
        return not meant or bool(meant & (ANYBODY | {name.casefold() for name in names}))

    def correct(self, given_on: date, expires_on: date | None, act: Act) -> list[str]:
        """Put its days right; returns the names of those that were otherwise.

        What was disclosed was judged when it was sent: that goes on (referral lifecycle, rule 3).
        """
        act.not_future(given_on, "given_on")
        act.not_before(expires_on, given_on, "expires_on")
        wanted = {"given_on": given_on, "expires_on": expires_on}
        names = [name for name, value in wanted.items() if getattr(self, name) != value]
        self.given_on, self.expires_on = given_on, expires_on
        return names

    def withdraw(self, act: Act, reason: str | None) -> None:
        """End it at once; what rests on it ends with it (referral lifecycle, rule 10)."""
        if self.withdrawn_at is not None:
            raise Conflict(
                "this consent was withdrawn before",
                code="already_withdrawn",
                state="withdrawn",
                allowed_actions=[],
            )
        self.withdrawn_at, self.withdrawn_by, self.withdrawal_reason = act.at, act.by.id, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBackAnswer:
    """An answer as it was, who took it back, and why."""

    answered_at: datetime
    answered_by: UUID | None
    answered_with: str | None
    answer: str | None
    answered_by_note_id: UUID | None
    reason: str
    taken_back_at: datetime
    taken_back_by: UUID | None


@dataclass(slots=True, kw_only=True)
class Note:
    """A call, visit or message, with a day to come back to: a promise, until it is answered.

    Nothing else that is written about the resident answers it.
    """

    id: UUID
    resident_id: UUID
    kind: NoteKind
    with_whom: str | None
    text: str
    come_back_on: date | None
    written_at: datetime
    written_by: UUID | None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    answered_with: str | None = None
    answer: str | None = None
    # The later note that names it, where one does.
    answered_by_note_id: UUID | None = None
    # Answers that were none to this promise, the oldest first.
    answers_taken_back: tuple[TakenBackAnswer, ...] = ()
    # Both stand: the one that was mistaken, and the one that puts it right and says why.
    corrects_note_id: UUID | None = None
    correction_reason: str | None = None
    corrected_by_note_id: UUID | None = None
    version: int = 1

    @property
    def is_promise(self) -> bool:
        """Whether somebody is still to be come back to: not by what was corrected since."""
        return (
            self.come_back_on is not None
            and self.answered_at is None
            and self.corrected_by_note_id is None
        )

    def take_answer(
        self,
        act: Act,
        *,
        text: str | None = None,
        with_whom: str | None = None,
        note_id: UUID | None = None,
    ) -> None:
        """The promise was kept: what was said with whom, or the later note that says it."""
        self._check_stands()
        self._check_unanswered()
        if self.come_back_on is None:
            raise Conflict(
                "nobody is to be come back to",
                code="nothing_promised",
                state="written",
                allowed_actions=[],
            )
        self.answered_at, self.answered_by = act.at, act.by.id
        self.answer, self.answered_with, self.answered_by_note_id = text, with_whom, note_id

    def take_back_answer(self, reason: str, act: Act) -> None:
        """It was not this promise that was kept: it is promised again, for its day."""
        require(reason.strip(), "say why", code="reason_required", field="reason")
        self._check_stands()
        if self.answered_at is None:
            raise Conflict(
                "nobody answered it",
                code="not_answered",
                state="written",
                allowed_actions=["answer", "correct"] if self.is_promise else ["correct"],
            )
        former = TakenBackAnswer(
            answered_at=self.answered_at,
            answered_by=self.answered_by,
            answered_with=self.answered_with,
            answer=self.answer,
            answered_by_note_id=self.answered_by_note_id,
            reason=reason,
            taken_back_at=act.at,
            taken_back_by=act.by.id,
        )
        self.answers_taken_back = (*self.answers_taken_back, former)
        self.answered_at = self.answered_by = self.answered_with = None
        self.answer = self.answered_by_note_id = None

    def correct(self, changes: Mapping[str, Any], reason: str, act: Act) -> Note | None:
        """The note that puts this one right, and takes over its promise and its answer.

        Both stand. None where nothing is otherwise. A day that is new is not in the past, and
        there is none once it was answered: nobody would be told of that promise.
        """
        require(reason.strip(), "say why", code="reason_required", field="reason")
        self._check_stands()
        wanted = {name: to for name, to in changes.items() if getattr(self, name) != to}
        if not wanted:
            return None
        if "come_back_on" in wanted:
            self._check_unanswered("correct", "undo")
        if wanted.get("come_back_on") is not None:
            act.not_before(wanted["come_back_on"], act.today, "come_back_on")
            act.not_too_far(wanted["come_back_on"], "come_back_on")
        correction = replace(
            self,
            **wanted,
            id=act.new_id(),
            written_at=act.at,
            written_by=act.by.id,
            corrects_note_id=self.id,
            correction_reason=reason,
            version=1,
        )
        self.corrected_by_note_id = correction.id
        return correction

    def _check_unanswered(self, *allowed: str) -> None:
        if self.answered_at is not None:
            raise Conflict(
                "it was answered before",
                code="already_answered",
                state="answered",
                allowed_actions=list(allowed),
            )

    def _check_stands(self) -> None:
        if self.corrected_by_note_id is not None:
            raise Conflict(
                "another note corrects it: see that one",
                code="already_corrected",
                state="corrected",
                allowed_actions=[],
                corrected_by_note_id=self.corrected_by_note_id,
            )


def coded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a resident, with those that are codes as what they are of."""
    kinds: dict[str, type[StrEnum]] = {"sex": Sex, "mobility": Mobility}
    return {
        name: kinds[name](value) if name in kinds and value is not None else value
        for name, value in facts.items()
    }


def check_birth_date(birth_date: date, act: Act) -> None:
    """A birth date lies in the past and within a human life."""
    require(
        birth_date <= act.today,
        "a birth date in the future",
        code="birth_date_in_future",
        field="birth_date",
    )
    require(
        birth_date.year >= MIN_BIRTH_YEAR,
        f"a birth date before {MIN_BIRTH_YEAR}",
        code="birth_date_too_early",
        field="birth_date",
    )


def check_born_before(birth_date: date, died_on: date | None, field: str) -> None:
    """Nobody dies before they are born."""
    require(
        died_on is None or birth_date <= died_on,
        "born after the death",
        code="born_after_death",
        field=field,
    )
