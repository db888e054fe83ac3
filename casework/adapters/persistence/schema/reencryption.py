"""Re-encrypt, in online batches, what is under an older key or unencrypted.

A batch is one transaction over some rows of one table, ids ascending, read and written in a
statement each. Locked rows are skipped, so that there is no deadlock; the next round finds them.
Killed at any moment, it starts again and finds what is left: of what is under the keys in use it
reads nothing but how the values begin, and that in the database.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    blind_columns,
    columns_with_ciphertext,
    decrypt_row,
    decrypted,
    encrypt_row,
)
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.rows.many import is_one_of, planned_each_time, update_many
from casework.adapters.persistence.schema.key_checks import add_checks, forget_checks
from casework.adapters.persistence.schema.migrations import IS_CLEAR
from casework.adapters.persistence.scope import row_level_security, session_context
from casework.domain.errors import Conflict
from casework.domain.residents.names import digits_of, last_digits_of, name_and_birth
from casework.workflows.ports.vault import KeyCheck, Progress, Vault

BATCH: Final = 500
WINDOW: Final = 5_000
FORMAT: Final = "v1"
# Of how many characters the id of a key is.
KEY: Final = 8
MIN_PAUSE_S: Final = 0.01
# How long it rests after a batch, as a part of what that took. SQLite has one writer at a time, and
# those who wait for it look again only now and then.
REST: Final = {"postgresql": 0.2, "sqlite": 1.0}
TRIES: Final = 10
PAUSE_S: Final = 0.5
_MAY_READ: Final = text(
    "SELECT has_column_privilege(CAST(:of AS text), CAST(:one AS text), 'SELECT')"
)
# The value that each blind index covers, computed from its decrypted row.
INDEXED: Final[dict[str, Callable[[dict[str, Any]], str | None]]] = {
    "resident.phone_digits": lambda row: digits_of(row["phone"]),
    "resident.phone_ending": lambda row: last_digits_of(row["phone"]),
    "resident.rrn_index": lambda row: row["rrn"],
    "resident.name_birth_index": lambda row: name_and_birth(row["name"], row["birth_date"]),
    "contact.phone_digits": lambda row: digits_of(row["phone"]),
    "contact.phone_ending": lambda row: last_digits_of(row["phone"]),
    "import_row.external_index": lambda row: row["external_id"],
}

# What of it is no sealed column.
IN_CLEAR: Final = {"resident": ("name", "birth_date")}


class EncryptedRows:
    """Every row of every table that has encrypted or indexed columns."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault
        self._reader = engine.execution_options(only_reads=True)

    @contextmanager
    def _begun(self, engine: Engine | None = None) -> Iterator[Connection]:
        """A transaction that sees everybody's rows."""
        with (engine or self._engine).begin() as connection:
            session_context.set_system_context(connection)
            yield connection

    def _check_policies(self) -> None:
        """Refuse to count where row-level security may hide rows: a key would seem unused."""
        with self._begun(self._reader) as connection:
            if hidden := row_level_security.outdated_tables(connection):
                raise Conflict(
                    f"row-level security on {', '.join(sorted(hidden))} is not of this version:"
                    " run `casework migrate`"
                )

    def total(self) -> int:
        with self._begun(self._reader) as connection:
            counts = (select(func.count()).select_from(table) for table in encrypted_tables())
            return sum(connection.scalar(count) or 0 for count in counts)

    def values_by_key(self, *, only_readable: bool = False) -> Counter[str]:
        """Unencrypted ones are under the empty name.

        ``only_readable`` leaves out the columns that the connected role may not read.
        """
        self._check_policies()
        found: Counter[str] = Counter()
        for table in encrypted_tables():
            columns = self._columns(table, only_readable=only_readable)
            for window in self._windows(table) if columns else ():
                found.update(self._counted(table, columns, window))
        return found

    def _columns(self, table: Table, *, only_readable: bool) -> list[Any]:
        return [one for one in sealed_columns(table) if not only_readable or self._may_read(one)]

    def _counted(self, table: Table, columns: list[Any], window: _Window) -> Counter[str]:
        """How many values of some rows are under each key."""
        heads = [_head(column) for column in columns]
        query = select(*heads, func.count()).where(window.holds(table)).group_by(*heads)
        found: Counter[str] = Counter()
        with self._begun(self._reader) as connection:
            for *row, count in connection.execute(query):
                for column, head in zip(columns, row, strict=True):
                    if (key := _named(column, head)) is not None:
                        found[key] += count
        return found

    def _may_read(self, column: Any) -> bool:
        of = {"of": column.table.name, "one": column.name}
        with self._begun(self._reader) as connection:
            if connection.dialect.name != "postgresql":
                return True
            return bool(connection.scalar(_MAY_READ, of))

    def add_checks(self, checks: list[KeyCheck]) -> None:
        add_checks(self._engine, checks)

    def forget_checks(self, ids: set[str]) -> None:
        forget_checks(self._engine, ids)

    def reencrypt(self, current: set[str]) -> Iterator[Progress]:
        for table in encrypted_tables():
            for window in self._windows(table):
                stale = self._stale(table, window, current)
                changed = 0
                for at in range(0, len(stale), BATCH):
                    changed += self._patiently(table, stale[at : at + BATCH], current)
                yield Progress(window.rows, changed, len(stale) - changed)

    def _stale(self, table: Table, window: _Window, current: set[str]) -> list[UUID]:
        """The rows with a value that is under no current key."""
        other = or_(*(_is_under_another(column, current) for column in sealed_columns(table)))
        query = select(table.c.id).where(window.holds(table), other).order_by(table.c.id)
        with self._begun(self._reader) as connection:
            return list(connection.scalars(query))

    def encrypt_plaintext(self) -> None:
        """Encrypt what a revision left unencrypted, while no server runs."""
        for table in encrypted_tables():
            for window in self._windows(table):
                with self._begun() as connection:
                    query = select(table).where(window.holds(table)).with_for_update()
                    found = connection.execute(query).all()
                    self._write(connection, table, [self._encrypted(table, row) for row in found])
        with self._begun() as connection:
            connection.execute(delete(t.configuration).where(IS_CLEAR))

    def _windows(self, table: Table) -> Iterator[_Window]:
        """The rows of a table in the order of their ids, so many at a time."""
        after = UUID(int=0)
        while True:
            beyond = select(table.c.id).where(table.c.id > after).order_by(table.c.id)
            some = beyond.limit(WINDOW).cte()
            last = select(some.c.id).order_by(some.c.id.desc()).limit(1).scalar_subquery()
            with self._begun(self._reader) as connection:
                rows, to = connection.execute(select(func.count(some.c.id), last)).one()
            if not rows:
                return
            yield _Window(after, to, rows)
            after = to

    def _patiently(self, table: Table, ids: list[UUID], current: set[str]) -> int:
        """Run a batch, retried after a conflict with other transactions."""
        for _ in range(TRIES):
            try:
                return self._batch(table, ids, current)
            except DBAPIError as error:
                if fault(error) is None:
                    raise
            time.sleep(PAUSE_S)
        return 0

    def _batch(self, table: Table, ids: list[UUID], current: set[str]) -> int:
        """Re-encrypt some rows in a transaction, then rest for a part of what it took."""
        began = time.monotonic()
        with self._begun() as connection:
            query = select(*_needed(table)).where(is_one_of(connection, table.c.id, ids))
            locked = query.order_by(table.c.id).with_for_update(skip_locked=True)
            found = connection.execute(planned_each_time(locked)).all()
            rows = [self._renewed(table, dict(row._mapping), current) for row in found]
            self._write(connection, table, rows)
        took = time.monotonic() - began
        time.sleep(max(MIN_PAUSE_S, took * REST[self._engine.dialect.name]))
        return len(rows)

    def _renewed(self, table: Table, row: dict[str, Any], current: set[str]) -> dict[str, Any]:
        """The columns of a row that are under another key, re-encrypted."""
        old = {
            column.name
            for column in sealed_columns(table)
            if _named(column, row[column.name]) not in (None, *current)
        }
        is_indexed = any(column.name in old for column in blind_columns(table))
        for column in columns_with_ciphertext(table):
            name = column.name
            if is_indexed or name in old:  # an index covers other columns
                row[name] = decrypted(table, name, row[name], row["id"], self._vault)
        return self._written(table, row, old)

    def _encrypted(self, table: Table, found: Any) -> dict[str, Any]:
        """The columns of an unencrypted row, encrypted; what is encrypted already stays."""
        row = dict(found._mapping)
        old = {column.name for column in blind_columns(table)}
        for column in columns_with_ciphertext(table):
            if _named(column, row[column.name]) == "":
                old.add(column.name)
            else:
                decrypt_row(table, row, row["id"], self._vault, **{column.name: column.name})
        return self._written(table, row, old)

    def _written(self, table: Table, row: dict[str, Any], old: set[str]) -> dict[str, Any]:
        for column in blind_columns(table):
            if column.name in old:
                row[column.name] = INDEXED[f"{table.name}.{column.name}"](row)
        new = {name: row[name] for name in sorted(old)}
        return {"id": row["id"]} | encrypt_row(table, new, row["id"], self._vault)

    def _write(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            by_columns.setdefault(tuple(row), []).append(row)
        for names, some in by_columns.items():
            if len(names) > 1:
                update_many(connection, table, some)


class _Window(NamedTuple):
    """Some rows of a table: those after one id, up to another."""

    after: UUID
    last: UUID
    rows: int

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Whether a row is among them."""
        return and_(table.c.id > self.after, table.c.id <= self.last)


@cache
def sealed_columns(table: Table) -> tuple[Column[Any], ...]:
    """The columns of a table that hold encrypted values or blind indexes."""
    return (*columns_with_ciphertext(table), *blind_columns(table))


def encrypted_tables() -> list[Table]:
    """The tables with encrypted or indexed columns."""
    return [
        table
        for table in t.metadata.sorted_tables
        if columns_with_ciphertext(table) or blind_columns(table)
    ]


def _needed(table: Table) -> list[Any]:
    """What a row is re-encrypted from: its sealed columns, and those that its indexes cover."""
    clear = IN_CLEAR.get(table.name, ())
    return [table.c.id, *sealed_columns(table), *(table.c[name] for name in clear)]


def _head(column: Any) -> Any:
    """The beginning of a stored value, which names its key."""
    return func.substr(cast(column, Text), 1, len(_beginning(column, "0" * KEY))).label(column.name)


def _beginning(column: Any, key: str) -> str:
    """How a value under a key begins."""
    if isinstance(column.type, BlindIndex):
        return f"{key}."
    return f'"{FORMAT}.{key}.' if isinstance(column.type, EncryptedJson) else f"{FORMAT}.{key}."


def _is_under_another(column: Any, current: set[str]) -> ColumnElement[bool]:
    """Whether a value is there, and under none of these keys."""
    known = sorted(_beginning(column, key) for key in current)
    if isinstance(column.type, EncryptedJson):
        known.append("null")
    found: ColumnElement[bool] = and_(column.is_not(None), _head(column).not_in(known))
    return found


def _named(column: Any, stored: Any) -> str | None:
    """The key that a stored value, or its prefix, names: none for null, '' for plain text."""
    if stored is None or (isinstance(column.type, EncryptedJson) and stored == "null"):
        return None
    parts = stored.lstrip('"').split(".") if isinstance(stored, str) else []
    if isinstance(column.type, BlindIndex):
        return parts[0] if len(parts) == 2 else ""
    return parts[1] if len(parts) == 3 and parts[0] == FORMAT else ""
