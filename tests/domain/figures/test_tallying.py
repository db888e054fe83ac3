"""Cells added up, hidden where too few, and compared with what was frozen."""

from collections import Counter
from random import Random

import pytest

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.domain.figures.figures import Figure
from casework.domain.figures.tallying import (
    PEOPLE,
    PEOPLE_BY_BOTH,
    PEOPLE_BY_FIELD,
    PEOPLE_BY_PROVIDER,
    SMALLEST_SHOWN,
    Cell,
    FigureLine,
    corrections,
    filtered,
    grouped,
    hidden,
    people_by,
    summary,
    suppressed,
)

APPLIED = FigureLine(Figure.APPLICATIONS)


def answered(figure, days, count=1, **more):
    of = {"kind": ClockKind.RESPONSE, "held_by": Part.PROVIDER} | more
    return Counter({Cell(figure, days=days, **of): count})


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({}, {}),
        ({"a": 5, "b": 6}, {"a": 5, "b": 5}),
        ({"a": 7, "b": 8}, {"a": 5, "b": 10}),
        ({"a": 4}, {"a": None}),
        ({"a": 0, "b": 9}, {"a": None, "b": None}),
        ({"a": 4, "b": 5, "c": 9}, {"a": None, "b": None, "c": 10}),
        ({"a": 1, "b": 2, "c": 9, "d": 8}, {"a": None, "b": None, "c": 10, "d": None}),
        ({"a": 2, "b": 3, "c": 9}, {"a": None, "b": None, "c": 10}),
    ],
)
def test_what_is_under_five_is_hidden_and_cannot_be_reckoned_from_a_total(counts, shown):
    assert suppressed(counts) == shown


def test_whatever_is_hidden_is_hidden_with_another_and_five_in_all():
    rng = Random(2)
    for _ in range(500):
        counts = {n: rng.randrange(12) for n in range(rng.randrange(1, 8))}
        shown = suppressed(counts)
        out = [counts[key] for key, count in shown.items() if count is None]
        assert all(count is None or count >= SMALLEST_SHOWN for count in shown.values())
        if out and len(out) < len(counts):
            assert len(out) > 1
            assert sum(out) >= SMALLEST_SHOWN


def test_in_a_table_it_is_hidden_along_and_down():
    lines = {
        n: FigureLine(Figure.REFERRALS, field=CareField.CARE, status=n)
        for n in (ReferralStatus.ACCEPTED, ReferralStatus.LAPSED)
    }
    tables = {
        "north": Counter({lines[ReferralStatus.ACCEPTED]: 20, lines[ReferralStatus.LAPSED]: 3}),
        "south": Counter({lines[ReferralStatus.ACCEPTED]: 30, lines[ReferralStatus.LAPSED]: 8}),
        "west": Counter({lines[ReferralStatus.ACCEPTED]: 40, lines[ReferralStatus.LAPSED]: 9}),
    }
    found = hidden(tables)
    assert found == {
        (place, line) for place in ("north", "south") for line in lines.values()
    }  # fmt: skip


@pytest.mark.parametrize("late", range(8))
def test_a_share_is_hidden_with_either_of_the_counts_that_it_joins(late: int):
    cells = answered(Figure.ON_TIME, 1, 88) + answered(Figure.LATE, 9, late)
    shown = summary(cells, hide=lambda line: False)
    (row,), (holder,) = shown["clocks"], shown["holders"]
    times = ("on_time_share", "median_working_days", "p90_working_days")
    assert (row["on_time"], row["late"]) == (90, None if late < 5 else 5)
    for name in times:
        assert (row[name] is None, holder[name] is None) == (late < 5, late < 5), name
    if late >= 5:
        assert row["on_time_share"] == holder["on_time_share"] == round(90 / 95, 2)


def test_a_holder_s_share_is_hidden_with_any_of_its_clocks():
    cells = Counter(
        {
            Cell(figure, kind=kind, held_by=Part.WORKER, days=1): count
            for kind, figure, count in (
                (ClockKind.SURVEY, Figure.ON_TIME, 50), (ClockKind.SURVEY, Figure.LATE, 9),
                (ClockKind.PLAN, Figure.ON_TIME, 50), (ClockKind.PLAN, Figure.LATE, 2),
            )
        }
    )  # fmt: skip
    shown = summary(cells, hide=lambda line: False)
    assert [one["on_time_share"] is None for one in shown["clocks"]] == [True, False]
    assert shown["holders"][0]["on_time_share"] is None


def test_medians_of_a_whole_come_from_the_cells_of_its_parts():
    cells = answered(Figure.ON_TIME, 1, 2, centre="a") + answered(Figure.LATE, 9, 1, centre="b")
    cells += answered(Figure.EXCUSED, 40, 1, centre="b") + answered(Figure.CANCELLED_LATE, 50)
    (row,) = summary(cells)["clocks"]
    assert (row["ended"], row["on_time"], row["late"]) == (3, 2, 1)
    assert (row["excused"], row["cancelled_late"]) == (1, 1)
    assert (row["on_time_share"], row["median_working_days"], row["p90_working_days"]) == (
        0.6667, 1, 9,
    )  # fmt: skip
    (far,) = summary(grouped(cells, "centre")["b"])["clocks"]
    assert (far["on_time_share"], far["median_working_days"]) == (0.0, 9)
    (holder,) = summary(cells)["holders"]
    assert (holder["ended"], holder["working_days"]) == (3, 11)


def test_what_never_ended_has_no_share_and_no_time():
    (row,) = summary(answered(Figure.RUNNING, None, 3))["clocks"]
    assert row["running"] == 3
    assert row["on_time_share"] is row["median_working_days"] is row["p90_working_days"] is None


def test_for_the_city_a_part_that_is_not_counted_is_none_like_one_under_five():
    cells = Counter({Cell(Figure.APPLICATIONS): 5, Cell(PEOPLE): 4})
    shown = summary(cells, hide=lambda line: False)
    assert (shown["applications"], shown["people_served"]) == (5, None)
    assert shown["plans"] == {"submitted": None, "approved": None, "returned": None}
    assert summary(cells, hide=lambda line: line == APPLIED)["applications"] is None
    assert summary(cells)["plans"] == {"submitted": 0, "approved": 0, "returned": 0}
    assert summary(cells, leave_out=["applications"])["applications"] is None


def test_for_the_city_times_of_fewer_than_five_are_hidden():
    for count, share in ((4, None), (5, 0.5)):
        cells = answered(Figure.ON_TIME, 2, count) + answered(Figure.LATE, 2, count)
        (row,) = summary(cells, hide=lambda line: False)["clocks"]
        assert row["on_time_share"] == share
        assert row["median_working_days"] == (None if share is None else 2)


def test_people_are_added_up_by_place_and_never_by_field():
    assert people_by(field=False, provider=False) == PEOPLE
    assert people_by(field=True, provider=False) == PEOPLE_BY_FIELD
    assert people_by(field=False, provider=True) == PEOPLE_BY_PROVIDER
    assert people_by(field=True, provider=True) == PEOPLE_BY_BOTH
    cells = Counter(
        {
            Cell(PEOPLE, centre="a"): 3,
            Cell(PEOPLE, centre="b"): 2,
            Cell(PEOPLE_BY_FIELD, centre="a", field=CareField.CARE): 3,
            Cell(PEOPLE_BY_FIELD, centre="a", field=CareField.MEDICAL): 2,
        }
    )
    assert summary(cells)["people_served"] == 5
    by_field = grouped(cells, "field")
    assert summary(by_field[CareField.MEDICAL], people=PEOPLE_BY_FIELD)["people_served"] == 2


def test_what_is_kept_is_of_all_that_is_named():
    cells = Counter({Cell("x", centre="a", field=CareField.CARE): 1, Cell("x", centre="a"): 2})
    assert filtered(cells, centre="a", field=None) == cells
    assert list(filtered(cells, centre="a", field=CareField.CARE).values()) == [1]
    assert filtered(cells, centre="b") == Counter()


def test_a_correction_says_what_was_frozen_what_is_now_and_the_difference():
    frozen = answered(Figure.LATE, 3, 2) + answered(Figure.ON_TIME, 1, 4)
    now = answered(Figure.LATE, 3, 1) + answered(Figure.ON_TIME, 2, 4)
    now += Counter({Cell(Figure.APPLICATIONS, centre="a"): 1})
    assert corrections(frozen, now) == [
        {"figure": "applications", "frozen": 0, "now": 1, "difference": 1},
        {"figure": "late", "kind": "response", "held_by": "provider",
         "frozen": 2, "now": 1, "difference": -1},
    ]  # fmt: skip
    assert corrections(now, now) == []
