"""Recalculating running clocks: the preview equals the change, and nothing is lost."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest

from casework.adapters.calendar import korean_calendar
from casework.domain.clocks.calendar import Pause, Target, Unit
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import Standard
from casework.domain.supervision.recounting import (
    HOLIDAY,
    STANDARD,
    RecountReason,
    RunningClock,
    concerns,
    renew,
    would_move,
)
from tests.domain.helpers import event_names, last_clock
from tests.factories import CaseFileFactory, ReferralFactory, Town
from tests.factories.town import korean_days

DAY_ID, STANDARD_ID = UUID(int=7), UUID(int=8)


def closing(on, **facts):
    """A day that was declared closed."""
    return RecountReason(because=HOLIDAY, subject_id=DAY_ID, on=on, closed=True, **facts)


def taking(standard):
    """A standard to be applied to running clocks."""
    return RecountReason(because=STANDARD, subject_id=standard.id, standard=standard)


def own(days, kind="survey", **facts):
    """A district's standard."""
    target = Target(days, Unit.WORKING_DAYS)
    return Standard(id=STANDARD_ID, kind=kind, target=target, basis="district order", **facts)


def with_day(on):
    """The clockwork once that day is closed."""
    return Clockwork(SHIPPED, korean_calendar([(on, True, "a day")]))


def as_found(clock):
    """A clock as it is stored, with all steps still planned."""
    planned = {(step.tier, step.due_at, step.at) for step in clock.planned or ()}
    return RunningClock(clock, planned)


def facts(clock):
    """All of a clock but its planned steps."""
    return repr(replace(clock, planned=None)), clock.planned


@pytest.mark.parametrize("days", range(-1, 9))
def test_a_day_moves_a_clock_exactly_if_it_was_counted(days):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town)
    clock = last_clock(file, file.case.id, "survey")  # due on Wednesday, 8 April
    on = date(2026, 4, 1) + timedelta(days=days)
    found = would_move(closing(on), as_found(clock), with_day(on))
    counted = on in (date(2026, 4, day) for day in (2, 3, 6, 7, 8))
    assert bool(found and found.is_listed) is counted
    assert found is None or found.before == clock.due_at
    if counted:
        assert found is not None
        assert found.after.date() == date(2026, 4, 9)


def test_looking_changes_nothing_and_doing_does_what_was_seen():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town)
    clock, on = last_clock(file, file.case.id, "survey"), date(2026, 4, 6)
    town.clockwork = with_day(on)
    before = facts(clock)
    seen = would_move(closing(on), as_found(clock), town.clockwork)
    assert seen is not None
    assert facts(clock) == before
    file.events.clear()
    assert renew(file, [clock.id], closing(on), town.act(town.supervisor)) == [seen]
    assert event_names(file) == ["DeadlineRecounted"]
    assert file.events[0].data["before"] == seen.before
    assert would_move(closing(on), as_found(clock), town.clockwork) is None


def test_after_a_recount_every_clock_is_what_an_independent_count_gives():
    rng = Random(20260401)
    for _ in range(40):
        town = Town("2026-04-01T10:00")
        file = CaseFileFactory(town=town)
        clock = last_clock(file, file.case.id, "survey")
        began = town.now + timedelta(days=rng.randrange(6))
        held = Pause(began, began.date() + timedelta(days=rng.randrange(4)), "away")
        file.pause(clock, town.act(), held)
        on = date(2026, 4, 1) + timedelta(days=rng.randrange(20))
        town.clockwork = with_day(on)
        seen = would_move(closing(on), as_found(clock), town.clockwork)
        if seen is not None:
            renew(file, [clock.id], closing(on), town.act(town.supervisor))
        assert clock.due_at == town.clockwork.count(clock)
        assert clock.pauses == (held,)
        again = town.clockwork.steps(clock)
        assert {(s.tier, s.at) for s in clock.planned or ()} == {(s.tier, s.at) for s in again}


def test_a_day_of_another_district_concerns_nobody_here():
    town = Town()
    file = CaseFileFactory(town=town)
    clock = last_clock(file, file.case.id, "survey")
    here, there = (
        closing(date(2026, 4, 6), district_code=code) for code in (file.case.district_code, "99999")
    )
    assert concerns(here, clock, town.clockwork)
    assert not concerns(there, clock, town.clockwork)
    clock.meet(town.now)
    assert not concerns(here, clock, town.clockwork)


def test_a_standard_concerns_the_clocks_for_which_it_is_the_most_specific():
    town = Town()
    file = CaseFileFactory(town=town)
    clock = last_clock(file, file.case.id, "survey")
    wide = next(one for one in SHIPPED if one.scope == "survey/*/*/*/*")
    narrow = own(2, district_code=file.case.district_code)
    with_both = Clockwork((*SHIPPED, narrow), korean_days())
    assert concerns(taking(wide), clock, town.clockwork)
    assert concerns(taking(narrow), clock, with_both)
    assert not concerns(taking(wide), clock, with_both)
    urgent = own(2, priority="urgent")
    assert not concerns(taking(urgent), clock, Clockwork((*SHIPPED, urgent), korean_days()))
    other = own(2, kind="plan")
    assert not concerns(taking(other), clock, Clockwork((*SHIPPED, other), korean_days()))


def test_a_clock_with_a_day_of_its_own_keeps_it():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, discharge_on=date(2026, 4, 20))
    clock = last_clock(file, file.case.id, "discharge")
    by_hand = own(2, kind="discharge")
    clockwork = Clockwork((*SHIPPED, by_hand), korean_days())
    assert not concerns(taking(by_hand), clock, clockwork)


def test_what_a_standard_says_is_taken_over_whole():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, requested=True)
    clock = last_clock(file, referral.id, "response")
    standard = own(5, kind="response", escalation=(), lapse_after=Target(6, Unit.WORKING_DAYS))
    town.clockwork = Clockwork(
        (*[one for one in SHIPPED if one.scope != "response/*/*/*/*"], standard), korean_days()
    )
    (moved,) = renew(file, [clock.id], taking(standard), town.act(town.supervisor))
    assert moved.is_listed
    assert (clock.standard_id, clock.basis) == (STANDARD_ID, "district order")
    assert (f"{clock.due_at:%m-%d}", f"{referral.lapse_at:%m-%d}") == ("04-08", "04-10")
    assert {step.tier for step in clock.planned or ()} == {-1, 0}
    assert clock.started_at == referral.requested_at
