"""Figures: counts from what is kept, what is behind them, and closed months."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.figures.figure_sources import filtered, source
from casework.adapters.persistence.figures.from_rows import RowFigures
from casework.adapters.persistence.figures.kept import AT_MOST, COLUMNS, KeptFigures
from casework.adapters.persistence.figures.published import PublishedFigures, as_published
from casework.adapters.persistence.figures.source_rows import listed
from casework.adapters.persistence.figures.unmet_source import unmet
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.errors import Conflict
from casework.domain.figures.disclosure import STEP, publish
from casework.domain.figures.figures import Figure, Spent
from casework.domain.figures.questions import Question, of_the_city, with_frozen
from casework.domain.figures.tallying import PEOPLE, Cell, Cells, cell_of
from casework.domain.figures.terms import Says, always, coarsened, told_by
from casework.workflows.ports.figures import ClosedMonth
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging


def drawn(connection: Connection, name: str) -> int:
    """A number from 0 to 4 for a name: always the same, and not to be told without keys."""
    blind: str = connection.get_execution_options()["vault"].blind("city figures", name)
    return int.from_bytes(urlsafe_b64decode(blind.rpartition(".")[2])) % STEP


class SqlFigures:
    """Figures within the scope of one actor, in one transaction."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        about: set[UUID],
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    # Counting

    def counted(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        return self._counted(question, people, spent, told_by(question))

    def every_cell(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        return self._counted(question, people, spent, always(*COLUMNS))

    def _counted(
        self, question: Question, people: Iterable[str], spent: Spent, says: Says
    ) -> Cells:
        kept = KeptFigures(self._connection, self._scope, self._now)
        waiting = kept.waiting()
        if waiting.is_of_a_day or waiting.changes > AT_MOST:
            return coarsened(self.counted_from_rows(question, people, spent), says)
        return kept.counted(question, people, spent, says, has_changes=waiting.changes > 0)

    def counted_from_rows(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        """Every count from the rows, with all that a cell is of; what is kept is equal to it."""
        return RowFigures(self._connection, self._scope, self._now).counted(question, people, spent)

    def published(self, question: Question, spent: Spent, *, with_people: bool) -> Cells:
        kept = KeptFigures(self._connection, self._scope, self._now)
        waiting = kept.waiting()
        if waiting.changes > AT_MOST:
            return self.published_from_rows(question, spent, with_people=with_people)
        districts = None if question.district is None else [question.district]
        closed = self.closed_in(districts, map(str, question.period.months()))
        cells = PublishedFigures(
            self._connection, self._scope, self._now, self.draw, frozenset(closed)
        )
        return cells.of(question, waiting, with_people=with_people)

    def published_from_rows(self, question: Question, spent: Spent, *, with_people: bool) -> Cells:
        """The same from the rows, with all that a cell is of."""
        people = {PEOPLE} if with_people else set[str]()
        live = self.counted_from_rows(replace(question, by="month"), people, spent)
        districts = None if question.district is None else [question.district]
        closed = self.closed(districts, map(str, question.period.months()))
        frozen = ((one.month, one.district_code, one.cells) for one in closed)
        true = of_the_city(with_frozen(live, frozen), with_people=with_people)
        return publish(true, self.draw)

    # What is behind a number

    def behind(self, figure: Figure, question: Question, paging: Paging) -> Page:
        rows = source(figure, question, self._scope, self._now).subquery()
        found = page(
            self._connection,
            select(
                *rows.c["id", "case_id", "resident_id", "centre_code"], number_of(rows.c.case_id)
            ),
            [rows.c.id],
            paging,
        )
        self._about.update(row["resident_id"] for row in found.rows)
        return found

    def unmet_needs(self, question: Question, paging: Paging) -> Page:
        query, columns = unmet(question, self._scope, self._now)
        rows = filtered(query, columns, question).subquery()
        found = page(
            self._connection,
            select(rows, number_of(rows.c.case_id)),
            [rows.c.settled_at, rows.c.id],
            paging,
            newest_first=True,
        )
        self._about.update(row["resident_id"] for row in found.rows)
        return found

    def unmet_by(self, key: str, question: Question) -> list[Row]:
        query, columns = unmet(question, self._scope, self._now)
        rows = filtered(query.add_columns(columns[key].label("key")), columns, question).subquery()
        counts = (
            select(
                rows.c.key,
                func.count().label("count"),
                func.min(rows.c.settled_at).label("oldest_since"),
            )
            .group_by(rows.c.key)
            .order_by(func.count().desc(), rows.c.key)
        )
        return [dict(row._mapping) for row in self._connection.execute(counts)]

    # Closed months

    def close(self, month: ClosedMonth) -> None:
        row = {
            "id": month.id,
            "district_code": month.district_code,
            "month": month.month,
            "closed_at": month.closed_at,
            "closed_by": month.closed_by,
            "figures": [
                _stored(cell, count) for cell, count in sorted(month.cells.items(), key=str)
            ],
        }
        cells, sums = as_published(month.cells, self.draw)
        try:
            self._connection.execute(insert(t.closed_month), [row])
            for table, rows in ((t.closed_total, cells), (t.closed_sum, sums)):
                if rows:
                    self._connection.execute(insert(table), rows)
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict(
                    "this month is closed", code="month_closed", state="closed"
                ) from None
            raise

    def closed(self, districts: Iterable[str] | None, months: Iterable[str]) -> list[ClosedMonth]:
        table = t.closed_month
        query = select(table).where(table.c.month.in_(list(months)))
        if districts is not None:
            query = query.where(table.c.district_code.in_(list(districts)))
        return [
            ClosedMonth(
                id=row.id,
                district_code=row.district_code,
                month=row.month,
                closed_at=row.closed_at,
                closed_by=row.closed_by,
                cells=_read(row.figures),
            )
            for row in self._connection.execute(
                query.order_by(table.c.month, table.c.district_code)
            )
        ]

    def closed_in(
        self, districts: Iterable[str] | None, months: Iterable[str]
    ) -> list[tuple[str, str]]:
        table = t.closed_month
        query = select(table.c.month, table.c.district_code).where(table.c.month.in_(list(months)))
        if districts is not None:
            query = query.where(table.c.district_code.in_(list(districts)))
        query = query.order_by(table.c.month, table.c.district_code)
        return [(row.month, row.district_code) for row in self._connection.execute(query)]

    def closed_months(self, paging: Paging) -> Page:
        table = t.closed_month
        query = select(*table.c["district_code", "month", "closed_at", "closed_by"])
        query = query.where(seen(table, self._scope))
        keys = [table.c.month, table.c.district_code]
        return page(self._connection, query, keys, paging, newest_first=True)

    def draw(self, name: str) -> int:
        return drawn(self._connection, name)

    # Names

    def names(self, by: str, keys: Iterable[str]) -> Mapping[str, str]:
        wanted = list(keys)
        columns: dict[str, tuple[Any, Any]] = {
            "district": (t.district.c.code, t.district.c.name_ko),
            "centre": (t.centre.c.code, t.centre.c.name),
            "service": (t.service.c.code, t.service.c.name_ko),
            "provider": (t.provider.c.id, t.provider.c.name),
        }
        if by not in columns:
            return {}
        code, name = columns[by]
        among = listed(self._connection, map(UUID, wanted)) if by == "provider" else wanted
        rows = self._connection.execute(select(code, name).where(code.in_(among)))
        return {str(key): called for key, called in rows}

    def district_of(self, centre: str) -> str | None:
        return self._connection.scalar(
            select(t.centre.c.district_code).where(t.centre.c.code == centre)
        )

    def all_districts(self) -> list[str]:
        return list(self._connection.scalars(select(t.district.c.code).order_by(t.district.c.code)))


def _stored(cell: Cell, count: int) -> dict[str, Any]:
    facts = {name: value for name, value in cell._asdict().items() if value is not None}
    return facts | {"count": count}


def _read(stored: list[dict[str, Any]]) -> Cells:
    cells: Cells = Counter()
    for row in stored:
        facts = {name: value for name, value in row.items() if name not in ("figure", "count")}
        cells[cell_of(row["figure"], facts)] = row["count"]
    return cells
