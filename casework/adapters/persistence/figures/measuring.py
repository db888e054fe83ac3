"""Response rates: computed over all referrals, stored per agency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.seoul import seoul_day
from casework.adapters.persistence.figures.figure_sources import lapsed
from casework.adapters.persistence.rows.mapper import pauses_of
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.tables.figures import provider_answers
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import ClockKind
from casework.domain.directory.matching import ResponseRate
from casework.workflows.ports.matching import AnsweredRequests

AT_ONCE = 2000


class SqlResponseRateStore:
    """The measured answers, in one transaction of the system."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answered(self, since: datetime, until: datetime) -> Iterator[AnsweredRequests]:
        """Grouped by the days of beginning and end: one row for many requests."""
        clock, request = t.deadline, t.referral
        ended_at = func.coalesce(clock.c.met_at, clock.c.cancelled_at)
        by = [
            request.c.provider_id,
            clock.c.district_code,
            seoul_day(clock.c.started_at).label("began_on"),
            seoul_day(ended_at).label("ended_on"),
            clock.c.pauses,
            request.c.accepted_at.is_not(None).label("accepted"),
        ]
        query = (
            select(*by, func.count().label("times"))
            .join(request, request.c.id == clock.c.subject_id)
            .where(
                clock.c.kind == ClockKind.RESPONSE.value,
                request.c.status != ReferralStatus.ENTERED_IN_ERROR,
                or_(clock.c.met_at.is_not(None), lapsed()),
                and_(ended_at >= since, ended_at <= until),
            )
            .group_by(*by)
            .order_by(request.c.provider_id)
        )
        for row in self._connection.execute(query, execution_options={"yield_per": AT_ONCE}):
            yield AnsweredRequests(
                provider_id=row.provider_id,
                district_code=row.district_code,
                began_on=row.began_on,
                ended_on=row.ended_on,
                pauses=pauses_of(row.pauses),
                accepted=bool(row.accepted),
                count=row.times,
            )

    def save(self, found: Iterable[tuple[UUID, ResponseRate]], as_of: datetime) -> None:
        table = provider_answers
        rows: list[dict[str, Any]] = [
            {
                "provider_id": id,
                "answers": one.answers,
                "median_days": one.median_days,
                "accepted_share": one.accepted_share,
                "as_of": as_of,
            }
            for id, one in found
        ]
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        write = dialect.insert(table)
        write = write.on_conflict_do_update(
            index_elements=["provider_id"],
            set_={one.name: write.excluded[one.name] for one in table.c if not one.primary_key},
        )
        if rows:
            self._connection.execute(write, rows)
        self._connection.execute(delete(table).where(table.c.as_of < as_of))


@contextmanager
def response_rate_store(engine: Engine) -> Iterator[SqlResponseRateStore]:
    """The measurements, in a transaction that is committed where nothing fails."""
    with engine.begin() as connection:
        session_context.set_system_context(connection)
        yield SqlResponseRateStore(connection)
