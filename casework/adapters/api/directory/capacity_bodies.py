"""What an agency states of its places."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from casework.adapters.api.shared.bodies import Body
from casework.domain.directory.capacity import CapacityStatement

Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]


class StateFigures(Body):
    """How many places are free now; the maximum and who waits only where they have changed."""

    available: Count
    maximum: Count | None = None
    waiting: Count | None = None

    def statement(self) -> CapacityStatement:
        """The same for the domain."""
        given = self.model_dump()
        return CapacityStatement(capacity=given.pop("maximum"), **given)
