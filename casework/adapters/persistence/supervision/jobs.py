"""The current state of jobs, and their runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.paging import page
from casework.workflows.ports.paging import Row
from casework.workflows.ports.supervision import JobView
from casework.workflows.ports.unit_of_work import Page, Paging

RUN = t.job_run.c
# A run that was neither ended nor broken off by then was killed, and is not going on.
GOES_ON_FOR: Final = timedelta(minutes=10)


class SqlJobs:
    """Jobs and their runs; no personal data, the same for every actor who may read them."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection, self._now = connection, now

    def get(self, name: str) -> JobView:
        real, ended = ~RUN.dry_run, RUN.ended_at.is_not(None)
        is_new = RUN.started_at > self._now - GOES_ON_FOR
        going_on = _runs(name, ~ended, RUN.error.is_(None), is_new, self._is_past)
        return JobView(
            last_run=self._newest(name, real),
            last_success=self._newest(name, real, ended),
            last_tick=self._newest(name, RUN.slot.is_not(None), ended),
            in_flight=[dict(row._mapping) for row in self._connection.execute(going_on)],
        )

    @property
    def _is_past(self) -> ColumnElement[bool]:
        """Before a clock was set back runs began later than now: they say nothing of now."""
        return RUN.started_at <= self._now + GOES_ON_FOR

    def _newest(self, name: str, *which: ColumnElement[bool]) -> Row | None:
        row = self._connection.execute(_runs(name, *which, self._is_past).limit(1)).first()
        return None if row is None else dict(row._mapping)

    def runs(self, job: str, paging: Paging) -> Page:
        query = select(t.job_run).where(RUN.job == job)
        keys = [RUN.started_at, RUN.id]
        return page(self._connection, query, keys, paging, newest_first=True)

    def run(self, id: UUID) -> Row | None:
        row = self._connection.execute(select(t.job_run).where(RUN.id == id)).first()
        return None if row is None else dict(row._mapping)


def _runs(name: str, *which: ColumnElement[bool]) -> Select[Any]:
    """The runs of a job, newest first."""
    order = RUN.started_at.desc(), RUN.id.desc()
    return select(t.job_run).where(RUN.job == name, *which).order_by(*order)
