"""Request bodies of break-glass access to a resident out of scope, and of its review."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from casework.adapters.api.shared.bodies import LINES, Body
from casework.domain.privacy.break_glass import DEFAULT_HOURS, MAX_REASON_LENGTH

Why = Annotated[str, Field(min_length=1, max_length=MAX_REASON_LENGTH), LINES]


class OpenResident(Body):
    """Whom, why, and for how many hours."""

    resident_id: UUID
    reason: Why
    hours: Annotated[int, Field(strict=True)] = DEFAULT_HOURS


class ReviewOpening(Body):
    """What the review found, and whether it was right to open."""

    note: Why
    justified: Annotated[bool, Field(strict=True)]
