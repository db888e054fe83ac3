"""What only somebody with full power over the database can do to the audit."""

from __future__ import annotations

from sqlalchemy import Connection, text


def free_hand(connection: Connection) -> None:
    """Nothing guards the audit any more, until this transaction is rolled back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    for name in names:
        connection.execute(text(f"DROP TRIGGER {name}"))
