"""A connection for rows without the rows they refer to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from casework.adapters.persistence import tables as t


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection to tables whose foreign keys are not enforced."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        else:
            found = inspect(connection)
            for table in t.metadata.sorted_tables:
                for key in found.get_foreign_keys(table.name):
                    connection.execute(
                        text(f'ALTER TABLE {table.name} DROP CONSTRAINT "{key["name"]}"')
                    )
        yield connection
