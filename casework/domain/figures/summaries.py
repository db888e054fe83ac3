"""The parts of an answer: counts, shares and times of each line, from cells or published lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

from casework.domain.clocks.standards import ClockKind, Part
from casework.domain.figures.figures import Figure, median_of, percentile_of
from casework.domain.figures.tallying import (
    PEOPLE,
    SAYS,
    Cells,
    FigureLine,
    Lines,
    in_order,
    lines_of,
)

SHARE_DIGITS: Final = 4
CITY_SHARE_DIGITS: Final = 2
# For the city a share is of so many clocks that are shown.
CITY_SHARE_FROM: Final = 20
_PLANS: Final = (Figure.PLANS_SUBMITTED, Figure.PLANS_APPROVED, Figure.PLANS_RETURNED)


def summary(cells: Cells, *, people: str = PEOPLE, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """All parts of an answer; one in ``leave_out`` is None."""
    lines = lines_of(cells, people)
    took = _took(cells)
    clocks = [
        _clock(*of, counts) | _times_of(took.get(of)) for of, counts in sorted(_by_clock(lines))
    ]
    return _parts(lines, clocks, _holders(took)) | dict.fromkeys(leave_out)


def summary_for_city(lines: Lines, *, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The same of published counts alone; None, or no row, where nothing is shown.

    How long clocks took is no sum of published cells, and is not told.
    """
    shown: Lines = Counter({line: count for line, count in lines.items() if count})
    clocks = [_clock(*of, counts, none=None) for of, counts in sorted(_by_clock(shown))]
    clocks = [row | _times_for_city([row]) for row in clocks]
    return _parts(shown, clocks, _holders_for_city(clocks), none=None) | dict.fromkeys(leave_out)


def _parts(
    lines: Lines,
    clocks: list[dict[str, Any]],
    holders: list[dict[str, Any]],
    *,
    none: int | None = 0,
) -> dict[str, Any]:
    """The parts of an answer; what has no line is shown as ``none``."""
    by_figure: dict[str, list[FigureLine]] = defaultdict(list)
    for line in lines:
        by_figure[line.figure].append(line)

    def count(figure: str) -> int | None:
        return lines.get(FigureLine(figure), none)

    def rows(figure: str) -> list[dict[str, Any]]:
        says = SAYS[figure]
        return [
            {name: getattr(line, name) for name in says} | {"count": lines[line]}
            for line in sorted(by_figure.get(figure, ()), key=in_order)
        ]

    return {
        "applications": count(Figure.APPLICATIONS),
        "plans": {plan.removeprefix("plans_"): count(plan) for plan in _PLANS},
        "referrals": rows(Figure.REFERRALS),
        "clocks": clocks,
        "holders": holders,
        "entered_late": rows(Figure.ENTERED_LATE),
        "causes": rows(Figure.CAUSES),
        "unmet_needs": rows(Figure.UNMET_NEEDS),
        "people_served": count(PEOPLE),
    }


# A clock and its holder.
_OfClock = tuple[ClockKind, Part]


def _by_clock(lines: Lines) -> Iterable[tuple[_OfClock, dict[str, int]]]:
    """The counts of each clock and holder, by figure."""
    found: dict[_OfClock, dict[str, int]] = defaultdict(dict)
    for line, count in lines.items():
        if line.kind is not None and line.held_by is not None:
            found[line.kind, line.held_by][line.figure] = count
    return found.items()


def _clock(
    kind: ClockKind, held_by: Part, counts: dict[str, int], *, none: int | None = 0
) -> dict[str, Any]:
    """The counts of one clock and holder."""
    told = {name: counts.get(name, none) for name in _OF_CLOCK}
    ended = _added(told[Figure.ON_TIME], told[Figure.LATE])
    return {"kind": kind, "held_by": held_by, "ended": ended} | told


_OF_CLOCK: Final = tuple(
    figure.value
    for figure in (
        Figure.ON_TIME,
        Figure.LATE,
        Figure.EXCUSED,
        Figure.CANCELLED_LATE,
        Figure.RUNNING,
        Figure.OVERDUE,
    )
)


def _added(*counts: int | None) -> int | None:
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None


class _Took:
    """How many working days clocks took, and how many of them were on time."""

    __slots__ = ("days", "on_time")

    def __init__(self) -> None:
        self.days: dict[int, int] = {}
        self.on_time = 0

    def add(self, days: int, count: int, *, on_time: bool) -> None:
        """So many more that took so long."""
        self.days[days] = self.days.get(days, 0) + count
        if on_time:
            self.on_time += count

    def times(self) -> dict[str, Any]:
        """On-time share, median and 90th percentile."""
        ended = sum(self.days.values())
        if ended == 0:
            return dict.fromkeys(TIMES)
        return {
            "on_time_share": round(self.on_time / ended, SHARE_DIGITS),
            "median_working_days": median_of(self.days),
            "p90_working_days": percentile_of(self.days, 90),
        }


def _took(cells: Cells) -> dict[_OfClock, _Took]:
    """The times of each clock and holder, of those that ended on time or late."""
    found: dict[_OfClock, _Took] = defaultdict(_Took)
    for cell, count in cells.items():
        on_time = cell.figure == Figure.ON_TIME
        if (on_time or cell.figure == Figure.LATE) and cell.kind and cell.held_by:
            found[cell.kind, cell.held_by].add(cell.days or 0, count, on_time=on_time)
    return found


def _times_of(took: _Took | None) -> dict[str, Any]:
    return dict.fromkeys(TIMES) if took is None else took.times()


def _holders(took: dict[_OfClock, _Took]) -> list[dict[str, Any]]:
    """How long things lay with each holder, whatever the clock."""
    found: dict[Part, _Took] = defaultdict(_Took)
    for (_, held_by), one in took.items():
        for days, count in one.days.items():
            found[held_by].add(days, count, on_time=False)
        found[held_by].on_time += one.on_time
    rows = []
    for held_by, one in sorted(found.items()):
        days = sum(number * count for number, count in one.days.items())
        known = {"ended": sum(one.days.values()), "working_days": days}
        rows.append({"held_by": held_by} | known | one.times())
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
