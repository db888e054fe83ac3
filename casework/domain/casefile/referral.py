"""A referral: asks one provider for one planned service for one resident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from casework.domain.casefile.plan import PlannedService
from casework.domain.casefile.referral_moves import (
    HOLD_WITH_CASE,
    MOVES,
    OPEN,
    STARTED,
    Move,
    possible_moves,
)
from casework.domain.casefile.states import BasisKind, Disposition, ReferralOutcome, ReferralStatus
from casework.domain.clocks.no_answer import recorded_last
from casework.domain.clocks.standards import CareField, Priority


@dataclass(slots=True, kw_only=True)
class Referral:
    """Its state, what was asked and disclosed, what was answered, and how it ended.

    ``held_from`` is the state a hold came from; ``lapse_at`` and ``resume_at`` are the instants
    at which the sweep gives it up or takes it up again.
    """

    id: UUID
    case_id: UUID
    resident_id: UUID
    centre_code: str
    district_code: str
    planned_service_id: UUID
    service_code: str
    field: CareField
    offering_id: UUID
    provider_id: UUID
    status: ReferralStatus
    priority: Priority
    basis_kind: BasisKind
    created_at: datetime
    created_by: UUID | None
    consent_id: UUID | None = None
    message: str | None = None
    outside_area_reason: str | None = None
    disclosed: list[str] | None = None
    # Whom the service is meant for, judged on the resident's facts when it was made.
    judged: dict[str, Any] | None = None
    # The day of each act; the instant is when it was recorded. The answer is the latest one.
    requested_on: date | None = None
    requested_at: datetime | None = None
    answered_on: date | None = None
    answered_at: datetime | None = None
    expected_start_on: date | None = None
    expected_on: date | None = None
    # When a place that had come free was offered to it, while it waited for one.
    place_offered_at: datetime | None = None
    accepted_at: datetime | None = None
    started_on: date | None = None
    ended_at: datetime | None = None
    ended_on: date | None = None
    outcome: ReferralOutcome | None = None
    # Of the list of the move that ended or held it; of one entered in error, in somebody's words:
    # both stand in one column, and what a resumption leaves there is of no list of its state.
    reason: str | None = None
    note: str | None = None
    on_behalf: dict[str, Any] | None = None
    held_from: ReferralStatus | None = None
    hold_until: date | None = None
    # The worker held it together with its case: not the agency's word.
    held_with_case: bool = False
    resume_at: datetime | None = None
    lapse_at: datetime | None = None
    # Whether its end left the planned service to be decided upon (rule 8).
    disposition_owed: bool = False
    disposition: Disposition | None = None
    disposed_at: datetime | None = None
    replaces_id: UUID | None = None
    replaced_by_id: UUID | None = None
    ended_by_closing: bool = False
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether something can still come of it."""
        return self.status in OPEN

    @property
    def is_with_provider(self) -> bool:
        """Requested or later and still open: a draft is not."""
        return self.is_open and self.status != ReferralStatus.DRAFT

    @property
    def has_started(self) -> bool:
        """Whether the service is running, or on hold after it ran."""
        return self.status == ReferralStatus.IN_PROGRESS or (
            self.status == ReferralStatus.ON_HOLD and self.held_from == ReferralStatus.IN_PROGRESS
        )

    @property
    def owes_disposition(self) -> bool:
        """Whether someone must still say what happens instead (rule 8)."""
        return self.disposition_owed and self.disposed_at is None

    def served(self, service: PlannedService) -> bool:
        """Whether it settles its planned service: completed as planned, or up to its last day.

        What closing a case ended does not.
        """
        if self.status != ReferralStatus.COMPLETED or self.ended_by_closing:
            return False
        until_the_end = self.ended_on is not None and self.ended_on >= service.ends_on
        return self.outcome == ReferralOutcome.ENDED_AS_PLANNED or until_the_end

    @property
    def waits_since(self) -> datetime:
        """When the last of what an agency is to answer was recorded, whenever it happened."""
        return recorded_last(self.created_at, self.requested_at, self.answered_at)

    @property
    def was_asked(self) -> bool:
        """Whether somebody was asked, and not by mistake."""
        return self.requested_at is not None and self.status is not ReferralStatus.ENTERED_IN_ERROR

    def make(self, move: Move, at: datetime) -> None:
        """Change the state as a row of the table says: the only place that writes it.

        Raises ValueError where the row does not lead from here; who asks was refused before.
        """
        if self.status not in move.from_:
            raise ValueError(f"{move.action} does not lead from {self.status}")
        if move.returns:
            self.status = self.held_from or ReferralStatus.ACCEPTED
            self.held_from = self.hold_until = self.resume_at = None
        self.held_with_case = move is HOLD_WITH_CASE
        if move.pauses:
            self.held_from = self.status
        if move.to is not None:
            self.status = move.to
        if not self.is_open:
            self.ended_at, self.resume_at = self.ended_at or at, None

    def hold_is_over(self, at: datetime) -> bool:
        """Whether a hold's last day has passed, recorded or not (rule 6)."""
        return (
            self.status == ReferralStatus.ON_HOLD
            and self.resume_at is not None
            and self.resume_at <= at
        )

    def possible_moves(self, at: datetime | None = None) -> list[str]:
        """What the table allows from here, for any actor.

        With ``at``, a hold that is over counts as resumed; to say so oneself is allowed still.
        """
        if at is not None and self.held_from is not None and self.hold_is_over(at):
            found = possible_moves(self.held_from, owes_disposition=False)
            return [action for action in MOVES if action in found or action == "resume"]
        return possible_moves(self.status, owes_disposition=self.owes_disposition)


__all__ = ["OPEN", "STARTED", "Referral"]
