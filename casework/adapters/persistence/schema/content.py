"""What every table holds: its rows counted, and a digest over them in the order of their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, MetaData, String, Table, collate, inspect, select

from casework.domain.audit.manifests import TableContent

# A whole table is read, and nobody waits for it.
READING_S: Final = 24 * 3600
# The same text for the same row, whatever the role or the server is set to.
_SPELLED: Final = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'iso_8601'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def table_names(connection: Connection) -> list[str]:
    """Every table of the schema, whether the code knows it or not."""
    return sorted(inspect(connection).get_table_names())


def contents(
    connection: Connection, progress: Callable[[str], None] = lambda _table: None
) -> dict[str, TableContent]:
    """What every table holds, as one transaction sees it; ``progress`` is told each table."""
    if connection.dialect.name == "postgresql":
        for statement in _SPELLED:
            connection.exec_driver_sql(statement)
    found = {}
    for name in table_names(connection):
        table = Table(name, MetaData(), autoload_with=connection)
        found[name] = _content(connection, table)
        progress(name)
    return found


def _content(connection: Connection, table: Table) -> TableContent:
    digest, rows = hashlib.sha256(), 0
    lines = _copied(connection, table) if _is_postgresql(connection) else _read(connection, table)
    for line in lines:
        digest.update(line)
        rows += 1
    return TableContent(rows=rows, digest=digest.hexdigest())


def _copied(connection: Connection, table: Table) -> Iterator[bytes]:
    """Each row as COPY spells it."""
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY ({_ordered(connection, table)}) TO STDOUT") as copied:
        for block in copied:
            yield bytes(block)


def _read(connection: Connection, table: Table) -> Iterator[bytes]:
    """Each row as it is stored on SQLite."""
    for row in connection.exec_driver_sql(_ordered(connection, table)):
        yield repr(tuple(row)).encode() + b"\n"


def _ordered(connection: Connection, table: Table) -> str:
    """The query of all rows; text is ordered by its bytes, whatever the database's collation."""
    keys = list(table.primary_key.columns) or list(table.columns)
    order = [
        collate(one, "C") if isinstance(one.type, String) and _is_postgresql(connection) else one
        for one in keys
    ]
    # By their names: a restored table may have its columns in another order.
    named = sorted(table.columns, key=lambda one: one.name)
    return str(select(*named).order_by(*order).compile(dialect=connection.dialect))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
