"""Which closed cases are past the time for which their district retains them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from casework.adapters.persistence import tables as t
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.retained import closed_before

_case = t.care_case.c


def schedules(connection: Connection) -> dict[str, int | None]:
    """The years that each district set, by its code; None where it set none."""
    district = t.district.c
    rows = connection.execute(select(district.code, district.retention_years))
    return {row.code: row.retention_years for row in rows}


def is_past(district_code: str, before: datetime) -> ColumnElement[bool]:
    """A case of a district that was closed before an instant."""
    return and_(
        _case.district_code == district_code,
        _case.status == CaseStatus.CLOSED,
        _case.closed_at < before,
    )


def is_held() -> ColumnElement[bool]:
    """A case under legal hold, of which nothing is deleted."""
    return _case.legal_hold_review_on.is_not(None)


def will_be_deleted(connection: Connection, now: datetime) -> ColumnElement[bool]:
    """A case that the next run of retention deletes."""
    past = (
        is_past(code, closed_before(now, years)) for code, years in schedules(connection).items()
    )
    return and_(or_(*past), ~is_held())
