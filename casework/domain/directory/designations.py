"""Designations: what an agency is designated as, by whom, from when until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.directory.directory import covers_day
from casework.domain.errors import Conflict, require


class DesignationCode(StrEnum):
    """What an agency can be designated as."""

    HOME_MEDICAL_CENTRE = "home_medical_centre"
    HOME_VISIT_15 = "home_visit_15"
    AGREEMENT_HOSPITAL = "agreement_hospital"
    INTEGRATED_HOME_CARE = "integrated_home_care"


# What an agency gives under a designation: this is open with it when it ends.
GIVEN_UNDER: Final[dict[str, tuple[str, ...]]] = {
    DesignationCode.HOME_MEDICAL_CENTRE: ("MED-HOME-CENTRE",),
    DesignationCode.HOME_VISIT_15: ("MED-VISIT",),
    DesignationCode.AGREEMENT_HOSPITAL: ("MED-DISCHARGE",),
    DesignationCode.INTEGRATED_HOME_CARE: ("NUR-INTEGRATED",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Designation:
    """One agency's, with its first and last day; without a last one it goes on."""

    id: UUID
    provider_id: UUID
    code: str
    valid_from: date | None
    valid_to: date | None
    designated_by: str
    recorded_at: datetime | None = None
    recorded_by: UUID | None = None
    version: int = 1

    def is_in_force(self, on: date) -> bool:
        """Whether it holds on a day."""
        return covers_day(on, self.valid_from, self.valid_to)

    def overlaps(self, other: Designation) -> bool:
        """Whether both are the same agency's, of one code, and share a day."""
        mine, theirs = self.valid_from or date.min, other.valid_from or date.min
        return (
            (self.provider_id, self.code) == (other.provider_id, other.code)
            and mine <= (other.valid_to or date.max)
            and theirs <= (self.valid_to or date.max)
        )


def last_day_under(code: str, held: Iterable[Designation]) -> date | None:
    """The last day of all of an agency's designations of a code; None where it goes on."""
    days = [one.valid_to for one in held if one.code == code]
    ends = [day for day in days if day is not None]
    return max(ends, default=None) if len(ends) == len(days) else None


def check_designation(made: Designation, others: list[Designation]) -> None:
    """It begins before it ends, and no other of its code holds at the same time."""
    require(
        made.valid_to is None or made.valid_from is None or made.valid_from <= made.valid_to,
        "it would end before it begins",
        code="date_too_early",
        field="valid_to",
    )
    if any(made.overlaps(one) for one in others if one.id != made.id):
        raise Conflict("designated so at the same time", code="designation_exists")


def ended_designation(
    one: Designation, last_day: date | None, others: list[Designation], act: Act
) -> Designation:
    """The designation with another last day; None takes an end back."""
    act.not_before(last_day, one.valid_from, "last_day")
    ended = replace(one, valid_to=last_day)
    check_designation(ended, others)
    return ended
