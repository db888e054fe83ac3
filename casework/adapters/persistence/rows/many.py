"""Many rows of one table in one statement.

On PostgreSQL the values of each column are one array, so that the statement is the same however
many rows there are, and stays prepared. ``COPY`` is not for tables with row-level security. On
SQLite the driver runs one prepared statement for each row, without leaving the process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from casework.adapters.persistence.engine.prepared import PLANNED_EACH_TIME

Row = Mapping[str, Any]


def insert_many(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    replaces: str | None = None,
    or_leave: bool = False,
) -> None:
    """Insert rows that all name the same columns.

    ``replaces`` is the column of the key: a row that is there already is overwritten. With
    ``or_leave`` it stays as it is.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if _has_arrays(connection):
        statement = _insert_arrays(table, names, replaces, or_leave=or_leave)
        connection.execute(statement, _arrays(names, rows))
    else:
        statement = _insert_each(table, names, replaces, or_leave=or_leave)
        connection.execute(statement, [dict(row) for row in rows])


def update_many(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Overwrite the same columns of some rows, which ``id`` names."""
    if not rows:
        return
    names = tuple(rows[0])
    if _has_arrays(connection):
        connection.execute(_update_arrays(table, names), _arrays(names, rows))
    else:
        given = [{f"new_{name}": row[name] for name in names} for row in rows]
        connection.execute(_update_each(table, names), given)


def is_one_of(connection: Connection, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column has one of some values; for a statement that is ``planned_each_time``.

    Such a statement is the same for any number of values, so that nobody renders it anew.
    """
    if not _has_arrays(connection):
        found: ColumnElement[bool] = column.in_(values)
        return found
    array = ARRAY(column.type, dimensions=1)
    return column == any_(bindparam(None, list(values), type_=array, unique=True))  # type: ignore[no-any-return]


def planned_each_time(query: Select[Any]) -> Select[Any]:
    """A query for many values, of which PostgreSQL keeps no plan."""
    return query.prefix_with(PLANNED_EACH_TIME, dialect="postgresql")


def _has_arrays(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _arrays(names: tuple[str, ...], rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {f"new_{name}": [row[name] for row in rows] for name in names}


def _given(table: Table, names: tuple[str, ...]) -> Any:
    """The rows, from one array for each column."""
    arrays = [
        bindparam(f"new_{name}", type_=ARRAY(table.c[name].type, dimensions=1)) for name in names
    ]
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()


@cache
def _insert_arrays(
    table: Table, names: tuple[str, ...], replaces: str | None, *, or_leave: bool
) -> Any:
    given = _given(table, names)
    statement = postgresql.insert(table).from_select(names, select(given))
    return _replacing(statement, names, replaces, or_leave=or_leave)


@cache
def _insert_each(
    table: Table, names: tuple[str, ...], replaces: str | None, *, or_leave: bool
) -> Any:
    if replaces is None and not or_leave:
        return insert(table)
    return _replacing(sqlite.insert(table), names, replaces, or_leave=or_leave)


def _replacing(
    statement: Any, names: tuple[str, ...], replaces: str | None, *, or_leave: bool
) -> Any:
    if or_leave:
        return statement.on_conflict_do_nothing()
    if replaces is None:
        return statement
    others = {name: statement.excluded[name] for name in names if name != replaces}
    return statement.on_conflict_do_update(index_elements=[replaces], set_=others)


@cache
def _update_arrays(table: Table, names: tuple[str, ...]) -> Any:
    given = _given(table, names)
    values = {name: given.c[name] for name in names if name != "id"}
    return update(table).where(table.c.id == given.c.id).values(values)


@cache
def _update_each(table: Table, names: tuple[str, ...]) -> Any:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names if name != "id"}
    return update(table).where(table.c.id == bindparam("new_id")).values(values)
