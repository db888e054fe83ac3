"""For how long records are retained, kind by kind; what is older may be deleted.

Access records: two years, and records of rights: three, by the safety-measures notice (Article 8
and Article 5). Results of files: no law names a time, so an installation says. Closed cases: as
long as their district's schedule says, and none while it is under legal hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from casework.domain.access import grant_log
from casework.domain.audit import chain
from casework.domain.casefile import retained

FILE_DAYS_AT_LEAST: Final = 30


class RetainedKind(StrEnum):
    """What has a time of its own."""

    ACCESS_RECORDS = "access_records"
    RIGHTS_RECORDS = "rights_records"
    FILES = "files"
    CLOSED_CASES = "closed_cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredCases:
    """The closed cases of one district that are past its years.

    ``held`` more are under legal hold. ``residents`` were deleted with their last case;
    ``oldest_on`` is the day on which the oldest of those found was closed.
    """

    district_code: str
    years: int
    before: datetime
    found: int
    held: int
    oldest_on: date | None
    deleted: int = 0
    residents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What is older than its time: how many records, and whether they were deleted.

    ``error`` is the code with which deleting was refused. ``districts`` are those that have closed
    cases past their time; ``before`` is then that of a district without a schedule.
    """

    kind: RetainedKind
    before: datetime
    found: int
    deleted: int
    error: str | None = None
    districts: tuple[ExpiredCases, ...] = ()


def retained_since(
    now: datetime, access_years: int, file_days: int
) -> dict[RetainedKind, datetime]:
    """The instant of each kind from which on records are retained; none is less than the law's."""
    return {
        RetainedKind.ACCESS_RECORDS: chain.retention_start(now, access_years),
        RetainedKind.RIGHTS_RECORDS: now - grant_log.RETENTION,
        RetainedKind.FILES: now - timedelta(days=max(file_days, FILE_DAYS_AT_LEAST)),
    }


def cases_closed_before(
    now: datetime, schedules: Mapping[str, int | None]
) -> dict[str, tuple[int, datetime]]:
    """Of each district its years, and the instant from which on closed cases are retained."""
    return {
        code: (retained.years_of(years), retained.closed_before(now, years))
        for code, years in sorted(schedules.items())
    }
