"""What the city is shown: published cells, and sums of them.

A cell is a count by everything that it is of but the centre: month, district, agency, field, clock
and so on. It is published as one of the two multiples of five that it lies between, by a draw that
is always the same for that cell, so that on average nothing is added or lost. Every answer, of any
period and group, is a sum of published cells. So whatever is asked, and put together, says no more
than the published cells do, and each of those leaves four values open at the least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from casework.domain.figures.figures import Figure
from casework.domain.figures.same_events import as_told
from casework.domain.figures.tallying import PEOPLE, Cell, Cells, Lines, lines_of

STEP: Final = 5
# Of these a month and a district have one cell each.
_ONE_A_DISTRICT: Final = frozenset(
    {
        Figure.APPLICATIONS,
        Figure.PLANS_APPROVED,
        Figure.PLANS_RETURNED,
        PEOPLE,
    }
)
# A number from 0 to 4, by the text that names a cell: always the same, and known to nobody.
Draw = Callable[[str], int]


def lines_told(shown: Cells, *, is_one_cell: bool) -> Lines:
    """What an answer of published cells shows; nothing of what shows nothing.

    Where it is of one month and one district, a count that has one cell there shows nothing either
    before it is published as ten: a published five may be fewer. It goes by what is published
    alone. By the count itself, the moment at which a number appears would tell it.
    """
    lines = lines_of(shown)
    if is_one_cell:
        for line in list(lines):
            if line.figure in _ONE_A_DISTRICT and lines[line] <= STEP:
                del lines[line]
    return lines


def publish(cells: Cells, draw: Draw) -> Cells:
    """Each cell that the city is told, as the multiple of five that it is drawn to."""
    whole: Cells = Counter()
    for cell, count in cells.items():
        told = as_told(cell)
        if told is not None:
            whole[told] += count
    shown = {cell: stepped(count, draw(name_of(cell))) for cell, count in whole.items()}
    return Counter({cell: count for cell, count in shown.items() if count})


def stepped(count: int, drawn: int) -> int:
    """The multiple of five below a count, or above it in as many of five draws as it is beyond."""
    return (count + drawn) // STEP * STEP


def name_of(cell: Cell) -> str:
    """The text that a cell is drawn by."""
    return "|".join("" if one is None else str(one) for one in cell)
