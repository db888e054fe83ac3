"""Clocks of the city's programme, which no operation makes yet: begun by the domain and stored."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from casework.adapters.persistence.casefile import escalations
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import FIXED_DAY_KINDS, ClockKind, ClockSubject
from tests.api.conftest import DISTRICT, Api


def owed(
    api: Api, kind: str = "task", *, area: str = DISTRICT, due: str = "2026-03-09", **about: Any
) -> UUID:
    """A clock of an area that begins now; ``due`` is its day, where it is due on one."""
    clock = a_programme_clock(api, kind, area, due, **about)
    with api.engine.begin() as connection:
        bulk.insert_all(connection, [clock])
        escalations.plan(connection, [(clock, True)], api.clock.now)
    return clock.id


def a_programme_clock(api: Api, kind: str, area: str, due: str, **about: Any) -> Deadline:
    """The same, not stored."""
    on_a_day = ClockKind(kind) in FIXED_DAY_KINDS
    clock = api.application.context().clockwork.begin(
        ClockKind(kind),
        id=new_id(),
        subject_id=new_id(),
        about=ClockSubject.of_programme(area=area, **about),
        started_at=api.clock.now,
        target=Target(date.fromisoformat(due).toordinal(), Unit.ON_DATE) if on_a_day else None,
        basis="Enforcement Rule 3" if kind == "submission" else None,
    )
    assert clock is not None
    return clock
