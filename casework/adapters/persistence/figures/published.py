"""What the city is told, from kept cells: each stepped by its draw, and added up by the database.

Of the cells that changed cases count in, the answer takes the step that was and adds the one that
is. A closed month answers from the cells that were put aside when it was closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    Select,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.figures.kept import KeptFigures, Waiting
from casework.adapters.persistence.figures.source_rows import listed
from casework.adapters.persistence.scope.who_sees_what import counted
from casework.domain.access.policy import Scope
from casework.domain.figures.disclosure import STEP, name_of, stepped
from casework.domain.figures.questions import Question, of_the_city
from casework.domain.figures.same_events import as_told
from casework.domain.figures.tallying import OF_A_FIELD, PEOPLE, Cell, Cells, cells_of

# What a cell of the city is of, by the name of the column.
OF_CITY: Final = {
    "month": "month",
    "district": "district_code",
    "field": "field",
    "provider": "provider_id",
    "kind": "kind",
    "held_by": "held_by",
    "service": "service_code",
    "reason": "reason",
}
# What the lines of an answer say.
_OF_LINES: Final = ("field", "kind", "held_by", "service", "reason")
Draw = Callable[[str], int]


def id_of(name: str) -> UUID:
    """The id that follows from what something is of."""
    return UUID(bytes=blake2b(name.encode(), digest_size=16).digest())


def cell_row(cell: Cell, count: int, drawn: int) -> dict[str, Any]:
    """A cell that the city is told, as a row."""
    provider = UUID(cell.provider) if cell.provider is not None else None
    return sum_row(cell, count) | {"provider_id": provider, "drawn": drawn}


def sum_row(cell: Cell, times: int) -> dict[str, Any]:
    """A sum of published cells, as a row: what it is of, but for the agency."""
    facts = {column: getattr(cell, key) for key, column in OF_CITY.items() if key != "provider"}
    return facts | {"id": id_of(name_of(cell)), "figure": str(cell.figure), "times": times}


def as_published(cells: Cells, draw: Draw) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The cells that the city is told of some, and the sums of them as published, as rows."""
    whole: Cells = Counter()
    for cell, count in cells.items():
        told = as_told(cell)
        if told is not None:
            whole[told] += count
    rows, sums = [], Cells()
    for cell, count in whole.items():
        if count:
            rows.append(cell_row(cell, count, drawn := draw(name_of(cell))))
            sums[cell._replace(provider=None)] += stepped(count, drawn)
    return rows, [sum_row(cell, times) for cell, times in sums.items() if times]


def answered(shown: Cells, by: str) -> Cells:
    """Published cells added up as an answer in groups tells them."""
    dropped: dict[str, Any] = dict.fromkeys({*OF_CITY} - {*_OF_LINES, by})
    found: Cells = Counter()
    for cell, count in shown.items():
        found[_without_field(cell._replace(**dropped), by)] += count
    return found


def _without_field(cell: Cell, by: str | None) -> Cell:
    """A cell whose field no line of the answer tells, added up over fields."""
    return cell if by == "field" or cell.figure in OF_A_FIELD else cell._replace(field=None)


class PublishedFigures:
    """The published cells of one question of the city, added up as far as its answer is."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        draw: Draw,
        closed: frozenset[tuple[str, str]],
    ) -> None:
        self._connection, self._scope, self._now, self._draw = connection, scope, now, draw
        self._closed = closed
        self._kept = KeptFigures(connection, scope, now)

    def of(self, question: Question, waiting: Waiting, *, with_people: bool) -> Cells:
        """Sums of published cells; ``question`` is of whole months."""
        says = _says(question)
        shown = self._sums(question, says, with_people=with_people)
        monthly = replace(question, by="month")
        people = {PEOPLE} if with_people else set[str]()
        new = self._kept.moving(monthly, people, waiting.overdue_until)
        if waiting.changes:
            new.update(self._kept.changed(monthly, people))
        told = self._told(new, with_people=with_people)
        known = self._known(told)
        dropped: dict[str, Any] = dict.fromkeys({*OF_CITY} - {*says})
        for cell, count in told.items():
            was, drawn = known.get(cell, (0, None))
            drawn = self._draw(name_of(cell)) if drawn is None else drawn
            step = stepped(was + count, drawn) - stepped(was, drawn)
            shown[_without_field(cell._replace(**dropped), question.by)] += step
        return Counter({cell: count for cell, count in shown.items() if count})

    def _sums(self, question: Question, says: tuple[str, ...], *, with_people: bool) -> Cells:
        """What is kept of open months and of closed ones, each cell as it is published."""
        shown: Cells = Counter()
        is_by_agency = question.by == "provider"
        now = t.city_total if is_by_agency else t.city_sum
        is_open = [_is_open(now)] if self._closed else []
        parts = [_of_months(now, self._scope, question, says, *is_open, of_now=True)]
        if self._closed:
            then = t.closed_total if is_by_agency else t.closed_sum
            not_of_people = [] if with_people else [then.c.figure != PEOPLE]
            parts.append(_of_months(then, self._scope, question, says, *not_of_people))
        cell = cells_of(says)
        for figure, *facts, count in self._connection.execute(union_all(*parts)).all():
            shown[cell(figure, None, facts)] += count
        return shown

    def _told(self, cells: Cells, *, with_people: bool) -> Cells:
        """The cells that the city is told, but for those of closed months."""
        found: Cells = Counter()
        for cell, count in of_the_city(cells, with_people=with_people).items():
            told = as_told(cell)
            if told is not None and (told.month, told.district) not in self._closed:
                found[told] += count
        return found

    def _known(self, cells: Cells) -> dict[Cell, tuple[int, int]]:
        """What is kept of some cells: how many, and the draw."""
        ids = {id_of(name_of(cell)): cell for cell in cells}
        table = t.city_total
        if not ids:
            return {}
        query = select(*table.c["id", "times", "drawn"]).where(
            table.c.id.in_(listed(self._connection, ids)), counted(table, self._scope)
        )
        return {ids[row.id]: (row.times, row.drawn) for row in self._connection.execute(query)}


def _says(question: Question) -> tuple[str, ...]:
    by = question.by
    return (*_OF_LINES, by) if by in ("month", "district", "provider") else _OF_LINES


def _of_months(
    table: Any,
    scope: Scope,
    question: Question,
    says: tuple[str, ...],
    *conditions: Any,
    of_now: bool = False,
) -> Select[Any]:
    """Published numbers of the months of a question, and those of the moment, added up."""
    of_these = table.c.month.in_([str(month) for month in question.period.months()])
    if of_now:
        of_these = or_(of_these, table.c.month.is_(None))
    columns = {name: table.c[OF_CITY[name]] for name in says}
    if question.by != "field":
        # Literals, since a parameter in GROUP BY is not known to be that of the columns.
        tells_it = table.c.figure.in_([literal_column(f"'{one}'") for one in sorted(OF_A_FIELD)])
        columns["field"] = case((tells_it, table.c.field)).label("field")
    by = [table.c.figure, *columns.values()]
    told = (table.c.times + table.c.drawn) // STEP * STEP if "drawn" in table.c else table.c.times
    query = select(*by, func.sum(told).label("shown")).where(
        of_these, *conditions, counted(table, scope)
    )
    if question.district is not None:
        query = query.where(table.c.district_code == question.district)
    return query.group_by(*by)


def _is_open(table: Any) -> Any:
    # No join: the database would look for the month of each of its rows among those closed.
    closed = select(*t.closed_month.c["month", "district_code"])
    return or_(
        table.c.month.is_(None),
        tuple_(table.c.month, table.c.district_code).not_in(closed),
    )
