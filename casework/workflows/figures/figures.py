"""Figures: answering a question within the actor's scope, and closing a month."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any
from uuid import UUID

from casework.domain.access.policy import Scope
from casework.domain.errors import NotFound, require
from casework.domain.figures.figures import Month, Period, spent_in
from casework.domain.figures.questions import (
    Question,
    left_out,
    of_a_month,
    overall,
    seen_of_frozen,
    whole_months,
    with_frozen,
    within_scope,
)
from casework.domain.figures.summaries import summary
from casework.domain.figures.tallying import (
    ALL_PEOPLE,
    Cells,
    corrections,
    grouped,
    people_by,
)
from casework.workflows.context import Context
from casework.workflows.figures.city import CityTally
from casework.workflows.ports.figures import ClosedMonth
from casework.workflows.ports.unit_of_work import Reading


def figures(ctx: Context, reading: Reading, question: Question) -> dict[str, Any]:
    """The whole answer, with its groups if it is grouped."""
    narrowed = within_scope(question, reading.scope, reading.figures)
    tally = _tally(ctx, reading, narrowed)
    answer = {
        "from": narrowed.period.since,
        "to": narrowed.period.until,
        "as_of": reading.as_of,
        "scope": _scope(reading.scope, question),
        "by": question.by,
    }
    answer |= tally.whole()
    if narrowed.by is not None:
        answer["groups"] = tally.groups()
    return answer


def _tally(ctx: Context, reading: Reading, narrowed: Question) -> Tally | CityTally:
    """The counts that the actor is shown: those of the city are published ones."""
    return (CityTally if reading.scope.counts_alone else Tally)(ctx, reading, narrowed)


def _scope(scope: Scope, question: Question) -> dict[str, Any]:
    """The scope of the figures; a None field is not narrowed."""
    bounds = scope.bounds
    return {
        "district": question.district if bounds.district is None else bounds.district,
        "centre": question.centre if bounds.centre is None else bounds.centre,
        "field": question.field,
        "provider": question.provider if bounds.provider is None else bounds.provider,
        "under_five_hidden": scope.counts_alone,
    }


class Tally:
    """The cells of one question, live and frozen, and the parts of its answer."""

    def __init__(self, ctx: Context, reading: Reading, narrowed: Question) -> None:
        self._scope, self._figures, self._question = reading.scope, reading.figures, narrowed
        narrow = {"field": narrowed.field is not None, "provider": narrowed.provider is not None}
        self._people = people_by(**narrow)
        wider = narrow | ({narrowed.by: True} if narrowed.by in narrow else {})
        self._group_people = people_by(**wider)
        self._cells = self._figures.counted(
            narrowed, {self._people, self._group_people}, spent_in(ctx.clockwork)
        )
        self._closed = self._months_closed() if narrowed.by == "month" else {}
        self._tables = self._grouped()

    def _months_closed(self) -> dict[str, list[ClosedMonth]]:
        """The closed months that the question covers whole, within its filters."""
        question, bounds, districts = self._question, self._scope.bounds, None
        whole = whole_months(question.period)
        if bounds.district is not None:
            districts = [bounds.district]
        elif question.district is not None:
            districts = [question.district]
        found: dict[str, list[ClosedMonth]] = defaultdict(list)
        for closed in self._figures.closed(districts, map(str, whole)):
            found[closed.month].append(
                replace(closed, cells=seen_of_frozen(closed.cells, question, self._scope))
            )
        return dict(found)

    def _grouped(self) -> dict[str | None, Cells]:
        """The cells of each group; for a month that a district closed, the frozen ones."""
        by = self._question.by
        if by is None:
            return {}
        closed = (one for month in self._closed.values() for one in month)
        cells = with_frozen(
            self._cells, ((one.month, one.district_code, one.cells) for one in closed)
        )
        tables = grouped(cells, by)
        tables.pop(None, None)
        if by == "month":
            for each in self._question.period.months():
                tables.setdefault(str(each), Counter())
        return tables

    def whole(self) -> dict[str, Any]:
        """The answer over all groups, with current figures."""
        return summary(
            overall(self._cells), people=self._people, leave_out=left_out(self._question)
        )

    def part(self, key: str | None) -> dict[str, Any]:
        """The answer of one group."""
        return summary(
            self._tables.get(key, Counter()),
            people=self._group_people,
            leave_out=left_out(self._question, self._question.by),
        )

    def groups(self) -> list[dict[str, Any]]:
        """Every group with its name; a month adds where it is closed, and later corrections."""
        by, keys = self._question.by or "", sorted(key for key in self._tables if key is not None)
        names = self._figures.names(by, keys)
        found = []
        for key in keys:
            group = {"key": key, "name": names.get(key)} | self.part(key)
            if by == "month":
                group["clocks"] = of_a_month(group["clocks"])
                group |= self._of_closed(key)
            found.append(group)
        return found

    def _of_closed(self, month: str) -> dict[str, Any]:
        closed = self._closed.get(month, [])
        return {
            "closed_in": [one.district_code for one in closed],
            "corrections": self.corrections(month),
        }

    def corrections(self, month: str) -> list[dict[str, Any]]:
        """The differences between a month's frozen figures and today's, for closed districts."""
        closed = self._closed.get(month, [])
        districts = {one.district_code for one in closed}
        frozen: Cells = Counter()
        for one in closed:
            frozen.update(one.cells)
        now = {
            cell: n
            for cell, n in self._cells.items()
            if cell.month == month and cell.district in districts
        }
        return corrections(frozen, Counter(now), self._people)


# Closed months


def close_month(ctx: Context, month: Month) -> UUID:
    """Freeze the figures of a month in the actor's district; it must be over."""
    with ctx.work("figures.close") as work:
        month.check_over(ctx.now)
        narrowed = Question(period=Period(month.first, month.last), by="month")
        cells = work.figures.every_cell(narrowed, ALL_PEOPLE, spent_in(ctx.clockwork))
        closed = ClosedMonth(
            id=ctx.new_id(),
            district_code=ctx.actor.district_code or "",
            month=str(month),
            closed_at=ctx.now,
            closed_by=ctx.actor.id,
            cells=Counter({cell: n for cell, n in cells.items() if cell.month is not None}),
        )
        work.figures.close(closed)
        work.commit(closed.id)
        return closed.id


def closed_month(
    ctx: Context, reading: Reading, month: Month, district: str | None
) -> dict[str, Any]:
    """A closed month as frozen, with later corrections; NotFound while it is open."""
    scope = reading.scope
    question = Question(period=Period(month.first, month.last), by="month", district=district)
    if scope.bounds.district is not None:
        question = replace(question, district=district or scope.bounds.district)
    require(
        question.district is not None, "which district?", code="district_required", field="district"
    )
    narrowed = within_scope(replace(question, by=None), scope, reading.figures)
    tally = _tally(ctx, reading, replace(narrowed, by="month"))
    closed = next(iter(reading.figures.closed([narrowed.district or ""], [str(month)])), None)
    if closed is None:
        raise NotFound("this month is not closed")
    group = next(one for one in tally.groups() if one["key"] == str(month))
    frozen = {name: group[name] for name in group if name not in ("key", "name", "closed_in")}
    return {
        "month": str(month),
        "district": closed.district_code,
        "closed_at": closed.closed_at,
        "closed_by": closed.closed_by,
    } | frozen


# Unmet needs


def unmet_summary(ctx: Context, reading: Reading, question: Question, by: str) -> dict[str, Any]:
    """Counts of unmet needs; for the city published ones."""
    figures = reading.figures
    narrowed = within_scope(replace(question, by=by), reading.scope, figures)
    since: dict[str, Any] = {}
    if reading.scope.counts_alone:
        counts = CityTally(ctx, reading, narrowed).unmet(by)
    else:
        rows = figures.unmet_by(by, narrowed)
        counts = {row["key"]: row["count"] for row in rows}
        since = {row["key"]: row["oldest_since"] for row in rows}
    names = figures.names(by, counts)
    total = sum(counts.values())
    return {
        "by": by,
        "from": narrowed.period.since,
        "to": narrowed.period.until,
        "total": (total or None) if reading.scope.counts_alone else total,
        "groups": [
            {"key": key, "name": names.get(key), "count": count, "oldest_since": since.get(key)}
            for key, count in counts.items()
        ],
    }
