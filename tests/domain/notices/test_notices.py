"""Notices: their content, recipients and time of sending, and the flood limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from casework.domain.access.standing_in import EVERYBODY_IS_THERE, StandIns
from casework.domain.casefile.case import AssignmentReason
from casework.domain.cases import checks
from casework.domain.cases.closing import Closing, close
from casework.domain.cases.handover import assign, transfer
from casework.domain.cases.reopening import reopen
from casework.domain.clocks.calendar import WorkingCalendar
from casework.domain.clocks.standards import Part
from casework.domain.directory.directory import Centre
from casework.domain.notices.notice_rules import notice_of
from casework.domain.notices.notices import (
    Notice,
    NoticeKind,
    Recipients,
    addressees,
    digest_of,
    is_flood,
    summary_of,
)
from tests.factories import CaseFileFactory, ReferralFactory, ResidentFactory, Town, moves, seoul


def id_(number: int) -> UUID:
    return UUID(int=number)


HERE = "26350"
WORKER, DEPUTY, SUPERVISOR, HEAD, ASSESSOR, CLERK, OTHER_CLERK, AGENCY = map(id_, range(1, 9))
PEOPLE = Recipients(
    workers=frozenset({WORKER, DEPUTY}), stand_ins=EVERYBODY_IS_THERE,
    supervisors={HERE: [SUPERVISOR, HEAD]}, heads={HERE: [HEAD]}, assessors={HERE: [ASSESSOR]},
    agencies={AGENCY: [CLERK, OTHER_CLERK]},
)  # fmt: skip


def told(file):
    """The notices from the events of a file: kind, recipients, urgent, subject."""
    found = [notice_of(event, file) for event in file.events]
    return [
        (one.kind, one.tell, one.at_once, one.about) for one in found if one is not None
    ]  # fmt: skip


def a_notice(**facts):
    usual: dict[str, Any] = {
        "id": id_(20), "kind": "escalation", "subject_type": "deadline", "subject_id": id_(21),
        "case_id": id_(22), "centre_code": "2635051000", "district_code": HERE,
        "worker_id": WORKER, "provider_id": AGENCY, "tell": ["worker"], "at_once": False,
        "since": seoul("2026-04-01T09:00"), "about": "response", "tier": 1,
        "due_at": seoul("2026-03-31T23:59:59"),
    }  # fmt: skip
    return Notice(**(usual | facts))


# Content


@pytest.mark.parametrize(("priority", "at_once"), [("routine", False), ("emergency", True)])
def test_an_agency_is_told_that_it_is_asked(priority, at_once):
    town, file = Town(), CaseFileFactory(supported=True)
    file.events.clear()
    referral = moves.refer(town, file, priority=priority)
    assert told(file) == [("referral_requested", ["provider"], at_once, "requested")]
    event = next(event for event in file.events if event.name == "ReferralRequested")
    notice = notice_of(event, file)
    assert notice == Notice(
        id=event.id, kind=NoticeKind.REFERRAL_REQUESTED, subject_type="referral",
        subject_id=referral.id, case_id=file.case.id, centre_code=file.case.centre_code,
        district_code=file.case.district_code, worker_id=file.case.worker_id,
        provider_id=referral.provider_id, tell=[Part.PROVIDER], at_once=at_once, since=event.at,
        about="requested",
    )  # fmt: skip


@pytest.mark.parametrize("state", ["accept", "waitlist", "decline"])
def test_the_worker_is_told_what_the_agency_answers(state):
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file)
    file.events.clear()
    moves.move(town, file, referral, state)
    assert told(file) == [("referral_answered", ["worker"], False, referral.status)]


def test_nobody_is_told_of_a_draft_or_of_what_everybody_sees_in_time():
    town, file = Town(), CaseFileFactory(supported=True)
    file.events.clear()
    referral = moves.refer(town, file, send=False)
    moves.move(town, file, referral, "cancel")
    assert told(file) == []
    asked = ReferralFactory(town=town, file=file)
    moves.move(town, file, asked, "accept")
    file.events.clear()
    for action in ("start", "complete"):
        moves.move(town, file, asked, action)
    assert told(file) == []


def test_the_worker_is_told_of_a_hold_of_the_agencys_and_not_of_its_end():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    asked = ReferralFactory(town=town, file=file, status="accepted")
    file.events.clear()
    for action in ("hold", "resume"):
        moves.move(town, file, asked, action)
    assert told(file) == [("referral_held", ["worker"], False, "on_hold")]


@pytest.mark.parametrize("action", ["cancel", "withdraw", "enter-in-error"])
def test_an_agency_is_told_at_once_that_it_is_over(action):
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file)
    file.events.clear()
    moves.move(town, file, referral, action)
    assert [(kind, tell, at_once) for kind, tell, at_once, _ in told(file)] == [
        ("referral_stopped", ["provider"], True)
    ]


def test_closing_a_case_tells_every_agency_that_was_asked():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    ReferralFactory(town=town, file=file, in_progress=True)
    file.events.clear()
    close(file, Closing(reason="death", effective_on=town.today, end_open=True), town.act())
    assert told(file) == [("referral_stopped", ["provider"], True, "completed")]


def test_a_signal_is_told_without_what_it_says():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    file.events.clear()
    checks.raise_signal(file, "hospitalised", "fell in the bath", town.act())
    assert told(file) == [("signal", ["worker"], False, "raised")]


def test_who_gets_a_case_is_told_and_why():
    town, resident = Town(), ResidentFactory()
    file = CaseFileFactory(town=town, supported=True, resident=resident)
    receiver, act = id_(30), town.act(town.supervisor)
    file.events.clear()
    assign(file, receiver, act)
    assign(file, receiver, act, why=AssignmentReason.HANDOVER)
    assert told(file) == [
        ("case_assigned", ["worker"], False, "assigned"),
        ("case_assigned", ["worker"], False, "handover"),
    ]
    notices = [notice_of(event, file) for event in file.events]
    assert {one and one.worker_id for one in notices} == {receiver}
    close(file, Closing(reason="refused", effective_on=town.today), act)
    file.events.clear()
    reopen(file, "she came back", act, receiver)
    assert told(file) == [("case_assigned", ["worker"], False, "reopened")]


def test_supervisors_are_told_that_a_case_waits_for_a_worker():
    town, resident = Town(), ResidentFactory()
    file = CaseFileFactory(town=town, supported=True, resident=resident)
    there = Centre(code="2641053000", district_code="26410", name="금정", lat=35.2, lon=129.1)
    file.events.clear()
    transfer(file, resident, there, town.act(town.supervisor))
    assert told(file) == [("case_arrived", ["supervisor"], False, "transferred")]
    notice = notice_of(file.events[-1], file)
    assert notice is not None
    assert notice.district_code == "26410"
    close(file, Closing(reason="refused", effective_on=town.today), town.act(town.supervisor))
    file.events.clear()
    reopen(file, "she came back", town.act(town.supervisor), None)
    assert told(file) == [("case_arrived", ["supervisor"], False, "reopened")]


def test_a_message_says_references_codes_and_instants():
    assert summary_of([a_notice()], {id_(22): "26350-26-00417-8"}) == [
        {
            "id": id_(20), "kind": "escalation", "case_id": id_(22),
            "case_number": "26350-26-00417-8",
            "subject": {"type": "deadline", "id": id_(21)}, "about": "response", "tier": 1,
            "due_at": seoul("2026-03-31T23:59:59"),
        }
    ]  # fmt: skip


# Recipients


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (["worker"], [WORKER]),
        (["provider"], [CLERK, OTHER_CLERK]),
        (["supervisor"], [SUPERVISOR, HEAD]),
        (["head"], [HEAD]),
        (["assessor"], [ASSESSOR]),
        (["worker", "provider"], [WORKER, CLERK, OTHER_CLERK]),
        (["supervisor", "head"], [SUPERVISOR, HEAD]),
        ([], []),
    ],
)
def test_each_part_is_who_plays_it_and_nobody_is_named_twice(tell, expected):
    assert addressees(a_notice(tell=tell), PEOPLE) == expected


def test_a_deputy_gets_what_the_worker_would():
    away = Recipients(
        workers=PEOPLE.workers, stand_ins=StandIns({WORKER: DEPUTY}),
        supervisors=PEOPLE.supervisors, heads={}, assessors={}, agencies={},
    )  # fmt: skip
    assert addressees(a_notice(), away) == [DEPUTY]
    assert addressees(a_notice(worker_id=DEPUTY), away) == [DEPUTY]
    assert addressees(a_notice(tell=["head"]), away) == [SUPERVISOR, HEAD]


def without(*deputies: tuple[UUID, UUID]) -> Recipients:
    return replace(PEOPLE, stand_ins=StandIns(dict(deputies)))


def test_a_deputys_deputy_gets_it_and_where_that_ends_in_nobody_the_supervisors():
    other = id_(10)
    away = without((WORKER, other), (other, DEPUTY))
    assert addressees(a_notice(), away) == [DEPUTY]
    round_and_round = without((WORKER, other), (other, WORKER))
    assert addressees(a_notice(), round_and_round) == [SUPERVISOR, HEAD]


def test_what_an_absent_head_or_supervisor_would_get_goes_to_their_deputy():
    away = without((HEAD, SUPERVISOR))
    assert addressees(a_notice(tell=["head"]), away) == [SUPERVISOR]
    assert addressees(a_notice(tell=["supervisor"]), away) == [SUPERVISOR]


def test_where_everybody_is_away_they_are_told_all_the_same():
    away = without((HEAD, SUPERVISOR), (SUPERVISOR, HEAD))
    assert addressees(a_notice(tell=["supervisor"]), away) == [SUPERVISOR, HEAD]


@pytest.mark.parametrize("worker", [None, id_(99)])
def test_where_nobody_carries_it_the_supervisors_get_it(worker):
    assert addressees(a_notice(worker_id=worker), PEOPLE) == [SUPERVISOR, HEAD]


@pytest.mark.parametrize("facts", [{"provider_id": None}, {"provider_id": id_(99)}])
def test_an_agency_without_an_account_is_told_nothing(facts):
    assert addressees(a_notice(tell=["provider"], **facts), PEOPLE) == []


def test_another_district_has_its_own_people():
    elsewhere = a_notice(tell=["supervisor", "head", "assessor"], district_code="26110")
    assert addressees(elsewhere, PEOPLE) == []


# Time of sending

MONDAY = WorkingCalendar({date(2026, 4, 7): "a holiday"})
NINE = seoul("2026-04-06T09:00")


@pytest.mark.parametrize(
    ("now", "swept", "expected"),
    [
        ("2026-04-06T08:59:59", "2026-04-06T08:59:59", None),
        ("2026-04-06T09:00", None, None),
        ("2026-04-06T09:00", "2026-04-06T08:59:59", None),
        ("2026-04-06T09:00", "2026-04-06T09:00", NINE),
        ("2026-04-06T09:29:59", "2026-04-05T09:00", None),
        ("2026-04-06T09:30", None, NINE),
        ("2026-04-06T23:59:59", None, NINE),
        ("2026-04-04T12:00", "2026-04-04T12:00", None),  # a Saturday
        ("2026-04-07T12:00", "2026-04-07T12:00", None),  # a holiday
    ],
)
def test_a_digest_leaves_at_nine_of_a_working_day_once_it_was_swept(now, swept, expected):
    as_of = None if swept is None else seoul(swept)
    assert digest_of(seoul(now), MONDAY, as_of) == expected


# The flood limit


@pytest.mark.parametrize(
    ("count", "before", "held"),
    [
        (50, [], False), (51, [], True), (51, [10], True), (50, [1, 1], False),
        (100, [20], False), (101, [20], True), (55, [11, 1000, 1], False),
        (56, [11, 1000, 1], True),
        (51, [0] * 20 + [1000] * 21, True), (500, [100] * 20 + [0] * 50, False),
    ],
)  # fmt: skip
def test_a_flood_is_more_than_fifty_and_than_five_times_the_usual(count, before, held):
    assert is_flood(count, before) is held


# The city's programme


OFFICER = id_(30)


@pytest.mark.parametrize(
    ("tell", "there"),
    [("owner", [SUPERVISOR, HEAD]), ("body", [SUPERVISOR, HEAD]), ("area", [SUPERVISOR, HEAD]),
     ("giver", [HEAD]), ("head", [HEAD])],
)  # fmt: skip
def test_no_step_of_the_programme_is_told_to_nobody(tell, there):
    people = replace(PEOPLE, city=[OFFICER])
    empty = replace(people, supervisors={}, heads={})
    known = {"case_id": None, "worker_id": None, "provider_id": None, "tell": [Part(tell)]}
    assert addressees(a_notice(**known), people) == there
    assert addressees(a_notice(**known), empty) == [OFFICER]
    assert addressees(a_notice(**known, district_code="city"), people) == [OFFICER]


def test_a_step_of_a_case_is_never_told_to_the_city():
    nobody = replace(PEOPLE, supervisors={}, heads={}, city=[OFFICER])
    assert addressees(a_notice(tell=[Part.HEAD]), nobody) == []
    about_no_case = a_notice(case_id=None, subject_type="offering", tell=[Part.SUPERVISOR])
    assert addressees(about_no_case, nobody) == []
