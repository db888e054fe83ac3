"""Statements are prepared once for a connection, and stay so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.prepared import AFTER, PLANNED_EACH_TIME
from tests.conftest import Store

ASKED = text("SELECT count(*) FROM resident WHERE name = :name")
PREPARED = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT count%'")

pytestmark = pytest.mark.parametrize("store", ["postgres"], indirect=True)


def ask(engine: Engine, times: int, end: str = "rollback") -> None:
    """Ask in so many transactions, one connection after the other."""
    for _ in range(times):
        with engine.connect() as connection:
            connection.execute(ASKED, {"name": "가상"})
            getattr(connection, end)()


def prepared(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(PREPARED).all())


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_what_is_asked_often_is_prepared_and_outlives_its_transaction(
    store: Store, end: str
) -> None:
    engine = open_engine(store.url, pool_size=1, prepares=True)
    ask(engine, AFTER, end)
    assert prepared(engine) == 0
    ask(engine, 1, end)
    assert prepared(engine) == 1
    ask(engine, 5, end)
    assert prepared(engine) == 1
    engine.dispose()


def test_nothing_is_prepared_where_a_pooler_cannot_carry_it(store: Store) -> None:
    engine = open_engine(store.url, pool_size=1)
    ask(engine, 3 * AFTER)
    assert prepared(engine) == 0
    engine.dispose()


def add_a_column(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE resident ADD COLUMN later integer DEFAULT 1"))


def drop_a_policy(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE resident DISABLE ROW LEVEL SECURITY"))


@pytest.mark.parametrize("alter", [add_a_column, drop_a_policy])
def test_what_is_prepared_goes_on_after_a_migration(
    store: Store, alter: Callable[[Engine], None]
) -> None:
    engine, owner = open_engine(store.url, pool_size=1, prepares=True), open_engine(store.owner_url)
    ask(engine, 2 * AFTER)
    alter(owner)
    ask(engine, 1)
    assert prepared(engine) == 1
    engine.dispose()
    owner.dispose()


def test_what_is_to_be_planned_each_time_is_not_prepared(store: Store) -> None:
    asked = text(f"SELECT {PLANNED_EACH_TIME} count(*) FROM resident WHERE name = :name")
    engine = open_engine(store.url, pool_size=1, prepares=True)
    with engine.connect() as connection:
        for _ in range(AFTER + 2):
            connection.execute(asked, {"name": "가상"})
        kept = text(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%/* planned%'"
        )
        assert connection.scalar(kept) == 0
    engine.dispose()
