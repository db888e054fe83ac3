"""Places: held ones, the waiting list, what an agency may state, and when its figures are stale."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.directory import capacity
from casework.domain.directory.capacity import CapacityChange, CapacityStatement
from casework.domain.errors import Invalid
from casework.domain.referring.referring import Details
from tests.factories import CaseFileFactory, OfferingFactory, ReferralFactory, Town, moves

HOLDERS = {"accepted", "in_progress", "on_hold"}
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


def supported():
    """A town with a case whose plan is approved."""
    town = Town("2026-04-01T10:00")
    return town, CaseFileFactory(town=town, supported=True)


def made(town, file, referral, was=None) -> list[CapacityChange]:
    """What the last moves did to places, when the referral was in a state before."""
    return capacity.changes({referral.id: was} if was else {}, [referral], file.events)


@pytest.mark.parametrize("status", [one for one in sorted(OPEN) if one not in HOLDERS])
def test_until_it_is_accepted_a_referral_holds_no_place(status):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=status)
    assert sum(one.taken for one in made(town, file, referral)) == 0
    referral.status = ReferralStatus.IN_PROGRESS
    assert sum(one.taken for one in made(town, file, referral, status)) == 1


@pytest.mark.parametrize("was", ["requested", "waitlisted"])
def test_accepting_takes_one_place(was):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=was)
    moves.move(town, file, referral, "accept")
    (change,) = made(town, file, referral, was)
    assert (change.offering_id, change.taken, change.released) == (referral.offering_id, 1, 0)
    assert change.taker_was == was
    assert (change.joined, change.left) == (0, int(was == "waitlisted"))


@pytest.mark.parametrize(
    ("was", "is_now"),
    [("accepted", "in_progress"), ("accepted", "on_hold"), ("on_hold", "in_progress"),
     ("in_progress", "on_hold"), ("requested", "declined"), ("completed", "entered_in_error")],
)  # fmt: skip
def test_what_neither_begins_nor_ends_the_holding_of_a_place_changes_none(was, is_now):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status="requested")
    referral.status = is_now
    assert capacity.changes({referral.id: was}, [referral], []) == []


@pytest.mark.parametrize("was", sorted(HOLDERS))
@pytest.mark.parametrize("is_now", sorted(set(ReferralStatus) - OPEN))
def test_every_end_of_one_that_holds_a_place_frees_it_once(was, is_now):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status="requested")
    referral.status = is_now
    (change,) = capacity.changes({referral.id: was}, [referral], [])
    assert (change.taken, change.released) == (0, 1)


def test_changes_come_in_the_order_of_the_offerings():
    town, file = supported()
    first = ReferralFactory(town=town, file=file, status="requested")
    town, file = supported()
    second = ReferralFactory(town=town, file=file, status="requested")
    first.status = second.status = ReferralStatus.ACCEPTED
    first.offering_id, second.offering_id = UUID(int=2), UUID(int=1)
    found = capacity.changes(dict.fromkeys((first.id, second.id), "requested"), [first, second], [])
    assert [one.offering_id.int for one in found] == [1, 2]


def declined(until: date | None = None, reason: str = "at_capacity"):
    """The effect of a decline on the offering."""
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status="requested")
    moves.move(town, file, referral, "decline", reason=reason, full_until=until)
    return town, [one.full_until for one in made(town, file, referral, "requested")]


def test_declining_for_want_of_a_place_marks_the_offering_full_for_a_fortnight():
    town, marks = declined()
    assert marks == [town.today + timedelta(days=14)]


def test_who_declines_may_say_until_when():
    town, _ = supported()
    assert declined(town.today)[1] == [town.today]
    assert declined(town.today + timedelta(days=90))[1] == [town.today + timedelta(days=90)]
    with pytest.raises(Invalid) as refused:
        declined(town.today - timedelta(days=1))
    assert refused.value.code == "until_in_past"


def test_declining_for_another_reason_marks_nothing_and_says_no_date():
    town, _ = supported()
    assert declined(reason="out_of_area")[1] == []
    with pytest.raises(Invalid) as refused:
        declined(town.today, reason="out_of_area")
    assert refused.value.code == "full_until_not_asked"


def test_no_other_move_says_until_when_an_offering_is_full():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status="requested")
    with pytest.raises(Invalid) as refused:
        moves.move(town, file, referral, "accept", full_until=town.today)
    assert (refused.value.code, referral.status) == ("full_until_not_asked", "requested")
    assert Details().full_until is None


def test_a_mark_holds_through_its_last_day():
    last = date(2026, 4, 15)
    marked = OfferingFactory(available=3, full_until=last)
    days = [last - timedelta(days=1), last, last + timedelta(days=1)]
    assert [capacity.is_marked_full(marked, day) for day in days] == [True, True, False]
    assert [capacity.free_places(marked, day) for day in days] == [0, 0, 3]


def test_places_for_those_who_wait_are_not_free_for_others():
    offering = OfferingFactory(available=3, waiting=2, waitlisted=2, for_waiting=2)
    assert capacity.free_places(offering, date(2026, 4, 1)) == 1


def test_figures_are_stale_when_they_are_older_than_the_limit():
    offering = OfferingFactory()
    turns = offering.as_of + WEEK
    found = [
        capacity.is_stale(offering, WEEK, at) for at in (turns - SECOND, turns, turns + SECOND)
    ]
    assert found == [False, False, True]


def test_stated_figures_are_taken_over_and_are_as_of_now():
    town, _ = supported()
    offering = OfferingFactory(full_until=town.today, waiting=3, waitlisted=2)
    act = town.act()
    event = capacity.state(offering, CapacityStatement(available=4, capacity=9), act)
    found = (offering.available, offering.capacity, offering.waiting, offering.full_until)
    assert found == (4, 9, 3, None)
    assert (offering.as_of, offering.stated_by) == (act.at, act.by.id)
    assert offering.for_waiting == 2
    assert (event.name, event.subject_id, event.data["available"]) == (
        "FiguresStated",
        offering.id,
        4,
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [(CapacityStatement(available=8), "places_held"),
     (CapacityStatement(available=7, capacity=9), "places_held"),
     (CapacityStatement(available=0, capacity=2), "places_held"),
     (CapacityStatement(available=0, waiting=1), "referrals_waiting")],
)  # fmt: skip
def test_figures_that_deny_what_referrals_hold_are_refused(said, code):
    town, _ = supported()
    offering = OfferingFactory(capacity=10, available=5, held=3, waiting=2, waitlisted=2)
    with pytest.raises(Invalid) as refused:
        capacity.state(offering, said, town.act())
    assert refused.value.code == code
    assert (offering.available, offering.capacity, offering.waiting) == (5, 10, 2)


@pytest.mark.parametrize(
    "said", [CapacityStatement(available=7), CapacityStatement(available=0, capacity=3, waiting=2)]
)
def test_figures_that_leave_just_what_referrals_hold_are_taken(said):
    town, _ = supported()
    offering = OfferingFactory(capacity=10, available=5, held=3, waiting=2, waitlisted=2)
    capacity.state(offering, said, town.act())
    assert offering.available == said.available
