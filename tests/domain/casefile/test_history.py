"""The event of each act: codes, dates and references, and every clock it touched."""

from datetime import date
from decimal import Decimal

import pytest

from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.case import AssignmentReason
from casework.domain.cases.checks import answer_signal
from casework.domain.cases.handover import assign
from casework.domain.cases.reopening import reopen
from casework.domain.planning import planning
from casework.domain.referring.moving import resume_after_hold
from casework.domain.referring.referring import redirect
from tests.domain.helpers import last_clock, last_event
from tests.factories import (
    CaseFileFactory,
    OfferingFactory,
    ReferralFactory,
    Town,
    moves,
    seoul,
)


def day(text):
    return date.fromisoformat(f"2026-{text}")


def supported(**facts):
    town = Town("2026-04-01T10:00")
    return town, CaseFileFactory(town=town, supported=True, **facts)


def said(file):
    """The last event, without its clocks."""
    return last_event(file, clocks=False)


# Referrals

MOVES = [
    # state, move, its details, event, facts of the event
    ("draft", "send", {}, "ReferralRequested", {"status": "requested"}),
    (
        "requested",
        "accept",
        {"expected_start_on": day("04-20")},
        "ReferralAccepted",
        {"status": "accepted", "expected_start_on": day("04-20")},
    ),
    (
        "requested",
        "waitlist",
        {"expected_on": day("05-20")},
        "ReferralWaitlisted",
        {"status": "waitlisted", "expected_on": day("05-20")},
    ),
    (
        "requested",
        "decline",
        {"reason": "at_capacity", "note": "not before June"},
        "ReferralDeclined",
        {"status": "declined", "reason": "at_capacity", "full_until": day("04-15")},
    ),
    (
        "requested",
        "decline",
        {"reason": "out_of_area"},
        "ReferralDeclined",
        {"status": "declined", "reason": "out_of_area"},
    ),
    ("requested", "lapse", {}, "ReferralLapsed", {"status": "lapsed"}),
    (
        "accepted",
        "start",
        {"started_on": day("04-01")},
        "ReferralStarted",
        {"status": "in_progress", "started_on": day("04-01")},
    ),
    (
        "in_progress",
        "report",
        {"reported_on": day("04-01"), "delivered": {"quantity": Decimal(3), "unit": "visit"}},
        "ReferralReported",
        {
            "status": "in_progress",
            "reported_on": day("04-01"),
            "delivered": {"quantity": Decimal(3), "unit": "visit"},
        },
    ),
    (
        "in_progress",
        "hold",
        {"reason": "away", "until": day("04-20")},
        "ReferralHeld",
        {"status": "on_hold", "reason": "away", "until": day("04-20")},
    ),
    ("on_hold_after_start", "resume", {}, "ReferralResumed", {"status": "in_progress"}),
    (
        "in_progress",
        "complete",
        {"outcome": "transferred", "ended_on": day("04-01")},
        "ReferralCompleted",
        {"status": "completed", "outcome": "transferred", "ended_on": day("04-01")},
    ),
    (
        "accepted",
        "fail",
        {"reason": "resident_unreachable", "ended_on": day("04-01")},
        "ReferralFailed",
        {"status": "failed", "reason": "resident_unreachable", "ended_on": day("04-01")},
    ),
    (
        "requested",
        "cancel",
        {"reason": "entered_twice"},
        "ReferralCancelled",
        {"status": "cancelled", "reason": "entered_twice"},
    ),
    (
        "requested",
        "withdraw",
        {"reason": "consent_withdrawn"},
        "ReferralWithdrawn",
        {"status": "withdrawn", "reason": "consent_withdrawn"},
    ),
    (
        "in_progress",
        "enter-in-error",
        {"reason": "it was meant for Mrs Kim"},
        "ReferralEnteredInError",
        {"status": "entered_in_error"},
    ),
]


@pytest.mark.parametrize(("state", "action", "facts", "name", "data"), MOVES)
def test_a_move_is_written_down_with_its_codes_and_dates(state, action, facts, name, data):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=state)
    number = len(file.events)
    moves.move(town, file, referral, action, **facts)
    assert len(file.events) == number + 1
    assert said(file) == (name, data)
    event = file.events[-1]
    assert (event.subject_type, event.subject_id) == ("referral", referral.id)
    assert (event.case_id, event.resident_id) == (file.case.id, file.case.resident_id)
    by = moves.who_moves(town, referral, action)
    assert (event.at, event.by_role) == (town.now, by.role)


def test_a_word_given_on_behalf_is_written_down_by_its_channel():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, requested=True)
    word = {"channel": "fax", "person": "the desk"}
    moves.move(town, file, referral, "accept", by=town.worker, on_behalf=word)
    assert said(file)[1] == {"status": "accepted", "on_behalf": "fax"}
    assert (file.events[-1].by_id, file.events[-1].by_role) == (town.worker.id, "worker")


def test_a_new_referral_is_written_down_with_whom_it_asks():
    town, file = supported()
    referral = moves.refer(town, file, priority="urgent", send=False)
    drafted = {
        "status": "draft",
        "planned_service_id": moves.only_service(file).id,
        "provider_id": referral.provider_id,
        "priority": "urgent",
    }
    assert said(file) == ("ReferralDrafted", drafted)
    moves.move(town, file, referral, "send")
    moves.move(town, file, referral, "decline")
    following = moves.refer(town, file, replaces=referral.id)
    names = [event.name for event in file.events[-3:]]
    assert names == ["ReferralDisposed", "ReferralDrafted", "ReferralRequested"]
    disposed, again = file.events[-3].data, file.events[-2].data
    assert (disposed["disposition"], disposed["replaced_by"]) == ("re_refer", following.id)
    assert again["replaces"] == referral.id


def test_a_disposition_is_written_down_without_its_note():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, referral, "unmet_need")
    assert said(file) == ("ReferralDisposed", {"status": "declined", "disposition": "unmet_need"})


def test_a_redirection_names_what_came_instead():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, requested=True)
    successor = redirect(file, referral, OfferingFactory(), town.act(), None)
    assert said(file) == (
        "ReferralCancelled",
        {"status": "cancelled", "reason": "redirected", "replaced_by": successor.id},
    )


def test_a_hold_that_ran_out_is_written_down_as_of_the_day_after_it():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, on_hold=True)  # until 8 April
    town.go_to("2026-04-12")
    resume_after_hold(file, referral, town.act(SYSTEM))
    assert said(file) == (
        "ReferralResumed",
        {"status": "accepted", "resumed_on": day("04-09"), "by_itself": True},
    )


# Cases


def test_an_application_is_written_down_with_what_the_clocks_count_from():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, urgent=True, discharge_on=day("04-20"))
    opened = {
        "channel": "self",
        "applied_on": day("04-01"),
        "discharge_on": day("04-20"),
        "urgent": True,
        "worker_id": town.worker.id,
        "centre_code": "2635051000",
        "status": "applied",
    }
    assert said(file) == ("CaseOpened", opened)
    assert "nothing to eat" not in repr(file.events)


def test_each_step_of_a_case_is_written_down():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, applied=True)
    moves.survey(town, file)
    surveyed = {"score": 2, "route": "local_survey", "status": "surveying"}
    assert said(file) == ("PreSurveyRecorded", surveyed)
    moves.assess(town, file)
    determined = {
        "assessment_id": file.added[-1].id,
        "determination": "community_care",
        "assessed_on": day("04-01"),
        "status": "planning",
    }
    assert said(file) == ("Determined", determined)
    moves.assess(town, file)
    reassessed = determined | {"assessment_id": file.added[-1].id}
    assert said(file) == ("Reassessed", reassessed)


def test_each_step_of_a_plan_is_written_down():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, planning=True)
    moves.draft(town, file, "CARE-MEALS")
    first = moves.only_service(file)
    assert said(file) == ("PlanDrafted", {"plan_version": 1, "services": [first.id]})
    version = moves.draft(town, file, "MED-VISIT")
    second = next(one for one in file.services.values() if one is not first)
    drafted = {"plan_version": 1, "services": [second.id], "dropped": [first.id]}
    assert said(file) == ("PlanDrafted", drafted)
    moves.submit(town, file)
    assert said(file) == ("PlanSubmitted", {"plan_version": 1, "hash": version.hash})
    moves.decide(town, file, approve=False, held_on=day("04-01"))
    returned = {
        "plan_version": 1,
        "decided_on": day("04-01"),
        "conference_id": version.conference_id,
    }
    assert version.conference_id is not None
    assert said(file) == ("PlanReturned", returned)
    moves.approve_plan(town, file, keep=(second,))
    approved = {
        "plan_version": 2,
        "decided_on": day("04-01"),
        "status": "supported",
        "services": [second.id],
    }
    assert said(file) == ("PlanApproved", approved)
    moves.approve_plan(town, file, "CARE-MEALS")
    third = list(file.services.values())[-1]
    dropping = approved | {"plan_version": 3, "services": [third.id], "dropped": [second.id]}
    assert said(file) == ("PlanApproved", dropping)
    planning.notify(file, day("04-01"), "her daughter", town.act())
    assert said(file) == ("PlanNotified", {"on": day("04-01")})


def test_a_direct_settlement_is_written_down_on_its_service():
    town, file = supported()
    service = moves.only_service(file)
    moves.settle(town, file, "alternative")
    assert said(file) == ("PlannedServiceSettled", {"settlement": "alternative"})
    event = file.events[-1]
    assert (event.subject_type, event.subject_id) == ("planned_service", service.id)


def test_checks_and_signals_are_written_down_without_their_words():
    town, file = supported()
    town.go_to("2026-04-08")
    check = moves.check(town, file, checked_on=day("04-07"), next_check_on=day("06-01"))
    checked = {
        "check_id": check.id,
        "checked_on": day("04-07"),
        "next_check_on": day("06-01"),
    }
    assert said(file) == ("CaseChecked", checked)
    signal = moves.signal(town, file, "fall", "in the bathroom")
    assert said(file) == ("SignalRaised", {"signal_id": signal.id, "kind": "fall"})
    answer_signal(file, signal, "a grab rail was ordered", town.act())
    assert said(file) == ("SignalAnswered", {"signal_id": signal.id})
    assert "bathroom" not in repr(file.events)
    assert "rail" not in repr(file.events)


def test_closing_and_reopening_are_written_down():
    town, file = supported()
    running = ReferralFactory(town=town, file=file, in_progress=True)
    asked = ReferralFactory(town=town, file=file, requested=True)
    town.go_to("2026-04-08")
    moves.close(town, file, effective_on=day("04-07"), end_open=True, note="to Ulsan")
    of = {event.subject_id: event for event in file.events}
    ended = {"status": "completed", "outcome": "ended_early", "ended_on": day("04-07")}
    assert of[running.id].data | {"clocks": None} == ended | {"clocks": None}
    cancelled = {"status": "cancelled", "reason": "case_closed"}
    assert of[asked.id].data | {"clocks": None} == cancelled | {"clocks": None}
    closed = {"reason": "refused", "effective_on": day("04-07"), "status": "closed"}
    assert said(file) == ("CaseClosed", closed)
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    carried = {"status": "supported", "worker_id": file.case.worker_id}
    assert said(file) == ("CaseReopened", carried)


def test_handing_over_is_written_down_with_whose_it_was():
    town, file = supported()
    other = town.supervisor.id
    assign(file, other, town.act(town.supervisor), why=AssignmentReason.HANDOVER)
    given = {"worker_id": other, "before": town.worker.id, "why": "handover"}
    assert said(file) == ("CaseAssigned", given)


def test_a_review_is_written_down_with_its_cause_and_its_day():
    town, file = supported()
    clock = last_clock(file, moves.only_service(file).id, "link")
    town.go_to("2026-04-08")
    done = moves.review(town, file, clock, "extend", until=day("04-20"), cause="staff_absent")
    reviewed = {
        "review_id": done.id,
        "action": "extend",
        "cause": "staff_absent",
        "until": day("04-20"),
    }
    assert said(file) == ("DeadlineReviewed", reviewed)
    assert file.events[-1].subject_id == clock.id


# Clocks


def test_an_event_says_how_each_clock_that_it_touched_now_stands():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, requested=True)
    response = last_clock(file, referral.id, "response")
    town.wait(hours=1)
    moves.move(town, file, referral, "accept")
    start = last_clock(file, referral.id, "start")
    by_kind = {clock["kind"]: clock for clock in last_event(file)[1]["clocks"]}
    nothing = {"met_at": None, "cancelled_at": None, "paused_until": None}
    of = {"subject_id": referral.id, "held_by": "provider"}
    assert by_kind == {
        "response": {
            **nothing,
            **of,
            "id": response.id,
            "kind": "response",
            "due_at": seoul("2026-04-06T23:59:59"),
            "met_at": town.now,
        },
        "start": {
            **nothing,
            **of,
            "id": start.id,
            "kind": "start",
            "due_at": seoul("2026-04-15T23:59:59"),
        },
    }
    moves.move(town, file, referral, "hold", until=day("04-03"))
    (held,) = last_event(file)[1]["clocks"]
    assert held["paused_until"] == seoul("2026-04-04T00:00")
    moves.move(town, file, referral, "cancel")
    clocks = {clock["kind"]: clock for clock in last_event(file)[1]["clocks"]}
    assert clocks["start"]["cancelled_at"] == town.now
    assert "link" in clocks


def test_an_event_that_touched_no_clock_names_none_and_names_none_twice():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, in_progress=True)
    moves.move(town, file, referral, "report")
    assert "clocks" not in last_event(file)[1]
