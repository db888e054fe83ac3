"""Counting: the database groups, so that memory and time grow with groups, not rows."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, func, insert, select
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.engine.seoul import month_of_day, seoul_day
from casework.adapters.persistence.figures.figure_sources import (
    ended_clocks,
    filtered,
    served,
    source,
    unmet,
)
from casework.adapters.persistence.rows.mapper import pauses_of
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.errors import Conflict
from casework.domain.figures.disclosure import STEP
from casework.domain.figures.figures import Figure, Month, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import (
    PEOPLE_BY_BOTH,
    PEOPLE_BY_FIELD,
    PEOPLE_BY_PROVIDER,
    Cell,
    Cells,
    cell_of,
)
from casework.workflows.ports.figures import ClosedMonth
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

AT_ONCE: Final = 2000
# What each other figure's cells are of, besides place and month; by the name of the column.
_OF: Final[dict[Figure, dict[str, str]]] = {
    Figure.APPLICATIONS: {},
    Figure.PLANS_SUBMITTED: {},
    Figure.PLANS_APPROVED: {},
    Figure.PLANS_RETURNED: {},
    Figure.REFERRALS: {"field": "field", "provider": "provider_id", "status": "state"},
    Figure.CAUSES: {
        "field": "field",
        "provider": "provider_id",
        "kind": "kind",
        "held_by": "held_by",
        "cause": "cause",
    },
    Figure.UNMET_NEEDS: {"field": "field", "service": "service_code", "reason": "reason"},
    Figure.RUNNING: {
        "field": "field",
        "provider": "provider_id",
        "kind": "kind",
        "held_by": "held_by",
    },
}
_NOW: Final = (Figure.RUNNING, Figure.OVERDUE)
# They are told as they stood when the period was over: by month, when each month was.
_AS_OF_THE_END: Final = (Figure.REFERRALS, Figure.CAUSES)
_PEOPLE_OF: Final = {
    PEOPLE_BY_FIELD: ("field",),
    PEOPLE_BY_PROVIDER: ("provider_id",),
    PEOPLE_BY_BOTH: ("field", "provider_id"),
}


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
        cells: Cells = Counter()
        for figure, of in _OF.items():
            if self._is_told(figure, question):
                cells.update(self._plain(figure, of, question))
        if self._is_told(Figure.OVERDUE, question):
            cells.update(self._plain(Figure.OVERDUE, _OF[Figure.RUNNING], question))
        cells.update(self._ended(question, spent))
        for people_figure in people:
            cells.update(self._people(people_figure, question))
        return cells

    def _is_told(self, figure: Figure, question: Question) -> bool:
        told_by = _OF.get(figure, _OF[Figure.RUNNING])
        return all(
            getattr(question, name) is None or name in told_by for name in ("field", "provider")
        )

    def _rows(self, query: Select[Any]) -> Iterator[Any]:
        """The rows of a query, a batch at a time."""
        options = {"yield_per": AT_ONCE}
        for row in self._connection.execute(query, execution_options=options):
            yield row._mapping

    def _plain(self, figure: Figure, of: Mapping[str, str], question: Question) -> Cells:
        if question.by != "month" or figure not in _AS_OF_THE_END:
            return self._plain_of(figure, of, question)
        found: Cells = Counter()
        for month in question.period.months():
            within = replace(question, period=question.period.within(month))
            found += self._plain_of(figure, of, within)
        return found

    def _plain_of(self, figure: Figure, of: Mapping[str, str], question: Question) -> Cells:
        rows = source(figure, question, self._scope, self._now).subquery()
        by: dict[str, Any] = {"district": rows.c.district_code, "centre": rows.c.centre_code}
        by |= {name: rows.c[column] for name, column in of.items()}
        if question.by == "month" and figure not in _NOW:
            by["month"] = month_of_day(_day_of(rows))
        found: Cells = Counter()
        for row in self._rows(_counts(by)):
            told = {name: _text(row[name]) for name in by}
            found[cell_of(figure.value, told)] = row["count"]
        return found

    def _ended(self, question: Question, spent: Spent) -> Cells:
        """Clocks that ended, in groups of those that began and ended on the same days."""
        query, columns = ended_clocks(question, self._scope)
        rows = filtered(query, columns, question).subquery()
        ended_on = seoul_day(func.coalesce(rows.c.met_at, rows.c.cancelled_at))
        by = {
            "district": rows.c.district_code,
            "centre": rows.c.centre_code,
            "provider": rows.c.provider_id,
            "began_on": seoul_day(rows.c.started_at),
            "ended_on": ended_on,
            "entered_late": rows.c.acted_on.is_not(None),
            **{name: rows.c[name] for name in ("outcome", "field", "kind", "held_by", "pauses")},
        }
        found: Cells = Counter()
        for row in self._rows(_counts(by).where(rows.c.outcome.is_not(None))):
            pauses = pauses_of(row["pauses"])
            told = {
                "month": str(Month.of(row["ended_on"])) if question.by == "month" else None,
                **{name: row[name] for name in ("district", "centre", "field", "kind", "held_by")},
                "provider": _text(row["provider"]),
                "days": spent(row["district"], row["began_on"], row["ended_on"], pauses),
            }
            cell = cell_of(row["outcome"], told)
            found[cell] += row["count"]
            if row["entered_late"]:
                found[cell._replace(figure=Figure.ENTERED_LATE, days=None)] += row["count"]
        return found

    def _people(self, figure: str, question: Question) -> Cells:
        """People, once each in every cell; by month once in every month, and once in all."""
        cells = self._people_of(figure, question, None)
        if question.by == "month":
            for month in question.period.months():
                cells += self._people_of(figure, question, month)
        return cells

    def _people_of(self, figure: str, question: Question, month: Month | None) -> Cells:
        within = question
        if month is not None:
            within = replace(question, period=question.period.within(month))
        condition, columns = served(within, self._scope)
        one = t.referral
        besides = [one.c[name] for name in _PEOPLE_OF.get(figure, ())]
        place = [one.c.district_code, one.c.centre_code]
        query = filtered(
            select(*place, *besides, func.count(one.c.resident_id.distinct()).label("people"))
            .where(condition)
            .group_by(*place, *besides),
            columns,
            within,
        )
        found: Cells = Counter()
        for row in self._rows(query):
            told = {
                "month": str(month) if month else None,
                "district": row["district_code"],
                "centre": row["centre_code"],
                "field": row.get("field"),
                "provider": _text(row.get("provider_id")),
            }
            found[cell_of(figure, told)] = row["people"]
        return found

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
        try:
            self._connection.execute(insert(t.closed_month), [row])
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

    def closed_months(self, paging: Paging) -> Page:
        table = t.closed_month
        query = select(*table.c["district_code", "month", "closed_at", "closed_by"])
        query = query.where(seen(table, self._scope))
        keys = [table.c.month, table.c.district_code]
        return page(self._connection, query, keys, paging, newest_first=True)

    def draw(self, name: str) -> int:
        blind: str = self._connection.get_execution_options()["vault"].blind("city figures", name)
        return int.from_bytes(urlsafe_b64decode(blind.rpartition(".")[2])) % STEP

    # Names

    def names(self, by: str, keys: Iterable[str]) -> Mapping[str, str]:
        wanted = list(keys)
        columns: dict[str, tuple[Any, Any, list[Any]]] = {
            "district": (t.district.c.code, t.district.c.name_ko, wanted),
            "centre": (t.centre.c.code, t.centre.c.name, wanted),
            "service": (t.service.c.code, t.service.c.name_ko, wanted),
            "provider": (t.provider.c.id, t.provider.c.name, []),
        }
        if by not in columns:
            return {}
        code, name, among = columns[by]
        if by == "provider":
            among = [UUID(key) for key in wanted]
        rows = self._connection.execute(select(code, name).where(code.in_(among)))
        return {str(key): called for key, called in rows}

    def district_of(self, centre: str) -> str | None:
        return self._connection.scalar(
            select(t.centre.c.district_code).where(t.centre.c.code == centre)
        )

    def all_districts(self) -> list[str]:
        return list(self._connection.scalars(select(t.district.c.code).order_by(t.district.c.code)))


def _counts(by: Mapping[str, Any]) -> Select[Any]:
    """How many rows there are of each."""
    labelled = [column.label(name) for name, column in by.items()]
    return select(*labelled, func.count().label("count")).group_by(*by.values())


def _day_of(rows: Any) -> Any:
    """The day of an act: its own where it has one, else that of the moment of recording."""
    if "at" not in rows.c:
        return rows.c.on
    recorded = seoul_day(rows.c.at)
    return func.coalesce(rows.c.on, recorded) if "on" in rows.c else recorded


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _stored(cell: Cell, count: int) -> dict[str, Any]:
    facts = {name: value for name, value in cell._asdict().items() if value is not None}
    return facts | {"count": count}


def _read(stored: list[dict[str, Any]]) -> Cells:
    cells: Cells = Counter()
    for row in stored:
        facts = {name: value for name, value in row.items() if name not in ("figure", "count")}
        cells[cell_of(row["figure"], facts)] = row["count"]
    return cells
