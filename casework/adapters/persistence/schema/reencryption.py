"""Re-encrypt, in online batches, what is under an older key or unencrypted.

A batch is one transaction over some rows of one table, ids ascending. Locked rows are
skipped, so that there is no deadlock; the next round finds them. Killed at any moment, it
starts again and finds what is left.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    blind_columns,
    columns_with_ciphertext,
    decrypt_row,
    encrypt_row,
)
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.schema.key_checks import add_checks, forget_checks
from casework.adapters.persistence.schema.migrations import IS_CLEAR
from casework.adapters.persistence.scope import row_level_security, session_context
from casework.domain.errors import Conflict
from casework.domain.residents.names import digits_of, last_digits_of, name_and_birth
from casework.workflows.ports.vault import KeyCheck, Progress, Vault

BATCH: Final = 200
WINDOW: Final = 2_000
FORMAT: Final = "v1"
HEAD: Final = 13
MIN_PAUSE_S: Final = 0.01
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
            for rows in self._windows(table, only_readable=only_readable):
                found.update(key for row in rows for key in row[1:] if key is not None)
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
            for rows in self._windows(table):
                stale = [row[0] for row in rows if {*row[1:]} - {None} - current]
                changed = 0
                for at in range(0, len(stale), BATCH):
                    changed += self._patiently(table, stale[at : at + BATCH], current)
                yield Progress(len(rows), changed, len(stale) - changed)

    def encrypt_plaintext(self) -> None:
        """Encrypt what a revision left unencrypted, while no server runs."""
        for table in encrypted_tables():
            for rows in self._windows(table):
                with self._begun() as connection:
                    ids = [row[0] for row in rows]
                    query = select(table).where(table.c.id.in_(ids)).with_for_update()
                    found = connection.execute(query).all()
                    self._write(connection, table, [self._encrypted(table, row) for row in found])
        with self._begun() as connection:
            connection.execute(delete(t.configuration).where(IS_CLEAR))

    def _windows(
        self, table: Table, *, only_readable: bool = False
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Each row's id, and the key that each of its encrypted or indexed columns names."""
        last = UUID(int=0)
        columns = [*columns_with_ciphertext(table), *blind_columns(table)]
        if only_readable:
            columns = [column for column in columns if self._may_read(column)]
            if not columns:
                return
        heads = [_head(column) for column in columns]
        while True:
            query = select(table.c.id, *heads).where(table.c.id > last).order_by(table.c.id)
            with self._begun(self._reader) as connection:
                rows = connection.execute(query.limit(WINDOW)).all()
            if not rows:
                return
            last = rows[-1][0]
            yield [(row[0], *map(_named, columns, row[1:])) for row in rows]

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
        """Re-encrypt some rows in a transaction, then pause for as long as it took."""
        began = time.monotonic()
        with self._begun() as connection:
            query = select(table).where(table.c.id.in_(ids)).order_by(table.c.id)
            found = connection.execute(query.with_for_update(skip_locked=True)).all()
            rows = [self._renewed(table, dict(row._mapping), current) for row in found]
            self._write(connection, table, rows)
        time.sleep(max(MIN_PAUSE_S, time.monotonic() - began))
        return len(rows)

    def _renewed(self, table: Table, row: dict[str, Any], current: set[str]) -> dict[str, Any]:
        """The columns of a row that are under another key, re-encrypted."""
        old = {
            column.name
            for column in (*columns_with_ciphertext(table), *blind_columns(table))
            if _named(column, row[column.name]) not in (None, *current)
        }
        decrypt_row(table, row, row["id"], self._vault)
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
            row[column.name] = INDEXED[f"{table.name}.{column.name}"](row)
        new = {name: row[name] for name in sorted(old)}
        return {"key": row["id"]} | encrypt_row(table, new, row["id"], self._vault)

    def _write(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            by_columns.setdefault(tuple(row), []).append(row)
        for (_, *names), some in by_columns.items():
            if names:
                values: dict[str, Any] = {name: bindparam(name) for name in names}
                statement = update(table).where(table.c.id == bindparam("key")).values(values)
                connection.execute(statement, some)


def encrypted_tables() -> list[Table]:
    """The tables with encrypted or indexed columns."""
    return [
        table
        for table in t.metadata.sorted_tables
        if columns_with_ciphertext(table) or blind_columns(table)
    ]


def _head(column: Any) -> Any:
    """The prefix of a stored value that names its key."""
    return func.substr(cast(column, Text), 1, HEAD).label(column.name)


def _named(column: Any, stored: Any) -> str | None:
    """The key that a stored value, or its prefix, names: none for null, '' for plain text."""
    if stored is None or (isinstance(column.type, EncryptedJson) and stored == "null"):
        return None
    parts = stored.lstrip('"').split(".") if isinstance(stored, str) else []
    if isinstance(column.type, BlindIndex):
        return parts[0] if len(parts) == 2 else ""
    return parts[1] if len(parts) == 3 and parts[0] == FORMAT else ""
