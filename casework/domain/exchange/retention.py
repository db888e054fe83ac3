"""For how long records are retained, kind by kind; what is older may be deleted.

Access records: two years, and records of rights: three, by the safety-measures notice (Article 8
and Article 5). Results of files: no law names a time, so an installation says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from casework.domain.access import grant_log
from casework.domain.audit import chain

FILE_DAYS_AT_LEAST: Final = 30


class RetainedKind(StrEnum):
    """What has a time of its own."""

    ACCESS_RECORDS = "access_records"
    RIGHTS_RECORDS = "rights_records"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What is older than its time: how many records, and whether they were deleted.

    ``error`` is the code with which deleting was refused.
    """

    kind: RetainedKind
    before: datetime
    found: int
    deleted: int
    error: str | None = None


def retained_since(
    now: datetime, access_years: int, file_days: int
) -> dict[RetainedKind, datetime]:
    """The instant of each kind from which on records are retained; none is less than the law's."""
    return {
        RetainedKind.ACCESS_RECORDS: chain.retention_start(now, access_years),
        RetainedKind.RIGHTS_RECORDS: now - grant_log.RETENTION,
        RetainedKind.FILES: now - timedelta(days=max(file_days, FILE_DAYS_AT_LEAST)),
    }
