"""Several sweeps in several processes at the same moment: each step once, none left out.

`python3 dev.py proof sweeps` does the same with thousands of clocks, many times over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.supervision.sweeping import SqlSweepStore
from casework.bootstrap import utc_now
from tests import postgres
from tests.proofs.sweeps import (
    AHEAD,
    PROCESSES,
    Due,
    careless_sweeps,
    due_steps,
    seeded,
    sweeps_at_once,
    verdict,
)

RESIDENTS = 24


@dataclass(frozen=True)
class World:
    """A database with an invented city, and what will be due in it three weeks ahead."""

    url: str
    engine: Engine
    as_of: datetime
    due: Due


@pytest.fixture(scope="module")
def city(postgres_server: postgres.Server, postgres_template: str) -> Iterator[str]:
    """A seeded PostgreSQL database, to be copied."""
    name = f"casework-{uuid4().hex}"
    with postgres_server.database(name, postgres_template) as url:
        seeded(url, RESIDENTS)
        yield name


@pytest.fixture(params=["postgres", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A seeded database for this test alone, on each store in turn."""
    if request.param == "postgres":
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.database(f"casework-{uuid4().hex}", request.getfixturevalue("city")) as url:
            yield from opened(url)
    else:
        url = f"sqlite:///{tmp_path / 'casework.sqlite'}"
        seeded(url, RESIDENTS)
        yield from opened(url)


def opened(url: str) -> Iterator[World]:
    """The world of a database before any sweep."""
    engine = open_engine(url)
    as_of = utc_now() + AHEAD
    yield World(url, engine, as_of, due_steps(engine, as_of))
    engine.dispose()


def test_four_sweeps_at_once_raise_every_due_step_once_and_miss_none(world: World) -> None:
    store = SqlSweepStore(world.engine)
    found = store.count(world.as_of)
    assert found.steps == len(world.due) > 20
    assert found.lapses > 0
    runs, _ = sweeps_at_once(world.url, world.as_of)
    result = verdict(world.engine, world.due, world.as_of)
    assert result.is_clean, result
    assert len(runs) == PROCESSES
    assert sum(run["changed"] for run in runs) == found.total
    assert sum(run["failed"] for run in runs) == 0
    assert len({run["run_id"] for run in runs}) == PROCESSES

    before = rows(world.engine)
    (again,), _ = sweeps_at_once(world.url, world.as_of, 1)
    assert (again["found"], again["changed"], again["failed"]) == (0, 0, 0)
    assert rows(world.engine) == before


ON_POSTGRES = pytest.mark.parametrize("world", ["postgres"], indirect=True)


@ON_POSTGRES
def test_the_control_sweeps_that_look_first_and_write_then_are_caught(world: World) -> None:
    careless_sweeps(world.url, world.as_of)
    result = verdict(world.engine, world.due, world.as_of)
    assert not result.is_clean
    assert result.doubled == (PROCESSES - 1) * len(world.due)


@ON_POSTGRES
def test_the_control_a_step_that_nobody_raised_is_missed(world: World) -> None:
    forgotten = next(iter(world.due))
    with world.engine.begin() as connection:  # it looks as if it had been raised long ago
        connection.execute(
            update(t.escalation)
            .where(t.escalation.c.deadline_id == forgotten, t.escalation.c.raised_at.is_(None))
            .values(raised_at=world.as_of - AHEAD)
        )
    store = SqlSweepStore(world.engine)
    run = store.begin_run(
        "overdue", world.as_of, world.as_of, dry_run=False, slot=None, started_by=None
    )
    assert run is not None
    store.raise_due(run, world.as_of, 10_000)
    result = verdict(world.engine, world.due, world.as_of)
    assert (result.missed, result.doubled) == (1, 0)
    assert not result.is_clean


def rows(engine: Engine) -> tuple[int | None, ...]:
    """How many steps were raised, and how many events there are."""
    with engine.connect() as connection:
        return (
            connection.scalar(
                select(func.count())
                .select_from(t.escalation)
                .where(t.escalation.c.raised_at.is_not(None))
            ),
            connection.scalar(select(func.count()).select_from(t.event)),
        )
