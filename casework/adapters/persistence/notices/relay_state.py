"""Whether the relay is paused, and how a database is told from a copy of it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.domain.notices.pausing import PauseReason, RelayState

# A dump that is put back stands in another cluster, or in a database or schema of another number.
_OF_POSTGRESQL = text(
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid"
    " || '/' || current_schema()::regnamespace::oid"
    " FROM pg_database WHERE datname = current_database()"
)
_ROW = 1


def database_identity(connection: Connection) -> str:
    """What tells it from a copy: its cluster, its number and its schema's, or its file's inode."""
    if connection.dialect.name == "postgresql":
        return str(connection.scalar(_OF_POSTGRESQL))
    files = [row.file for row in connection.exec_driver_sql("PRAGMA database_list")]
    return str(Path(files[0]).stat().st_ino) if files[0] else "memory"


def read_relay_state(connection: Connection, *, lock: bool = False) -> RelayState:
    """The state as stored; a new one where nothing was stored yet."""
    query = select(t.relay_state)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        return RelayState()
    return RelayState(
        database=row.database,
        paused_at=row.paused_at,
        because=PauseReason(row.because) if row.because else None,
    )


def save_relay_state(connection: Connection, state: RelayState) -> None:
    """Store it, over what is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "database": state.database,
        "paused_at": state.paused_at,
        "because": state.because,
    }
    statement = dialect.insert(t.relay_state).values(id=_ROW, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
