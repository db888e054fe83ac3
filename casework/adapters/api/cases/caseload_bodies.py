"""Request bodies of holds, reopening, transfers and handovers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.shared.bodies import Body, Code, Day, Words


class HoldCase(Body):
    """The whole case rests up to and including a day."""

    reason: Code
    until: Day
    note: Words | None = None
    hold_referrals: StrictBool = Field(
        default=True, description="Hold the running referrals in the same act."
    )


class ReopenCase(Body):
    """Why a closed case goes on after all."""

    note: Words
    confirm: StrictBool = Field(
        default=False, description="Reopen it although the resident has died."
    )


class TransferCase(Body):
    """Where the resident lives now, and why the case goes there."""

    centre_code: Code
    reason: Words


class HandOverCases(Body):
    """Whose cases go to whom: to one worker, or in turn to several."""

    from_worker_id: UUID
    to_worker_id: UUID | Annotated[list[UUID], Field(min_length=1, max_length=20)]
    reason: Words
