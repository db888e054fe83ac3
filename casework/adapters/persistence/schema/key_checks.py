"""The known value that is stored under each key, by which a ring is told from another."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, delete, inspect, select
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.workflows.ports.vault import KeyCheck


def stored_checks(engine: Engine) -> list[KeyCheck]:
    """What is stored; nothing before the first migration."""
    if not inspect(engine).has_table(t.key_check.name):
        return []
    with engine.connect() as connection:
        return checks_of(connection)


def checks_of(connection: Connection) -> list[KeyCheck]:
    """What is stored, as a transaction sees it."""
    rows = connection.execute(select(t.key_check).order_by(t.key_check.c.id)).all()
    return [KeyCheck(row.id, row.kind, row.sealed) for row in rows]


def add_checks(engine: Engine, checks: Iterable[KeyCheck]) -> None:
    """Store those of keys that have none yet."""
    rows = [one._asdict() for one in checks]
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    if rows:
        with engine.begin() as connection:
            connection.execute(dialect.insert(t.key_check).on_conflict_do_nothing(), rows)


def forget_checks(engine: Engine, ids: Iterable[str]) -> None:
    """Delete those of keys that leave the ring."""
    with engine.begin() as connection:
        connection.execute(delete(t.key_check).where(t.key_check.c.id.in_(sorted(ids))))
