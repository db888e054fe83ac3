"""Standards, calendars and the catalogue, read again after some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Generic, TypeVar

from sqlalchemy import Engine, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.clocks.calendar import WorkingCalendar
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.late_entry import USUAL_LATE_ENTRY, LateEntry
from casework.domain.clocks.standards import Standard
from casework.domain.directory.directory import Service

T = TypeVar("T")
MakeCalendar = Callable[[Iterable[tuple[date, bool, str]]], WorkingCalendar]


CONFIGURATION_S = 5.0


class Cached(Generic[T]):
    """Something read from the database that rarely changes, read again after some seconds."""

    def __init__(self, read: Callable[[], T], seconds: float | None = None) -> None:
        self._read, self._seconds = read, CONFIGURATION_S if seconds is None else seconds
        self._value: tuple[float, T] | None = None
        self._forgotten = 0

    def forget(self) -> None:
        """Read it again at the next use; a read in progress is not cached."""
        self._forgotten += 1
        self._value = None

    def __call__(self) -> T:
        """The value, at most so many seconds old."""
        now, forgotten, value = time.monotonic(), self._forgotten, self._value
        if value is None or now - value[0] > self._seconds:
            value = (now, self._read())
            if forgotten == self._forgotten:
                self._value = value
        return value[1]


def read_clockwork(
    engine: Engine, calendar: MakeCalendar, late_entry: LateEntry = USUAL_LATE_ENTRY
) -> Clockwork:
    """Standards and calendars as stored in this database.

    ``calendar`` makes one of declared days: day, whether it is closed, and its name.
    """
    with engine.connect() as connection:
        standards = [from_row(Standard, row) for row in connection.execute(select(t.standard))]
        overrides = connection.execute(select(t.holiday_override)).all()
    everywhere = [(row.day, row.closed, row.name) for row in overrides if row.district_code is None]
    own: dict[str, list[tuple[date, bool, str]]] = {}
    for row in overrides:
        if row.district_code is not None:
            own.setdefault(row.district_code, []).append((row.day, row.closed, row.name))
    calendars: dict[str, WorkingCalendar] = {
        code: calendar([*everywhere, *days]) for code, days in own.items()
    }
    return Clockwork(standards, calendar(everywhere), calendars, late_entry)


def read_catalogue(engine: Engine) -> dict[str, Service]:
    """The services by their codes."""
    with engine.connect() as connection:
        return {row.code: from_row(Service, row) for row in connection.execute(select(t.service))}
