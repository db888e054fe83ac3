"""Tallies: counts by place, time and subject; aggregation and comparison.

Everything that is counted is a number of cells, each with all that it is of. Adding cells up
gives every other figure, medians too, since a clock's cell has the working days it took.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, NamedTuple

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.domain.figures.figures import Figure

PEOPLE: Final = "people_served"
PEOPLE_BY_FIELD: Final = "people_by_field"
PEOPLE_BY_PROVIDER: Final = "people_by_provider"
PEOPLE_BY_BOTH: Final = "people_by_both"
ALL_PEOPLE: Final = (PEOPLE, PEOPLE_BY_FIELD, PEOPLE_BY_PROVIDER, PEOPLE_BY_BOTH)
# What cannot be counted by field or by agency: one application may lead to any.
OF_NO_FIELD: Final = frozenset({"applications", "plans"})
OF_NO_PROVIDER: Final = OF_NO_FIELD | {"unmet_needs"}


class Cell(NamedTuple):
    """What a count is of. ``days`` are the working days a clock took; None where it is no clock."""

    figure: str
    month: str | None = None
    district: str | None = None
    centre: str | None = None
    field: CareField | None = None
    provider: str | None = None
    kind: ClockKind | None = None
    held_by: Part | None = None
    status: ReferralStatus | None = None
    service: str | None = None
    reason: str | None = None
    cause: str | None = None
    days: int | None = None


# What a cell names by the member of an enumeration. A reason is of one of several lists, or says
# that nobody was asked; a cause is of the list of the reviews, which stand above the figures.
_CODED: Final[dict[str, type[StrEnum]]] = {
    "field": CareField,
    "kind": ClockKind,
    "held_by": Part,
    "status": ReferralStatus,
}
_READ: Final[dict[str, Callable[[Any], Any]]] = {**_CODED, "provider": str}


class _Read(dict[Any, Any]):
    """What values are read as, each of them once."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._read = read

    def __missing__(self, value: Any) -> Any:
        found = self[value] = self._read(value)
        return found


def cells_of(names: Sequence[str]) -> Callable[[str, str | None, Sequence[Any]], Cell]:
    """What makes cells of a figure, a month and what is named, in that order.

    For many of them: what the store has as plain text or as an id is read once.
    """
    at = [Cell._fields.index(name) for name in names]
    reads = [(n, _Read(_READ[name])) for n, name in enumerate(names) if name in _READ]
    blank: list[Any] = [None] * len(Cell._fields)

    def cell(figure: str, month: str | None, facts: Sequence[Any]) -> Cell:
        of = blank.copy()
        of[0], of[1] = figure, month
        for place, fact in zip(at, facts, strict=True):
            of[place] = fact
        for n, read in reads:
            of[at[n]] = read[facts[n]]
        return Cell._make(of)

    return cell


def cell_of(figure: str, facts: Mapping[str, Any]) -> Cell:
    """A cell of facts by name, whose codes may still be plain text, as the store has them."""
    coded = {
        name: kind(facts[name]) for name, kind in _CODED.items() if facts.get(name) is not None
    }
    return Cell(figure, **{**facts, **coded})


class FigureLine(NamedTuple):
    """A cell without its place, its time and its length: a line of an answer."""

    figure: str
    field: CareField | None = None
    kind: ClockKind | None = None
    held_by: Part | None = None
    status: ReferralStatus | None = None
    service: str | None = None
    reason: str | None = None
    cause: str | None = None


Cells = Counter[Cell]
Lines = Counter[FigureLine]
# A clock's line says its kind and holder, a served person's nothing: the rest is added up.
SAYS: Final[dict[str, tuple[str, ...]]] = {
    Figure.REFERRALS: ("field", "status"),
    Figure.CAUSES: ("cause",),
    Figure.UNMET_NEEDS: ("field", "service", "reason"),
    **dict.fromkeys(
        (
            Figure.ON_TIME,
            Figure.LATE,
            Figure.EXCUSED,
            Figure.CANCELLED_LATE,
            Figure.ENTERED_LATE,
            Figure.RUNNING,
            Figure.OVERDUE,
        ),
        ("kind", "held_by"),
    ),
}
# Figures whose lines say the field.
OF_A_FIELD: Final = frozenset(figure for figure, says in SAYS.items() if "field" in says)


def people_by(field: bool, provider: bool) -> str:
    """The figure that counts each person once for every field, every agency, or both."""
    if field and provider:
        return PEOPLE_BY_BOTH
    if field:
        return PEOPLE_BY_FIELD
    return PEOPLE_BY_PROVIDER if provider else PEOPLE


def is_people(cell: Cell) -> bool:
    """Whether a cell counts people, who are not added up over fields, agencies or months."""
    return cell.figure in ALL_PEOPLE


_Line = Callable[[Cell], FigureLine]


def _saying(says: Iterable[str]) -> _Line:
    """What makes the line of a cell that says so much. It is called for every cell of an answer."""
    places = [(FigureLine._fields.index(name), Cell._fields.index(name)) for name in says]
    blank: list[Any] = [None] * len(FigureLine._fields)

    def line(cell: Cell) -> FigureLine:
        of = blank.copy()
        of[0] = cell[0]
        for to, at in places:
            of[to] = cell[at]
        return FigureLine._make(of)

    return line


_SAYING: Final[dict[str, _Line]] = {figure: _saying(says) for figure, says in SAYS.items()}
_BARE: Final = _saying(())


def line_of(cell: Cell, people: str = PEOPLE) -> FigureLine | None:
    """The line of a cell; None for people who are counted by something else."""
    if is_people(cell):
        return FigureLine(PEOPLE) if cell.figure == people else None
    return _SAYING.get(cell.figure, _BARE)(cell)


def lines_of(cells: Cells, people: str = PEOPLE) -> Lines:
    """The cells added up to lines."""
    found: dict[FigureLine, int] = {}
    for cell, count in cells.items():
        line = line_of(cell, people)
        if line is not None:
            found[line] = found.get(line, 0) + count
    return Counter(found)


def filtered(cells: Cells, **given: str | None) -> Cells:
    """The cells that are of what is named; None names nothing."""
    filters = {name: value for name, value in given.items() if value is not None}
    return Counter(
        {
            cell: count
            for cell, count in cells.items()
            if all(getattr(cell, name) == value for name, value in filters.items())
        }
    )


def grouped(cells: Cells, by: str) -> dict[str | None, Cells]:
    """The cells by one thing that they are of."""
    found: dict[str | None, dict[Cell, int]] = defaultdict(dict)
    of = attrgetter(by)
    for cell, count in cells.items():
        found[of(cell)][cell] = count
    return {key: Counter(own) for key, own in found.items()}


def corrections(frozen: Cells, now: Cells, people: str = PEOPLE) -> list[dict[str, Any]]:
    """What a closed month would count today and did not, or the other way round, by line."""
    before, after = lines_of(frozen, people), lines_of(now, people)
    changed = sorted(
        (line for line in before.keys() | after.keys() if before[line] != after[line]),
        key=in_order,
    )
    return [
        {name: value for name, value in line._asdict().items() if value is not None}
        | {
            "frozen": before[line],
            "now": after[line],
            "difference": after[line] - before[line],
        }
        for line in changed
    ]


def in_order(line: FigureLine) -> tuple[str, ...]:
    """What lines are sorted by."""
    return tuple(value or "" for value in line)
