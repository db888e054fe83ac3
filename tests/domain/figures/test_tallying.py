"""Cells added up, shown to the city as published, and compared with what was frozen."""

from collections import Counter
from uuid import UUID

import pytest

from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.domain.figures.figures import Figure
from casework.domain.figures.summaries import summary, summary_for_city
from casework.domain.figures.tallying import (
    PEOPLE,
    PEOPLE_BY_BOTH,
    PEOPLE_BY_FIELD,
    PEOPLE_BY_PROVIDER,
    Cell,
    FigureLine,
    cell_of,
    cells_of,
    corrections,
    filtered,
    grouped,
    people_by,
)

AS_STORED = UUID("01890000-0000-7000-8000-000000000001")
APPLIED = FigureLine(Figure.APPLICATIONS)


def answered(figure, days, count=1, **more):
    of = {"kind": ClockKind.RESPONSE, "held_by": Part.PROVIDER} | more
    return Counter({Cell(figure, days=days, **of): count})


def lines(**counts):
    """What is shown of the clocks of an answer, each holder's counts by figure."""
    return Counter(
        {
            FigureLine(figure, kind=ClockKind.RESPONSE, held_by=Part.PROVIDER): count
            for figure, count in counts.items()
        }
    )


@pytest.mark.parametrize(
    ("late", "share"), [(0, None), (5, round(90 / 95, 2)), (10, round(90 / 100, 2))]
)
def test_a_share_is_hidden_with_either_of_the_counts_that_it_joins(late, share):
    shown = summary_for_city(lines(on_time=90, late=late))
    (row,), (holder,) = shown["clocks"], shown["holders"]
    assert (row["on_time"], row["late"]) == (90, late or None)
    assert (row["on_time_share"], holder["on_time_share"]) == (share, share)
    for name in ("median_working_days", "p90_working_days"):
        assert row[name] is holder[name] is None, name


def test_a_holder_s_share_is_hidden_with_any_of_its_clocks():
    counts = {
        (ClockKind.SURVEY, Figure.ON_TIME): 50, (ClockKind.SURVEY, Figure.LATE): 10,
        (ClockKind.PLAN, Figure.ON_TIME): 50,
    }  # fmt: skip
    of_lines = Counter(
        {
            FigureLine(figure, kind=kind, held_by=Part.WORKER): count
            for (kind, figure), count in counts.items()
        }
    )
    shown = summary_for_city(of_lines)
    assert [one["on_time_share"] is None for one in shown["clocks"]] == [True, False]
    assert shown["holders"][0]["on_time_share"] is None


@pytest.mark.parametrize(("on_time", "is_shown"), [(10, False), (15, True), (20, True)])
def test_for_the_city_a_share_is_of_twenty_clocks(on_time, is_shown):
    (row,) = summary_for_city(lines(on_time=on_time, late=5))["clocks"]
    assert (row["on_time_share"] is not None) == is_shown


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


def test_for_the_city_a_part_that_is_not_counted_is_none_like_one_that_is_not_shown():
    cells = Counter({Cell(Figure.APPLICATIONS): 5, Cell(PEOPLE): 4})
    shown = summary_for_city(Counter({APPLIED: 5}))
    assert (shown["applications"], shown["people_served"]) == (5, None)
    assert shown["plans"] == {"submitted": None, "approved": None, "returned": None}
    assert summary_for_city(Counter())["applications"] is None
    assert summary(cells)["plans"] == {"submitted": 0, "approved": 0, "returned": 0}
    assert summary(cells, leave_out=["applications"])["applications"] is None


def test_for_the_city_what_shows_nothing_has_no_row():
    cells = answered(Figure.LATE, 3, 2)
    assert summary_for_city(Counter())["clocks"] == []
    assert summary_for_city(Counter())["holders"] == []
    assert len(summary(cells)["clocks"]) == 1


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


def test_cells_that_are_read_one_after_the_other_are_those_that_are_read_each_for_itself():
    names = ("provider", "field", "kind", "status", "days")
    rows = [
        (AS_STORED, "housing", None, "requested", None),
        (None, None, "response", None, 0),
        (AS_STORED, "housing", "response", None, 12),
    ]
    read = cells_of(names)
    for row in rows:
        facts = dict(zip(names, row, strict=True))
        facts["provider"] = facts["provider"] and str(facts["provider"])
        one = read("late", "2026-03", row)
        assert one == cell_of("late", facts | {"month": "2026-03"})
        assert one.field is None or isinstance(one.field, CareField)


def test_a_code_that_is_none_is_refused_where_cells_are_read():
    with pytest.raises(ValueError, match="no such field"):
        cells_of(("field",))("late", None, ("no such field",))
