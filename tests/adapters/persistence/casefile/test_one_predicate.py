"""Overdue is one predicate: what SQL finds is what the domain says, clock by clock.

`python3 dev.py proof predicate` checks the same on a hundred thousand clocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_OF_CARE, is_overdue
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from tests.conftest import Store, session_vault
from tests.proofs.predicate import BEGIN, Agreement, a_case, forgets_pauses, judge, random_clocks

CLOCKS, SEED = 3000, 1


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    engine = open_engine(store.owner_url).execution_options(vault=session_vault())
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_sql_and_python_agree_on_random_clocks_with_pauses(connection: Connection) -> None:
    found = Agreement()
    judge(connection, Random(SEED), a_case(connection), CLOCKS, found)
    assert found.clocks == CLOCKS
    assert found.is_clean, f"seed {SEED}: {found}"
    assert found.telling > 30  # the question was not trivial
    assert found.paused > 900
    assert 600 < found.of_programme < 1100


def test_the_control_a_predicate_that_forgets_pauses_is_caught(connection: Connection) -> None:
    found = Agreement()
    judge(connection, Random(SEED), a_case(connection), 300, found, forgets_pauses)
    assert found.differing > 0
    assert not found.is_clean


def test_the_partial_indexes_serve_the_predicate(connection: Connection) -> None:
    """A worker's page must not read the clocks that ended long ago, on either store."""
    about = a_case(connection)
    clocks = list(random_clocks(Random(3), about, 600))
    for clock in clocks:
        clock.worker_id = new_id()
    bulk.insert_all(connection, clocks)
    connection.exec_driver_sql("ANALYZE")
    page = (
        select(t.deadline.c.id)
        .where(t.deadline.c.worker_id == clocks[0].worker_id, is_overdue(BEGIN), IS_OF_CARE)
        .order_by(t.deadline.c.can_wait, t.deadline.c.due_at, t.deadline.c.id)
        .limit(50)
    )
    explain = ("EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN ") + str(
        page.compile(connection.engine, compile_kwargs={"literal_binds": True})
    )
    plan = "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain))
    assert "ix_deadline_worker_due" in plan
