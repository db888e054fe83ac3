"""What a clock is set by, and taking it anew."""

from __future__ import annotations

from casework.domain.clocks.calendar import Unit
from casework.domain.clocks.deadlines import Clockwork, Deadline
from casework.domain.clocks.standards import ClockSubject, Standard


def applying(clock: Deadline, clockwork: Clockwork) -> Standard | None:
    """The standard by which this clock would be set now."""
    about = ClockSubject(
        case_id=clock.case_id,
        resident_id=clock.resident_id,
        centre_code=clock.centre_code,
        district_code=clock.district_code,
        worker_id=clock.worker_id,
        body_id=clock.body_id,
        provider_id=clock.provider_id,
        field=clock.field,
        service_code=clock.service_code,
        priority=clock.priority,
    )
    return clockwork.standard_for(clock.kind, about)


def take_terms(clock: Deadline, clockwork: Clockwork) -> bool:
    """What the standard that applies now says, in place of what the clock was set by.

    A clock with a day of its own keeps that day. Returns whether the clock goes on: not where no
    standard applies.
    """
    if clock.target.unit is Unit.ON_DATE:
        return True
    standard = applying(clock, clockwork)
    if standard is None:
        return False
    clock.standard_id, clock.target, clock.basis = (
        standard.id,
        standard.target,
        standard.basis,
    )
    clock.escalation, clock.lapse_after = standard.escalation, standard.lapse_after
    return True
