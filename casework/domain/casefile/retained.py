"""How long the file of a closed case is retained, and the legal hold that puts deleting it off.

The Act names no time. Its neighbour, the Social Security Benefits Act (Article 34), has information
retained for five years, which no district goes below; a district's records schedule may say more.
Years are counted as public records count theirs: from 1 January after the year in which the file
was closed (Enforcement Decree of the Public Records Act, Article 26).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, midnight
from casework.domain.errors import require

LEAST_YEARS: Final = 5
MOST_YEARS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """That nothing of a case is deleted: since when, by whom, why, and when it is looked at again.

    The day of review ends nothing. ``by`` and ``ended_by`` are None where an operator acted.
    """

    at: datetime
    by: UUID | None
    reason: str
    review_on: date
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    end_reason: str | None = None


def check_years(years: int) -> None:
    """Refuse a schedule that is shorter than the law's, or longer than a person is to be known."""
    require(
        LEAST_YEARS <= years <= MOST_YEARS,
        f"from {LEAST_YEARS} to {MOST_YEARS} years",
        code="retention_out_of_range",
        field="years",
    )


def years_of(schedule: int | None) -> int:
    """The years of a district's schedule; without one, what the law asks."""
    return max(schedule or LEAST_YEARS, LEAST_YEARS)


def retained_through(closed_at: datetime, schedule: int | None) -> date:
    """The last day on which the file of a case that was closed then is retained."""
    return date(day_in_seoul(closed_at).year + years_of(schedule) + 1, 1, 1) - ONE_DAY


def closed_before(now: datetime, schedule: int | None) -> datetime:
    """The instant before which a case was closed whose file is past its time by now."""
    return midnight(date(day_in_seoul(now).year - years_of(schedule), 1, 1))
