"""Counting from what is kept: sums by month, the entries of days, and what changed since.

Sums hold what was counted of each case. Of one that changed and is not counted yet, what was
counted is taken away and what counts now is added, so that an answer is what its rows say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union,
    union_all,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.seoul import month_of_day
from casework.adapters.persistence.figures.entries_from_rows import RowEntries
from casework.adapters.persistence.scope.who_sees_what import counted
from casework.domain.access.policy import Scope
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul
from casework.domain.figures.entries import Entries, Entry, Way
from casework.domain.figures.figures import Month, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import Cell, Cells, cell_of, cells_of
from casework.domain.figures.terms import (
    Says,
    Term,
    added_up,
    always,
    became_overdue,
    coarsened,
    of_question,
    people_by_month,
)

# Of so many changes that wait, what they are about is counted for an answer; of more, everything.
AT_MOST: Final = 3000
# What cells are of, by the name of the column.
COLUMNS: Final = {
    "district": "district_code",
    "centre": "centre_code",
    "field": "field",
    "provider": "provider_id",
    "kind": "kind",
    "held_by": "held_by",
    "status": "status",
    "service": "service_code",
    "reason": "reason",
    "cause": "cause",
    "days": "days",
}


# What the city's cells of clocks that are overdue, and of people, are of.
_OF_OVERDUE: Final = always("district", "field", "provider", "kind", "held_by")
# What cells of one figure may be of while its lines do not say so, beside others that do.
_SAID_BY_SOME: Final = {"field", "days"}


def no_days(*_: Any) -> int:
    """For who is told no times: how long something took is not counted."""
    return 0


def changed_cases() -> Select[Any]:
    """The cases that wait to be counted."""
    change = t.figure_change
    return select(change.c.case_id).where(change.c.case_id.is_not(None))


def changed_residents() -> Select[Any]:
    """The residents who wait to be counted."""
    change = t.figure_change
    return select(change.c.resident_id).where(change.c.resident_id.is_not(None))


class Waiting(NamedTuple):
    """What is not among the sums yet.

    So many changes, whether one is of a day that was declared open or closed, and the day until
    which clocks that became overdue are among the cells of the city; None where none are.
    """

    changes: int
    is_of_a_day: bool
    overdue_until: date | None


class KeptFigures:
    """Answers from what is kept, within the scope of one actor, at one moment."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope, self._now = connection, scope, now
        self._today = day_in_seoul(now)

    def waiting(self) -> Waiting:
        """What waits to be counted; of changes at most one more than ``AT_MOST`` are looked at."""
        some = select(t.figure_change.c.day).limit(AT_MOST + 1).subquery()
        day = select(t.figure_day.c.day).scalar_subquery()
        count, days, overdue_until = self._connection.execute(
            select(func.count(), func.count(some.c.day), day).select_from(some)
        ).one()
        return Waiting(count, days > 0, overdue_until)

    def counted(
        self,
        question: Question,
        people: Iterable[str],
        spent: Spent,
        says: Says,
        *,
        has_changes: bool,
    ) -> Cells:
        """Every figure that the filters apply to, by what cells are to say."""
        people = tuple(people)
        terms = list(of_question(question, people, self._today))
        by_month = list(people_by_month(question, people))
        cells = self._added_up(terms, by_month, question, says)
        if has_changes:
            cells.update(coarsened(self._changed(terms + by_month, question, spent), says))
        cells.update(self._due_today(question, spent, says))
        return Counter({cell: count for cell, count in cells.items() if count})

    def moving(self, question: Question, people: Iterable[str], until: date | None) -> Cells:
        """What the city's cells do not hold: what became overdue since, people of each month.

        ``until`` is the day until which what became overdue is among them.
        """
        cells = self._added_up([], list(people_by_month(question, people)), question, _OF_OVERDUE)
        cells.update(self.overdue_since(until, question))
        cells.update(self._due_today(question, no_days, _OF_OVERDUE))
        return cells

    def overdue_since(self, until: date | None, question: Question) -> Cells:
        """What became overdue from a day on, and before today, as it was counted."""
        return self._sums(list(became_overdue(until, self._today)), question, _OF_OVERDUE)

    def changed(self, question: Question, people: Iterable[str]) -> Cells:
        """What changed cases count for now, less what was counted of them; without times."""
        people = tuple(people)
        terms = [
            *of_question(question, people, self._today),
            *people_by_month(question, people),
        ]
        return self._changed(terms, question, no_days)

    def _added_up(
        self, terms: list[Term], by_month: list[Term], question: Question, says: Says
    ) -> Cells:
        """What is kept, by sums of months and entries of days."""
        whole = [term for term in by_month if _is_whole(term)]
        other = [term for term in by_month if not _is_whole(term)]
        cells = self._sums([*terms, *other], question, says)
        cells.update(self._people_of_months(whole, question, says))
        return cells

    def _changed(self, terms: list[Term], question: Question, spent: Spent) -> Cells:
        rows = RowEntries(self._connection, self._scope, question, self._now, spent)
        return added_up(self.not_counted(question, rows), terms)

    def _due_today(self, question: Question, spent: Spent, says: Says) -> Cells:
        """What became overdue today, of the clocks that were or will be at some time of it."""
        rows = RowEntries(self._connection, self._scope, question, self._now, spent)
        return coarsened(rows.due_today(self._cases_due_today(), self._today), says)

    def not_counted(self, question: Question, rows: RowEntries) -> Entries:
        """What changed cases count for now, less what was counted of them."""
        entry = t.figure_entry
        of = union(changed_cases(), changed_residents())
        found: Entries = Counter()
        query = select(entry).where(entry.c.of_id.in_(of), *self._narrowed(entry, question))
        for row in self._connection.execute(query):
            found[entry_of(row)] -= row.times
        for _, one, count in rows.of_cases(changed_cases()):
            found[one] += count
        for _, one, count in rows.of_residents(changed_residents()):
            found[one] += count
        return Counter({one: count for one, count in found.items() if count})

    def _cases_due_today(self) -> Any:
        """The cases of clocks that are overdue at some time of today, as counted or changed."""
        entry = t.figure_entry
        of_today = select(entry.c.of_id).where(
            entry.c.way == Way.RUNS.value,
            entry.c.on_day == self._today,
            counted(entry, self._scope),
        )
        return union(of_today, changed_cases())

    # Sums

    def _narrowed(self, table: Any, question: Question) -> Iterator[Any]:
        yield counted(table, self._scope)
        for name in ("district", "centre", "field", "provider"):
            value = getattr(question, name)
            if value is not None:
                yield table.c[COLUMNS[name]] == value

    def _sums(self, terms: list[Term], question: Question, says: Says) -> Cells:
        """The terms added up by the database, in one statement."""
        if not terms:
            return Counter()
        names = _names(says, {figure for term in terms for figure in term.figures})
        parts = [
            self._sum(number, term, table, [*conditions, *self._narrowed(table, question)], told)
            for number, term in enumerate(terms)
            for table, conditions in _pieces(term)
            for told in [{name: _said(table, term, says, name) for name in names}]
        ]
        made, found = cells_of(names), dict[Cell, int]()
        for number, month, total, figure, *facts in self._connection.execute(
            union_all(*parts)
        ).all():
            term = terms[number]
            cell = made(term.told_as or figure, term.month_told(month), facts)
            found[cell] = found.get(cell, 0) + term.factor * total
        return Counter(found)

    @staticmethod
    def _sum(
        number: int,
        term: Term,
        table: Any,
        conditions: list[Any],
        told: dict[str, Any],
    ) -> Select[Any]:
        day = table.c.on_month if table is t.figure_total else table.c.on_day
        month = month_of_day(day) if term.by_its_month else cast(null(), String)
        by = [table.c.figure, *(column for column in told.values() if column is not None)]
        return (
            select(
                literal(number).label("term"),
                month.label("month"),
                func.sum(table.c.times).label("total"),
                table.c.figure,
                *(
                    cast(null(), table.c[COLUMNS[name]].type) if column is None else column
                    for name, column in told.items()
                ),
            )
            .where(
                table.c.way == term.way.value,
                table.c.figure.in_([str(one) for one in term.figures]),
                *conditions,
            )
            .group_by(*by, *([month] if term.by_its_month else []))
        )

    def _people_of_months(self, terms: list[Term], question: Question, says: Says) -> Cells:
        """People of whole months: one read of those who came and went in each month."""
        if not terms:
            return Counter()
        table, figures = t.figure_total, terms[0].figures
        names = _names(says, figures)
        by = [table.c.way, table.c.figure, table.c.on_month, table.c.since_month]
        by += [table.c[COLUMNS[name]] for name in names]
        query = (
            select(*by, func.sum(table.c.times).label("total"))
            .where(
                table.c.way.in_([Way.FIRST.value, Way.PAUSE.value]),
                table.c.figure.in_(figures),
                *self._narrowed(table, question),
            )
            .group_by(*by)
        )
        made, entries = cells_of(names), Entries()
        for way, figure, on, since, *facts, total in self._connection.execute(query):
            entries[Entry(Way(way), made(figure, None, facts), on, since)] += total
        return added_up(entries, terms)


def _names(says: Says, figures: Iterable[str]) -> tuple[str, ...]:
    """What any of some figures says."""
    said = {name for figure in figures for name in says(figure)}
    return tuple(name for name in COLUMNS if name in said)


def _said(table: Any, term: Term, says: Says, name: str) -> Any:
    """What the rows of a term are grouped by, as far as their figures say it; None says none."""
    column = table.c[COLUMNS[name]]
    saying = [str(figure) for figure in term.figures if name in says(figure)]
    if len(saying) == len(term.figures) or (saying and name not in _SAID_BY_SOME):
        return column
    if not saying:
        return None
    # Literals, since a parameter in GROUP BY is not known to be that of the columns.
    says_it = table.c.figure.in_([literal_column(f"'{figure}'") for figure in saying])
    return case((says_it, column)).label(column.name)


def entry_of(row: Any) -> Entry:
    """An entry as its row holds it."""
    facts = {name: _text(name, getattr(row, column)) for name, column in COLUMNS.items()}
    return Entry(Way(row.way), cell_of(row.figure, facts), row.on_day, row.since_day)


def _text(name: str, value: Any) -> Any:
    return str(value) if name == "provider" and value is not None else value


# A term goes over whole months as far as it can, and over the days of the months at its edges.


def _pieces(term: Term) -> Iterator[tuple[Any, list[Any]]]:
    """The tables and conditions whose rows make up a term, each entry in one of them."""
    total, entry = t.figure_total, t.figure_entry
    first, last = _first_whole(term.first), _last_whole(term.last)
    known = _last_whole(term.known_by)
    if first is None or last is None or first <= last:
        months = list(_within(total.c.on_month, first, last, total.c.since_month, known))
        if term.in_its_month:
            months.append(total.c.since_month <= total.c.on_month)
        yield total, months
    days = list(_within(entry.c.on_day, term.first, term.last, entry.c.since_day, term.known_by))
    if term.in_its_month:
        days.append(month_of_day(entry.c.since_day) <= month_of_day(entry.c.on_day))
    begins = [] if first is None else [entry.c.on_day >= first]
    ends = [] if last is None else [entry.c.on_day <= _last_day(last)]
    if first is not None and first != term.first:
        yield entry, [*days, entry.c.on_day < first]
    if last is not None and _last_day(last) != term.last:
        yield entry, [*days, *begins, entry.c.on_day > _last_day(last)]
    if known is not None and _last_day(known) != term.known_by:
        yield entry, [*days, *begins, *ends, entry.c.since_day > _last_day(known)]


def _within(on: Any, first: Any, last: Any, since: Any, known: Any) -> Iterator[Any]:
    if first is not None:
        yield on >= first
    if last is not None:
        yield on <= last
    if known is not None:
        yield since <= known


def _is_whole(term: Term) -> bool:
    """Whether a term begins and ends with months."""
    ends = (term.last, term.known_by)
    return all(one is None or one == Month.of(one).last for one in ends) and (
        term.first is None or term.first.day == 1
    )


def _first_whole(day: date | None) -> date | None:
    """The first day of the first month that does not begin before a day."""
    if day is None or day.day == 1:
        return day
    return Month.of(day).last + ONE_DAY


def _last_whole(day: date | None) -> date | None:
    """The first day of the last month that does not end after a day."""
    if day is None:
        return None
    month = Month.of(day)
    if day == month.last:
        return month.first
    return Month.of(month.first - ONE_DAY).first


def _last_day(first: date) -> date:
    return Month.of(first).last
