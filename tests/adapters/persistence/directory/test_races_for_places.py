"""A few races for last places; tests/deep has more of them, and the controls."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.api.conftest import Api
from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.places import race_for_places
from tests.proofs.races import THREADS

RACES, SEED = 4, 20260327


@pytest.fixture
def world(store: Store) -> Iterator[Api]:
    """A small world whose connection pool allows that many concurrent actors."""
    with small_world(store.url, pool_size=2 * THREADS) as world:
        yield world


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """The threads of the concurrent actors."""
    with ThreadPoolExecutor(2 * THREADS) as pool:
        yield pool


def test_as_many_are_taken_on_as_there_are_places_and_none_is_lost(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_for_places(world, RACES, pool, Random(SEED))
    assert tally.faults == [], f"seed {SEED}"
    assert tally.rounds == RACES
    assert tally.won["end"] == RACES // 2
