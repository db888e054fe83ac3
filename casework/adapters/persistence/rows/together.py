"""Inserts into several tables, and changes beside them, as one statement where that is possible.

On PostgreSQL every statement is a trip that costs more than the rows it writes. What is inserted
``later`` goes with the next statement of these, or before anything else that is sent on the
connection, so that nothing can tell the difference. SQLite writes at once.

Rows of one statement do not see each other: a policy that asks for a parent needs it to be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Engine,
    Table,
    Update,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t

# More rows are sent by themselves, table by table.
AT_MOST: Final = 40
_WAITING: Final = "inserts that wait"
# A change of rows that are there, built once, with its parameters, whose names nothing else beside
# it has.
Change = Update | Delete
Beside = tuple[Change, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A row for a table; where ``or_leave``, one that is there already stays as it is."""

    table: str
    row: dict[str, Any]
    or_leave: bool = False


def rows_for(
    table: Table, rows: Iterable[dict[str, Any]], *, or_leave: bool = False
) -> list[Inserted]:
    """Rows of one table."""
    return [Inserted(table.name, row, or_leave) for row in rows]


def insert_now(
    connection: Connection, rows: Sequence[Inserted], beside: Sequence[Beside] = ()
) -> None:
    """Insert them, and carry out what is ``beside`` them, which concerns none of these rows.

    SQLite, and whoever has many rows, does that first and inserts in the order that is given.
    """
    if 0 < len(rows) <= AT_MOST and len(rows) + len(beside) > 1 and _is_able(connection):
        _send(connection, rows, beside)
        return
    for statement, parameters in beside:
        connection.execute(statement, parameters)
    for table, or_leave in dict.fromkeys((one.table, one.or_leave) for one in rows):
        of = [one.row for one in rows if (one.table, one.or_leave) == (table, or_leave)]
        connection.execute(_insert(connection.dialect.name, table, or_leave=or_leave), of)


def insert_later(connection: Connection, rows: Sequence[Inserted]) -> None:
    """Insert them before anything else is sent, or with what ``insert_last`` sends."""
    waiting, transaction = _waiting(connection), connection.get_transaction()
    can_wait = _is_able(connection) and transaction is not None
    if not can_wait or len(waiting) + len(rows) > AT_MOST:
        insert_now(connection, rows)
    elif rows:
        connection.info[_WAITING] = (transaction, [*waiting, *rows])


def insert_last(connection: Connection, last: Inserted, beside: Sequence[Beside] = ()) -> int:
    """Insert a row with those that wait; how many of it the database kept, 0 or 1."""
    waiting = _waiting(connection)
    connection.info.pop(_WAITING, None)
    if _is_able(connection):
        return _send(connection, [*waiting, last], beside).rowcount
    kept = _send(connection, [*waiting, last]).rowcount
    for statement, parameters in beside:
        connection.execute(statement, parameters)
    return kept


def _is_able(connection: Connection) -> bool:
    """Whether the database takes several changes as one statement."""
    return connection.dialect.name == "postgresql"


@event.listens_for(Engine, "before_cursor_execute")
def _before_anything(connection: Connection, *_: Any) -> None:
    _send_waiting(connection)


@event.listens_for(Engine, "savepoint")
def _before_a_savepoint(connection: Connection, _name: str) -> None:
    _send_waiting(connection)


@event.listens_for(Engine, "commit")
def _before_the_commit(connection: Connection) -> None:
    _send_waiting(connection)


@event.listens_for(Engine, "rollback_savepoint")
def _taken_back(connection: Connection, *_: Any) -> None:
    connection.info.pop(_WAITING, None)


def _waiting(connection: Connection) -> list[Inserted]:
    """What waits in this transaction; what was left of another one went with it."""
    transaction, rows = connection.info.get(_WAITING, (None, []))
    return rows if transaction is connection.get_transaction() else []


def _send_waiting(connection: Connection) -> None:
    if _WAITING in connection.info:
        rows = _waiting(connection)
        del connection.info[_WAITING]
        insert_now(connection, rows)


def _send(
    connection: Connection, rows: Sequence[Inserted], beside: Sequence[Beside] = ()
) -> CursorResult[Any]:
    shape = tuple((one.table, tuple(one.row), one.or_leave) for one in rows)
    values = {
        f"w{index}_{name}": value
        for index, one in enumerate(rows)
        for name, value in one.row.items()
    }
    for _, parameters in beside:
        values |= parameters
    others = tuple(statement for statement, _ in beside)
    return connection.execute(_statement(connection.dialect.name, shape, others), values)


@lru_cache(maxsize=1000)
def _statement(
    dialect: str, shape: tuple[tuple[str, tuple[str, ...], bool], ...], beside: tuple[Change, ...]
) -> Any:
    """The last row's insert, with all others before it as common table expressions."""
    *others, last = (
        _insert(dialect, table, or_leave=or_leave).values(
            {name: bindparam(f"w{index}_{name}") for name in names}
        )
        for index, (table, names, or_leave) in enumerate(shape)
    )
    # The database says how many of the last row it kept.
    whole = last.inline().execution_options(preserve_rowcount=True)
    before = [one.cte(f"w{index}") for index, one in enumerate(others)]
    return whole.add_cte(*before, *(one.cte(f"b{index}") for index, one in enumerate(beside)))


def _insert(dialect: str, table: str, *, or_leave: bool) -> Any:
    of = postgresql if dialect == "postgresql" else sqlite
    insert = of.insert(t.metadata.tables[table])
    return insert.on_conflict_do_nothing() if or_leave else insert
