"""Terms: which entries answer a question, as sums over days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from casework.domain.clocks.calendar import ONE_DAY
from casework.domain.figures.entries import Entries, Entry, Way
from casework.domain.figures.figures import OUTCOMES, Figure, Month, Period
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import ALL_PEOPLE, SAYS, Cell, Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A sum of entries of one way, times ``factor``.

    ``first`` and ``last`` are the days by which they count, ``known_by`` the last day from which
    they are known; None does not bound. ``figures`` are those it is of.
    """

    way: Way
    figures: tuple[str, ...]
    first: date | None = None
    last: date | None = None
    known_by: date | None = None
    # Known by the end of the month by which it counts.
    in_its_month: bool = False
    factor: int = 1
    told_as: Figure | None = None
    # The month of the answer: that of the day by which an entry counts, one for all, or none.
    by_its_month: bool = False
    month: Month | None = None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is one of the sum."""
        if entry.way is not self.way or entry.cell.figure not in self.figures:
            return False
        if self.first is not None and entry.on < self.first:
            return False
        if self.last is not None and entry.on > self.last:
            return False
        if self.known_by is not None and (entry.since is None or entry.since > self.known_by):
            return False
        since = entry.since or entry.on
        return not self.in_its_month or Month.of(since) <= Month.of(entry.on)

    def told(self, cell: Cell, month: str | None) -> Cell:
        """The cell of the answer in which an entry counts, of the month in which it is."""
        return cell._replace(month=self.month_told(month), figure=self.told_as or cell.figure)

    def month_told(self, month: str | None) -> str | None:
        """The month of the answer in which an entry of a month counts."""
        if self.by_its_month:
            return month
        return None if self.month is None else str(self.month)


_BY_DAY: Final = (
    Figure.APPLICATIONS,
    Figure.PLANS_SUBMITTED,
    Figure.PLANS_APPROVED,
    Figure.PLANS_RETURNED,
    *OUTCOMES,
    Figure.ENTERED_LATE,
    Figure.UNMET_NEEDS,
)


_RUNS: Final = Term(way=Way.RUNS, figures=(Figure.RUNNING,))


def became_overdue(since: date | None, today: date) -> Iterator[Term]:
    """The clocks that are overdue before today, but for those that were before another day.

    Before a day that is still to come, after a clock that was set back, there were too many.
    """
    overdue = replace(_RUNS, told_as=Figure.OVERDUE)
    if since is None or since < today:
        yield replace(overdue, first=since, last=today - ONE_DAY)
    elif since > today:
        yield replace(overdue, first=today, last=since - ONE_DAY, factor=-1)


def of_question(question: Question, people: Iterable[str], today: date) -> Iterator[Term]:
    """Every term of the answer; of people, the figures named. What is due today is none of it."""
    period, by_month = question.period, question.by == "month"
    yield Term(
        way=Way.ON,
        figures=_BY_DAY,
        first=period.since,
        last=period.until,
        by_its_month=by_month,
    )
    yield from _as_at_the_end(period, today, by_month=by_month)
    yield _RUNS
    yield from became_overdue(None, today)
    named = tuple(sorted(set(people) & set(ALL_PEOPLE)))
    if named:
        yield from _of_people(period, named)


def _as_at_the_end(period: Period, today: date, *, by_month: bool) -> Iterator[Term]:
    """Referrals and causes, as they were when the period, or each month of it, was over."""
    first, last = period.since, period.until
    of_causes = Term(
        way=Way.KNOWN, figures=(Figure.CAUSES,), first=first, last=last, known_by=last,
        in_its_month=by_month, by_its_month=by_month,
    )  # fmt: skip
    yield of_causes
    of_referrals = replace(of_causes, figures=(Figure.REFERRALS,))
    if last < today:
        yield of_referrals
        return
    # Not over is the whole period, or from the present month on.
    not_over = max(first, Month.of(today).first) if by_month else first
    yield replace(of_referrals, way=Way.NOW, first=not_over, known_by=None, in_its_month=False)
    if first < not_over:
        yield replace(of_referrals, last=not_over - ONE_DAY)


def _of_people(period: Period, figures: tuple[str, ...]) -> Iterator[Term]:
    """Everybody served on some day, once.

    Those first served by the end of the period, less those who had left before it began and were
    not back by the end.
    """
    before = period.since - ONE_DAY
    yield Term(way=Way.FIRST, figures=figures, last=period.until)
    yield Term(way=Way.PAUSE, figures=figures, last=before)
    yield Term(way=Way.PAUSE, figures=figures, last=before, known_by=period.until, factor=-1)


def people_by_month(question: Question, people: Iterable[str]) -> Iterator[Term]:
    """The same of each month of a question by month."""
    named = tuple(sorted(set(people) & set(ALL_PEOPLE)))
    for month in question.period.months() if named and question.by == "month" else ():
        for term in _of_people(question.period.within(month), named):
            yield replace(term, month=month)


def added_up(entries: Entries, terms: Iterable[Term]) -> Cells:
    """The cells of the answer that some entries give."""
    found = Cells()
    for term in terms:
        for entry, count in entries.items():
            if term.holds(entry):
                found[term.told(entry.cell, str(Month.of(entry.on)))] += term.factor * count
    return found


# What the cells of a figure say, besides figure and month, each a field of ``Cell``.
Says = Callable[[str], tuple[str, ...]]
_HAVE_TIMES: Final = (Figure.ON_TIME, Figure.LATE)
_GROUPS: Final = {"district", "centre", "provider", "field"}


def told_by(question: Question) -> Says:
    """What an answer needs to know of a cell, by its figure: the rest is added up."""
    by = question.by
    group = ("district",) if by == "month" else (by,) if by in _GROUPS else ()

    def says(figure: str) -> tuple[str, ...]:
        days = ("days",) if figure in _HAVE_TIMES else ()
        return tuple(dict.fromkeys((*SAYS.get(figure, ()), *days, *group)))

    return says


def always(*names: str) -> Says:
    """The same of every figure."""
    return lambda _figure: names


def coarsened(cells: Cells, says: Says) -> Cells:
    """The same counts by what is said alone."""
    found = Cells()
    dropped: dict[str, dict[str, Any]] = {}
    for cell, count in cells.items():
        figure = cell.figure
        if figure not in dropped:
            kept = {"figure", "month", *says(figure)}
            dropped[figure] = {name: None for name in Cell._fields if name not in kept}
        found[cell._replace(**dropped[figure])] += count
    return found
