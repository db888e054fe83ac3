"""Clocks of the city's programme: due days that are never rolled, and who is told when."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from uuid import UUID

import pytest

from casework.adapters.api.shared.clock_sentence import sentence
from casework.domain.clocks.calendar import SEOUL, Target, Unit, day_in_seoul, midnight
from casework.domain.clocks.deadlines import BREACH, REMINDER, Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import (
    CARE_KINDS,
    HELD_BY,
    PROGRAMME_KINDS,
    SUBJECT_OF,
    ClockKind,
    ClockSubject,
    EscalationTier,
    Part,
)
from tests.factories import seoul
from tests.factories.town import korean_days
from tests.proofs._invariants import due_by_hand

ONE, BODY_ID = UUID(int=1), UUID(int=9)
CITY = ClockSubject.of_programme(area="city", body_id=BODY_ID)
ON_A_DAY = (ClockKind.TASK, ClockKind.SUBMISSION, ClockKind.ADJUSTMENT)
COUNTED = {ClockKind.ACCEPTANCE: 5, ClockKind.MINUTES: 10}


@cache
def clockwork():
    """The standards as shipped, and the days worked in Korea."""
    return Clockwork(SHIPPED, korean_days())


def on_date(day):
    """A target that is a day."""
    return Target(day.toordinal(), Unit.ON_DATE)


def begun(kind, started, day=None, about=CITY, works=None):
    """A clock of the programme; ``day`` is the one it is due on, where it has one."""
    return (works or clockwork()).begin(
        ClockKind(kind),
        id=ONE,
        subject_id=ONE,
        about=about,
        started_at=seoul(started),
        target=None if day is None else on_date(date.fromisoformat(day)),
        basis=None if day is None else "named",
    )


def steps(clock):
    """The planned steps as tier: month-day and hour."""
    return {step.tier: f"{step.at.astimezone(SEOUL):%m-%dT%H:%M:%S}" for step in clock.planned}


def tells(clock):
    """The recipients of each step."""
    return {step.tier: step.tell for step in clock.planned}


def test_the_five_kinds_are_about_no_resident_and_all_others_are():
    assert set(PROGRAMME_KINDS) == {"task", "acceptance", "minutes", "submission", "adjustment"}
    assert set(CARE_KINDS) | set(PROGRAMME_KINDS) == set(ClockKind)
    clock = begun("minutes", "2026-11-02T10:00")
    assert (clock.case_id, clock.resident_id, clock.centre_code) == (None, None, None)
    assert (clock.district_code, clock.body_id, clock.worker_id) == ("city", BODY_ID, None)
    assert clock.is_of_programme


@pytest.mark.parametrize(
    ("kind", "subject", "holder"),
    [
        ("task", "task", "owner"),
        ("acceptance", "task", "giver"),
        ("minutes", "meeting", "body"),
        ("submission", "submission", "area"),
        ("adjustment", "regional_plan", "area"),
    ],
)
def test_each_stands_on_its_subject_and_is_held_by_its_holder(kind, subject, holder):
    assert (SUBJECT_OF[ClockKind(kind)], HELD_BY[ClockKind(kind)]) == (subject, holder)


@pytest.mark.parametrize("day", ["2026-12-04", "2026-12-05", "2026-12-06", "2026-12-25"])
@pytest.mark.parametrize("kind", ON_A_DAY)
def test_a_named_day_is_due_at_its_end_and_never_rolled(kind, day):
    clock = begun(kind, "2026-11-02T10:00", day)
    assert clock.due_at.astimezone(SEOUL).isoformat() == f"{day}T23:59:59+09:00"


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2026-12-05T23:59:59", False),  # the day, a Saturday
        ("2026-12-06T00:00:00", True),  # the day after
        ("2026-12-04T23:59:59", False),  # the day before
    ],
)
def test_it_is_overdue_from_the_second_after_its_day(at, late):
    clock = begun("task", "2026-11-02T10:00", "2026-12-05")
    assert clock.is_overdue(seoul(at)) is late


def test_what_stays_on_a_closed_day_says_so_and_what_does_not_is_silent():
    stays = clockwork().explain(begun("submission", "2026-11-02T10:00", "2026-12-06"))
    assert (stays.rule, stays.closed, stays.left_out) == (
        "a fixed day, never rolled to a later one",
        "sunday",
        [],
    )
    assert "never moved, although" in sentence(stays, "en")
    assert "옮겨지지 않음" in sentence(stays, "ko")
    open_day = clockwork().explain(begun("submission", "2026-11-02T10:00", "2026-12-07"))
    assert open_day.closed is None
    assert "although" not in sentence(open_day, "en")


def test_a_day_that_was_extended_is_explained_by_both():
    clock = begun("task", "2026-11-02T10:00", "2026-12-01")
    clock.extended_until = date(2026, 12, 13)
    at = seoul("2026-12-02T10:00")
    clock.extensions = ({"until": clock.extended_until, "at": at, "cause": "waiting_for_money"},)
    clockwork().recount(clock)
    assert day_in_seoul(clock.due_at) == date(2026, 12, 13)  # a Sunday stays one
    said = sentence(clockwork().explain(clock), "en")
    assert "2026-12-13" in said
    assert "2026-12-01" in said


def test_the_reminder_comes_on_the_last_working_day_and_the_tiers_on_those_after():
    clock = begun("task", "2026-11-02T10:00", "2026-12-25")  # Christmas, a Friday
    assert steps(clock) == {
        REMINDER: "12-24T09:00:00",
        BREACH: "12-26T00:00:00",
        1: "12-28T09:00:00",
        2: "12-30T09:00:00",
    }
    assert tells(clock) == {REMINDER: ("owner",), BREACH: (), 1: ("owner",), 2: ("giver",)}


def test_nobody_is_reminded_of_what_was_given_after_that_morning():
    assert REMINDER in steps(begun("task", "2026-11-02T08:59:59", "2026-11-03"))
    assert REMINDER not in steps(begun("task", "2026-11-02T09:00:00", "2026-11-03"))


def test_the_third_tier_is_off_until_a_standard_names_the_head():
    tiers = (
        EscalationTier(1, Target(1, Unit.WORKING_DAYS), Part.BODY),
        EscalationTier(3, Target(7, Unit.WORKING_DAYS), Part.HEAD),
    )
    own = [
        replace(one, escalation=tiers) if one.kind is ClockKind.MINUTES else one for one in SHIPPED
    ]
    clock = begun("minutes", "2026-11-02T10:00", works=Clockwork(own, korean_days()))
    assert 3 not in tells(begun("minutes", "2026-11-02T10:00"))
    assert tells(clock)[3] == ("head",)


@pytest.mark.parametrize(("kind", "due"), [("acceptance", "2026-11-09"), ("minutes", "2026-11-16")])
def test_acceptance_takes_five_working_days_and_minutes_ten(kind, due):
    clock = begun(kind, "2026-11-02T10:00")
    assert (day_in_seoul(clock.due_at).isoformat(), clock.basis) == (due, "city service target")


@pytest.mark.parametrize("kind", ON_A_DAY)
def test_what_is_due_on_a_day_does_not_run_without_one(kind):
    assert begun(kind, "2026-11-02T10:00") is None


@pytest.mark.parametrize("kind", PROGRAMME_KINDS)
def test_every_day_from_2024_to_2035_is_due_as_an_independent_count_says(kind):
    """For a named day each day is the day itself; for the others each is the start."""
    day, last = date(2024, 1, 1), date(2035, 12, 31)
    while day <= last:
        started = midnight(day) + timedelta(hours=10)
        named = on_date(day) if kind in ON_A_DAY else None
        clock = clockwork().begin(
            kind, id=ONE, subject_id=ONE, about=CITY, started_at=started, target=named
        )
        assert clock is not None
        assert clock.due_at == due_by_hand(kind, started, clock.target, ())
        if kind in ON_A_DAY:
            assert day_in_seoul(clock.due_at) == day
        day += timedelta(days=1)
