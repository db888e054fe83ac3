"""Entries of cases add up to what counts in any period, as a count of each day says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

import pytest

from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import midnight
from casework.domain.figures import entries
from casework.domain.figures.entries import Entries, Entry, Served, Way
from casework.domain.figures.figures import Figure, Month, Period, state_on
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import PEOPLE, Cell, Cells
from casework.domain.figures.terms import (
    added_up,
    always,
    coarsened,
    of_question,
    people_by_month,
    told_by,
)

BEGAN, TODAY = date(2026, 1, 1), date(2026, 4, 20)
ENDS = (date(2026, 2, 3), date(2026, 3, 31), TODAY - timedelta(days=1), TODAY, date(2026, 4, 30))
BEGINS = (BEGAN, date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 3))
HERE = Cell("", district="26350", centre="2635051000", field=None, provider="alpha")


@dataclass
class Sent:
    """A referral, as far as its state follows from it."""

    sent_on: date
    status: ReferralStatus
    started_on: date | None = None
    accepted_at: datetime | None = None
    answered_on: date | None = None
    answered_at: datetime | None = None
    ended_on: date | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def any_referral(rng: Random) -> Sent:
    """Acts in any order of dates, some of them recorded later than they were done."""
    days = [BEGAN + timedelta(days=rng.randrange(100)) for _ in range(5)]
    if rng.random() < 0.7:
        days.sort()
    sent, answered, accepted, started, ended = days
    one = Sent(sent, rng.choice([s for s in ReferralStatus if s != ReferralStatus.DRAFT]))
    if rng.random() < 0.8:
        one.answered_at, one.answered_on = midnight(answered), answered - timedelta(days=1)
    if one.answered_at and rng.random() < 0.6:
        one.accepted_at = rng.choice((one.answered_at, midnight(accepted)))
        one.started_on = started if rng.random() < 0.7 else None
    if not one.is_open:
        one.ended_at = midnight(ended)
        one.ended_on = ended - timedelta(days=2) if rng.random() < 0.5 else None
    return one


def questions(rng: Random) -> list[Question]:
    """Periods of months and parts of them, over and not, by month too."""
    periods = [Period(since, until) for since in BEGINS for until in ENDS]
    return [
        Question(period=one, by=by)
        for one in rng.sample(periods, 8)
        for by in (None, "month")
    ]  # fmt: skip


def told(kept: Entries, question: Question, *people: str) -> Cells:
    terms = [*of_question(question, people, TODAY), *people_by_month(question, people)]
    return Counter({cell: n for cell, n in added_up(kept, terms).items() if n})


@pytest.mark.parametrize("seed", range(12))
def test_a_referral_counts_in_the_state_that_the_end_of_a_period_gives(seed: int) -> None:
    rng = Random(seed)
    sent = [any_referral(rng) for _ in range(60)]
    kept: Entries = Counter()
    for one in sent:
        for entry, times in entries.of_referral(one, one.sent_on, Cell(Figure.REFERRALS)):
            kept[entry] += times
    for question in questions(rng):
        expected: Cells = Counter()
        for one in sent:
            if not question.period.since <= one.sent_on <= question.period.until:
                continue
            month = Month.of(one.sent_on) if question.by == "month" else None
            within = question.period.within(month) if month else question.period
            state = ReferralStatus(state_on(one, within.until, TODAY))
            of = str(month) if month else None
            expected[Cell(Figure.REFERRALS, month=of, status=state)] += 1
        assert told(kept, question) == expected, question


def any_services(rng: Random) -> list[Served]:
    found = []
    for _ in range(rng.randrange(1, 5)):
        began = BEGAN + timedelta(days=rng.randrange(110))
        ended = began + timedelta(days=rng.choice((0, 1, 5, 30, 60)))
        cell = HERE._replace(centre=rng.choice(("2635051000", "2635052000")))
        found.append(Served(cell, began, None if rng.random() < 0.2 else ended))
    return found


def count_people(residents: list[list[Served]], period: Period, month: str | None) -> Cells:
    """Everybody who was served on some day of a period, once in each centre."""
    found: Cells = Counter()
    for services in residents:
        centres = {
            one.cell.centre
            for one in services
            if one.began_on <= period.until
            and (one.ended_on is None or one.ended_on >= period.since)
        }
        for centre in centres:
            found[Cell(PEOPLE, month=month, district="26350", centre=centre)] += 1
    return found


def check_people(rng: Random) -> None:
    residents = [any_services(rng) for _ in range(40)]
    kept: Entries = Counter()
    for services in residents:
        for entry, times in entries.of_services(services):
            kept[entry] += times
    for question in questions(rng):
        expected = count_people(residents, question.period, None)
        for month in question.period.months() if question.by == "month" else ():
            expected += count_people(residents, question.period.within(month), str(month))
        assert told(kept, question, PEOPLE) == expected, question


def check_many() -> None:
    for seed in range(12):
        check_people(Random(seed))


@pytest.mark.parametrize("seed", range(12))
def test_people_count_once_whatever_came_before_and_after(seed: int) -> None:
    check_people(Random(seed))


def test_that_check_finds_who_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: who leaves for some days is counted as somebody new."""

    def apart(cell: Cell, times: list[tuple[date, date]]) -> list[tuple[Entry, int]]:
        found = []
        for began, ended in times:
            found.append((Entry(Way.FIRST, cell, began), 1))
            if ended != date.max:
                found.append((Entry(Way.PAUSE, cell, ended), -1))
        return found

    monkeypatch.setattr(entries, "_of_times", apart)
    with pytest.raises(AssertionError):
        check_many()


def test_of_causes_the_one_named_last_in_the_period_counts() -> None:
    days = [date(2026, 1, 20), date(2026, 2, 3), date(2026, 2, 3), date(2026, 3, 2)]
    cells = [Cell(Figure.CAUSES, cause=cause) for cause in ("staff", "away", "other", "staff")]
    kept: Entries = Counter()
    for entry, times in entries.of_reviews(list(zip(days, cells, strict=True))):
        kept[entry] += times
    for since, until, cause in (
        (days[0], days[0], "staff"),
        (BEGAN, date(2026, 2, 2), "staff"),
        (BEGAN, date(2026, 2, 28), "other"),
        (date(2026, 2, 1), TODAY, "staff"),
        (date(2026, 1, 1), date(2026, 1, 19), None),
        (date(2026, 3, 3), TODAY, None),
    ):
        found = told(kept, Question(period=Period(since, until)))
        assert found == ({Cell(Figure.CAUSES, cause=cause): 1} if cause else {}), (since, until)
    by_month = told(kept, Question(period=Period(BEGAN, TODAY), by="month"))
    assert {(cell.month, cell.cause): n for cell, n in by_month.items()} == {
        ("2026-01", "staff"): 1, ("2026-02", "other"): 1, ("2026-03", "staff"): 1,
    }  # fmt: skip


@pytest.mark.parametrize(("days", "is_overdue"), [(-1, True), (0, False), (1, False)])
def test_a_clock_is_overdue_from_the_day_after_the_one_it_is_due(
    days: int, is_overdue: bool
) -> None:
    """What is overdue since some hour of today is looked up, and is no sum of days."""
    entry = Entry(Way.RUNS, Cell(Figure.RUNNING), TODAY + timedelta(days=days))
    found = told(Counter({entry: 1}), Question(period=Period(BEGAN, BEGAN)))
    assert found == {Cell(Figure.RUNNING): 1} | ({Cell(Figure.OVERDUE): 1} if is_overdue else {})


def test_what_a_cell_does_not_say_is_added_up() -> None:
    one = Cell("late", month="2026-03", district="26350", centre="a", days=3)
    cells: Cells = Counter({one: 2, one._replace(centre="b"): 3, one._replace(days=4): 1})
    bare = Cell("late", month="2026-03", days=3)
    assert coarsened(cells, always("days")) == {bare: 5, bare._replace(days=4): 1}


@pytest.mark.parametrize(
    ("figure", "by", "says"),
    [
        (Figure.ON_TIME, None, {"kind", "held_by", "days"}),
        (Figure.EXCUSED, None, {"kind", "held_by"}),
        (Figure.RUNNING, "provider", {"kind", "held_by", "provider"}),
        (Figure.REFERRALS, "centre", {"field", "status", "centre"}),
        (Figure.CAUSES, "month", {"cause", "district"}),
        (Figure.LATE, "field", {"kind", "held_by", "days", "field"}),
        (Figure.APPLICATIONS, None, set()),
    ],
)
def test_a_cell_says_what_the_lines_of_its_figure_say_and_what_groups_are_of(
    figure: Figure, by: str | None, says: set[str]
) -> None:
    assert set(told_by(Question(period=Period(BEGAN, BEGAN), by=by))(figure)) == says
