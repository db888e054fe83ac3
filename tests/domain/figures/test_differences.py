"""Two answers to the city do not tell by their difference what is hidden in a third."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise, product
from random import Random
from typing import Any

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField
from casework.domain.figures.figures import Figure
from casework.domain.figures.tallying import (
    Cell,
    Cells,
    FigureLine,
    filtered,
    grouped,
    hidden,
    lines_of,
    summary,
)

MONTHS = tuple(f"2026-{n:02}" for n in range(1, 6))
DISTRICTS, AGENCIES = ("26110", "26350", "26440"), ("one", "two", "three")
LINE = FigureLine(Figure.REFERRALS, field=CareField.CARE, status=ReferralStatus.REQUESTED)
# Which months, which district and which agency an answer is of; None is all of them.
About = tuple[tuple[str, ...], str | None, str | None]


def a_city(seed: int) -> Cells:
    """Referrals by month, district and agency, many of them few."""
    random = Random(seed)
    return Counter(
        {
            Cell(LINE.figure, month=month, district=district, provider=agency,
                 field=LINE.field, status=LINE.status): random.choice((0, 1, 2, 3, 4, 5, 6, 9, 30))
            for month, district, agency in product(MONTHS, DISTRICTS, AGENCIES)
        }
    )  # fmt: skip


def answers(cells: Cells) -> Iterator[tuple[About, int | None]]:
    """Every answer that the city can ask for: any whole months, by district, by agency, of all."""
    for first, last in combinations(range(len(MONTHS) + 1), 2):
        months = MONTHS[first:last]
        of = Counter({cell: n for cell, n in cells.items() if cell.month in months})
        for by in ("district", "provider"):
            tables = grouped(of, by)
            few = hidden({key: lines_of(one) for key, one in tables.items()}, lines_of(of))
            for key, one in [(None, of), *tables.items()]:
                mine = {line for group, line in few if group == key}
                (row,) = summary(one, hide=mine.__contains__)["referrals"]
                district, agency = (key, None) if by == "district" else (None, key)
                yield (months, district, agency), row["count"]


def truth(cells: Cells, about: About) -> int:
    months, district, agency = about
    of = filtered(cells, district=district, provider=agency)
    return sum(n for cell, n in of.items() if cell.month in months)


def within(shown: int) -> range:
    """What a reader knows of a count that is shown."""
    return range(max(5, shown - 2), shown + 3)


def difference(whole: About, part: About) -> About | None:
    """What is left of an answer without another, where that is an answer as well."""
    (months, *where), (fewer, *there) = whole, part
    if where == there and set(fewer) < set(months):
        left = tuple(one for one in months if one not in fewer)
        is_one_piece = all(MONTHS.index(b) - MONTHS.index(a) == 1 for a, b in pairwise(left))
        return (left, where[0], where[1]) if is_one_piece else None
    return None


def pairs(cells: Cells) -> Iterator[tuple[About, About, About, int, int]]:
    """Two answers that are shown, and a third that is hidden and is their difference."""
    shown = dict(answers(cells))
    for (whole, most), (part, less) in product(shown.items(), shown.items()):
        third = difference(whole, part)
        if third is not None and most is not None and less is not None and shown[third] is None:
            yield whole, part, third, most, less


def test_no_pair_of_answers_tells_a_hidden_count() -> None:
    tried = 0
    for seed in range(40):
        cells = a_city(seed)
        for whole, part, third, most, less in pairs(cells):
            possible = {one - other for one in within(most) for other in within(less)}
            possible = {one for one in possible if one >= 0}
            assert truth(cells, third) in possible
            assert len(possible) > 2, (whole, part, third)
            assert len(possible & set(range(5))) != 1, (whole, part, third)
            tried += 1
    assert tried > 100


def test_exact_counts_would_tell_it() -> None:
    """The same search finds what it looks for where the answers are not rounded."""
    told = [
        third
        for seed in range(40)
        for cells in [a_city(seed)]
        for whole, part, third, _most, _less in pairs(cells)
        if truth(cells, whole) - truth(cells, part) == truth(cells, third) < 5
    ]
    assert told


def test_a_whole_less_its_other_parts_does_not_tell_a_district_or_an_agency() -> None:
    for seed in range(20):
        cells = a_city(seed)
        shown = dict(answers(cells))
        for of, names in ((1, DISTRICTS), (2, AGENCIES)):
            for months in {about[0] for about in shown}:
                parts: list[Any] = [
                    shown[(months, name, None) if of == 1 else (months, None, name)]
                    for name in names
                ]
                few = [one for one in parts if one is None]
                assert len(few) != 1, (seed, months, parts)
