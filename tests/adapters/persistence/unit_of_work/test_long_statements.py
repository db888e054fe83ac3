"""A long statement is taken apart once, and instants come in UTC, on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, bindparam, select, text

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.lean_cursor import KeptQuery, LeanCursor, _taken_apart
from casework.adapters.persistence.engine.types import Instant
from tests.conftest import Store

pytestmark = pytest.mark.parametrize("store", ["postgres"], indirect=True)
NUMBER = 60
NAMES = [f"number_{index}" for index in range(NUMBER)]
LONG = text(f"SELECT ARRAY[{', '.join(f'CAST(:{name} AS integer)' for name in NAMES)}]"
            f" /* {'x' * 5000} */")  # fmt: skip


def test_the_places_of_parameters_are_found_once_however_long_a_statement_is(store: Store) -> None:
    assert LeanCursor._query_cls is KeptQuery
    engine = open_engine(store.url, pool_size=1, prepares=True)
    with engine.connect() as connection:
        _ask(connection, 1)
        before = _taken_apart.cache_info()
        for first in range(2, 6):
            _ask(connection, first)
    after = _taken_apart.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (0, 4)
    engine.dispose()


def _ask(connection: Connection, first: int) -> None:
    given = {name: first + index for index, name in enumerate(NAMES)}
    found = connection.execute(LONG, given).scalar_one()
    assert found == list(range(first, first + NUMBER)), "each value in its place"


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Etc/UTC", None])
def test_an_instant_comes_in_utc_whatever_zone_is_set_for_a_connection(
    store: Store, zone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if zone is not None:
        monkeypatch.setenv("PGTZ", zone)
    at = datetime(2026, 9, 1, 23, 30, tzinfo=timezone(timedelta(hours=9)))
    engine = open_engine(store.url, pool_size=1)
    for _ in range(2):  # what is set outlives the end of a transaction
        with engine.connect() as connection:
            found = connection.execute(select(bindparam("at", at, type_=Instant))).scalar_one()
            connection.rollback()
        assert (found, found.tzinfo) == (at, UTC)
    engine.dispose()
