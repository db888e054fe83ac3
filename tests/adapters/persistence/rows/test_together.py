"""What is inserted later is there for whoever looks, and gone with what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.together import (
    AT_MOST,
    Inserted,
    insert_later,
    insert_now,
    rows_for,
)
from casework.bench.statements import statements
from tests.api.conftest import Api

pytestmark = pytest.mark.both_stores


@pytest.fixture
def connection(api: Api) -> Iterator[Connection]:
    """A connection with an open transaction."""
    with api.engine.connect() as opened:
        opened.execute(text("SELECT 1"))
        yield opened


def events(api: Api, count: int) -> list[Inserted]:
    """Rows of a table that refers to no other."""
    return rows_for(
        t.event,
        (
            {
                "id": uuid4(), "name": "CaseOpened", "subject_type": "case",
                "subject_id": uuid4(), "at": api.clock.now, "by_role": "worker", "data": {},
            }
            for _ in range(count)
        ),
    )  # fmt: skip


def stored(connection: Connection) -> int:
    """How many there are, for whoever asks."""
    return connection.scalar(select(func.count()).select_from(t.event)) or 0


def test_whoever_looks_finds_it(api: Api, connection: Connection) -> None:
    before = stored(connection)
    insert_later(connection, events(api, 2))
    assert stored(connection) == before + 2
    insert_later(connection, events(api, 1))
    found = connection.exec_driver_sql("SELECT count(*) FROM event").scalar()
    assert found == before + 3


def test_it_is_committed_with_the_rest(api: Api, connection: Connection) -> None:
    before = stored(connection)
    insert_later(connection, events(api, 2))
    connection.commit()
    with api.engine.connect() as other:
        assert stored(other) == before + 2


def test_it_is_written_where_it_is_the_first_of_a_transaction(
    api: Api, connection: Connection
) -> None:
    before = stored(connection)
    connection.commit()
    insert_later(connection, events(api, 2))
    connection.commit()
    assert stored(connection) == before + 2


def test_it_goes_with_what_is_rolled_back(api: Api, connection: Connection) -> None:
    before = stored(connection)
    insert_later(connection, events(api, 2))
    connection.rollback()
    assert stored(connection) == before


def test_it_goes_with_its_savepoint_and_what_was_before_stays(
    api: Api, connection: Connection
) -> None:
    before = stored(connection)
    insert_later(connection, events(api, 1))
    savepoint = connection.begin_nested()
    insert_later(connection, events(api, 2))
    savepoint.rollback()
    assert stored(connection) == before + 1


def test_what_was_left_waiting_is_not_written_in_another_transaction(
    api: Api, connection: Connection
) -> None:
    before = stored(connection)
    insert_later(connection, events(api, 2))
    connection.close()  # as where something was raised
    with api.engine.connect() as other:
        assert stored(other) == before


def test_many_rows_are_as_many_as_they_are(api: Api, connection: Connection) -> None:
    before = stored(connection)
    insert_later(connection, events(api, AT_MOST - 1))
    insert_later(connection, events(api, 5))
    insert_now(connection, events(api, AT_MOST * 3))
    assert stored(connection) == before + AT_MOST * 4 + 4


def test_on_postgresql_they_are_one_statement(api: Api, connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    with statements(api.engine) as sent:
        insert_later(connection, events(api, 2))
        insert_later(connection, events(api, 1))
        assert sent == []
        stored(connection)
    assert len(sent) == 2
