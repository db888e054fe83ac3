"""What a supervisor can decide about an overdue clock."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from casework.domain.cases.handover import assign
from casework.domain.clocks.calendar import Target, Unit, WorkingCalendar
from casework.domain.clocks.deadlines import BREACH, REMINDER, Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import ClockKind, Standard
from casework.domain.errors import Conflict, Invalid
from casework.domain.supervision.reviewing import ACTIONS, CAUSES
from tests.domain.helpers import field_of, last_clock, refused
from tests.factories import ActorFactory, CaseFileFactory, ReferralFactory, Town, moves, seoul


def overdue(at="2026-04-07T10:00"):
    """A town, a file and a response clock that was due on Monday 6 April."""
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, requested=True)
    clock = last_clock(file, referral.id, "response")
    assert clock.due_at == seoul("2026-04-06T23:59:59")
    town.go_to(at)
    return town, file, clock


def steps(clock):
    return {step.tier: f"{step.at:%m-%dT%H:%M:%S}" for step in clock.planned}


def on(text):
    return date.fromisoformat(f"2026-{text}")


@pytest.mark.parametrize(
    ("at", "is_overdue"),
    [
        ("2026-04-06T23:59:58", False),
        ("2026-04-06T23:59:59", False),
        ("2026-04-07T00:00:00", True),
    ],
)
def test_only_an_overdue_clock_is_reviewed(at, is_overdue):
    town, file, clock = overdue(at)
    if is_overdue:
        moves.review(town, file, clock, "excuse")
    else:
        with refused(Conflict, "not_overdue", file, state="running"):
            moves.review(town, file, clock, "excuse")


def test_a_paused_or_ended_clock_is_not_reviewed():
    town, file, clock = overdue()
    referral = file.referral(clock.subject_id)
    moves.move(town, file, referral, "accept")
    with refused(Conflict, "not_overdue", file, state="met"):
        moves.review(town, file, clock, "excuse")
    town.go_to("2026-05-04")
    start = last_clock(file, referral.id, "start")
    assert start.is_overdue(town.now)
    moves.move(town, file, referral, "hold")
    with refused(Conflict, "not_overdue", file, state="paused"):
        moves.review(town, file, start, "excuse")


def test_a_review_is_kept_with_its_cause_and_its_due_date():
    town, file, clock = overdue()
    was_due = clock.due_at
    done = moves.review(
        town, file, clock, "extend", until=on("04-20"), cause="staff_absent", reason="on leave"
    )
    assert file.added[-1] is done
    assert (done.deadline_id, done.due_at, done.reviewed_at) == (clock.id, was_due, town.now)
    assert (done.cause, done.reviewed_by) == ("staff_absent", town.supervisor.id)
    event = file.events[-1]
    assert (event.name, event.subject_type) == ("DeadlineReviewed", "deadline")
    assert event.data["action"] == "extend"
    assert "on leave" not in repr(file.events)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_review_has_a_coded_cause(cause):
    town, file, clock = overdue()
    if cause == "other":
        for reason in (None, "", " "):
            with refused(Invalid, "reason_required", file) as caught:
                moves.review(town, file, clock, "excuse", cause=cause, reason=reason)
            assert field_of(caught) == "reason"
    assert moves.review(town, file, clock, "excuse", cause=cause, reason="so").cause == cause


@pytest.mark.parametrize(
    ("action", "facts", "code", "field"),
    [
        ("forgive", {}, "action_unknown", "action"),
        ("excuse", {"cause": "weather"}, "cause_unknown", "cause"),
        ("extend", {}, "until_required", "until"),
        ("reassign", {}, "worker_required", "worker_id"),
        ("redirect", {}, "offering_required", "offering_id"),
        ("extend", {"until": date(2026, 4, 6)}, "until_in_past", "until"),
        ("chase", {"until": date(2026, 4, 6)}, "until_in_past", "until"),
    ],
)
def test_a_review_that_lacks_something_is_refused(action, facts, code, field):
    town, file, clock = overdue()
    with refused(Invalid, code, file) as caught:
        moves.review(town, file, clock, action, **facts)
    assert field_of(caught) == field


def test_the_actions_are_those_of_the_model():
    assert ACTIONS == ("chase", "extend", "reassign", "redirect", "excuse")


# Chasing


@pytest.mark.parametrize(
    ("until", "tier_1", "tier_2"),
    [
        ("04-07", "04-07T09:00:00", "04-09T09:00:00"),
        ("04-08", "04-08T09:00:00", "04-09T09:00:00"),
        ("04-09", "04-09T09:00:00", "04-09T09:00:00"),
        ("04-10", "04-10T09:00:00", "04-10T09:00:00"),
        ("04-11", "04-13T09:00:00", "04-13T09:00:00"),
    ],
)
def test_after_a_chase_further_tiers_wait_until_its_date(until, tier_1, tier_2):
    town, file, clock = overdue()
    was_due, breach = clock.due_at, steps(clock)[BREACH]
    done = moves.review(town, file, clock, "chase", until=on(until))
    assert steps(clock) == {
        REMINDER: "04-03T09:00:00",
        BREACH: breach,
        1: tier_1,
        2: tier_2,
    }
    assert done.until == on(until)
    assert clock.due_at == was_due
    assert clock.is_overdue(town.now)


def test_a_chase_without_a_date_waits_two_working_days():
    town, file, clock = overdue("2026-04-10T15:00")
    done = moves.review(town, file, clock, "chase")
    assert done.until == on("04-14")
    assert clock.deferred_until == on("04-14")


# Extending


@pytest.mark.parametrize("until", ["04-07", "04-08", "04-11", "04-20"])
def test_an_extension_sets_a_new_due_date_which_is_kept_on_a_closed_day(until):
    town, file, clock = overdue()
    moves.review(town, file, clock, "extend", until=on(until))
    assert clock.due_at == seoul(f"2026-{until}T23:59:59")
    assert not clock.is_overdue(town.now)
    assert town.clockwork.count(clock) == clock.due_at
    assert [extension["until"] for extension in clock.extensions] == [on(until)]
    assert {step.due_at for step in clock.planned} == {clock.due_at}


def test_an_extension_plans_its_own_steps():
    town, file, clock = overdue()
    moves.review(town, file, clock, "extend", until=on("04-20"))
    assert steps(clock) == {
        REMINDER: "04-17T09:00:00",
        BREACH: "04-21T00:00:00",
        1: "04-21T09:00:00",
        2: "04-23T09:00:00",
    }


@pytest.mark.parametrize(("at", "reminded"), [("08:59", True), ("09:00", False), ("10:00", False)])
def test_an_extension_until_tomorrow_does_not_remind_of_a_morning_that_has_passed(at, reminded):
    town, file, clock = overdue(f"2026-04-07T{at}")
    moves.review(town, file, clock, "extend", until=on("04-08"))
    assert (REMINDER in steps(clock)) is reminded


def test_an_extension_can_be_extended_and_forgets_an_earlier_chase():
    town, file, clock = overdue()
    moves.review(town, file, clock, "chase", until=on("04-30"))
    moves.review(town, file, clock, "extend", until=on("04-08"))
    assert clock.deferred_until is None
    assert steps(clock)[1] == "04-09T09:00:00"
    town.go_to("2026-04-09")
    assert clock.is_overdue(town.now)
    moves.review(town, file, clock, "extend", until=on("04-15"))
    assert clock.due_at == seoul("2026-04-15T23:59:59")
    assert len(clock.extensions) == 2
    assert town.clockwork.explain(clock).extensions == clock.extensions


def test_an_hour_clock_is_extended_to_the_end_of_a_day():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = moves.refer(town, file, priority="emergency")
    clock = last_clock(file, referral.id, "response")
    town.go_to("2026-04-01T15:00")
    moves.review(town, file, clock, "extend", until=on("04-01"))
    assert clock.due_at == seoul("2026-04-01T23:59:59")


def test_a_hold_after_an_extension_moves_it_too():
    town, file, clock = overdue()
    referral = file.referral(clock.subject_id)
    moves.move(town, file, referral, "accept")
    start = last_clock(file, referral.id, "start")  # due on the 21st
    town.go_to("2026-04-22")
    moves.review(town, file, start, "extend", until=on("04-30"))
    town.go_to("2026-04-27")
    moves.move(town, file, referral, "hold", until=on("04-29"))
    assert start.due_at == seoul("2026-05-04T23:59:59")  # 3 May is a Sunday
    town.go_to("2026-04-28")
    moves.move(town, file, referral, "resume")
    assert start.due_at == seoul("2026-05-04T23:59:59")  # one day later is 1 May, a holiday
    assert town.clockwork.count(start) == start.due_at


@pytest.mark.parametrize(
    ("began", "until", "due_on"),
    [
        ("04-23", "04-23", "2026-04-29"),
        ("04-28", "04-28", "2026-04-29"),  # the day to which it was extended
        ("04-29", "04-29", "2026-04-28"),
    ],
)
def test_a_hold_up_to_the_very_day_of_an_extension_moves_it(began, until, due_on):
    town, file, clock = overdue()
    referral = file.referral(clock.subject_id)
    moves.move(town, file, referral, "accept")
    start = last_clock(file, referral.id, "start")
    town.go_to("2026-04-22")
    moves.review(town, file, start, "extend", until=on("04-28"))
    town.go_to(f"2026-{began}")
    moves.move(town, file, referral, "hold", until=on(until))
    assert str(start.due_at.date()) == due_on


def test_a_hold_before_an_extension_does_not_move_it():
    town, file, clock = overdue()
    referral = file.referral(clock.subject_id)
    moves.move(town, file, referral, "accept")
    start = last_clock(file, referral.id, "start")
    town.go_to("2026-04-22")
    moves.move(town, file, referral, "hold", until=on("04-23"))
    town.go_to("2026-04-24")
    moves.move(town, file, referral, "resume")
    moves.review(town, file, start, "extend", until=on("04-30"))
    assert start.due_at == seoul("2026-04-30T23:59:59")


@pytest.mark.parametrize("kind", ["first_check", "check"])
def test_a_statutory_clock_is_never_extended_beyond_the_law(kind):
    town = Town("2026-04-17T10:00")
    file = CaseFileFactory(town=town, supported=True)
    law = {"first_check": on("07-20"), "check": on("10-19")}[kind]
    if kind == "check":
        moves.check(town, file, next_check_on=on("06-01"))
    clock = last_clock(file, file.case.id, kind)
    town.go_to(f"{clock.due_at.date()}T10:00").wait(days=1)
    too_late = town.today if kind == "first_check" else on("10-20")
    with refused(Invalid, "statutory_limit", file) as caught:
        moves.review(town, file, clock, "extend", until=too_late)
    assert field_of(caught) == "until"
    if kind == "check":
        moves.review(town, file, clock, "extend", until=law)
        assert clock.due_at == seoul(f"{law}T23:59:59")


def test_a_statutory_clock_set_shorter_by_a_standard_can_be_extended_up_to_the_law():
    own = Standard(
        id=UUID(int=1),
        kind=ClockKind.FIRST_CHECK,
        target=Target(1, Unit.MONTHS),
        basis="ours",
        district_code="26350",
    )
    town = Town("2026-04-17T10:00", standards=(*SHIPPED, own))
    file = CaseFileFactory(town=town, supported=True)
    clock = last_clock(file, file.case.id, "first_check")
    town.go_to("2026-05-20")
    with refused(Invalid, "statutory_limit", file):
        moves.review(town, file, clock, "extend", until=on("07-21"))
    moves.review(town, file, clock, "extend", until=on("07-20"))
    assert clock.due_at == seoul("2026-07-20T23:59:59")


def test_the_law_is_counted_by_the_calendar_of_the_district():
    own = WorkingCalendar({date(2026, 7, day): "district festival" for day in (17, 20)})
    month = Target(1, Unit.MONTHS)
    law = Standard(id=UUID(int=1), kind=ClockKind.FIRST_CHECK, target=month, basis="ours")
    town = Town("2026-04-17T10:00", standards=(*SHIPPED, replace(law, district_code="26350")))
    town.clockwork = Clockwork(town.clockwork.standards, town.calendar, {"26350": own})
    file = CaseFileFactory(town=town, supported=True)
    clock = last_clock(file, file.case.id, "first_check")
    town.go_to("2026-05-20")
    with refused(Invalid, "statutory_limit", file) as caught:
        moves.review(town, file, clock, "extend", until=on("07-22"))
    assert "Enforcement Rule 10" in caught.value.detail
    moves.review(town, file, clock, "extend", until=on("07-21"))
    assert clock.due_at == seoul("2026-07-21T23:59:59")


def test_a_chase_waits_two_working_days_of_the_district():
    own = WorkingCalendar({date(2026, 4, 8): "district festival"})
    town, file, clock = overdue()
    town.clockwork = Clockwork(SHIPPED, town.calendar, {"26350": own})
    assert moves.review(town, file, clock, "chase").until == on("04-10")


def test_a_review_is_of_its_case():
    town, file, clock = overdue()
    done = moves.review(town, file, clock, "chase", until=on("04-09"), reason="called twice")
    assert (done.case_id, done.action, done.reason) == (file.case.id, "chase", "called twice")
    assert (done.worker_id, done.offering_id) == (None, None)
    assert file.added[-1] is done


# Excusing, reassigning


def test_an_excused_clock_stays_overdue_and_raises_no_more():
    town, file, clock = overdue()
    moves.review(town, file, clock, "excuse", cause="resident_choice")
    assert clock.excused
    assert clock.is_overdue(town.now)
    assert clock.planned == ()
    assert clock.due_at == seoul("2026-04-06T23:59:59")


@pytest.mark.parametrize("action", ["reassign", "redirect"])
def test_a_review_that_moves_something_else_leaves_the_clock_as_it_is(action):
    town, file, clock = overdue()
    before = (clock.due_at, steps(clock))
    someone = ActorFactory().id
    done = moves.review(town, file, clock, action, worker_id=someone, offering_id=someone)
    assert (clock.due_at, steps(clock)) == before
    assert (done.worker_id, done.offering_id) == (someone, someone)


def test_assigning_a_case_gives_its_running_clocks_to_the_new_worker():
    town, file, clock = overdue()
    ended = next(one for one in file.deadlines.values() if not one.is_running)
    newcomer = ActorFactory(worker=True)
    assign(file, newcomer.id, town.act(town.supervisor))
    assert file.case.worker_id == newcomer.id
    assert {one.worker_id for one in file.running()} == {newcomer.id}
    assert ended.worker_id == town.worker.id
    data = file.events[-1].data
    assert (data["before"], data["worker_id"]) == (town.worker.id, newcomer.id)
    assert clock.due_at == seoul("2026-04-06T23:59:59")


def test_a_closed_case_is_assigned_to_nobody():
    town, file, _ = overdue()
    moves.close(town, file, end_open=True)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        assign(file, ActorFactory().id, town.act(town.supervisor))
