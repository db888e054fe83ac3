"""A hold of the whole case: it pauses what waits, and blocks nothing."""

from datetime import date

import pytest

from casework.domain.casefile.referral_moves import REASONS
from casework.domain.cases.handover import assign
from casework.domain.cases.holding import hold_case, resume_case, resume_case_after_hold
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CARE_KINDS, PROGRAMME_KINDS
from casework.domain.errors import Conflict, Invalid
from tests.domain.clocks.test_clocks import REPORTS
from tests.domain.helpers import event_names, field_of, last_clock, last_event, refused
from tests.factories import CaseFileFactory, ReferralFactory, Town, moves, seoul


def day(text):
    return date.fromisoformat(f"2026-{text}")


def supported(at="2026-04-01T10:00", **facts):
    """A town at that moment, and a case with an approved plan."""
    town = Town(at, standards=(*SHIPPED, REPORTS))
    return town, CaseFileFactory(town=town, supported=True, **facts)


def hold(town, file, until, reason="hospitalised", note=None):
    hold_case(file, reason, day(until), note, town.act())


def test_a_hold_stands_on_the_case_and_is_written_down():
    town, file = supported()
    hold(town, file, "04-10")
    case = file.case
    assert (case.hold_reason, case.hold_until) == ("hospitalised", day("04-10"))
    assert case.resume_at == seoul("2026-04-11T00:00")
    assert case.status == "supported"
    assert last_event(file, clocks=False) == (
        "CaseHeld",
        {"reason": "hospitalised", "until": day("04-10")},
    )
    assert file.events[-1].subject_id == case.id
    assert {clock["kind"] for clock in file.events[-1].data["clocks"]} == {"link"}


@pytest.mark.parametrize(
    ("at", "on_hold"),
    [
        ("2026-04-01T10:00:00", True),
        ("2026-04-10T23:59:59", True),
        ("2026-04-11T00:00:00", False),
    ],
)
def test_a_hold_lasts_to_the_end_of_its_last_day(at, on_hold):
    town, file = supported()
    hold(town, file, "04-10")
    assert file.case.is_on_hold(town.go_to(at).now) is on_hold


PAUSED = ["survey", "assessment", "plan", "link", "response", "waitlist", "start", "progress"]


def test_it_pauses_what_an_absent_resident_cannot_be_asked_for_and_nothing_else():
    seen: dict[str, bool] = {}
    for stage in ("applied", "surveying", "planning", "submitted", "supported"):
        town = Town("2026-04-01T10:00", standards=(*SHIPPED, REPORTS))
        file = CaseFileFactory(town=town, stage=stage, discharge_on=day("04-20"))
        if stage == "supported":
            for state in ("declined", "requested", "waitlisted", "accepted", "in_progress"):
                ReferralFactory(town=town, file=file, status=state)
            moves.signal(town, file)
        if stage == "planning":
            moves.draft(town, file, "CARE-MEALS")
        hold(town, file, "04-03")
        seen |= {clock.kind: clock.is_paused(town.now) for clock in file.running()}
    town, file = supported()
    hold(town, file, "04-03")
    seen |= {clock.kind: clock.is_paused(town.now) for clock in file.running()}
    town, file = supported()
    moves.check(town, file)
    hold(town, file, "04-03")
    seen |= {clock.kind: clock.is_paused(town.now) for clock in file.running()}
    assert set(seen) == set(CARE_KINDS)
    assert {kind for kind, paused in seen.items() if paused} == set(PAUSED)
    assert not set(PAUSED) & set(PROGRAMME_KINDS)


@pytest.mark.parametrize(
    ("until", "due_on"),
    [
        ("04-01", "2026-04-06"),  # the first day was not counted anyhow
        ("04-02", "2026-04-07"),
        ("04-03", "2026-04-08"),
        ("04-04", "2026-04-08"),  # a Saturday
        ("04-06", "2026-04-09"),
    ],
)
def test_the_days_of_a_hold_are_left_out_of_a_clock(until, due_on):
    town, file = supported()
    clock = last_clock(file, moves.only_service(file).id, "link")
    assert str(clock.due_at.date()) == "2026-04-06"
    hold(town, file, until)
    assert str(clock.due_at.date()) == due_on
    (pause,) = clock.pauses
    assert (pause.source, pause.reason, pause.began_at) == ("case", "hospitalised", town.now)


def test_a_clock_that_starts_during_a_hold_runs():
    town, file = supported()
    hold(town, file, "04-10")
    referral = ReferralFactory(town=town, file=file, requested=True)
    clock = last_clock(file, referral.id, "response")
    assert clock.status(town.now) == "running"
    assert clock.due_at == seoul("2026-04-06T23:59:59")


@pytest.mark.parametrize(
    ("until", "code"),
    [
        ("03-31", "until_in_past"),
        ("04-01", None),
        ("04-02", None),
        ("06-30", None),
        ("07-01", "hold_too_long"),
    ],
)
def test_a_hold_lasts_until_today_or_later_and_ninety_days_at_most(until, code):
    town, file = supported()
    if code is None:
        hold(town, file, until)
        assert file.case.hold_until == day(until)
    else:
        with refused(Invalid, code, file) as caught:
            hold(town, file, until)
        assert field_of(caught) == "until"


def test_the_reasons_are_those_of_a_referrals_hold_and_other_needs_a_note():
    for reason in REASONS["hold"]:
        town, file = supported()
        if reason == "other":
            for note in (None, "", "  "):
                with refused(Invalid, "note_required", file) as caught:
                    hold(town, file, "04-10", reason, note)
                assert field_of(caught) == "note"
        hold(town, file, "04-10", reason, "with her sister in Jeju")
        assert file.case.hold_reason == reason
        assert "Jeju" not in repr(file.events)
    town, file = supported()
    with refused(Invalid, "reason_unknown", file) as caught:
        hold(town, file, "04-10", "tired", "very")
    assert field_of(caught) == "reason"


def test_a_case_that_is_held_or_closed_is_not_held():
    town, file = supported()
    hold(town, file, "04-10")
    town.go_to("2026-04-10T23:59:59")
    with refused(Conflict, "not_allowed_in_state", file, state="supported") as caught:
        hold(town, file, "04-20")
    assert str(caught.value) == "hold is not possible while supported"
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        hold(town, file, "04-20")


def test_a_hold_that_ran_out_makes_way_for_the_next_and_is_recorded_first():
    town, file = supported()
    hold(town, file, "04-10")
    town.go_to("2026-04-11T00:00:00")
    file.events.clear()
    hold(town, file, "04-20")
    assert event_names(file) == ["CaseResumed", "CaseHeld"]
    assert file.events[0].data == {"resumed_on": day("04-11"), "by_itself": True}
    assert file.case.hold_until == day("04-20")


# Resuming


@pytest.mark.parametrize(
    ("at", "due_on"),
    [
        ("2026-04-01T18:00", "2026-04-06"),
        ("2026-04-02T10:00", "2026-04-06"),  # the 1st, on which it began, was not counted
        ("2026-04-03T10:00", "2026-04-07"),
        ("2026-04-06T10:00", "2026-04-08"),
    ],
)
def test_resuming_early_counts_the_clocks_anew(at, due_on):
    town, file = supported()
    clock = last_clock(file, moves.only_service(file).id, "link")
    hold(town, file, "04-30")
    town.go_to(at)
    resume_case(file, town.act())
    assert str(clock.due_at.date()) == due_on
    assert clock.status(town.now) == "running"
    assert [pause.resumed_at for pause in clock.pauses] == [town.now]
    case = file.case
    assert (case.hold_reason, case.hold_until, case.resume_at) == (None, None, None)
    assert last_event(file, clocks=False) == ("CaseResumed", {"resumed_on": town.today})
    assert [one["kind"] for one in file.events[-1].data["clocks"]] == ["link"]


def test_resuming_a_case_does_not_end_the_hold_of_a_referral():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, accepted=True)
    clock = last_clock(file, referral.id, "start")
    town.go_to("2026-04-06")
    hold(town, file, "04-17")
    moves.move(town, file, referral, "hold", until=day("04-09"))
    town.go_to("2026-04-08")
    resume_case(file, town.act())
    assert {pause.source: pause.resumed_at for pause in clock.pauses} == {
        "case": town.now,
        "referral": None,
    }
    assert clock.paused_until == seoul("2026-04-10T00:00")
    assert str(clock.due_at.date()) == "2026-04-21"  # the 6th to the 9th are left out


def test_a_hold_that_is_over_before_the_next_keeps_its_days():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, accepted=True)
    clock = last_clock(file, referral.id, "start")
    town.go_to("2026-04-02")
    hold(town, file, "04-03")
    town.go_to("2026-04-06")
    hold(town, file, "04-30")
    town.go_to("2026-04-07")
    resume_case(file, town.act())
    assert [pause.resumed_at for pause in clock.pauses] == [None, town.now]
    assert str(clock.due_at.date()) == "2026-04-20"  # the 2nd, the 3rd and the 6th are left out


@pytest.mark.parametrize(
    ("at", "can_be_resumed"), [("2026-04-10T23:59:59", True), ("2026-04-11T00:00:00", False)]
)
def test_only_a_hold_that_lasts_is_resumed(at, can_be_resumed):
    town, file = supported()
    with refused(Conflict, "not_allowed_in_state", file, state="supported") as caught:
        resume_case(file, town.act())
    assert str(caught.value) == "resume is not possible while supported"
    assert "hold" in caught.value.facts["allowed_actions"]
    hold(town, file, "04-10")
    town.go_to(at)
    if can_be_resumed:
        resume_case(file, town.act())
        assert file.case.resume_at is None
    else:
        with refused(Conflict, "not_allowed_in_state", file):
            resume_case(file, town.act())


def test_a_hold_that_ran_out_is_recorded_as_of_the_day_after_and_changes_no_clock():
    town, file = supported()
    hold(town, file, "04-10")
    clock = last_clock(file, moves.only_service(file).id, "link")
    before = repr(clock)
    town.go_to("2026-04-20T03:00")
    resume_case_after_hold(file, town.act())
    case = file.case
    assert repr(clock) == before
    assert (case.hold_reason, case.hold_until, case.resume_at) == (None, None, None)
    event = file.events[-1]
    assert (event.name, event.subject_id, event.at) == ("CaseResumed", case.id, town.now)
    assert event.data == {"resumed_on": day("04-11"), "by_itself": True}


def test_a_held_case_can_be_worked_on_assigned_and_closed():
    town, file = supported()
    hold(town, file, "04-10")
    moves.check(town, file)
    assign(file, town.worker.id, town.act(town.supervisor))
    moves.close(town, file)
    case = file.case
    assert (case.hold_reason, case.hold_until, case.resume_at) == (None, None, None)
    assert file.running() == []
