"""Data access requests of residents: PIPA Article 35, to be answered within ten days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.clocks.calendar import Target, Unit, day_in_seoul, due_at, midnight
from casework.domain.errors import Conflict, require


class Requester(StrEnum):
    """Who asks what is held of a resident."""

    SELF = "self"
    LEGAL_REPRESENTATIVE = "legal_representative"
    AGENT = "agent"


class IdentityProof(StrEnum):
    """By what the identity of who asks was checked."""

    IDENTITY_CARD = "identity_card"
    OTHER_DOCUMENT = "other_document"
    ELECTRONIC_SIGNATURE = "electronic_signature"
    KNOWN_IN_PERSON = "known_in_person"


class AccessAnswer(StrEnum):
    """How a request was answered."""

    GIVEN = "given"
    REFUSED = "refused"


class AnswerChannel(StrEnum):
    """How the data reached who asked."""

    IN_PERSON = "in_person"
    MAIL = "mail"
    FAX = "fax"
    E_MAIL = "e_mail"


REQUESTED_BY: Final = tuple(Requester)
IDENTITY_BY: Final = tuple(IdentityProof)
ANSWERS: Final = tuple(AccessAnswer)
HANDED_OVER: Final = tuple(AnswerChannel)
ANSWERED_WITHIN: Final = Target(10, Unit.DAYS)


@dataclass(slots=True, kw_only=True)
class AccessRequest:
    """One request, until it is answered."""

    id: UUID
    resident_id: UUID
    received_on: date
    due_on: date
    requested_by: Requester
    requester: str | None
    recorded_at: datetime
    recorded_by: UUID | None
    identity_how: IdentityProof | None = None
    identity_checked_at: datetime | None = None
    identity_checked_by: UUID | None = None
    answer: AccessAnswer | None = None
    answered_on: date | None = None
    handed_over: AnswerChannel | None = None
    reason: str | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether an answer is owed."""
        return self.answered_at is None

    def is_overdue(self, today: date) -> bool:
        """Whether the ten days are over and no answer was given."""
        return self.is_open and today > self.due_on

    @property
    def allowed_actions(self) -> list[str]:
        """What can be done next."""
        if not self.is_open:
            return ["document"] if self.answer == AccessAnswer.GIVEN else []
        return ["document", "answer"] if self.identity_how else ["identity", "answer"]

    def check_identity(self, act: Act, how: IdentityProof) -> None:
        """Record how the requester's identity was checked."""
        self._expect_open()
        self.identity_how = how
        self.identity_checked_at, self.identity_checked_by = act.at, act.by.id

    def expect_printable(self) -> None:
        """Refuse to print for a refused request, or without an identity check."""
        if self.answer == AccessAnswer.REFUSED:
            raise Conflict("it was refused", code="request_answered", allowed_actions=[])
        self.expect_identity()

    def expect_identity(self) -> None:
        """Refuse to disclose anything without an identity check."""
        if self.identity_how is None:
            raise Conflict(
                "first check who asks",
                code="identity_not_checked",
                allowed_actions=self.allowed_actions,
            )

    def close(
        self,
        act: Act,
        answer: AccessAnswer,
        answered_on: date,
        handed_over: AnswerChannel | None,
        reason: str | None,
    ) -> None:
        """Record the answer: data handed over, or refused on a statutory ground."""
        self._expect_open()
        require(
            self.received_on <= answered_on <= act.today,
            "from the day it came to today",
            code="date_in_future" if answered_on > act.today else "ends_before_start",
            field="answered_on",
        )
        if answer is AccessAnswer.GIVEN:
            self.expect_identity()
            require(handed_over, "say how it was handed over", field="handed_over")
        else:
            require(reason, "say why", code="note_required", field="reason")
            require(handed_over is None, "nothing was handed over", field="handed_over")
        self.answer, self.answered_on, self.handed_over = answer, answered_on, handed_over
        self.reason, self.answered_at, self.answered_by = reason, act.at, act.by.id

    def _expect_open(self) -> None:
        if not self.is_open:
            raise Conflict(
                "it was answered before",
                code="request_answered",
                allowed_actions=self.allowed_actions,
            )


def receive(
    act: Act,
    resident_id: UUID,
    district_code: str,
    received_on: date,
    requested_by: Requester,
    requester: str | None,
) -> AccessRequest:
    """A request as it came in; the ten days are counted from the day after."""
    require(
        received_on <= act.today,
        "a day in the future",
        code="date_in_future",
        field="received_on",
    )
    require(
        requested_by is Requester.SELF or requester,
        "say who asks for the resident",
        code="note_required",
        field="requester",
    )
    calendar = act.clockwork.calendar_of(district_code)
    due = due_at(calendar, midnight(received_on), ANSWERED_WITHIN)
    return AccessRequest(
        id=act.new_id(),
        resident_id=resident_id,
        received_on=received_on,
        due_on=day_in_seoul(due),
        requested_by=requested_by,
        requester=requester,
        recorded_at=act.at,
        recorded_by=act.by.id,
    )
