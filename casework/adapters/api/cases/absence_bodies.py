"""Request bodies of absences."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from casework.adapters.api.shared.bodies import Body, Day


class RecordAbsence(Body):
    """Who is away from when to when, and who deputises."""

    worker_id: UUID = Field(description="Who is away: a worker, a supervisor or an assessor.")
    from_: Annotated[Day, Field(alias="from")]
    to: Day
    deputy_id: UUID


class CorrectAbsence(Body):
    """What was wrong about an absence; what is left out stays."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    deputy_id: UUID | None = None


class EndAbsence(Body):
    """The last day away."""

    on: Day = Field(description="The last day away.")
