"""Compares each count that a test of the API asks for with that of the rows, at the same moment."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.figures.figures import SqlFigures
from casework.adapters.persistence.figures.published import OF_CITY, sum_row
from casework.domain.figures.disclosure import stepped
from casework.domain.figures.figures import Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import Cells, cell_of, grouped, lines_of
from casework.domain.figures.terms import coarsened, told_by

# Whether it does: not where a test counts statements.
COMPARED = [True]


def draw_again(connection: Connection, number: int) -> None:
    """Let every cell that is kept of the city have this draw, and add them up as they then are."""
    for table, sums in ((t.city_total, t.city_sum), (t.closed_total, t.closed_sum)):
        connection.execute(update(table).values(drawn=number))
        connection.execute(delete(sums))
        added: Cells = Counter()
        for row in connection.execute(select(table)):
            facts = {name: getattr(row, column) for name, column in OF_CITY.items()}
            cell = cell_of(row.figure, facts | {"provider": None})
            added[cell] += stepped(row.times, number)
        rows = [sum_row(cell, times) for cell, times in added.items() if times]
        if rows:
            connection.execute(insert(sums), rows)


def compare_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, until the test ends or says otherwise."""
    kept = {name: getattr(SqlFigures, name) for name in ("counted", "every_cell", "published")}
    COMPARED[0] = True

    def counted(self: SqlFigures, question: Question, people: Any, spent: Spent) -> Cells:
        found: Cells = kept["counted"](self, question, people, spent)
        if COMPARED[0]:
            rows = self.counted_from_rows(question, people, spent)
            assert not differing(found, coarsened(rows, told_by(question))), question
        return found

    def every_cell(self: SqlFigures, question: Question, people: Any, spent: Spent) -> Cells:
        found: Cells = kept["every_cell"](self, question, people, spent)
        if COMPARED[0]:
            rows = self.counted_from_rows(question, people, spent)
            assert not differing(found, rows), question
        return found

    def published(self: SqlFigures, question: Question, spent: Spent, **how: Any) -> Cells:
        found: Cells = kept["published"](self, question, spent, **how)
        if not COMPARED[0]:
            return found
        rows = self.published_from_rows(question, spent, **how)
        for by in (question.by or "figure", "kind", "service", "reason"):
            assert lines(found, by) == lines(rows, by), (question, by)
        return found

    def differing(kept: Cells, rows: Cells) -> dict[Any, Any]:
        cells = kept.keys() | rows.keys()
        return {one: (kept[one], rows[one]) for one in cells if kept[one] != rows[one]}

    def lines(cells: Cells, by: str) -> Any:
        found = {key: dict(lines_of(of)) for key, of in grouped(cells, by).items()}
        return {key: +Counter(of) for key, of in found.items() if +Counter(of)}

    for replaced in (counted, every_cell, published):
        monkeypatch.setattr(SqlFigures, replaced.__name__, replaced)
