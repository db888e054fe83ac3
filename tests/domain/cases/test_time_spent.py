"""How the days of a case were spent: each counts for the party that was waited for."""

from datetime import date

import pytest

from casework.domain.cases import holding
from casework.domain.cases.time_spent import time_spent
from casework.domain.planning import planning
from tests.factories import CaseFileFactory, ReferralFactory, Town, moves

EVERYBODY = ("worker", "assessor", "supervisor", "provider")


def spent(town, file):
    return time_spent(file.case, file.deadlines.values(), town.calendar, town.today)


def days(found):
    return tuple(found.holders[one][0] for one in EVERYBODY)


def test_each_day_of_a_case_that_goes_from_hand_to_hand_counts_once():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(applied=True, town=town)
    town.go_to("2026-03-05")
    moves.survey(town, file)
    town.go_to("2026-03-10")
    moves.assess(town, file)
    town.go_to("2026-03-11")
    moves.draft(town, file, "CARE-MEALS")
    moves.submit(town, file)
    town.go_to("2026-03-16")
    moves.decide(town, file)
    found = spent(town, file)
    # 4, 5 survey; 6 to 10 assessment; 11 plan; 12 to 16 decision
    assert days(found) == (3, 5, 5, 0)
    assert found.holders["assessor"] == (5, 3)
    assert found.holders["supervisor"] == (5, 3)
    assert (found.days, found.shared, found.paused, found.nobody) == (13, 0, 0, 0)


def test_a_request_lies_with_the_agency_and_a_running_service_with_nobody():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(supported=True, town=town)
    planning.notify(file, town.today, "the resident", town.act())
    referral = ReferralFactory(requested=True, town=town, file=file)
    town.go_to("2026-03-06")
    moves.move(town, file, referral, "accept")
    town.go_to("2026-03-09")
    moves.move(town, file, referral, "start")
    town.go_to("2026-04-03")
    found = spent(town, file)
    assert days(found) == (0, 0, 0, 6)
    assert (found.days, found.nobody) == (31, 25)


def test_a_check_is_waited_for_only_when_it_is_overdue():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(supported=True, town=town)
    planning.notify(file, town.today, "the resident", town.act())
    referral = ReferralFactory(in_progress=True, town=town, file=file)
    assert referral.has_started
    due = next(one for one in file.running() if one.kind == "first_check").due_at
    waited = {}
    for offset in (-1, 0, 1, 2):
        town.go_to(due).wait(days=offset)
        waited[offset] = days(spent(town, file))[0]
    assert waited == {-1: 0, 0: 0, 1: 1, 2: 2}


def test_two_who_are_waited_for_share_a_day():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(supported=True, town=town)  # the resident is still to be told: worker
    ReferralFactory(requested=True, town=town, file=file)
    town.go_to("2026-03-05")
    found = spent(town, file)
    assert (days(found), found.days, found.shared, found.nobody) == ((2, 0, 0, 2), 2, 2, 0)


def test_days_of_a_hold_are_nobodys_unless_something_else_goes_on():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(applied=True, town=town)
    town.go_to("2026-03-05")
    holding.hold_case(file, "hospitalised", date(2026, 3, 8), None, town.act())
    town.go_to("2026-03-10")
    found = spent(town, file)
    assert (days(found)[0], found.paused, found.nobody, found.days) == (3, 4, 0, 7)


@pytest.mark.parametrize(("when", "total"), [("2026-03-03T11:00", 0), ("2026-03-04T00:00", 1)])
def test_the_first_day_is_not_counted(when, total):
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(applied=True, town=town)
    town.go_to(when)
    found = spent(town, file)
    assert (found.days, days(found)[0]) == (total, total)


def test_a_closed_case_spends_no_more_days():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(applied=True, town=town)
    town.go_to("2026-03-06")
    moves.close(town, file)
    before = spent(town, file)
    town.go_to("2026-05-06")
    assert spent(town, file) == before
    assert (before.days, before.until) == (3, date(2026, 3, 6))
