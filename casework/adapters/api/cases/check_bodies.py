"""Request bodies of checks, signals, assignment and closing."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.casefile.parts import ClosingReason, GoalMet
from casework.adapters.api.shared.bodies import Body, Day, Words


class RecordCheck(Body):
    """How things go."""

    checked_on: Day
    findings: Words
    goals: list[GoalMet] = Field(default=[], max_length=50)
    next_check_on: Day | None = None
    confirm: StrictBool = Field(
        default=False, description="Record it although one of that day is there."
    )


class EnterCheckInError(Body):
    """Why the check never was."""

    reason: Words


class CorrectCheck(Body):
    """What was really found, and when; what is left out stays as it is."""

    checked_on: Day | None = None
    findings: Words | None = None
    goals: list[GoalMet] | None = Field(default=None, max_length=50)
    next_check_on: Day | None = Field(
        default=None, description="When the next one is; null for when the law asks."
    )
    reason: Words


class AssignCase(Body):
    """To whom the case is given."""

    worker_id: UUID


class AnswerSignal(Body):
    """What is done about a signal."""

    note: Words


class CloseCase(Body):
    """Why the case ends, and from when."""

    reason: ClosingReason
    effective_on: Day | None = None
    note: Words | None = None
    end_open_referrals: StrictBool = False
