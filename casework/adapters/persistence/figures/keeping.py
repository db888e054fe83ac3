"""Keeping figures: entries of what changed, and the sums that they change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    and_,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.reaching import allow_statements
from casework.adapters.persistence.engine.types import to_json
from casework.adapters.persistence.figures.entries_from_rows import RowEntries
from casework.adapters.persistence.figures.figures import SqlFigures, drawn
from casework.adapters.persistence.figures.kept import COLUMNS, KeptFigures, entry_of
from casework.adapters.persistence.figures.published import answered, cell_row, id_of, sum_row
from casework.adapters.persistence.figures.source_rows import listed
from casework.adapters.persistence.scope import session_context
from casework.domain.access.policy import EVERYTHING
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, midnight
from casework.domain.figures.disclosure import name_of, stepped
from casework.domain.figures.entries import Entry, Way
from casework.domain.figures.figures import Figure, Month, Period, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.same_events import as_told
from casework.domain.figures.tallying import ALL_PEOPLE, Cell, Cells
from casework.workflows.ports.kept_figures import Changes

# One at a time: two that count the same case would both correct the sums by what it was.
_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(4711003)")
TRIES_AGAIN_S: Final = 0.1
_MAY_REST: Final = text("SET LOCAL idle_in_transaction_session_timeout = '120s'")
_MAY_REST_LONG: Final = text("SET LOCAL idle_in_transaction_session_timeout = '3600s'")
_ROWS_AT_ONCE: Final = 2000
# Seconds that a statement may take over everything that is kept, or over all clocks.
ANEW_S: Final = 3600
_SUMS: Final = (t.figure_total, t.city_total, t.city_sum)
_KEPT: Final = (t.figure_entry, *_SUMS, t.figure_day, t.figure_change)
_EVERYWHERE: Final = Question(period=Period(date(2000, 1, 1), date(2000, 1, 1)))


@dataclass
class Corrections:
    """What the entries and the sums change by."""

    overdue_until: date
    gone: list[tuple[UUID, UUID]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    totals: Counter[Entry] = field(default_factory=Counter)
    published: Cells = field(default_factory=Counter)

    def add(self, entry: Entry, times: int) -> None:
        """An entry counts more often than before, or less."""
        since = None if entry.since is None else Month.of(entry.since).first
        self.totals[entry._replace(on=Month.of(entry.on).first, since=since)] += times
        if entry.way in (Way.ON, Way.NOW):
            self.publish(entry.cell._replace(month=str(Month.of(entry.on))), times)
        elif entry.way is Way.RUNS:
            self.publish(entry.cell, times)
            if entry.on < self.overdue_until:
                self.publish(entry.cell._replace(figure=Figure.OVERDUE), times)

    def publish(self, cell: Cell, times: int) -> None:
        """A cell counts more often than before, or less, where the city is told it."""
        told = as_told(cell)
        if told is not None:
            self.published[told] += times


class SqlFigureKeeping:
    """Keeps the figures in one transaction of the system."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def waiting(self) -> int:
        return self._connection.scalar(select(func.count()).select_from(t.figure_change)) or 0

    def next(self, at_most: int) -> Changes:
        change = t.figure_change
        # All changes of a case at once: it is counted once.
        some = select(change.c.case_id).where(change.c.case_id.is_not(None)).distinct()
        some = some.order_by(change.c.case_id).limit(at_most)
        rows = self._connection.execute(
            select(change).where(or_(change.c.case_id.in_(some), change.c.day.is_not(None)))
        ).all()
        return Changes(
            ids=tuple(row.id for row in rows),
            cases=frozenset(row.case_id for row in rows if row.case_id is not None),
            residents=frozenset(row.resident_id for row in rows if row.resident_id is not None),
            days=frozenset(row.day for row in rows if row.day is not None),
        )

    def note_clocks_over(self, days: frozenset[date]) -> None:
        allow_statements(self._connection, ANEW_S)
        clock, change = t.deadline, t.figure_change
        over = or_(
            *(
                and_(
                    clock.c.case_id.is_not(None),
                    clock.c.started_at < midnight(day + ONE_DAY),
                    func.coalesce(clock.c.met_at, clock.c.cancelled_at) >= midnight(day),
                )
                for day in days
            )
        )
        cases = select(clock.c.case_id).where(over).distinct().subquery()
        self._connection.execute(
            insert(change).from_select(["id", "case_id"], select(self._new_ids(), cases.c.case_id))
        )

    def _new_ids(self) -> Any:
        is_postgres = self._connection.dialect.name == "postgresql"
        return literal_column("gen_random_uuid()" if is_postgres else "lower(hex(randomblob(16)))")

    def count(self, changes: Changes, spent: Spent, now: datetime) -> None:
        rows = RowEntries(self._connection, EVERYTHING, _EVERYWHERE, now, spent)
        new: Counter[tuple[UUID, Entry]] = Counter()
        for of_id, entry, times in rows.of_cases(listed(self._connection, changes.cases)):
            new[of_id, entry] += times
        for of_id, entry, times in rows.of_residents(listed(self._connection, changes.residents)):
            new[of_id, entry] += times
        self.correct(self._corrections(changes, new))

    def _corrections(self, changes: Changes, new: Counter[tuple[UUID, Entry]]) -> Corrections:
        entry_table, found = t.figure_entry, Corrections(self._overdue_until())
        of = listed(self._connection, changes.cases | changes.residents)
        for row in self._connection.execute(select(entry_table).where(entry_table.c.of_id.in_(of))):
            entry = entry_of(row)
            now = new.pop((row.of_id, entry), 0)
            if now == row.times:
                continue
            found.gone.append((row.of_id, row.id))
            found.add(entry, now - row.times)
            if now:
                found.entries.append(_entry_row(row.of_id, entry, now))
        for (of_id, entry), times in new.items():
            if times:
                found.entries.append(_entry_row(of_id, entry, times))
                found.add(entry, times)
        return found

    def correct(self, found: Corrections, *, instead: bool = False) -> None:
        """Write what changes; ``instead`` of the sums that are kept, not beside them."""
        entry, run = t.figure_entry, self._connection.execute
        if instead:
            allow_statements(self._connection, ANEW_S)
            run(_MAY_REST_LONG)
            for table in _SUMS:
                run(delete(table))
        for some in _some(found.gone):
            run(delete(entry).where(tuple_(entry.c.of_id, entry.c.id).in_(some)))
        for rows in _some(found.entries):
            self._insert(entry, rows)
        self._add(t.figure_total, (_total_row(one, n) for one, n in found.totals.items() if n))
        self._publish(found.published)

    def _publish(self, cells: Cells) -> None:
        """Correct the cells of the city, and the sums of what they are published as."""
        known = self._known(cells)
        rows, sums = [], Cells()
        for cell, times in cells.items():
            if times:
                was, drawn_to = known.get(cell) or (0, drawn(self._connection, name_of(cell)))
                rows.append(cell_row(cell, times, drawn_to))
                step = stepped(was + times, drawn_to) - stepped(was, drawn_to)
                sums[cell._replace(provider=None)] += step
        self._add(t.city_total, rows)
        self._add(t.city_sum, (sum_row(cell, step) for cell, step in sums.items() if step))

    def _known(self, cells: Cells) -> dict[Cell, tuple[int, int]]:
        """What is kept of some cells of the city: how many, and the draw."""
        ids, table = {id_of(name_of(cell)): cell for cell in cells}, t.city_total
        query = select(*table.c["id", "times", "drawn"])
        query = query.where(table.c.id.in_(listed(self._connection, ids)))
        return {ids[row.id]: (row.times, row.drawn) for row in self._connection.execute(query)}

    def _add(self, table: Any, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add to sums, make those that were not there, and drop those of nothing."""
        adds = f"ON CONFLICT (id) DO UPDATE SET times = {table.name}.times + excluded.times"
        for some in _some(sorted(rows, key=lambda row: row["id"])):
            self._insert(table, some, adds)
            ids = [row["id"] for row in some if row["times"] < 0]
            if ids:
                self._connection.execute(
                    delete(table).where(table.c.id.in_(ids), table.c.times == 0)
                )

    def _insert(self, table: Any, rows: list[Any], then: str = "") -> None:
        """Insert rows; on PostgreSQL by one parameter, which takes a fifth of the time."""
        names = ", ".join(column.name for column in table.c)
        if self._connection.dialect.name == "postgresql":
            made = f"jsonb_populate_recordset(NULL::{table.name}, CAST(:rows AS jsonb))"
            statement = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {made} {then}"  # noqa: S608
            self._connection.execute(text(statement), {"rows": to_json(rows)})
            return
        write = sqlite.insert(table)
        if then:
            write = write.on_conflict_do_update(
                index_elements=["id"], set_={"times": table.c.times + write.excluded.times}
            )
        self._connection.execute(write, rows)

    def counted(self, changes: Changes) -> None:
        change = t.figure_change
        ids = listed(self._connection, changes.ids)
        self._connection.execute(delete(change).where(change.c.id.in_(ids)))

    def begin_day(self, now: datetime) -> None:
        today, until = day_in_seoul(now), self._connection.scalar(select(t.figure_day.c.day))
        if until == today:
            return
        kept = KeptFigures(self._connection, EVERYTHING, now)
        corrections = Corrections(today)
        for cell, times in kept.overdue_since(until, _EVERYWHERE).items():
            corrections.publish(cell, times)
        self._publish(corrections.published)
        self._connection.execute(delete(t.figure_day))
        self._connection.execute(insert(t.figure_day), [{"id": 1, "day": today}])

    def _overdue_until(self) -> date:
        return self._connection.scalar(select(t.figure_day.c.day)) or date.min

    def begin_anew(self) -> None:
        allow_statements(self._connection, ANEW_S)
        run = self._connection.execute
        for table in _KEPT:
            run(delete(table))
        one = t.care_case
        run(
            insert(t.figure_change).from_select(
                ["id", "case_id", "resident_id"],
                select(self._new_ids(), one.c.id, one.c.resident_id),
            )
        )

    # Comparing

    def months(self) -> list[Month]:
        first = self._connection.scalar(select(func.min(t.care_case.c.applied_on)))
        if first is None:
            return []
        last = self._connection.scalar(select(func.max(t.figure_total.c.on_month))) or first
        return list(Period(first, max(first, last)).months())

    def both(self, month: Month, spent: Spent, now: datetime) -> Iterator[tuple[Cells, Cells]]:
        allow_statements(self._connection, ANEW_S)
        figures = SqlFigures(self._connection, EVERYTHING, now, set())
        whole = Period(month.first, month.last)
        for by in (None, "month"):
            question = Question(period=whole, by=by)
            rows = figures.counted_from_rows(question, ALL_PEOPLE, spent)
            yield figures.every_cell(question, ALL_PEOPLE, spent), rows
        for by in ("district", "provider"):
            told = Question(period=whole, by=by)
            shown = figures.published(told, spent, with_people=True)
            rows = figures.published_from_rows(told, spent, with_people=True)
            yield answered(shown, by), answered(rows, by)


def _some(rows: list[Any]) -> Iterator[list[Any]]:
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[begin : begin + _ROWS_AT_ONCE]


def _facts(cell: Cell) -> dict[str, Any]:
    facts = {column: getattr(cell, name) for name, column in COLUMNS.items()}
    provider = None if cell.provider is None else UUID(cell.provider)
    return facts | {"provider_id": provider, "figure": str(cell.figure)}


def _name(entry: Entry) -> str:
    return f"{entry.way}|{name_of(entry.cell)}|{entry.on}|{entry.since}"


def _entry_row(of_id: UUID, entry: Entry, times: int) -> dict[str, Any]:
    return _facts(entry.cell) | {
        "of_id": of_id,
        "id": id_of(_name(entry)),
        "way": entry.way.value,
        "on_day": entry.on,
        "since_day": entry.since,
        "times": times,
    }


def _total_row(entry: Entry, times: int) -> dict[str, Any]:
    return _facts(entry.cell) | {
        "id": id_of(_name(entry)),
        "way": entry.way.value,
        "on_month": entry.on,
        "since_month": entry.since,
        "times": times,
    }


class CountedElsewhere(Exception):
    """Another process counts what waits."""


@contextmanager
def figure_keeping(engine: Engine, wait_s: float = 10.0) -> Iterator[SqlFigureKeeping]:
    """The keeping of figures, in a transaction that is committed where nothing fails.

    Raises CountedElsewhere where another one is not over within so many seconds.
    """
    until = time.monotonic() + wait_s
    while True:
        with engine.begin() as connection:
            session_context.set_system_context(connection)
            if _is_alone(connection):
                yield SqlFigureKeeping(connection)
                return
        if time.monotonic() >= until:
            raise CountedElsewhere
        time.sleep(TRIES_AGAIN_S)


def _is_alone(connection: Connection) -> bool:
    """Whether nobody else counts until the transaction is over; SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        return True
    # Between statements it counts in this process, which may be starved of time.
    connection.execute(_MAY_REST)
    return bool(connection.scalar(_ALONE))
