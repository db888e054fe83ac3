"""Request bodies of matching."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints

from casework.adapters.api.shared.bodies import Body, Code, Day

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class FindMatches(Body):
    """For whom which service is looked for; a resident or a centre, and not both."""

    service_code: Code
    resident_id: UUID | None = None
    centre_code: Code | None = None
    mobility: Literal["independent", "limited", "housebound"] | None = None
    needed_by: Day | None = None
    language: Language | None = None
    confirm: StrictBool = Field(default=False, description="Match although the resident has died.")
