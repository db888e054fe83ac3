"""More residents for the benchmark of figures: copies of those whose histories were made.

Each copy lives in another centre and is served by other agencies, on the same days, so that it
counts in cells of its own. What it counts for is copied too, since working days are the same
everywhere, and the sums are added up from all of it. What is encrypted is copied as it is: figures
read none of it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Table, Uuid, delete, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.figures.keeping import Corrections, figure_keeping
from casework.adapters.persistence.figures.kept import AT_MOST, COLUMNS
from casework.adapters.persistence.scope import session_context
from casework.domain.figures.entries import Entry, Way
from casework.domain.figures.tallying import cells_of

# Parents before children.
COPIED: Final = (
    t.resident, t.care_case, t.plan_version, t.planned_service, t.referral, t.deadline, t.review,
    t.figure_entry,
)  # fmt: skip
# What names a row of these without a foreign key.
NAMING: Final = frozenset({"id", "of_id", "subject_id"})
CENTRES_ON, AGENCIES_ON = 13, 7
# Where each agency and each centre stands in its list, and who stands so many places after it.
MOVED: Final = """
CREATE TEMPORARY TABLE moved_{name} ON COMMIT DROP AS
WITH ranked AS (
    SELECT *, row_number() OVER (ORDER BY {key}) - 1 AS place, count(*) OVER () AS all_of_them
    FROM {name}
)
SELECT n, a.{key} AS old, b.* FROM generate_series(1, CAST(:copies AS int)) AS n
CROSS JOIN ranked a JOIN ranked b ON b.place = (a.place + n * {steps}) % a.all_of_them
"""
TOO_MANY: Final = (
    "INSERT INTO figure_change (id, case_id, resident_id) "
    "SELECT gen_random_uuid(), id, resident_id FROM care_case "
    f"CROSS JOIN generate_series(1, {AT_MOST + 1}) LIMIT {AT_MOST + 1}"
)


def copy_residents(owner: Engine, copies: int) -> None:
    """So many copies of everybody who is there, counted like them."""
    with owner.begin() as connection:
        session_context.set_system_context(connection)
        for name, key, steps in (("provider", "id", AGENCIES_ON), ("centre", "code", CENTRES_ON)):
            moved = MOVED.format(name=name, key=key, steps=steps)
            connection.execute(text(moved), {"copies": copies})
            connection.execute(text(f"ANALYZE moved_{name}"))
        for table in COPIED:
            connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
            connection.execute(text(_copying(table)), {"copies": copies})
            connection.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))


def _copying(table: Table) -> str:
    columns = [column for column in table.c if column.computed is None]
    names = ", ".join(column.name for column in columns)
    copied = ", ".join(_copied(column) for column in columns)
    joined = [
        f"LEFT JOIN moved_{name} ON moved_{name}.n = of_copy.n AND moved_{name}.old = x.{column}"
        for name, column in (("provider", "provider_id"), ("centre", "centre_code"))
        if column in table.c
    ]
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {copied} FROM {table.name} x "
        f"CROSS JOIN generate_series(1, CAST(:copies AS int)) AS of_copy (n) {' '.join(joined)}"
    )


def _copied(column: Column[Any]) -> str:
    of = f"x.{column.name}"
    if column.name in NAMING or any(one.column.table in COPIED for one in column.foreign_keys):
        return f"CAST(md5(CAST({of} AS text) || of_copy.n) AS uuid)"
    if column.name == "provider_id" and isinstance(column.type, Uuid):
        return "moved_provider.id"
    if column.name == "centre_code":
        return "moved_centre.code"
    if column.name == "district_code":
        return "moved_centre.district_code"
    if column.table is t.care_case and column.name == "number":
        return f"{of} || '-' || of_copy.n"
    return of


def add_up(owner: Engine, counting: Engine) -> None:
    """Make every sum anew from the entries that are there; ``counting`` has the keys of draws."""
    with owner.connect() as reading:
        session_context.set_system_context(reading)
        found = Corrections(reading.execute(select(t.figure_day.c.day)).scalar_one())
        rows = _rows(reading, found)
    cell = cells_of(tuple(COLUMNS))
    for way, on, since, times, figure, *values in rows:
        found.add(Entry(Way(way), cell(figure, None, values), on, since), times)
    with figure_keeping(counting) as store:
        store.correct(found, instead=True)


def _rows(connection: Connection, of: Corrections) -> Any:
    """The entries of all cases by month, and by whether a clock that runs is overdue.

    All at once: what is made of them takes longer than a transaction may rest.
    """
    table = t.figure_entry
    facts = [table.c[column] for column in COLUMNS.values()]
    by = [
        table.c.way,
        func.date_trunc("month", table.c.on_day),
        func.date_trunc("month", table.c.since_day),
        table.c.on_day < of.overdue_until,
        table.c.figure,
        *facts,
    ]
    query = select(
        table.c.way, func.min(table.c.on_day), func.min(table.c.since_day),
        func.sum(table.c.times), table.c.figure, *facts,
    ).group_by(*by)  # fmt: skip
    return connection.execute(query).all()


def let_too_many_wait(owner: Engine) -> None:
    """Let so many changes wait to be counted that questions are answered from the rows."""
    _changes(owner, text(TOO_MANY))


def let_none_wait(owner: Engine) -> None:
    """Take that back: nothing was changed."""
    _changes(owner, delete(t.figure_change))


def _changes(owner: Engine, statement: Any) -> None:
    with owner.begin() as connection:
        session_context.set_system_context(connection)
        connection.execute(statement)
