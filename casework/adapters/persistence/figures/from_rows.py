"""Counting from the rows: the database groups, so that memory grows with groups and not with rows.

What is kept is compared with this, and this answers where too much is not counted yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.seoul import month_of_day, seoul_day
from casework.adapters.persistence.figures.figure_sources import (
    ended_clocks,
    filtered,
    served,
    source,
)
from casework.adapters.persistence.rows.mapper import pauses_of
from casework.domain.access.policy import Scope
from casework.domain.figures.figures import Figure, Month, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import (
    PEOPLE_BY_BOTH,
    PEOPLE_BY_FIELD,
    PEOPLE_BY_PROVIDER,
    Cells,
    cell_of,
)

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


class RowFigures:
    """Every count from the rows, with all that a cell is of, within the scope of one actor."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope, self._now = connection, scope, now

    def counted(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        """Every figure that the filters apply to; of people, those named."""
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
