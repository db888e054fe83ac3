"""Indexes and foreign keys, left out while a database is filled and made again afterwards.

As the catalogue itself writes them: what is made again is what was there. Keys and unique indexes
stay, since rows come in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine

MEMORY: Final = "512MB"
INDEXES: Final = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisunique
ORDER BY pg_relation_size(i.indrelid), 1
"""
FOREIGN_KEYS: Final = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
ORDER BY 1, 2
"""
Doing = Callable[[str], None]


@contextmanager
def without_indexes(owner: Engine, doing: Doing) -> Iterator[None]:
    """Fill without them; after the block each is made again, and the statistics are gathered."""
    with _connected(owner) as connection:
        indexes = connection.execute(INDEXES).fetchall()
        keys = connection.execute(FOREIGN_KEYS).fetchall()
        with connection.transaction():
            for table, name, _ in keys:
                connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
    yield
    with _connected(owner) as connection:
        connection.execute(f"SET maintenance_work_mem = '{MEMORY}'")
        for number, (name, definition) in enumerate(indexes, start=1):
            doing(f"index {number} of {len(indexes)}: {name}")
            connection.execute(definition)
        for number, (table, name, definition) in enumerate(keys, start=1):
            doing(f"foreign key {number} of {len(keys)}: {name}")
            connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        doing("vacuum and statistics")
        connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _connected(owner: Engine) -> Iterator[Any]:
    """A connection of the driver's that commits each statement, however long it takes."""
    raw = owner.raw_connection()
    try:
        connection: Any = raw.driver_connection
        connection.autocommit = True
        connection.execute("SET statement_timeout = 0")
        yield connection
    finally:
        raw.invalidate()
        raw.close()
