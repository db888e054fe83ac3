"""The update of one row, which counts its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, update

from casework.domain.errors import StaleVersion


def update_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Write the row of a thing that was loaded and changed; its version is one higher from then on.

    Raises ``StaleVersion`` where the row was written since the thing was loaded.
    """
    (key,) = table.primary_key.columns
    values = {name: value for name, value in row.items() if name != key.name}
    statement = (
        update(table)
        .where(key == row[key.name], table.c.version == row["version"])
        .values(values | {"version": row["version"] + 1})
    )
    if connection.execute(statement).rowcount == 0:
        raise StaleVersion("it was changed since it was read")
