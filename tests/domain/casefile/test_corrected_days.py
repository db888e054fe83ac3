"""Days of a referral's moves that are put right, and what follows from them."""

from datetime import timedelta

import pytest

from casework.domain.errors import Invalid
from casework.domain.referring.correcting import correct_days
from tests.domain.helpers import last_clock, refused, running
from tests.factories import CaseFileFactory, Town, moves

DAY = timedelta(days=1)


def asked(town):
    """A file in force and the request that was made for its service."""
    file = CaseFileFactory(town=town, supported=True)
    return file, moves.refer(town, file)


@pytest.mark.parametrize("ends", ["cancel", "withdraw"])
def test_the_day_of_waiting_is_put_right_whatever_ended_it(ends):
    town = Town("2026-04-06T10:00")
    file, referral = asked(town)
    town.wait(days=3)
    moves.move(town, file, referral, "waitlist")
    moves.move(town, file, referral, ends)
    days = {"answered_on": town.today - DAY}
    correct_days(file, referral, days, "typed wrongly", town.act())
    clock = last_clock(file, referral.id, "waitlist")
    assert referral.answered_on == clock.started_at.date() == town.today - DAY


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_an_answer_is_not_before_the_waiting_that_it_ended(answer):
    town = Town("2026-04-06T10:00")
    file, referral = asked(town)
    town.wait(days=3)
    moves.move(town, file, referral, "waitlist")
    town.wait(days=1)
    moves.move(town, file, referral, answer)
    with refused(Invalid, "date_too_early", file):
        correct_days(file, referral, {"answered_on": town.today - 2 * DAY}, "why", town.act())
    correct_days(file, referral, {"answered_on": town.today - DAY}, "why", town.act())


def test_an_end_on_the_last_day_after_all_leaves_nothing_to_ask_for():
    town = Town("2026-04-06T10:00")
    file, referral = asked(town)
    for action in ("accept", "start"):
        moves.move(town, file, referral, action)
    service = moves.only_service(file)
    town.go_to(f"{service.ends_on + DAY}T10:00")
    early = service.ends_on - DAY
    moves.move(town, file, referral, "complete", outcome="ended_early", ended_on=early)
    second = moves.refer(town, file, replaces=referral.id, send=False)
    moves.move(town, file, second, "cancel")
    assert running(file, service.id) == ["link"]
    days = {"ended_on": service.ends_on}
    correct_days(file, referral, days, "typed wrongly", town.act())
    assert file.is_settled(service)
    assert running(file, service.id) == []


def test_another_day_of_an_early_end_leaves_its_disposition_owed():
    town = Town("2026-04-06T10:00")
    file, referral = asked(town)
    for action in ("accept", "start"):
        moves.move(town, file, referral, action)
    town.wait(days=3)
    moves.move(town, file, referral, "complete", outcome="ended_early")
    owed = last_clock(file, referral.id, "disposition")
    moves.refer(town, file, send=False)
    correct_days(file, referral, {"ended_on": town.today - DAY}, "typed wrongly", town.act())
    assert referral.owes_disposition
    assert owed.is_running
