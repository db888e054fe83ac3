"""Deterministic races: holding locks, and waiting until others wait for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.api.conftest import Api

# A test of one store: only there do requests wait for a row that another one holds.
ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)


@contextmanager
def locked(api: Api, statement: Any) -> Iterator[Connection]:
    """Hold the locks of a statement until the block ends."""
    with api.engine.connect() as connection:
        connection.execute(statement)
        yield connection


def wait_for_locks(connection: Connection, count: int) -> None:
    """Wait until that many connections wait for a lock in this database."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(400):
        if connection.scalar(waiting) == count:
            return
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        time.sleep(0.01)
    raise AssertionError("nobody waits")
