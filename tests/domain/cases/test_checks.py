"""Checks, their statutory clocks, and signals."""

from datetime import date
from uuid import UUID

import pytest

from casework.domain.cases.checks import answer_signal, raise_signal
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import Standard
from casework.domain.errors import Conflict, Invalid
from tests.domain.helpers import clocks, field_of, last_clock, refused, running
from tests.factories import CaseFileFactory, ReferralFactory, Town, moves, seoul


def supported(at="2026-04-17T10:00", **facts):
    town = Town(at, **facts)
    return town, CaseFileFactory(town=town, supported=True)


def check_due(file):
    """The due day of the next check."""
    return str(last_clock(file, file.case.id, "check").due_at.date())


@pytest.mark.parametrize(
    ("approved", "due"),
    [
        ("2026-04-16", "2026-07-16"),
        ("2026-04-17", "2026-07-20"),
        ("2026-04-18", "2026-07-20"),
        ("2026-04-30", "2026-07-31"),
        ("2026-08-31", "2026-11-30"),
    ],
)
def test_the_first_check_is_due_three_months_after_the_first_approval(approved, due):
    _, file = supported(f"{approved}T10:00")
    clock = last_clock(file, file.case.id, "first_check")
    assert str(clock.due_at.date()) == due
    assert clock.basis == "Enforcement Rule 10"


def test_a_check_meets_its_clock_and_starts_the_next_in_six_months():
    town, file = supported()
    town.go_to("2026-08-31")
    check = moves.check(town, file)
    assert file.added[-1] is check
    assert last_clock(file, file.case.id, "first_check").met_at == town.now
    assert check_due(file) == "2027-03-02"
    town.go_to("2026-10-01")
    moves.check(town, file)
    first, second = clocks(file, file.case.id, "check")
    assert first.met_at == town.now
    assert second.is_running
    assert len([kind for kind in running(file) if "check" in kind]) == 1


def test_the_next_check_counts_from_the_day_of_the_check():
    town, file = supported()
    town.go_to("2026-06-10")
    moves.check(town, file, checked_on=date(2026, 6, 1))
    assert check_due(file) == "2026-12-01"


@pytest.mark.parametrize(
    ("next_check_on", "due"),
    [
        ("2026-06-30", "date_too_early"),
        ("2026-08-01", "2026-08-01"),  # a Saturday that was set stays one
        ("2026-12-31", "2026-12-31"),
        ("2027-01-04", "2027-01-04"),  # 1 January and a weekend roll six months to here
        ("2027-01-05", "statutory_limit"),
    ],
)
def test_a_check_may_be_set_earlier_but_never_later_than_the_law_allows(next_check_on, due):
    town, file = supported()
    town.go_to("2026-07-01")
    facts = {"next_check_on": date.fromisoformat(next_check_on)}
    if due[0] == "2":
        moves.check(town, file, **facts)
        assert check_due(file) == due
    else:
        with refused(Invalid, due, file) as caught:
            moves.check(town, file, **facts)
        assert field_of(caught) == "next_check_on"


@pytest.mark.parametrize(
    ("checked_on", "code"),
    [
        ("2026-04-16", "date_too_early"),
        ("2026-04-17", "date_too_early"),  # the day of the approval itself
        ("2026-04-18", None),
        ("2026-05-06", None),
        ("2026-05-07", "date_in_future"),
    ],
)
def test_a_check_lies_between_the_approval_and_today(checked_on, code):
    town, file = supported()
    town.go_to("2026-05-06")
    on = date.fromisoformat(checked_on)
    if code:
        with refused(Invalid, code, file):
            moves.check(town, file, checked_on=on)
    else:
        moves.check(town, file, checked_on=on)
        assert file.case.last_checked_on == on


def test_a_check_does_not_go_back_behind_the_last_one():
    town, file = supported()
    town.go_to("2026-06-10")
    moves.check(town, file, checked_on=date(2026, 6, 1))
    with refused(Invalid, "date_too_early", file):
        moves.check(town, file, checked_on=date(2026, 5, 31))
    moves.check(town, file, checked_on=date(2026, 6, 1), confirmed=True)


def test_a_second_check_of_one_day_is_recorded_where_somebody_says_so():
    town, file = supported()
    town.go_to("2026-06-10")
    moves.check(town, file, checked_on=date(2026, 6, 1))
    with refused(Conflict, "checked_already", file):
        moves.check(town, file, checked_on=date(2026, 6, 1))
    moves.check(town, file, checked_on=date(2026, 6, 1), confirmed=True)
    moves.check(town, file, checked_on=date(2026, 6, 2))


@pytest.mark.parametrize("stage", ["applied", "surveying", "planning", "submitted"])
def test_only_a_supported_case_is_checked(stage):
    town = Town()
    file = CaseFileFactory(town=town, stage=stage)
    with refused(Conflict, "not_allowed_in_state", file):
        moves.check(town, file)


@pytest.mark.parametrize(
    ("kind", "target", "due"),
    [
        ("first_check", Target(4, Unit.MONTHS), "2026-07-20"),
        ("first_check", Target(3, Unit.MONTHS), "2026-07-20"),
        ("first_check", Target(2, Unit.MONTHS), "2026-06-17"),
        ("first_check", Target(200, Unit.DAYS), "2026-07-20"),
        ("check", Target(7, Unit.MONTHS), "2026-10-19"),
        ("check", Target(5, Unit.MONTHS), "2026-09-18"),
    ],
)
def test_a_standard_can_shorten_what_the_law_asks_and_never_lengthen_it(kind, target, due):
    own = Standard(id=UUID(int=1), kind=kind, target=target, basis="ours", district_code="26350")
    town, file = supported(standards=(*SHIPPED, own))
    if kind == "check":
        moves.check(town, file)
    assert str(last_clock(file, file.case.id, kind).due_at.date()) == due


# Signals


def test_a_signal_is_one_of_six_and_other_needs_a_note():
    town, file = supported()
    for kind in ("hospitalised", "fall", "nobody_home", "worse", "died"):
        assert moves.signal(town, file, kind).kind == kind
    for note in (None, "", " "):
        with refused(Invalid, "note_required", file):
            moves.signal(town, file, "other", note)
    moves.signal(town, file, "other", "a new dog")
    assert "dog" not in repr(file.events)
    with refused(Invalid, "signal_unknown", file):
        moves.signal(town, file, "rumour")


def test_a_closed_case_takes_no_signal():
    town, file = supported()
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.signal(town, file)


@pytest.mark.parametrize(
    ("state", "fine"),
    [("draft", False), ("requested", True), ("on_hold", True), ("completed", False)],
)
def test_a_provider_signals_while_it_has_the_referral(state, fine):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=state)
    by = town.act(moves.who_moves(town, referral, "accept"))
    if fine:
        signal = raise_signal(file, "fall", None, by, referral)
        assert signal.referral_id == referral.id
        assert file.events[-1].data["referral_id"] == referral.id
    else:
        with refused(Conflict, "not_allowed_in_state", file, state=referral.status):
            raise_signal(file, "fall", None, by, referral)


def test_a_signal_is_answered_once():
    town, file = supported()
    signal = moves.signal(town, file)
    town.wait(hours=2)
    answer_signal(file, signal, "a neighbour has the key", town.act())
    assert (signal.answered_at, signal.answered_by) == (town.now, town.worker.id)
    assert signal.answer == "a neighbour has the key"
    assert "neighbour" not in repr(file.events)
    with refused(Conflict, "already_answered", file):
        answer_signal(file, signal, "again", town.act())


def test_a_signal_can_be_answered_after_its_clock_ended_with_the_case():
    town, file = supported()
    signal = moves.signal(town, file, "died")
    moves.close(town, file, reason="death")
    answer_signal(file, signal, "the family was called", town.act())
    clock = file.deadlines[signal.deadline_id]
    assert (clock.met_at, clock.cancelled_at) == (None, seoul("2026-04-17T10:00"))
