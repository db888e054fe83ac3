"""Whether somebody is told again of what stays overdue, and until when nobody has to look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from casework.domain.clocks.calendar import WorkingCalendar
from casework.domain.notices.notices import told_again_since
from casework.domain.notices.telling_again import FOR_GOOD, LateClock, heard_until
from tests.factories import CaseFileFactory, Town, seoul

CALENDAR = WorkingCalendar({})
MORNING = seoul("2026-03-19T09:00")  # a Thursday
BEFORE = told_again_since(MORNING, CALENDAR)
INSTANT = timedelta(microseconds=1)


def late(**facts: Any) -> LateClock:
    town = Town("2026-03-02T10:00")
    clock = next(iter(CaseFileFactory(town=town, supported=True).deadlines.values()))
    clock.due_at, clock.paused_until = BEFORE - timedelta(days=9), facts.pop("paused_until", None)
    clock.met_at, clock.excused = None, facts.pop("excused", False)
    usual = LateClock(
        clock=clock, noted=None, heard_at=None, has_step_to_come=False, is_answered=False,
        is_settled=False, given_at=None, chased_until=None,
    )  # fmt: skip
    return replace(usual, **facts)


def until(**facts: Any) -> Any:
    return heard_until(late(**facts), BEFORE, MORNING, CALENDAR)


def test_five_working_days_after_it_was_told_it_is_told_again() -> None:
    assert seoul("2026-03-13T00:00") == BEFORE
    assert until(heard_at=BEFORE - INSTANT) is None
    assert until(heard_at=BEFORE) == BEFORE
    assert until(heard_at=BEFORE + INSTANT) == BEFORE + INSTANT
    assert until() is None


def test_a_step_to_come_is_waited_for_and_looked_for_in_each_round_once_it_is_late() -> None:
    assert until(has_step_to_come=True, heard_at=MORNING) == MORNING
    assert until(has_step_to_come=True, heard_at=BEFORE - INSTANT) < BEFORE


@pytest.mark.parametrize("facts", [{"excused": True}, {"is_answered": True, "is_settled": True}])
def test_what_was_answered_for_good_is_not_looked_at_again(facts: dict[str, Any]) -> None:
    assert until(**facts) == FOR_GOOD


def test_an_answer_that_a_later_step_undid_counts_no_more() -> None:
    assert until(is_settled=True) is None


@pytest.mark.parametrize(
    ("day", "is_told"), [("2026-03-18", True), ("2026-03-19", True), ("2026-03-20", False)]
)
def test_a_chase_answers_it_up_to_its_day(day: str, is_told: bool) -> None:
    found = until(is_answered=True, chased_until=date.fromisoformat(day))
    assert (found is None) == is_told


def test_who_it_was_given_to_has_as_long_as_from_a_telling() -> None:
    assert until(is_answered=True, given_at=BEFORE - INSTANT) is None
    assert until(is_answered=True, given_at=BEFORE) == BEFORE


@pytest.mark.parametrize("days", range(1, 60))
def test_a_long_chase_or_pause_is_looked_at_again_a_week_early(days: int) -> None:
    day = MORNING.date() + timedelta(days=days)
    for facts in (
        {"is_answered": True, "chased_until": day},
        {"paused_until": MORNING + timedelta(days=days)},
    ):
        found = until(**facts)
        looked_at = [
            ahead
            for ahead in range(days + 1)
            if found < told_again_since(MORNING + timedelta(days=ahead), CALENDAR)
        ]
        assert looked_at[-1] == days, "at the latest on its day"
        assert looked_at[0] >= days - 11, "and not before it is near"
