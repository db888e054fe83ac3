"""Tallies: counts by place, time and subject; aggregation, suppression, comparison.

Everything that is counted is a number of cells, each with all that it is of. Adding cells up
gives every other figure, medians too, since a clock's cell has the working days it took.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.domain.figures.figures import Figure, median_of, percentile_of

SHARE_DIGITS: Final = 4
CITY_SHARE_DIGITS: Final = 2
# For the city a share is of so many clocks that are shown.
CITY_SHARE_FROM: Final = 20
PEOPLE: Final = "people_served"
PEOPLE_BY_FIELD: Final = "people_by_field"
PEOPLE_BY_PROVIDER: Final = "people_by_provider"
PEOPLE_BY_BOTH: Final = "people_by_both"
ALL_PEOPLE: Final = (PEOPLE, PEOPLE_BY_FIELD, PEOPLE_BY_PROVIDER, PEOPLE_BY_BOTH)
# What cannot be counted by field or by agency: one application may lead to any.
OF_NO_FIELD: Final = frozenset({"applications", "plans"})
OF_NO_PROVIDER: Final = OF_NO_FIELD | {"unmet_needs"}
_PLANS: Final = (Figure.PLANS_SUBMITTED, Figure.PLANS_APPROVED, Figure.PLANS_RETURNED)


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
_SAYS: Final[dict[str, tuple[str, ...]]] = {
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
OF_A_FIELD: Final = frozenset(figure for figure, says in _SAYS.items() if "field" in says)


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


def line_of(cell: Cell, people: str = PEOPLE) -> FigureLine | None:
    """The line of a cell; None for people who are counted by something else."""
    if is_people(cell):
        return FigureLine(PEOPLE) if cell.figure == people else None
    says = _SAYS.get(cell.figure, ())
    return FigureLine(cell.figure, **{name: getattr(cell, name) for name in says})


def lines_of(cells: Cells, people: str = PEOPLE) -> Lines:
    """The cells added up to lines."""
    found: Lines = Counter()
    for cell, count in cells.items():
        line = line_of(cell, people)
        if line is not None:
            found[line] += count
    return found


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
    found: dict[str | None, Cells] = defaultdict(Counter)
    for cell, count in cells.items():
        found[getattr(cell, by)][cell] += count
    return dict(found)


def corrections(frozen: Cells, now: Cells, people: str = PEOPLE) -> list[dict[str, Any]]:
    """What a closed month would count today and did not, or the other way round, by line."""
    before, after = lines_of(frozen, people), lines_of(now, people)
    changed = sorted(
        (line for line in before.keys() | after.keys() if before[line] != after[line]),
        key=_in_order,
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


# The parts of an answer


# How many there are of a line; None where nothing of it is shown.
Count = Callable[[FigureLine], int | None]


def summary(cells: Cells, *, people: str = PEOPLE, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """All parts of an answer; one in ``leave_out`` is None."""
    lines = lines_of(cells, people)

    def count(line: FigureLine) -> int:
        return lines[line]

    clocks = [_clock(*of, count) | _times(own) for of, own in sorted(_by_clock(cells).items())]
    return _parts(lines, count, clocks, _holders(cells)) | dict.fromkeys(leave_out)


def summary_for_city(lines: Lines, *, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The same of published counts alone; None, or no row, where nothing is shown.

    How long clocks took is no sum of published cells, and is not told.
    """

    def count(line: FigureLine) -> int | None:
        return lines[line] or None

    told = sorted(
        {(line.kind, line.held_by) for line in lines if line.kind and line.held_by and lines[line]}
    )
    clocks = [_clock(*of, count) for of in told]
    clocks = [row | _times_for_city([row]) for row in clocks]
    return _parts(lines, count, clocks, _holders_for_city(clocks)) | dict.fromkeys(leave_out)


def _parts(
    lines: Lines, count: Count, clocks: list[dict[str, Any]], holders: list[dict[str, Any]]
) -> dict[str, Any]:
    def rows(figure: str) -> list[dict[str, Any]]:
        found = sorted((line for line in lines if line.figure == figure), key=_in_order)
        says = _SAYS[figure]
        return [
            {name: getattr(line, name) for name in says} | {"count": count(line)} for line in found
        ]

    return {
        "applications": count(FigureLine(Figure.APPLICATIONS)),
        "plans": {plan.removeprefix("plans_"): count(FigureLine(plan)) for plan in _PLANS},
        "referrals": rows(Figure.REFERRALS),
        "clocks": clocks,
        "holders": holders,
        "entered_late": rows(Figure.ENTERED_LATE),
        "causes": rows(Figure.CAUSES),
        "unmet_needs": rows(Figure.UNMET_NEEDS),
        "people_served": count(FigureLine(PEOPLE)),
    }


def _by_clock(cells: Cells) -> dict[tuple[ClockKind, Part], Cells]:
    """The cells of each clock and holder."""
    found: dict[tuple[ClockKind, Part], Cells] = defaultdict(Counter)
    for cell, number in cells.items():
        if cell.kind is not None and cell.held_by is not None and cell.figure != Figure.CAUSES:
            found[cell.kind, cell.held_by][cell] += number
    return found


def _clock(kind: ClockKind, held_by: Part, count: Count) -> dict[str, Any]:
    """The counts of one clock and holder."""
    counts = {
        figure.value: count(FigureLine(figure, kind=kind, held_by=held_by))
        for figure in (*_COUNTED, *_NOW)
    }
    ended = _added(counts[Figure.ON_TIME], counts[Figure.LATE])
    return {"kind": kind, "held_by": held_by, "ended": ended} | counts


_COUNTED: Final = (Figure.ON_TIME, Figure.LATE, Figure.EXCUSED, Figure.CANCELLED_LATE)
_NOW: Final = (Figure.RUNNING, Figure.OVERDUE)


def _added(*counts: int | None) -> int | None:
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None


def _holders(cells: Cells) -> list[dict[str, Any]]:
    """How long things lay with each holder, whatever the clock."""
    found: dict[str, Cells] = defaultdict(Counter)
    for cell, number in cells.items():
        if cell.figure in (Figure.ON_TIME, Figure.LATE) and cell.held_by is not None:
            found[cell.held_by][cell] += number
    rows = []
    for held_by, own in sorted(found.items()):
        days = sum((cell.days or 0) * number for cell, number in own.items())
        known = {"ended": sum(own.values()), "working_days": days}
        rows.append({"held_by": held_by} | known | _times(own))
    return rows


def _holders_for_city(clocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The share of each holder, of the clocks that are shown."""
    rows = []
    for held_by in sorted({row["held_by"] for row in clocks}):
        mine = [row for row in clocks if row["held_by"] == held_by]
        hidden = {"ended": None, "working_days": None}
        rows.append({"held_by": held_by} | hidden | _times_for_city(mine))
    return rows


def _times_for_city(shown: list[dict[str, Any]]) -> dict[str, Any]:
    """The share of the counts that are shown, or None where one of them is hidden.

    A share beside one of the two counts that it joins would tell the other. A median or a
    percentile tells how many took longer: with the counts on time, that few were late.
    """
    times: dict[str, Any] = dict.fromkeys(TIMES)
    counts = [(row[Figure.ON_TIME], row[Figure.LATE]) for row in shown]
    if not counts or any(one is None for pair in counts for one in pair):
        return times
    on_time, ended = sum(one for one, _ in counts), sum(map(sum, counts))
    if ended >= CITY_SHARE_FROM:
        times["on_time_share"] = round(on_time / ended, CITY_SHARE_DIGITS)
    return times


TIMES: Final = ("on_time_share", "median_working_days", "p90_working_days")


def _times(cells: Cells) -> dict[str, Any]:
    """On-time share, median and 90th percentile of the clocks that ended on time or late."""
    days: Counter[int] = Counter()
    on_time = 0
    for cell, number in cells.items():
        if cell.figure in (Figure.ON_TIME, Figure.LATE):
            days[cell.days or 0] += number
            on_time += number if cell.figure == Figure.ON_TIME else 0
    ended = sum(days.values())
    if ended == 0:
        return dict.fromkeys(TIMES)
    return {
        "on_time_share": round(on_time / ended, SHARE_DIGITS),
        "median_working_days": median_of(days),
        "p90_working_days": percentile_of(days, 90),
    }


def _in_order(line: FigureLine) -> tuple[str, ...]:
    return tuple(value or "" for value in line)
