"""Which clocks each act starts, meets, cancels and pauses."""

from datetime import date

import pytest

from casework.domain.cases.checks import answer_signal
from casework.domain.clocks.calendar import Pause, PauseSource, Target, Unit
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CARE_KINDS, HELD_BY, SUBJECT_OF, ClockKind, Standard
from casework.domain.planning.planning import notify
from tests.domain.helpers import clocks, ends, last_clock, running
from tests.factories import CaseFileFactory, ReferralFactory, Town, moves, seoul

REPORTS = Standard(
    id=ReferralFactory().id, kind=ClockKind.PROGRESS, target=Target(1, Unit.MONTHS), basis="test"
)


def town_with_reports(at="2026-04-01T10:00"):
    """A town where providers report monthly."""
    return Town(at, standards=(*SHIPPED, REPORTS))


def due(file, subject, kind):
    """The due day of the newest clock of a kind on a subject, as month-day."""
    clock = last_clock(file, subject.id, kind)
    return f"{clock.due_at:%m-%d}"


# Referrals


CLOCKS = [
    # state, action, the state of the referral's clocks afterwards
    ("draft", "send", {"response": "running"}),
    ("draft", "cancel", {}),
    ("draft", "withdraw", {"disposition": "running"}),
    ("draft", "enter-in-error", {}),
    ("requested", "accept", {"response": "met", "start": "running"}),
    ("requested", "waitlist", {"response": "met", "waitlist": "running"}),
    ("requested", "decline", {"response": "met", "disposition": "running"}),
    ("requested", "lapse", {"response": "cancelled", "disposition": "running"}),
    ("requested", "cancel", {"response": "cancelled"}),
    ("requested", "withdraw", {"response": "cancelled", "disposition": "running"}),
    ("requested", "enter-in-error", {"response": "cancelled"}),
    ("waitlisted", "accept", {"waitlist": "met", "start": "running"}),
    ("waitlisted", "decline", {"waitlist": "met", "disposition": "running"}),
    ("waitlisted", "lapse", {"waitlist": "cancelled", "disposition": "running"}),
    ("waitlisted", "cancel", {"waitlist": "met"}),
    ("waitlisted", "withdraw", {"waitlist": "met", "disposition": "running"}),
    ("waitlisted", "enter-in-error", {"waitlist": "met"}),
    ("accepted", "start", {"start": "met", "progress": "running"}),
    ("accepted", "hold", {"start": "running"}),
    ("accepted", "fail", {"start": "cancelled", "disposition": "running"}),
    ("accepted", "cancel", {"start": "cancelled"}),
    ("accepted", "withdraw", {"start": "cancelled", "disposition": "running"}),
    ("accepted", "enter-in-error", {"start": "cancelled"}),
    ("in_progress", "report", {"progress": "running"}),
    ("in_progress", "hold", {"progress": "running"}),
    ("in_progress", "complete", {"progress": "met"}),
    ("in_progress", "fail", {"progress": "met", "disposition": "running"}),
    ("in_progress", "cancel", {"progress": "met"}),
    ("in_progress", "withdraw", {"progress": "met", "disposition": "running"}),
    ("in_progress", "enter-in-error", {"progress": "cancelled"}),
    ("on_hold", "resume", {"start": "running"}),
    ("on_hold", "fail", {"start": "cancelled", "disposition": "running"}),
    ("on_hold_after_start", "resume", {"progress": "running"}),
    ("on_hold_after_start", "fail", {"progress": "met", "disposition": "running"}),
    ("declined", "enter-in-error", {"disposition": "cancelled"}),
    ("completed", "enter-in-error", {}),
]


@pytest.mark.parametrize(("state", "action", "after"), CLOCKS)
def test_a_move_starts_meets_and_cancels_its_clocks(state, action, after):
    town = town_with_reports()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, status=state)
    before = {clock.id for clock in clocks(file, referral.id) if not clock.is_running}
    moves.move(town, file, referral, action)
    touched = [clock for clock in clocks(file, referral.id) if clock.id not in before]
    stand = ends(file, referral.id)
    assert {clock.kind: stand[clock.kind] for clock in touched} == after
    assert all(town.now in (c.met_at, c.cancelled_at) for c in touched if not c.is_running)
    assert all(c.planned == () for c in touched if not c.is_running)


@pytest.mark.parametrize(
    ("how", "stands"),
    [
        ("alternative", "met"),
        ("refused", "met"),
        ("no_longer_needed", "met"),
        ("unmet_need", "met"),
    ],
)
def test_a_disposition_meets_its_clock(how, stands):
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, referral, how)
    assert last_clock(file, referral.id, "disposition").met_at == town.now
    assert running(file, referral.id) == []


def test_a_report_meets_the_clock_and_starts_the_next_from_its_own_date():
    town = town_with_reports()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, accepted=True)
    town.go_to("2026-04-10")
    moves.move(town, file, referral, "start", started_on=date(2026, 4, 6))
    assert due(file, referral, "progress") == "05-06"
    town.go_to("2026-05-04")
    moves.move(town, file, referral, "report", reported_on=date(2026, 4, 28))
    first, second = clocks(file, referral.id, "progress")
    assert (first.met_at, first.recorded_at) == (seoul("2026-04-28T23:59:59"), town.now)
    assert second.is_running
    assert due(file, referral, "progress") == "05-28"


def test_providers_need_not_report_unless_a_standard_says_so():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, in_progress=True)
    moves.move(town, file, referral, "report")
    assert clocks(file, referral.id, "progress") == []


@pytest.mark.parametrize(
    ("priority", "path", "kind", "due_at"),
    [
        ("routine", "requested", "response", "2026-04-06T23:59:59"),
        ("urgent", "requested", "response", "2026-04-02T23:59:59"),
        ("emergency", "requested", "response", "2026-04-01T14:00:00"),
        ("routine", "waitlisted", "waitlist", "2026-04-15T23:59:59"),
        ("urgent", "waitlisted", "waitlist", "2026-04-03T23:59:59"),
        ("emergency", "waitlisted", "waitlist", "2026-04-03T23:59:59"),
        ("routine", "accepted", "start", "2026-04-15T23:59:59"),
        ("urgent", "accepted", "start", "2026-04-03T23:59:59"),
        ("emergency", "accepted", "start", "2026-04-02T10:00:00"),
        ("routine", "declined", "disposition", "2026-04-06T23:59:59"),
        ("urgent", "declined", "disposition", "2026-04-02T23:59:59"),
        ("emergency", "declined", "disposition", "2026-04-02T23:59:59"),
    ],
)
def test_a_referrals_clocks_go_by_its_own_priority(priority, path, kind, due_at):
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, status=path, facts={"priority": priority})
    clock = last_clock(file, referral.id, kind)
    assert clock.due_at == seoul(due_at)
    assert clock.priority == priority
    assert clock.provider_id == referral.provider_id
    assert (clock.field, clock.service_code) == ("care", "CARE-MEALS")


def test_a_hold_pauses_the_clock_and_resuming_early_recounts():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, accepted=True)
    assert due(file, referral, "start") == "04-15"
    town.go_to("2026-04-06")
    moves.move(town, file, referral, "hold", until=date(2026, 4, 10))
    clock = last_clock(file, referral.id, "start")
    assert due(file, referral, "start") == "04-22"
    assert clock.status(town.now) == "paused"
    assert clock.paused_until == seoul("2026-04-11T00:00")
    town.go_to("2026-04-08T15:00")
    moves.move(town, file, referral, "resume")
    assert due(file, referral, "start") == "04-17"  # the 6th and the 7th were left out
    assert clock.paused_until == town.now
    assert clock.status(town.now) == "running"


def test_a_hold_that_runs_out_leaves_the_due_date_as_it_was_planned():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, accepted=True)
    town.go_to("2026-04-06")
    moves.move(town, file, referral, "hold", until=date(2026, 4, 10))
    clock = last_clock(file, referral.id, "start")
    planned = (clock.due_at, clock.planned)
    town.go_to("2026-04-20")
    moves.move(town, file, referral, "resume")
    assert (clock.due_at, clock.planned) == planned
    assert [pause.resumed_at for pause in clock.pauses] == [None]


def test_a_second_hold_is_left_out_as_well():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, accepted=True)
    for first, last in (("2026-04-06", date(2026, 4, 7)), ("2026-04-09", date(2026, 4, 9))):
        town.go_to(first)
        moves.move(town, file, referral, "hold", until=last)
    assert due(file, referral, "start") == "04-20"
    assert len(last_clock(file, referral.id, "start").pauses) == 2
    town.go_to("2026-04-09T18:00")
    moves.move(town, file, referral, "resume")
    assert due(file, referral, "start") == "04-17"
    pauses = last_clock(file, referral.id, "start").pauses
    assert [pause.resumed_at for pause in pauses] == [None, town.now]


def test_resuming_a_referral_does_not_end_a_hold_of_the_whole_case():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, accepted=True)
    clock = last_clock(file, referral.id, "start")
    town.go_to("2026-04-06")
    moves.move(town, file, referral, "hold", until=date(2026, 4, 17))
    stay = Pause(seoul("2026-04-07"), date(2026, 4, 9), "hospitalised", source=PauseSource.CASE)
    file.pause(clock, town.act(), stay)
    town.go_to("2026-04-08")
    moves.move(town, file, referral, "resume")
    assert [pause.resumed_at for pause in clock.pauses] == [town.now, None]
    assert [pause.source for pause in clock.pauses] == ["referral", "case"]
    assert due(file, referral, "start") == "04-21"  # the 6th to the 9th are left out
    assert clock.status(town.now) == "paused"


# Cases


def test_each_step_of_a_case_starts_and_meets_its_clock():
    town = Town()
    file = CaseFileFactory(town=town, applied=True)
    case = file.case
    assert running(file) == ["survey"]
    moves.survey(town, file)
    assert running(file) == ["assessment"]
    moves.assess(town, file)
    assert running(file) == ["plan"]
    moves.draft(town, file, "CARE-MEALS")
    assert running(file) == ["plan"]
    moves.submit(town, file)
    assert running(file) == ["decision"]
    moves.decide(town, file)
    assert running(file) == ["first_check", "link", "notify_plan"]
    assert set(ends(file, case.id).values()) == {"met", "running"}
    done = [clock for clock in file.deadlines.values() if not clock.is_running]
    assert [clock.kind for clock in done] == ["survey", "assessment", "plan", "decision"]


@pytest.mark.parametrize(
    ("urgent", "dues"),
    [
        (
            False,
            {
                "survey": "2026-04-08",
                "assessment": "2026-04-15",
                "plan": "2026-04-08",
                "decision": "2026-04-08",
                "notify_plan": "2026-04-08",
                "link": "2026-04-06",
                "first_check": "2026-07-01",
            },
        ),
        (
            True,
            {
                "survey": "2026-04-02",
                "assessment": "2026-04-03",
                "plan": "2026-04-03",
                "decision": "2026-04-02",
                "notify_plan": "2026-04-08",
                "link": "2026-04-02",
                "first_check": "2026-07-01",
            },
        ),
    ],
)
def test_the_clocks_of_a_case_go_by_how_urgent_it_is(urgent, dues):
    file = CaseFileFactory(town=Town("2026-04-01T10:00"), supported=True, urgent=urgent)
    found = {clock.kind: str(clock.due_at.date()) for clock in file.deadlines.values()}
    assert found == dues


def test_every_clock_stands_on_its_subject_and_is_held_by_its_holder():
    town = town_with_reports()
    file = CaseFileFactory(town=town, supported=True, discharge_on=date(2026, 4, 20))
    for state in ("declined", "waitlisted", "accepted", "in_progress"):
        ReferralFactory(town=town, file=file, status=state)
    moves.signal(town, file)
    moves.check(town, file)
    seen = set()
    for clock in file.deadlines.values():
        subjects = {"case": {file.case.id}, "planned_service": set(file.services)}
        subjects["referral"] = set(file.referrals)
        assert clock.subject_id in subjects[clock.subject_type]
        assert clock.subject_type == SUBJECT_OF[clock.kind]
        assert clock.held_by == HELD_BY[clock.kind]
        assert (clock.case_id, clock.worker_id) == (file.case.id, town.worker.id)
        seen.add(clock.kind)
    assert seen == set(CARE_KINDS)


def test_who_holds_and_what_stands_on_what_is_as_the_model_says():
    assert {kind for kind in ClockKind if HELD_BY[kind] == "provider"} == {
        "response",
        "waitlist",
        "start",
        "progress",
    }
    assert {kind for kind in ClockKind if HELD_BY[kind] == "assessor"} == {"assessment"}
    assert {kind for kind in ClockKind if HELD_BY[kind] == "supervisor"} == {"decision"}
    assert {kind for kind in ClockKind if SUBJECT_OF[kind] == "planned_service"} == {"link"}
    assert {kind for kind in ClockKind if SUBJECT_OF[kind] == "referral"} == {
        "response",
        "waitlist",
        "start",
        "progress",
        "disposition",
    }


@pytest.mark.parametrize(
    ("applied_on", "due_on"),
    [("2026-03-30", "04-06"), ("2026-03-31", "04-07"), ("2026-04-01", "04-08")],
)
def test_the_survey_clock_counts_from_the_application(applied_on, due_on):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, applied_on=date.fromisoformat(applied_on))
    assert due(file, file.case, "survey") == due_on


def test_the_assessment_clock_counts_from_the_recording_of_the_pre_survey():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town)
    town.go_to("2026-04-03")
    moves.survey(town, file)
    assert due(file, file.case, "assessment") == "04-17"


def test_the_plan_clock_counts_from_the_day_the_determination_was_received():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, surveying=True)
    town.go_to("2026-04-10")
    moves.assess(town, file, on=date(2026, 4, 6), received_on=date(2026, 4, 8))
    assert due(file, file.case, "plan") == "04-15"
    assert last_clock(file, file.case.id, "assessment").met_at == seoul("2026-04-08T23:59:59")


def test_an_approval_counts_from_the_day_of_the_conference():
    town = Town("2026-04-14T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    town.go_to("2026-04-21")
    moves.decide(town, file, held_on=date(2026, 4, 17))
    assert due(file, file.case, "first_check") == "07-20"
    assert due(file, file.case, "notify_plan") == "04-24"
    assert due(file, moves.only_service(file), "link") == "04-22"
    assert file.case.first_approved_on == date(2026, 4, 17)


def test_a_returned_plan_starts_its_clock_anew_from_the_day_of_the_conference():
    town = Town("2026-04-14T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    town.go_to("2026-04-21")
    moves.decide(town, file, approve=False, held_on=date(2026, 4, 17))
    assert running(file) == ["plan"]
    assert due(file, file.case, "plan") == "04-24"


def test_the_discharge_clock_is_due_on_its_day_and_met_by_the_first_start():
    town = Town("2026-04-01T10:00")
    sunday = date(2026, 4, 12)
    file = CaseFileFactory(town=town, supported=True, discharge_on=sunday)
    clock = last_clock(file, file.case.id, "discharge")
    assert clock.due_at == seoul("2026-04-12T23:59:59")  # never rolled to the Monday
    ReferralFactory(town=town, file=file, accepted=True)
    assert clock.is_running
    town.go_to("2026-04-10")
    ReferralFactory(town=town, file=file, in_progress=True)
    assert clock.met_at == town.now
    town.wait(days=1)
    ReferralFactory(town=town, file=file, in_progress=True)
    assert clock.met_at == seoul("2026-04-10T10:00")


def test_without_a_discharge_there_is_no_such_clock():
    file = CaseFileFactory(supported=True)
    assert clocks(file, file.case.id, "discharge") == []


def test_telling_the_resident_meets_its_clock():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    town.go_to("2026-04-03")
    notify(file, date(2026, 4, 2), "her daughter", town.act())
    assert last_clock(file, file.case.id, "notify_plan").met_at == seoul("2026-04-02T23:59:59")
    assert "daughter" not in repr(file.events)


def test_a_new_approval_cancels_the_telling_of_the_old_plan():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    town.go_to("2026-04-03")
    moves.approve_plan(town, file, keep=(moves.only_service(file),))
    old, new = clocks(file, file.case.id, "notify_plan")
    assert (old.met_at, old.cancelled_at) == (None, town.now)
    assert new.is_running
    assert due(file, file.case, "notify_plan") == "04-10"


def test_only_the_first_approval_starts_the_first_check():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    town.go_to("2026-05-06")
    moves.approve_plan(town, file, keep=(moves.only_service(file),))
    assert len(clocks(file, file.case.id, "first_check")) == 1
    assert due(file, file.case, "first_check") == "07-01"


@pytest.mark.parametrize(
    ("urgent", "due_at"), [(False, "04-02T23:59:59"), (True, "04-01T14:00:00")]
)
def test_a_signal_starts_a_clock_that_its_answer_meets(urgent, due_at):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True, urgent=urgent)
    first, second = moves.signal(town, file), moves.signal(town, file, "hospitalised")
    assert file.deadlines[first.deadline_id].due_at == seoul(f"2026-{due_at}")
    town.wait(hours=1)
    answer_signal(file, second, "called the ward", town.act())
    assert file.deadlines[first.deadline_id].is_running
    assert file.deadlines[second.deadline_id].met_at == town.now
