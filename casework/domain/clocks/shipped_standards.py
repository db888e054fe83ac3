"""The standards with which every installation begins: the law's, and the city's targets."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.no_answer import USUAL_LAPSE
from casework.domain.clocks.standards import (
    CITY_BASIS,
    STATUTORY,
    STATUTORY_BASIS,
    ClockKind,
    Priority,
    Standard,
)


def shipped() -> tuple[Standard, ...]:
    """The law's two standards and the city's service targets, as every installation begins."""
    working, hours = Unit.WORKING_DAYS, Unit.HOURS
    routine_urgent_emergency: dict[
        ClockKind, tuple[Target | None, Target | None, Target | None]
    ] = {
        ClockKind.SURVEY: (Target(5, working), Target(1, working), None),
        ClockKind.ASSESSMENT: (Target(10, working), Target(2, working), None),
        ClockKind.PLAN: (Target(5, working), Target(2, working), None),
        ClockKind.DECISION: (Target(5, working), Target(1, working), None),
        ClockKind.NOTIFY_PLAN: (Target(5, working), None, None),
        ClockKind.LINK: (Target(3, working), Target(1, working), None),
        ClockKind.RESPONSE: (Target(3, working), Target(1, working), Target(4, hours)),
        ClockKind.WAITLIST: (Target(10, working), Target(2, working), None),
        ClockKind.START: (Target(10, working), Target(2, working), Target(24, hours)),
        ClockKind.DISPOSITION: (Target(3, working), Target(1, working), None),
        ClockKind.SIGNAL: (Target(1, working), Target(4, hours), None),
        ClockKind.ACCEPTANCE: (Target(5, working), None, None),
        ClockKind.MINUTES: (Target(10, working), None, None),
    }
    found = []
    for kind, targets in routine_urgent_emergency.items():
        for priority, target in zip(
            (None, Priority.URGENT, Priority.EMERGENCY), targets, strict=True
        ):
            if target is not None:
                found.append((kind, priority, target, CITY_BASIS, USUAL_LAPSE.get(kind)))
    for kind, target in STATUTORY.items():
        found.append((kind, None, target, STATUTORY_BASIS, None))
    return tuple(
        Standard(
            id=_fixed_id(kind, priority),
            kind=kind,
            priority=priority,
            target=target,
            basis=basis,
            lapse_after=lapse,
        )
        for kind, priority, target, basis, lapse in found
    )


def _fixed_id(kind: ClockKind, priority: Priority | None) -> UUID:
    """The same in every installation, whatever else is shipped: it follows from the scope."""
    digest = hashlib.sha256(f"{kind}/{priority or '*'}/*/*/*".encode()).digest()
    tail = int.from_bytes(digest[:8]) & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 | tail)


SHIPPED: Final = shipped()
