"""What stands around the tables of the audit: what was shipped, and nothing else.

The owner of the tables can put a trigger, a rule or a policy there that loses entries or hides
them, take away what keeps them, or make the tables take what they were made to refuse. None of it
changes a row, so that no chain shows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, text

from casework.adapters.persistence.audit import guards_of_figures, guards_on_postgres

TABLES: Final = tuple(table.name for table in guards_on_postgres.GUARDED)
# Of each table, index and trigger the digest of the statement that made it. A trigger of any other
# table runs within the transactions that write to the audit.
ON_SQLITE: Final = {
    "audit_entry": "1e943022124cc36584d6fa638cc7e3e9e801b6160477d38ee1e3d6c1adcbb33f",
    "audit_seal": "de66732d30a5fa1a97cf9dc8c36191e74d3b188d493dc96e11230d4c3c678708",
    "audit_head": "4c90153588d0c5a285595bc7c25c961a84b2f205036cd8360f8a4b48a96a6ecd",
    "audit_pending": "e9c2ee1a7308221358dcd371d56bfa56375dd62d5cd1b1b49f2cc0ee6cbe3405",
    "ix_audit_entry_of_account": "c9533a245dbf81923425408ae10bc6f51711f1b89e4b00ae558cdec4c6c098f5",
    "ix_audit_entry_at": "9f50466cd4e774b1878f20a88c3bc493b403588565a0d8cf9a38bba1412bdeef",
    "ix_audit_entry_of_action": "e20470b4d678be08ad1e0277a5a09c7a77c1b2682d832c9bdb0c82c9ad1b6e7c",
    "ix_audit_entry_refused": "2a2aa76835aca5ad0abd096e52e8e1f4f21fc33b20b4aafb0caa4a40797bc950",
    "audit_entry_is_new": "95e6209838116b08186988a7098e6d26e091b7a72e25c6274f4d28b2f3a76d64",
    "audit_entry_never_changes": "f936da3c992e256e7377f6953c61033012401bec5a208eb082d4c3128631a1cd",
    "audit_entry_is_kept": "29c92c95ed1a653f065c70dd55f5bcf9c730029157d511e4a224522967bcd520",
    "audit_seal_is_new": "22dec7ef98a65ba30c9c18d78f838736a3483ea3bbf851835602045b4814e600",
    "audit_seal_never_changes": "8f493cb74c19a95de5bb06fb3672613edd4386097ce47cc6bd26fb0e6e37a118",
    "audit_seal_is_kept": "2bdaf7d670fc3a2d19258361cf9b08b01f955c4d662aa13261587f9f5dec0e67",
    "audit_head_is_kept": "966b98ef65d393d2442a916ecf93950bd81926f44ccb9890e5e2b9de4f7d0f4a",
    "account_grant_log_no_update": (
        "18c415dbceac42c11235468886c81e38272ed6d8bf08459fb77a98d24e3eadc4"
    ),
    "account_grant_log_no_delete": (
        "fac99173014f1afa2d352fec4babe41a010ac6ca771cb604e3c56971db1281d5"
    ),
} | guards_of_figures.ON_SQLITE | {
    # What a primary key or a unique constraint makes has no statement of its own.
    f"sqlite_autoindex_{name}": "index"
    for name in (
        "audit_entry_1", "audit_seal_1", "audit_seal_2", "audit_head_1", "audit_pending_1",
    )
}  # fmt: skip
# SQLite keeps the name of a trigger's table as its statement spelt it.
_STANDING_ON_SQLITE: Final = text(
    """
    SELECT name, type, sql FROM sqlite_master
    WHERE type = 'trigger' OR lower(tbl_name) IN (SELECT value FROM json_each(:tables))
      OR lower(name) IN (SELECT value FROM json_each(:tables))
    """
)


def altered_guards(connection: Connection) -> list[str]:
    """What was added around the audit, is otherwise than it was shipped, or is gone, by name."""
    if connection.dialect.name == "sqlite":
        there, shipped = standing_on_sqlite(connection), ON_SQLITE
    else:
        there = guards_on_postgres.standing_on_postgres(connection)
        shipped = guards_on_postgres.SHIPPED
    return sorted({name for name, _ in there ^ set(shipped.items())})


def standing_on_sqlite(connection: Connection) -> set[tuple[str, str]]:
    """Each thing around the tables by its name, with what made it."""
    named = ", ".join(f'"{name}"' for name in TABLES)
    rows = connection.execute(_STANDING_ON_SQLITE, {"tables": f"[{named}]"})
    return {(row.name, _digest(row.sql) if row.sql else row.type) for row in rows}


def damaged(connection: Connection) -> list[str]:
    """The tables of which an index tells otherwise than the table; on SQLite alone.

    Who can write the file can have one reader find a row that another one does not.
    """
    if connection.dialect.name != "sqlite":
        return []
    return [name for name in TABLES if not _is_sound(connection, name)]


def _is_sound(connection: Connection, table: str) -> bool:
    rows: Iterable[str] = connection.scalars(text(f"PRAGMA integrity_check('{table}')"))
    return list(rows) == ["ok"]


def _digest(statement: str) -> str:
    return hashlib.sha256(" ".join(statement.split()).encode()).hexdigest()
