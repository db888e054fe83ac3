"""What the city is shown: multiples of five that add up, and leave four values open or more."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import product

import pytest

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField
from casework.domain.figures.disclosure import STEP, lines_told, name_of, publish, stepped
from casework.domain.figures.figures import Figure
from casework.domain.figures.tallying import PEOPLE, PEOPLE_BY_FIELD, Cell, FigureLine, lines_of

DRAWS = range(STEP)
APPLIED = FigureLine(Figure.APPLICATIONS)


def draw(name: str) -> int:
    return sha256(name.encode()).digest()[0] % STEP


@pytest.mark.parametrize("count", range(40))
def test_a_count_is_one_of_the_two_multiples_around_it_and_on_average_itself(count: int) -> None:
    shown = [stepped(count, drawn) for drawn in DRAWS]
    assert set(shown) <= {count // STEP * STEP, (count // STEP + 1) * STEP}
    assert sum(shown) / len(shown) == count


def possible(readings: set[int]) -> set[int]:
    """The counts that may be behind what was shown of one cell, by whatever draw each time."""
    return {
        count
        for count in range(100)
        if all(shown in {stepped(count, drawn) for drawn in DRAWS} for shown in readings)
    }


@pytest.mark.parametrize("count", range(40))
def test_four_values_stay_open_whatever_was_drawn_and_however_often(count: int) -> None:
    for times in (1, 2, 3):
        for drawn in product(DRAWS, repeat=times):
            readings = {stepped(count, one) for one in drawn}
            assert count in possible(readings)
            assert len(possible(readings)) >= 4, (count, readings)


def test_where_it_is_known_whether_it_is_under_five_four_stay_open_too() -> None:
    for count, drawn in product(range(20), DRAWS):
        found = possible({stepped(count, drawn)})
        same = {one for one in found if (one < STEP) == (count < STEP)}
        assert len(same) >= 4, (count, drawn, same)


def test_the_control_to_the_nearest_five_leaves_three_of_a_small_count() -> None:
    assert len([one for one in range(100) if round(one / STEP) * STEP == 0]) == 3


def a_city() -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for n, (month, district, agency, status) in enumerate(
        product(("2026-03", "2026-04"), ("26110", "26350"), ("a", "b"), ReferralStatus)
    ):
        found[
            Cell(
                Figure.REFERRALS, month=month, district=district, centre=f"{district}{n % 3}",
                provider=agency, field=CareField.CARE, status=status,
            )
        ] = n % 11  # fmt: skip
    return found


def test_every_sum_is_the_sum_of_its_parts() -> None:
    shown = publish(a_city(), draw)
    whole = lines_of(shown)
    for name in ("month", "district", "provider", "field"):
        parts: Counter[FigureLine] = Counter()
        for value in {getattr(cell, name) for cell in shown}:
            parts += lines_of(
                Counter({c: n for c, n in shown.items() if getattr(c, name) == value})
            )
        assert parts == whole, name
    assert all(count % STEP == 0 for count in shown.values())


def test_the_centre_and_the_days_of_a_cell_are_no_cells_of_their_own() -> None:
    of = Cell(Figure.ON_TIME, month="2026-03", district="26110")
    cells = Counter({of._replace(centre="1", days=3): 7, of._replace(centre="2", days=4): 3})
    assert publish(cells, lambda _: 0) == Counter({of: 10})


def test_what_is_part_of_other_counts_is_not_published() -> None:
    cells = Counter({Cell(Figure.ENTERED_LATE): 50, Cell(PEOPLE_BY_FIELD): 50, Cell(PEOPLE): 50})
    assert publish(cells, draw) == Counter({Cell(PEOPLE): 50})


def test_every_cell_has_a_name_of_its_own() -> None:
    cells = [*a_city(), Cell("x", field=CareField.CARE), Cell("x", provider="care")]
    assert len({name_of(one) for one in cells}) == len(cells)


def shown_of(count: int, drawn: int) -> int:
    """What an answer of one month and one district shows of its applications; 0 is nothing."""
    cells = Counter({Cell(Figure.APPLICATIONS, month="2026-03", district="26110"): count})
    return lines_told(publish(cells, lambda _: drawn), is_one_cell=True)[APPLIED]


@pytest.mark.parametrize("drawn", DRAWS)
def test_of_one_month_and_district_a_count_of_one_cell_is_not_shown_under_five(drawn: int) -> None:
    assert {shown_of(count, drawn) for count in range(STEP)} == {0}
    cells = Counter({Cell(Figure.APPLICATIONS, month="2026-03", district="26110"): 4})
    whole = lines_told(publish(cells, lambda _: drawn), is_one_cell=False)
    assert whole[APPLIED] == stepped(4, drawn), "in a sum it counts as it is published"


def test_when_a_number_appears_tells_no_count() -> None:
    """While people come one by one, the same is asked again and again."""
    appears = {min(n for n in range(20) if shown_of(n, drawn)) for drawn in DRAWS}
    assert len(appears) >= 4
    by_the_count = {min(n for n in range(20) if n >= STEP and stepped(n, d)) for d in DRAWS}
    assert by_the_count == {STEP}, "the control: hidden by the count itself, it is five right then"
