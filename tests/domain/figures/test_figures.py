"""What counts as on time, how long it took, percentiles, months, and where a referral stood."""

from datetime import date, datetime, timedelta
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from casework.domain.casefile.referral_moves import REASONS
from casework.domain.clocks.calendar import SEOUL, Pause, end_of
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import ClockKind, ClockSubject, Priority
from casework.domain.errors import Conflict, Invalid
from casework.domain.figures.figures import (
    MAX_MONTHS,
    UNMET_REASONS,
    Figure,
    Month,
    Period,
    median_of,
    outcome,
    percentile_of,
    state_on,
    working_days_spent,
)
from tests.factories import CaseFileFactory, ReferralFactory, Town, korean_days, moves

CALENDAR = korean_days()
SECOND = timedelta(seconds=1)


def at(day: int, hour: int = 10, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SEOUL)


@pytest.fixture
def clock():
    """A request of 3 March that is to be answered by the 6th."""
    deadline = Clockwork(SHIPPED, CALENDAR).begin(
        ClockKind.RESPONSE,
        id=UUID(int=1),
        subject_id=UUID(int=2),
        about=ClockSubject.for_counting(district_code="26350", priority=Priority.ROUTINE),
        started_at=at(3),
    )
    assert deadline is not None
    assert deadline.due_at == end_of(date(2026, 3, 6))
    return deadline


@pytest.mark.parametrize(
    ("ended", "expected"),
    [(-SECOND, Figure.ON_TIME), (0 * SECOND, Figure.ON_TIME), (SECOND, Figure.LATE)],
)
def test_on_time_is_met_at_or_before_the_due_date(clock, ended, expected):
    clock.meet(clock.due_at + ended)
    assert outcome(clock) == expected
    clock.excused = True
    assert outcome(clock) == Figure.EXCUSED


@pytest.mark.parametrize(
    ("ended", "expected"),
    [(-SECOND, None), (0 * SECOND, None), (SECOND, Figure.CANCELLED_LATE)],
)
def test_what_is_cancelled_counts_only_apart_and_only_after_its_due_date(clock, ended, expected):
    clock.cancel(clock.due_at + ended)
    assert outcome(clock) == expected
    clock.excused = True
    assert outcome(clock) == (Figure.EXCUSED if expected else None)


def test_what_nobody_answered_is_late_and_what_runs_does_not_count(clock):
    assert outcome(clock) is None
    clock.cancel(clock.due_at - SECOND)
    assert outcome(clock, lapsed=True) == Figure.LATE
    clock.excused = True
    assert outcome(clock, lapsed=True) == Figure.EXCUSED


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (at(3), at(3), 0),
        (at(3), at(4), 1),
        (at(6), at(8), 0),  # Friday to Sunday
        (at(6), at(9), 1),
        (at(7), at(9), 1),
        (at(27, month=2), at(3), 1),  # the 1st is a holiday, and the 2nd its substitute
        (at(4), at(3), 0),
    ],
)
def test_the_first_day_is_not_counted_and_the_last_one_is(start, end, days):
    assert working_days_spent(CALENDAR, start.date(), end.date()) == days


@pytest.mark.parametrize(("resumed", "days"), [(None, 2), (9, 4), (4, 7)])
def test_days_of_pauses_are_left_out(resumed, days):
    pause = Pause(at(4), date(2026, 3, 10), "away", at(resumed) if resumed else None)
    assert working_days_spent(CALENDAR, at(3).date(), at(12).date(), [pause, pause]) == days


def test_a_pause_outside_leaves_nothing_out():
    before = Pause(at(3), date(2026, 3, 3), "away")
    after = Pause(at(13), date(2026, 3, 20), "away")
    assert working_days_spent(CALENDAR, at(3).date(), at(12).date(), [before, after]) == 7


@pytest.mark.parametrize(
    ("numbers", "middle", "p90"),
    [
        ([], None, None),
        ([4], 4, 4),
        ([1, 2], 1.5, 2),
        ([2, 4, 6, 11], 5, 11),
        (list(range(1, 11)), 5.5, 9),
        (list(range(1, 12)), 6, 10),
        ([0] * 9 + [7], 0, 0),
        ([0] * 8 + [7] * 2, 0, 7),
    ],
)
def test_percentiles_are_by_nearest_rank_and_the_median_is_the_middle(numbers, middle, p90):
    often = {number: numbers.count(number) for number in numbers}
    assert (median_of(often), percentile_of(often, 90)) == (middle, p90)


def test_percentiles_are_what_a_sorted_list_says():
    rng = Random(1)
    for _ in range(300):
        numbers = sorted(rng.randrange(12) for _ in range(rng.randrange(1, 60)))
        often = {number: numbers.count(number) for number in numbers}
        assert median_of(often) == median(numbers)
        for percent in (1, 50, 90, 100):
            found = percentile_of(often, percent)
            assert found is not None
            assert sum(one <= found for one in numbers) * 100 >= percent * len(numbers)
            assert sum(one < found for one in numbers) * 100 < percent * len(numbers)


def test_a_month_has_a_first_and_a_last_day_and_is_over_after_it():
    month = Month.parse("2028-02")
    assert (month.first, month.last) == (date(2028, 2, 1), date(2028, 2, 29))
    assert (str(month), Month.of(date(2028, 2, 29))) == ("2028-02", month)
    with pytest.raises(Conflict) as refusal:
        month.check_over(end_of(month.last))
    assert refusal.value.code == "month_not_over"
    month.check_over(end_of(month.last) + SECOND)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-03", "2026-03-01", "", "2026-3", "١٢"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        Month.parse(text)
    assert refusal.value.code == "month_invalid"


def test_a_period_knows_its_months_and_its_part_in_each():
    period = Period(date(2025, 12, 30), date(2026, 2, 1))
    assert [str(month) for month in period.months()] == ["2025-12", "2026-01", "2026-02"]
    assert period.within(Month(2025, 12)) == Period(date(2025, 12, 30), date(2025, 12, 31))
    assert period.within(Month(2026, 2)) == Period(date(2026, 2, 1), date(2026, 2, 1))
    assert period.ends - period.begins == timedelta(days=34)


def test_a_period_ends_no_earlier_than_it_begins_and_is_not_endless():
    day = date(2026, 3, 3)
    Period(day, day).check()
    for wrong in (Period(day, day - timedelta(days=1)), Period(day, date(2037, 1, 1))):
        with pytest.raises(Invalid):
            wrong.check()
    Period(date(2026, 1, 1), date(2028, 12, 31)).check(by_month=True)
    with pytest.raises(Invalid, match=str(MAX_MONTHS)):
        Period(date(2026, 1, 1), date(2029, 1, 1)).check(by_month=True)


def test_a_referral_stood_where_the_dates_of_its_acts_say():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(supported=True, town=town)
    referral = ReferralFactory(requested=True, town=town, file=file)
    story: list[tuple[int, str, dict[str, Any]]] = [
        (4, "waitlist", {}),
        (5, "accept", {}),
        (9, "start", {"started_on": date(2026, 3, 6)}),
        (12, "complete", {"ended_on": date(2026, 3, 10)}),
    ]
    for day, action, dates in story:
        town.go_to(f"2026-03-{day:02}T10:00")
        moves.move(town, file, referral, action, **dates)
    far = date(2026, 4, 1)
    days = (3, 4, 5, 6, 9, 10)
    stood = [state_on(referral, date(2026, 3, day), far) for day in days]
    assert stood == [
        "requested", "waitlisted", "accepted", "in_progress", "in_progress", "completed",
    ]  # fmt: skip
    assert state_on(referral, date(2026, 3, 3), date(2026, 3, 3)) == "completed"
    moves.move(town, file, referral, "enter-in-error")
    assert state_on(referral, date(2026, 3, 3), far) == "entered_in_error"


def test_what_is_declined_stood_as_requested_until_then():
    town = Town("2026-03-03T10:00")
    file = CaseFileFactory(supported=True, town=town)
    referral = ReferralFactory(requested=True, town=town, file=file)
    town.go_to("2026-03-05T23:59:59")
    moves.move(town, file, referral, "decline")
    stood = [state_on(referral, date(2026, 3, day), date(2026, 4, 1)) for day in (4, 5, 6)]
    assert stood == ["requested", "declined", "declined"]


def test_every_reason_of_a_request_that_came_to_nothing_can_be_why():
    for move in ("decline", "fail", "withdraw"):
        assert set(REASONS[move]) <= set(UNMET_REASONS)
    assert len(set(UNMET_REASONS)) == len(UNMET_REASONS)
