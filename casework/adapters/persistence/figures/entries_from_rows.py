"""The entries of some cases, from their rows: what they count for as they are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.seoul import seoul_day
from casework.adapters.persistence.figures.figure_sources import (
    ended_clocks,
    filtered,
    reviews,
    running,
    served,
    source,
)
from casework.adapters.persistence.rows.mapper import pauses_of
from casework.domain.access.policy import Scope
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul, midnight
from casework.domain.figures.entries import (
    Entry,
    Served,
    Way,
    of_referral,
    of_reviews,
    of_services,
)
from casework.domain.figures.figures import Figure, Period, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import Cell, Cells, cell_of

AT_ALL_TIMES: Final = Period(date(1900, 1, 1), date(9000, 1, 1))
_PLAIN: Final = (
    Figure.APPLICATIONS,
    Figure.PLANS_SUBMITTED,
    Figure.PLANS_APPROVED,
    Figure.PLANS_RETURNED,
    Figure.UNMET_NEEDS,
)
# What cells are of, by the name of the column.
_COLUMNS: Final = {
    "district": "district_code",
    "centre": "centre_code",
    "field": "field",
    "provider": "provider_id",
    "kind": "kind",
    "held_by": "held_by",
    "service": "service_code",
    "reason": "reason",
    "cause": "cause",
}
Found = tuple[UUID, Entry, int]


class RowEntries:
    """Entries of cases, and of the residents whom they are about, within a scope.

    ``narrowed`` filters as a question does; its period is left out of account.
    """

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        narrowed: Question,
        now: datetime,
        spent: Spent,
    ) -> None:
        self._connection, self._scope, self._now, self._spent = connection, scope, now, spent
        self._question = Question(
            period=AT_ALL_TIMES,
            district=narrowed.district,
            centre=narrowed.centre,
            field=narrowed.field,
            provider=narrowed.provider,
        )

    def of_cases(self, cases: Any) -> Iterator[Found]:
        """What cases count for, each with its id; ``cases`` are ids, or a query for them."""
        for figure in _PLAIN:
            if self._can_tell(figure):
                yield from self._plain(figure, cases)
        yield from self._referrals(cases)
        yield from self._ended(cases)
        yield from self._causes(cases)
        yield from self._running(cases)

    def _can_tell(self, figure: Figure) -> bool:
        of_field = figure is Figure.UNMET_NEEDS or self._question.field is None
        return of_field and self._question.provider is None

    def of_residents(self, residents: Any) -> Iterator[Found]:
        """What residents count for as people served."""
        one = t.referral
        condition, columns = served(self._question, self._scope)
        ended_on = func.coalesce(one.c.ended_on, seoul_day(one.c.ended_at))
        query: Select[Any] = select(
            *one.c["resident_id", "district_code", "centre_code", "field", "provider_id"],
            *one.c["started_on", "ended_at"],
            ended_on.label("over_on"),
        ).where(condition, one.c.resident_id.in_(residents))
        query = filtered(query, columns, self._question).order_by(one.c.resident_id)
        for resident, rows in groupby(self._rows(query), lambda row: row["resident_id"]):
            times = (
                Served(
                    _cell("", row, "field", "provider"),
                    row["started_on"],
                    None if row["ended_at"] is None else row["over_on"],
                )
                for row in rows
            )
            for entry, count in of_services(times):
                yield resident, entry, count

    def due_today(self, cases: Any, today: date) -> Cells:
        """Clocks of cases that are overdue now and were not when the day began."""
        named = ("field", "provider", "kind", "held_by")
        rows = source(Figure.OVERDUE, self._question, self._scope, self._now).subquery()
        by = [rows.c[_COLUMNS[name]] for name in ("district", "centre", *named)]
        began = midnight(today)
        query = (
            select(*by, func.count().label("count"))
            .where(
                rows.c.case_id.in_(cases),
                or_(rows.c.due_at >= began, rows.c.paused_until >= began),
            )
            .group_by(*by)
        )
        return Counter(
            {_cell(Figure.OVERDUE, row, *named): row["count"] for row in self._rows(query)}
        )

    # Figure by figure

    def _rows(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def _of(self, query: Select[Any], cases: Any, *also: ColumnElement[bool]) -> list[Any]:
        rows = query.subquery()
        return self._rows(select(rows).where(rows.c.case_id.in_(cases), *also))

    def _plain(self, figure: Figure, cases: Any) -> Iterator[Found]:
        names = ("field", "service", "reason") if figure is Figure.UNMET_NEEDS else ()
        for row in self._of(source(figure, self._question, self._scope, self._now), cases):
            on = row.get("on") or day_in_seoul(row["at"])
            yield row["case_id"], Entry(Way.ON, _cell(figure, row, *names), on), 1

    def _referrals(self, cases: Any) -> Iterator[Found]:
        query = source(Figure.REFERRALS, self._question, self._scope, self._now)
        for row in self._of(query, cases):
            cell = _cell(Figure.REFERRALS, row, "field", "provider")
            for entry, count in of_referral(_Sent(row), day_in_seoul(row["at"]), cell):
                yield row["case_id"], entry, count

    def _ended(self, cases: Any) -> Iterator[Found]:
        query, columns = ended_clocks(self._question, self._scope)
        for row in self._of(filtered(query, columns, self._question), cases):
            if row["outcome"] is None:
                continue
            on = day_in_seoul(row["met_at"] or row["cancelled_at"])
            cell = _cell(row["outcome"], row, "field", "provider", "kind", "held_by")
            pauses = pauses_of(row["pauses"])
            days = self._spent(row["district_code"], day_in_seoul(row["started_at"]), on, pauses)
            yield row["case_id"], Entry(Way.ON, cell._replace(days=days), on), 1
            if row["acted_on"] is not None:
                late = cell._replace(figure=Figure.ENTERED_LATE)
                yield row["case_id"], Entry(Way.ON, late, on), 1

    def _causes(self, cases: Any) -> Iterator[Found]:
        query, columns = reviews(self._scope)
        rows = self._of(filtered(query, columns, self._question), cases)
        rows.sort(key=lambda row: (row["id"], row["at"], row["review_id"]))
        for _, own in groupby(rows, lambda row: row["id"]):
            said = list(own)
            named = ("field", "provider", "kind", "held_by", "cause")
            told = ((day_in_seoul(row["at"]), _cell(Figure.CAUSES, row, *named)) for row in said)
            for entry, count in of_reviews(told):
                yield said[0]["case_id"], entry, count

    def _running(self, cases: Any) -> Iterator[Found]:
        query, columns = running(self._question, self._scope, self._now)
        for row in self._of(filtered(query, columns, self._question), cases):
            cell = _cell(Figure.RUNNING, row, "field", "provider", "kind", "held_by")
            yield row["case_id"], Entry(Way.RUNS, cell, _overdue_on(row)), 1


class _Sent:
    """A row of a referral, as ``state_on`` reads a referral."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.status = ReferralStatus(row["status"])
        self.started_on, self.accepted_at = row["started_on"], row["accepted_at"]
        self.answered_on, self.answered_at = row["answered_on"], row["answered_at"]
        self.ended_on, self.ended_at = row["ended_on"], row["ended_at"]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def _overdue_on(row: Mapping[str, Any]) -> date:
    """The day on which a running clock is overdue, at some time of it."""
    due_at, paused_until = row["due_at"], row["paused_until"]
    return day_in_seoul(due_at if paused_until is None else max(due_at, paused_until))


def _cell(figure: str, row: Mapping[str, Any], *names: str) -> Cell:
    facts = {name: row[_COLUMNS[name]] for name in ("district", "centre", *names)}
    if facts.get("provider") is not None:
        facts["provider"] = str(facts["provider"])
    return cell_of(figure, facts)
