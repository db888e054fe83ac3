"""The one overdue predicate, the steps of a clock, and why it shows its date."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from casework.domain.clocks.calendar import Pause, Target, Unit, WorkingCalendar
from casework.domain.clocks.deadlines import BREACH, REMINDER, Clockwork
from casework.domain.clocks.explaining import RULES
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import (
    CareField,
    ClockKind,
    ClockSubject,
    EscalationTier,
    Part,
    Priority,
    Standard,
)
from tests.domain.helpers import last_clock
from tests.factories import CaseFileFactory, ReferralFactory, Town, korean_days, moves, seoul

SECOND = timedelta(seconds=1)
SOMEONE = UUID(int=1)
ABOUT = ClockSubject(
    case_id=SOMEONE,
    resident_id=SOMEONE,
    centre_code="2635051000",
    district_code="26350",
    worker_id=None,
)


def clock_of(started, kind="survey", standards=SHIPPED, **about):
    """A clock of a kind that began at an instant, and the clockwork that set it."""
    clockwork = Clockwork(standards, korean_days())
    deadline = clockwork.begin(
        ClockKind(kind),
        id=SOMEONE,
        subject_id=SOMEONE,
        about=replace(ABOUT, **about),
        started_at=seoul(started),
    )
    return clockwork, deadline


def steps(deadline):
    """The planned steps as tier: month-day and hour."""
    return {step.tier: f"{step.at:%m-%dT%H:%M:%S}" for step in deadline.planned}


def tells(deadline):
    """The recipients of each step."""
    return {step.tier: step.tell for step in deadline.planned}


# Overdue


@pytest.mark.parametrize(("offset", "overdue"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("priority", ["routine", "emergency"])
def test_a_clock_is_overdue_from_the_second_after_it_was_due(priority, offset, overdue):
    _, clock = clock_of("2026-04-01T10:00", "response", priority=priority)
    assert clock.is_overdue(clock.due_at + offset * SECOND) is overdue
    assert clock.status(clock.due_at + offset * SECOND) == "running"


def test_what_is_met_or_cancelled_is_never_overdue():
    for end, status in (("meet", "met"), ("cancel", "cancelled")):
        _, clock = clock_of("2026-04-01")
        late = clock.due_at + timedelta(days=3)
        assert clock.is_overdue(late)
        getattr(clock, end)(late)
        assert not clock.is_overdue(late)
        assert (clock.status(late), clock.is_running, clock.planned) == (status, False, ())


def test_a_paused_clock_is_not_overdue_until_the_pause_is_over():
    clockwork, clock = clock_of("2026-04-01")  # due on 8 April
    clock.pauses = (Pause(seoul("2026-04-10"), date(2026, 4, 14), "hospitalised"),)
    clockwork.recount(clock)
    assert clock.due_at == seoul("2026-04-08T23:59:59")
    last = seoul("2026-04-14T23:59:59")
    assert (clock.is_overdue(last), clock.status(last)) == (False, "paused")
    after = last + SECOND
    assert (clock.is_overdue(after), clock.status(after)) == (True, "running")
    clock.meet(after)
    assert not clock.is_paused(last)


def test_of_overlapping_pauses_the_longer_one_counts():
    clockwork, clock = clock_of("2026-04-01")
    long = Pause(seoul("2026-04-02"), date(2026, 4, 20), "hospitalised")
    short = Pause(seoul("2026-04-06"), date(2026, 4, 7), "away")
    clock.pauses = (long, short)
    clockwork.recount(clock)
    assert clock.paused_until == seoul("2026-04-21T00:00")


# Steps


def test_the_steps_of_a_day_clock_are_planned_when_it_is_set():
    _, clock = clock_of("2026-04-01")  # due on Wednesday 8 April
    assert steps(clock) == {
        REMINDER: "04-07T09:00:00",
        BREACH: "04-09T00:00:00",
        1: "04-09T09:00:00",
        2: "04-13T09:00:00",
    }
    assert tells(clock) == {REMINDER: ("worker",), BREACH: (), 1: ("worker",), 2: ("supervisor",)}


def test_the_steps_leave_out_chuseok():
    _, clock = clock_of("2026-09-16")  # five working days end on Wednesday the 23rd
    assert str(clock.due_at.date()) == "2026-09-23"
    assert steps(clock) == {
        REMINDER: "09-22T09:00:00",
        BREACH: "09-24T00:00:00",
        1: "09-28T09:00:00",
        2: "09-30T09:00:00",
    }
    _, after = clock_of("2026-09-17")
    assert str(after.due_at.date()) == "2026-09-28"
    assert steps(after)[REMINDER] == "09-23T09:00:00"


def test_a_provider_is_told_of_the_clocks_it_holds():
    provider = SOMEONE
    _, clock = clock_of("2026-04-01", "response", provider_id=provider)
    assert tells(clock) == {
        REMINDER: ("provider",),
        BREACH: (),
        1: ("worker", "provider"),
        2: ("supervisor",),
    }
    for kind, holder in (("assessment", "assessor"), ("decision", "supervisor")):
        _, clock = clock_of("2026-04-01", kind)
        assert tells(clock)[REMINDER] == (holder,)
        assert tells(clock)[1] == ("worker",)


@pytest.mark.parametrize(
    ("started", "reminded"),
    [
        ("2026-04-01T08:59:59", True),
        ("2026-04-01T09:00:00", False),
        ("2026-04-01T09:00:01", False),
    ],
)
def test_a_reminder_that_would_not_fall_after_the_start_is_not_planned(started, reminded):
    _, clock = clock_of(started, priority="urgent")  # due on the 2nd, reminder on the 1st at nine
    assert (REMINDER in steps(clock)) is reminded


def test_an_hour_clock_has_no_reminder_and_its_tiers_follow_by_the_hour():
    _, clock = clock_of("2026-04-03T22:30", "response", priority="emergency")
    assert clock.due_at == seoul("2026-04-04T02:30")
    assert steps(clock) == {
        BREACH: "04-04T02:30:01",
        1: "04-04T02:30:00",
        2: "04-04T06:30:00",
    }


def test_a_discharge_is_reminded_of_on_the_last_working_day_before():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, discharge_on=date(2026, 4, 12))
    clock = last_clock(file, file.case.id, "discharge")
    assert steps(clock) == {
        REMINDER: "04-10T09:00:00",
        BREACH: "04-13T00:00:00",
        1: "04-13T09:00:00",
        2: "04-15T09:00:00",
    }


def test_a_discharge_today_is_due_today_without_a_reminder():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, discharge_on=date(2026, 4, 1))
    clock = last_clock(file, file.case.id, "discharge")
    assert clock.due_at == seoul("2026-04-01T23:59:59")
    assert REMINDER not in steps(clock)


def test_a_standard_brings_its_own_tiers():
    escalation_tiers = (
        EscalationTier(1, Target(2, Unit.WORKING_DAYS), Part.WORKER),
        EscalationTier(2, Target(7, Unit.DAYS), Part.SUPERVISOR),
        EscalationTier(3, Target(8, Unit.WORKING_DAYS), Part.HEAD),
    )
    own = Standard(
        id=SOMEONE,
        kind=ClockKind.SURVEY,
        target=Target(5, Unit.WORKING_DAYS),
        basis="district order",
        district_code="26350",
        escalation=escalation_tiers,
    )
    clockwork, clock = clock_of("2026-04-01", standards=(*SHIPPED, own))
    assert {tier: at for tier, at in steps(clock).items() if tier > 0} == {
        1: "04-10T09:00:00",
        2: "04-15T09:00:00",
        3: "04-20T09:00:00",
    }
    assert tells(clock)[3] == ("head",)
    assert clock.basis == "district order"
    # A clock keeps what it was set by, whatever becomes of the standard.
    later = Clockwork(SHIPPED, korean_days())
    later.recount(clock)
    assert steps(clock)[3] == "04-20T09:00:00"
    assert clockwork.standards[-1] is own


def test_a_pause_plans_the_steps_anew():
    clockwork, clock = clock_of("2026-04-01")
    clock.pauses = (Pause(seoul("2026-04-03"), date(2026, 4, 7), "away"),)
    clockwork.recount(clock)  # the 3rd, 6th and 7th are left out: due on the 13th
    assert steps(clock) == {
        REMINDER: "04-10T09:00:00",
        BREACH: "04-14T00:00:00",
        1: "04-14T09:00:00",
        2: "04-16T09:00:00",
    }


@pytest.mark.parametrize(
    ("until", "first_tier"),
    [
        ("2026-04-09", "04-10T09:00:00"),
        ("2026-04-10", "04-13T09:00:00"),  # over on a Saturday
        ("2026-04-12", "04-13T09:00:00"),
        ("2026-04-13", "04-14T09:00:00"),
    ],
)
def test_a_step_that_falls_into_a_pause_waits_for_the_first_working_morning_after(
    until, first_tier
):
    clockwork, clock = clock_of("2026-04-01")  # due on the 8th, tier 1 on the 9th
    clock.pauses = (Pause(seoul("2026-04-09T08:00"), date.fromisoformat(until), "away"),)
    clockwork.recount(clock)
    assert str(clock.due_at.date()) == "2026-04-08"
    assert steps(clock)[1] == first_tier


def test_no_step_stands_inside_a_pause_however_it_ended():
    clockwork, clock = clock_of("2026-04-01")
    held = Pause(seoul("2026-04-09T08:00"), date(2026, 4, 30), "away")
    for resumed, first_tier in (
        ("2026-04-10T08:59", "04-10T09:00:00"),
        ("2026-04-10T09:00", "04-10T09:00:00"),
        ("2026-04-10T09:01", "04-13T09:00:00"),
    ):
        clock.pauses = (replace(held, resumed_at=seoul(resumed)),)
        clockwork.recount(clock)
        assert steps(clock)[1] == first_tier
        assert not any(
            pause.began_at <= step.at < pause.ends_at
            for pause in clock.pauses
            for step in clock.planned
        )


def test_a_step_moved_out_of_one_pause_is_moved_out_of_the_next_as_well():
    clockwork, clock = clock_of("2026-04-01")
    second = Pause(seoul("2026-04-13T08:00"), date(2026, 4, 14), "away")
    first = Pause(seoul("2026-04-09T08:00"), date(2026, 4, 10), "away")
    clock.pauses = (second, first)
    clockwork.recount(clock)
    assert steps(clock)[1] == "04-15T09:00:00"


@pytest.mark.parametrize(
    ("began", "resumed", "tier_2"),
    [
        ("2026-04-01T17:59:59", "2026-04-01T18:00:00", "04-01T18:00:00"),
        ("2026-04-01T18:00:00", "2026-04-01T18:30:00", "04-02T09:00:00"),
        ("2026-04-01T18:00:01", "2026-04-01T18:30:00", "04-01T18:00:00"),
        ("2026-04-01T17:00:00", "2026-04-01T18:00:00", "04-01T18:00:00"),
        ("2026-04-01T17:00:00", "2026-04-01T18:00:01", "04-02T09:00:00"),
    ],
)
def test_a_step_waits_from_the_first_instant_of_a_pause_to_its_last(began, resumed, tier_2):
    clockwork, clock = clock_of("2026-04-01T10:00", "response", priority="emergency")
    due = clock.due_at  # at 14:00, and the second tier at 18:00
    pause = Pause(seoul(began), date(2026, 4, 1), "away", resumed_at=seoul(resumed))
    clock.pauses = (pause,)
    clockwork.recount(clock)
    assert clock.due_at == due
    assert steps(clock)[2] == tier_2


def test_a_reminder_that_a_pause_would_push_to_the_due_time_is_dropped():
    clockwork, clock = clock_of("2026-04-01")
    clock.pauses = (Pause(seoul("2026-04-02"), date(2026, 4, 8), "away"),)
    clockwork.recount(clock)
    assert str(clock.due_at.date()) == "2026-04-15"
    assert steps(clock)[REMINDER] == "04-14T09:00:00"
    assert all(step.at < clock.due_at for step in clock.planned if step.tier == REMINDER)


def test_every_step_names_the_due_date_it_belongs_to():
    _, clock = clock_of("2026-04-01")
    assert {step.due_at for step in clock.planned} == {clock.due_at}


# The clockwork


def test_a_kind_without_a_standard_has_no_clock():
    _, clock = clock_of("2026-04-01", "progress")
    assert clock is None


def test_a_request_never_lapses_where_the_standard_says_nothing_of_it():
    own = Standard(id=SOMEONE, kind=ClockKind.RESPONSE, target=Target(1, Unit.DAYS), basis="x")
    clockwork = Clockwork((own,), korean_days())
    response = clockwork.begin(
        ClockKind.RESPONSE, id=SOMEONE, subject_id=SOMEONE, about=ABOUT,
        started_at=seoul("2026-04-01"),
    )  # fmt: skip
    assert response is not None
    assert clockwork.lapses_at(response, response.started_at) is None


def test_a_district_counts_by_its_own_calendar():
    own = WorkingCalendar({date(2026, 4, 8): "district festival"})
    clockwork = Clockwork(SHIPPED, korean_days(), {"26350": own})
    started_at = seoul("2026-04-01")
    dues = [
        clockwork.due_of(ClockKind.SURVEY, replace(ABOUT, district_code=district), started_at)
        for district in ("26350", "26410")
    ]
    assert dues == [seoul("2026-04-09T23:59:59"), seoul("2026-04-08T23:59:59")]
    assert clockwork.calendar_of(None) is korean_days()


def test_what_is_stored_is_what_is_recounted():
    town = Town()
    file = CaseFileFactory(town=town, supported=True, discharge_on=date(2026, 4, 20))
    for state in ("waitlisted", "on_hold", "declined"):
        ReferralFactory(town=town, file=file, status=state)
    moves.check(town, file, next_check_on=date(2026, 6, 1))
    for clock in file.deadlines.values():
        assert town.clockwork.count(clock) == clock.due_at


@pytest.mark.parametrize("kind", ClockKind)
@pytest.mark.parametrize("priority", ["routine", "urgent", "emergency"])
def test_a_due_date_can_be_asked_for_without_a_clock(kind, priority):
    clockwork, clock = clock_of("2026-04-17T10:00", kind, priority=priority)
    about, started_at = replace(ABOUT, priority=priority), seoul("2026-04-17T10:00")
    asked = clockwork.due_of(kind, about, started_at)
    if kind == "discharge":
        assert asked == seoul("2026-04-17T23:59:59")
    else:
        assert asked == (clock.due_at if clock else None)


def test_a_due_date_that_is_asked_for_keeps_to_the_law():
    long = Standard(
        id=SOMEONE,
        kind=ClockKind.CHECK,
        target=Target(9, Unit.MONTHS),
        basis="x",
        district_code="26350",
    )
    clockwork = Clockwork((*SHIPPED, long), korean_days())
    due = clockwork.due_of(ClockKind.CHECK, ABOUT, seoul("2026-08-31"))
    assert due == seoul("2027-03-02T23:59:59")


# Why this date?


def test_a_clock_explains_itself():
    clockwork, clock = clock_of("2026-09-22", "link")
    why = clockwork.explain(clock)
    assert (why.start, why.due_at) == (clock.started_at, clock.due_at)
    assert why.rule == RULES[Unit.WORKING_DAYS]
    assert why.basis == "city service target"
    assert why.target == Target(3, Unit.WORKING_DAYS)
    assert [day.day for day, _ in why.left_out] == [24, 25, 26, 27]
    clock.pauses = (Pause(seoul("2026-09-28"), date(2026, 9, 29), "away"),)
    clockwork.recount(clock)
    why = clockwork.explain(clock)
    assert why.left_out[-2:] == [
        (date(2026, 9, 28), "paused: away"),
        (date(2026, 9, 29), "paused: away"),
    ]
    assert why.pauses == clock.pauses


def test_a_statutory_clock_names_the_rule():
    town = Town("2026-04-17T10:00")
    file = CaseFileFactory(town=town, supported=True)
    why = town.clockwork.explain(last_clock(file, file.case.id, "first_check"))
    assert (why.basis, why.rule) == ("Enforcement Rule 10", RULES[Unit.MONTHS])
    assert [day.day for day, _ in why.left_out] == [17, 18, 19]


def test_an_hour_clock_leaves_out_no_closed_day_and_every_paused_one():
    clockwork, clock = clock_of("2026-04-03T22:30", "start", priority="emergency")
    why = clockwork.explain(clock)  # over a Saturday
    assert (why.left_out, why.rule) == ([], RULES[Unit.HOURS])
    clock.pauses = (Pause(seoul("2026-04-04T08:00"), date(2026, 4, 5), "away"),)
    clockwork.recount(clock)
    assert clockwork.explain(clock).left_out == [
        (date(2026, 4, 4), "paused: away"),
        (date(2026, 4, 5), "paused: away"),
    ]


def test_a_long_pause_is_named_day_by_day():
    clockwork, clock = clock_of("2026-04-01", "link")  # due on the 6th
    clock.pauses = (Pause(seoul("2026-04-02"), date(2026, 4, 20), "hospitalised"),)
    clockwork.recount(clock)
    assert str(clock.due_at.date()) == "2026-04-23"
    named = [day for day, why in clockwork.explain(clock).left_out if "hospitalised" in why]
    assert named == [date(2026, 4, n) for n in range(2, 21)]


def test_a_clock_that_was_extended_names_no_day_after_the_one_it_was_counted_to():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    clock = last_clock(file, moves.only_service(file).id, "link")  # due on Monday the 6th
    town.go_to("2026-04-07")
    done = moves.review(town, file, clock, "extend", until=date(2026, 4, 20), cause="no_capacity")
    why = town.clockwork.explain(clock)
    assert [day.day for day, _ in why.left_out] == [4, 5]
    assert why.due_at == seoul("2026-04-20T23:59:59")
    extension = {
        "until": date(2026, 4, 20),
        "at": town.now,
        "review_id": done.id,
        "cause": "no_capacity",
    }
    assert why.extensions == (extension,)


FESTIVAL = WorkingCalendar({date(2026, 4, day): "district festival" for day in (3, 6, 7, 10)})


def test_all_that_is_said_of_a_clock_goes_by_the_calendar_of_its_district():
    clockwork = Clockwork(SHIPPED, WorkingCalendar({}), {"26350": FESTIVAL})
    clock = clockwork.begin(
        ClockKind.RESPONSE,
        id=SOMEONE,
        subject_id=SOMEONE,
        about=ABOUT,
        started_at=seoul("2026-04-01"),
    )
    assert clock is not None
    assert clock.due_at == seoul("2026-04-09T23:59:59")  # the 2nd, the 8th and the 9th
    assert clockwork.count(clock) == clock.due_at
    assert [day.day for day, why in clockwork.explain(clock).left_out] == [3, 4, 5, 6, 7]
    assert steps(clock) == {
        REMINDER: "04-08T09:00:00",
        BREACH: "04-10T00:00:00",
        1: "04-13T09:00:00",
        2: "04-15T09:00:00",
    }
    lapses_at = clockwork.lapses_at(clock, clock.started_at)
    assert lapses_at == seoul("2026-04-22T00:00:00")
    clock.pauses = (Pause(seoul("2026-04-02"), date(2026, 4, 2), "away"),)
    clockwork.recount(clock)
    assert clock.due_at == seoul("2026-04-13T23:59:59")


def test_a_due_date_can_be_asked_for_where_nobody_is_concerned():
    clockwork = Clockwork(SHIPPED, WorkingCalendar({}), {"26350": FESTIVAL})
    started_at = seoul("2026-04-01")
    for district, priority, due_on in (
        ("26350", "routine", "2026-04-09"),
        ("26410", "routine", "2026-04-06"),
        ("26350", "urgent", "2026-04-02"),
    ):
        about = ClockSubject.for_counting(district_code=district, priority=Priority(priority))
        due = clockwork.due_of(ClockKind.RESPONSE, about, started_at)
        assert due == seoul(f"{due_on}T23:59:59")
        assert (about.worker_id, about.provider_id, about.centre_code) == (None, None, "")
        assert about.case_id == about.resident_id == UUID(int=0)


def test_whoever_asks_again_gets_the_same_standard():
    own = replace(SHIPPED[0], id=SOMEONE, field=CareField.CARE, target=Target(9, Unit.DAYS))
    clockwork = Clockwork((*SHIPPED, own), korean_days())
    for _ in range(2):
        assert clockwork.standard_for(ClockKind.SURVEY, replace(ABOUT, field=CareField.CARE)) is own
        assert clockwork.standard_for(ClockKind.SURVEY, ABOUT) is SHIPPED[0]
        assert clockwork.standard_for(ClockKind.PROGRESS, ABOUT) is None


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        (lambda clock: None, False),
        (lambda clock: setattr(clock, "breached_at", seoul("2026-04-09")), False),
        (lambda clock: setattr(clock, "deferred_until", date(2026, 4, 9)), True),
        (lambda clock: setattr(clock, "worker_id", SOMEONE), True),
        (lambda clock: setattr(clock, "excused", True), True),
        (lambda clock: clock.meet(seoul("2026-04-02")), True),
        (lambda clock: clock.cancel(seoul("2026-04-02")), True),
        (lambda clock: setattr(clock, "due_at", clock.due_at + SECOND), True),
    ],
)
def test_the_stamp_of_a_clock_changes_with_every_decision_about_it(change, changes):
    _, clock = clock_of("2026-04-01")
    before = clock.stamp
    change(clock)
    assert (clock.stamp != before) is changes
    assert 0 <= clock.stamp < 10**9


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_has_its_rule(unit):
    assert RULES[unit]


def test_an_explanation_names_the_standard_where_the_clock_has_one():
    clockwork, clock = clock_of("2026-04-01")
    standard = clockwork.explain(clock).standard
    assert standard is not None
    assert (standard.id, standard.kind) == (clock.standard_id, clock.kind)
    clock.standard_id = None
    assert clockwork.explain(clock).standard is None
    assert clockwork.standard(SOMEONE) is None
