"""The monthly review of the audit: who read whose data, checked by somebody else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, midnight
from casework.domain.errors import Conflict, require
from casework.domain.figures.figures import Month

# Access outside these hours in Seoul, or on a non-working day, is flagged.
OFFICE_OPENS: Final = 8
OFFICE_CLOSES: Final = 20
SATURDAY: Final = 5
# What takes data away, by action and by task (a list leaves under the action of the plain list),
# and the prefix of break-glass actions.
EXPORTS: Final = ("resident.export",)
EXPORT_TASKS: Final = ("POST /exports",)
BREAK_GLASS: Final = "break_glass"


# How many entries a summary counts at most, the newest of its month.
COUNTED_AT_ONCE: Final = 100_000


def office_hours(
    since: datetime, until: datetime, closed: Collection[date]
) -> list[tuple[datetime, datetime]]:
    """When people work in a period: from an instant to another, for each working day."""
    found, day = [], day_in_seoul(since)
    while midnight(day) < until:
        if day.weekday() < SATURDAY and day not in closed:
            begins = midnight(day)
            found.append(
                (begins + timedelta(hours=OFFICE_OPENS), begins + timedelta(hours=OFFICE_CLOSES))
            )
        day += ONE_DAY
    return found


@dataclass(slots=True, kw_only=True)
class AuditReview:
    """The review of a month of a chain, or of one account, with its findings.

    The reviewer's own entries are left out of a chain: ``left_out`` says whose, for another
    auditor to review as an account.
    """

    id: UUID
    month: str
    chain: str | None
    account: str | None
    left_out: str | None
    entries: int
    findings: str
    measures: str | None
    reviewed_at: datetime
    reviewed_by: UUID
    reviewer: str


def review(
    act: Act,
    month: Month,
    *,
    chain: str | None,
    account: str | None,
    entries: int,
    own: int,
    findings: str,
    measures: str | None,
) -> AuditReview:
    """The record of a review, ``own`` of whose entries are the reviewer's."""
    require(
        (chain is None) != (account is None), "a chain or an account, one of them", field="chain"
    )
    month.check_over(act.at)
    if account == act.by.username:
        raise Conflict("nobody reviews their own entries", code="own_entries")
    assert act.by.id is not None  # noqa: S101 - reviewers have accounts
    return AuditReview(
        id=act.new_id(),
        month=str(month),
        chain=chain,
        account=account,
        left_out=act.by.username if own else None,
        entries=entries - own,
        findings=findings,
        measures=measures,
        reviewed_at=act.at,
        reviewed_by=act.by.id,
        reviewer=act.by.username,
    )
