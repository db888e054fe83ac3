"""Request bodies of retention: a district's schedule, and legal holds."""

from __future__ import annotations

from pydantic import Field, StrictInt

from casework.adapters.api.shared.bodies import Body, Day, Line, Words
from casework.domain.casefile.retained import LEAST_YEARS, MOST_YEARS


class SetRetention(Body):
    """For how long closed cases are retained; null for as long as the law asks."""

    years: StrictInt | None = Field(
        ge=LEAST_YEARS,
        le=MOST_YEARS,
        description="Whole years, counted from 1 January after the year of closing.",
    )
    basis: Line | None = Field(default=None, description="The schedule that says so.")


class PlaceLegalHold(Body):
    """Why nothing of a case is to be deleted, and when somebody looks at that again."""

    reason: Words
    review_on: Day = Field(description="The day on which the hold is reviewed; it ends nothing.")


class EndLegalHold(Body):
    """Why the case may be deleted after all, when its time has passed."""

    reason: Words
