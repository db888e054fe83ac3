"""Counting periods by the Civil Act, on the working days of Korea."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from casework.domain.clocks.calendar import (
    Pause,
    Target,
    Unit,
    WorkingCalendar,
    day_in_seoul,
    days_left_out,
    due_at,
    end_of,
    midnight,
    months_after,
    moved_by_pauses,
)
from casework.domain.clocks.shipped_standards import SHIPPED
from tests.domain.counting import HOLIDAYS, OPEN, hours_later, last_day
from tests.factories import korean_days, seoul

WORKING, DAYS, MONTHS, HOURS = Unit.WORKING_DAYS, Unit.DAYS, Unit.MONTHS, Unit.HOURS
START_DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(12 * 365 + 3)]


def due_on(start: str, amount: int, unit: Unit, *pauses: Pause) -> str:
    """The last day of a period that began on a day at ten."""
    due = due_at(korean_days(), seoul(start), Target(amount, unit), pauses)
    assert due == end_of(due.date())
    return str(due.date())


def pause(first: str, last: str, resumed: str | None = None, reason: str = "hospitalised") -> Pause:
    """A pause that begins on a day at ten and is planned until the end of another."""
    resumed_at = seoul(resumed) if resumed else None
    return Pause(seoul(first), date.fromisoformat(last), reason, resumed_at)


# What the law says, and the examples of the model


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        ("2026-04-17", 3, "2026-07-20"),
        ("2026-08-31", 6, "2027-03-02"),
        ("2026-04-30", 3, "2026-07-31"),
        ("2026-04-16", 3, "2026-07-16"),
        ("2026-04-18", 3, "2026-07-20"),
        ("2026-01-30", 1, "2026-03-03"),  # no 31st of February: the 28th, then three closed days
        ("2024-01-30", 1, "2024-02-29"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-08-30", 6, "2027-03-02"),
        ("2026-09-01", 6, "2027-03-02"),
    ],
)
def test_months_go_by_the_calendar_and_a_closed_last_day_rolls_on(start, months, due):
    assert due_on(start, months, MONTHS) == due


@pytest.mark.parametrize(
    ("start", "months", "last"),
    [
        ("2026-04-29", 3, "2026-07-29"),
        ("2026-04-30", 3, "2026-07-31"),
        ("2026-05-01", 3, "2026-08-01"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2027-01-27", 1, "2027-02-27"),
        ("2027-01-28", 1, "2027-02-28"),
        ("2027-01-29", 1, "2027-02-28"),
        ("2027-01-31", 1, "2027-02-28"),
        ("2027-02-28", 12, "2028-02-29"),
    ],
)
def test_a_month_ends_the_day_before_the_corresponding_day_or_on_the_last(start, months, last):
    assert months_after(date.fromisoformat(start), months) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-04-09", 1, "2026-04-10"),
        ("2026-04-10", 1, "2026-04-13"),  # Saturday, then Sunday
        ("2026-04-11", 1, "2026-04-13"),
        ("2026-04-12", 1, "2026-04-13"),
        ("2026-04-30", 1, "2026-05-04"),  # 1 May is a holiday from 2026
        ("2025-04-30", 1, "2025-05-01"),  # and was none before
        ("2026-07-16", 1, "2026-07-20"),  # 17 July is a holiday from 2026
        ("2025-07-16", 1, "2025-07-17"),
    ],
)
def test_the_first_day_is_not_counted_and_days_roll_on(start, days, due):
    assert due_on(start, days, DAYS) == due


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-09-22", 1, "2026-09-23"),
        ("2026-09-23", 1, "2026-09-28"),  # over Chuseok, the 24th to the 26th
        ("2026-09-24", 1, "2026-09-28"),
        ("2026-09-27", 1, "2026-09-28"),
        ("2026-09-21", 3, "2026-09-28"),
        ("2026-12-31", 1, "2027-01-04"),
    ],
)
def test_working_days_leave_out_weekends_and_holidays(start, amount, due):
    assert due_on(start, amount, WORKING) == due


def test_a_day_begins_at_midnight_in_seoul_and_not_in_greenwich():
    before, after = (
        datetime(2026, 4, 9, 14, 59, 59, tzinfo=UTC),
        datetime(2026, 4, 9, 15, tzinfo=UTC),
    )
    assert [day_in_seoul(at).day for at in (before, after)] == [9, 10]
    dues = [due_at(korean_days(), at, Target(1, WORKING)) for at in (before, after)]
    assert dues == [seoul("2026-04-10T23:59:59"), seoul("2026-04-13T23:59:59")]


def test_hours_run_through_nights_and_holidays():
    friday = seoul("2026-09-23T17:30")
    assert due_at(korean_days(), friday, Target(24, HOURS)) == seoul("2026-09-24T17:30")


def test_a_fixed_day_never_rolls_and_knows_no_pause():
    saturday = date(2026, 4, 11)
    target = Target(saturday.toordinal(), Unit.ON_DATE)
    stay = pause("2026-04-02", "2026-04-20")
    for pauses in ((), (stay,)):
        assert due_at(korean_days(), seoul("2026-04-01"), target, pauses) == end_of(saturday)
    assert days_left_out(korean_days(), stay.began_at, end_of(saturday), target, (stay,)) == []


# The calendar


def test_the_calendar_says_why_a_day_is_closed():
    calendar = korean_days()
    assert calendar.why_closed(date(2026, 4, 10)) is None
    assert calendar.why_closed(date(2026, 4, 11)) == "saturday"
    assert calendar.why_closed(date(2026, 4, 12)) == "sunday"
    assert calendar.why_closed(date(2026, 9, 26)) not in (None, "saturday")
    assert all(calendar.is_working(day) is is_open for day, is_open in OPEN.items())
    assert all((calendar.why_closed(day) is None) is is_open for day, is_open in OPEN.items())


@pytest.mark.parametrize(("days", "then"), [(-2, 22), (-1, 23), (0, 25), (1, 28), (2, 29)])
def test_stepping_goes_from_one_working_day_to_another(days, then):
    assert korean_days().step(date(2026, 9, 25), days) == date(2026, 9, then)


def test_working_days_between_two_days_are_counted_as_by_walking():
    random, calendar = Random(7), korean_days()
    for _ in range(2_000):
        after = date(2024, 1, 1) + timedelta(days=random.randrange(4_000))
        to = after + timedelta(days=random.randrange(-20, 90))
        walked = [after + timedelta(days=n) for n in range(1, (to - after).days + 1)]
        assert calendar.working_days(after, to) == sum(OPEN[day] for day in walked)


def test_a_declared_holiday_changes_the_count():
    declared = WorkingCalendar({**dict.fromkeys(HOLIDAYS, "known"), date(2026, 4, 10): "declared"})
    due = due_at(declared, seoul("2026-04-09"), Target(1, WORKING))
    assert due.date() == date(2026, 4, 13)


# Pauses


@pytest.mark.parametrize(
    ("last_day_of_pause", "due"),
    [
        ("2026-04-14", "2026-04-20"),  # the 14th is left out
        ("2026-04-15", "2026-04-21"),
        ("2026-04-17", "2026-04-23"),
        ("2026-04-18", "2026-04-23"),  # a Saturday takes nothing from working days
        ("2026-04-19", "2026-04-23"),
        ("2026-04-20", "2026-04-24"),
    ],
)
def test_working_days_in_a_pause_are_not_counted(last_day_of_pause, due):
    held = pause("2026-04-14", last_day_of_pause)
    assert due_on("2026-04-10", 5, WORKING) == "2026-04-17"
    assert due_on("2026-04-10", 5, WORKING, held) == due


@pytest.mark.parametrize(
    ("resumed", "due"),
    [
        ("2026-04-14", "2026-04-17"),  # the same day: nothing is left out
        ("2026-04-15", "2026-04-20"),
        ("2026-04-16", "2026-04-21"),
        ("2026-04-20", "2026-04-23"),
        ("2026-04-21", "2026-04-24"),  # the 20th was its last day anyway
        ("2026-04-28", "2026-04-24"),
    ],
)
def test_resuming_on_a_day_leaves_out_the_days_before_it(resumed, due):
    held = pause("2026-04-14", "2026-04-20", resumed)
    assert due_on("2026-04-10", 5, WORKING, held) == due


def test_days_and_months_move_by_the_calendar_days_left_out_and_then_roll():
    assert due_on("2026-04-17", 10, DAYS) == "2026-04-27"
    assert due_on("2026-04-17", 10, DAYS, pause("2026-04-20", "2026-04-21")) == "2026-04-29"
    assert due_on("2026-04-17", 10, DAYS, pause("2026-04-20", "2026-04-24")) == "2026-05-04"
    assert due_on("2026-04-16", 3, MONTHS) == "2026-07-16"
    assert due_on("2026-04-16", 3, MONTHS, pause("2026-05-06", "2026-05-06")) == "2026-07-20"


def test_overlapping_pauses_count_once():
    first, second = pause("2026-04-14", "2026-04-16"), pause("2026-04-15", "2026-04-17")
    both = due_on("2026-04-10", 5, WORKING, first, second)
    assert both == due_on("2026-04-10", 5, WORKING, pause("2026-04-14", "2026-04-17"))
    assert due_on("2026-04-10", 9, DAYS, second, first) == "2026-04-23"


def test_a_period_does_not_roll_into_a_pause():
    # Ten days end on Saturday the 11th; the pause begins on the Sunday it would roll over.
    assert due_on("2026-04-01", 10, DAYS) == "2026-04-13"
    assert due_on("2026-04-01", 10, DAYS, pause("2026-04-12", "2026-04-12")) == "2026-04-13"
    assert due_on("2026-04-01", 10, DAYS, pause("2026-04-12", "2026-04-13")) == "2026-04-14"
    assert due_on("2026-04-01", 10, DAYS, pause("2026-04-13", "2026-04-17")) == "2026-04-20"
    assert due_on("2026-04-01", 10, DAYS, pause("2026-04-14", "2026-04-17")) == "2026-04-13"


def test_a_pause_on_the_due_day_moves_it_and_one_on_the_day_after_does_not():
    for unit, amount in ((WORKING, 5), (DAYS, 7)):
        assert due_on("2026-04-10", amount, unit) == "2026-04-17"
        assert due_on("2026-04-10", amount, unit, pause("2026-04-17", "2026-04-17")) > "2026-04-17"
        assert due_on("2026-04-10", amount, unit, pause("2026-04-18", "2026-04-30")) == "2026-04-17"


def test_a_pause_that_began_with_or_before_the_period_takes_only_the_days_inside():
    early = pause("2026-04-06", "2026-04-13")
    assert due_on("2026-04-10", 5, WORKING, early) == "2026-04-20"
    assert due_on("2026-04-10", 7, DAYS, early) == "2026-04-20"
    assert due_on("2026-04-10", 7, DAYS, pause("2026-04-10", "2026-04-10")) == "2026-04-17"


def test_hours_leave_out_exactly_the_time_of_the_pause():
    start, hours = seoul("2026-04-10T10:00"), Target(24, HOURS)
    held = Pause(seoul("2026-04-10T18:00"), date(2026, 4, 10), "away")
    assert due_at(korean_days(), start, hours, [held]) == seoul("2026-04-11T16:00")
    early = Pause(held.began_at, held.until, "away", seoul("2026-04-10T18:45"))
    assert due_at(korean_days(), start, hours, [early]) == seoul("2026-04-11T10:45")
    assert due_at(korean_days(), start, hours, [early, held]) == seoul("2026-04-11T16:00")
    after = Pause(seoul("2026-04-11T10:00"), date(2026, 4, 12), "away")
    assert due_at(korean_days(), start, hours, [after]) == seoul("2026-04-11T10:00")


def test_a_pause_ends_at_the_midnight_after_its_last_day_unless_resumed_before():
    assert pause("2026-04-14", "2026-04-20").ends_at == midnight(date(2026, 4, 21))
    assert pause("2026-04-14", "2026-04-20", "2026-04-16").ends_at == seoul("2026-04-16")
    assert pause("2026-04-14", "2026-04-20", "2026-04-25").ends_at == midnight(date(2026, 4, 21))


def test_a_day_that_was_set_stays_on_a_closed_day_unless_a_pause_moves_it():
    set_on, until = date(2026, 4, 6), date(2026, 4, 11)

    def moved(*pauses):
        return moved_by_pauses(korean_days(), set_on, until, pauses)

    assert moved() == until
    assert moved(pause("2026-04-01", "2026-04-06")) == until
    assert moved(pause("2026-04-07", "2026-04-07")) == date(2026, 4, 13)
    assert moved(pause("2026-04-12", "2026-04-20")) == until


# Against an independent count


TARGETS = sorted(
    {target for one in SHIPPED for target in (one.target, one.lapse_after) if target is not None}
    - {target for one in SHIPPED for target in (one.target,) if target.unit is HOURS},
    key=lambda target: (target.unit, target.amount),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: f"{t.amount} {t.unit}")
def test_every_start_from_2024_to_2035_agrees_with_an_independent_count(target):
    calendar = korean_days()
    for start in START_DAYS:
        counted = due_at(calendar, midnight(start), target)
        assert counted == end_of(last_day(start, target.amount, target.unit, frozenset())), start


def random_pauses(random: Random, start: date, span: float) -> list[Pause]:
    """Up to three pauses from shortly before to shortly after, some overlapping or resumed."""
    pauses = []
    for _ in range(random.randint(0, 3)):
        first = start + timedelta(days=random.randint(-5, int(span) + 8))
        until = first + timedelta(days=random.choice((0, 1, 2, 5, 12, 40)))
        began = midnight(first) + timedelta(seconds=random.randrange(86_400))
        resumed = began + timedelta(hours=random.randrange(0, 24 * 45))
        pauses.append(Pause(began, until, "away", random.choice((None, resumed))))
    return pauses


@pytest.mark.parametrize("unit", [WORKING, DAYS, MONTHS])
def test_any_amount_with_any_pauses_agrees_with_an_independent_count(unit):
    random, calendar = Random(f"pauses {unit}"), korean_days()
    amounts = {WORKING: (1, 40), DAYS: (1, 120), MONTHS: (1, 12)}[unit]
    for _ in range(3_000):
        start = random.choice(START_DAYS)
        began = midnight(start) + timedelta(seconds=random.randrange(86_400))
        amount = random.randint(*amounts)
        pauses = random_pauses(random, start, amount * {WORKING: 7 / 5, DAYS: 1, MONTHS: 30}[unit])
        out = frozenset(
            first + timedelta(days=n)
            for first, after in (
                (day_in_seoul(p.began_at), day_in_seoul(p.ends_at)) for p in pauses
            )
            for n in range((after - first).days)
        )
        counted = due_at(calendar, began, Target(amount, unit), pauses)
        assert counted == end_of(last_day(start, amount, unit, frozenset(out))), (
            start,
            amount,
            pauses,
        )


def test_hours_with_any_pauses_agree_with_an_independent_count():
    random, calendar = Random("hours"), korean_days()
    for _ in range(1_000):
        start = random.choice(START_DAYS)
        began = midnight(start) + timedelta(seconds=random.randrange(86_400))
        hours, pauses = random.randint(1, 72), random_pauses(random, start, 4)
        pauses = [p for p in pauses if p.ends_at > p.began_at]
        counted = due_at(calendar, began, Target(hours, HOURS), pauses)
        spans = [(p.began_at, p.ends_at) for p in pauses]
        assert counted == hours_later(began, hours, spans), (began, hours, pauses)


# Why this date


def left_out(start: str, amount: int, unit: Unit, *pauses: Pause) -> list[tuple[str, str]]:
    """The days left out, as month-day and why."""
    target = Target(amount, unit)
    due = due_at(korean_days(), seoul(start), target, pauses)
    found = days_left_out(korean_days(), seoul(start), due, target, pauses)
    return [(f"{day:%m-%d}", why) for day, why in found]


def test_every_day_left_out_of_working_days_is_named():
    chuseok = [name for day, name in left_out("2026-09-22", 3, WORKING)]
    days = [day for day, _ in left_out("2026-09-22", 3, WORKING)]
    assert days == ["09-24", "09-25", "09-26", "09-27"]
    assert chuseok[-1] == "sunday"
    assert "saturday" not in chuseok  # the holiday that falls on it is the better reason


def test_a_period_of_days_names_closed_days_only_where_it_rolled():
    assert left_out("2026-04-01", 10, DAYS) == [("04-11", "saturday"), ("04-12", "sunday")]
    assert left_out("2026-04-01", 9, DAYS) == []
    assert [day for day, _ in left_out("2026-04-17", 3, MONTHS)] == ["07-17", "07-18", "07-19"]


def test_paused_days_are_named_with_their_reason():
    held = pause("2026-04-12", "2026-04-13")
    assert left_out("2026-04-01", 10, DAYS, held) == [
        ("04-11", "saturday"),
        ("04-12", "paused: hospitalised"),
        ("04-13", "paused: hospitalised"),
    ]
    away = pause("2026-04-03", "2026-04-04", reason="away")
    assert left_out("2026-04-01", 3, WORKING, away) == [
        ("04-03", "paused: away"),
        ("04-04", "paused: away"),
        ("04-05", "sunday"),
    ]


def test_the_days_between_start_and_due_are_counted_or_named():
    random = Random("explain")
    for _ in range(500):
        start = random.choice(START_DAYS)
        pauses = random_pauses(random, start, 30)
        target = Target(random.randint(1, 30), random.choice((WORKING, DAYS)))
        due = due_at(korean_days(), midnight(start), target, pauses)
        named = days_left_out(korean_days(), midnight(start), due, target, pauses)
        assert (due.date() - start).days - len(named) == target.amount
        assert [day for day, _ in named] == sorted({day for day, _ in named})


def test_the_holidays_of_a_year_are_its_own_from_the_first_day_to_the_last():
    days = {date(2025, 12, 31): "a", date(2026, 12, 31): "c", date(2026, 1, 1): "b"}
    calendar = WorkingCalendar(days | {date(2027, 1, 1): "d"})
    found = list(calendar.holidays_in(2026).items())
    assert found == [(date(2026, 1, 1), "b"), (date(2026, 12, 31), "c")]
