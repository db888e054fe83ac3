"""A few races on PostgreSQL; tests/deep has more of them, and the controls."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.api.conftest import Api
from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.races import THREADS, race_of_answers, race_of_sweeps

ROUNDS, SEED = 4, 20260327
pytestmark = pytest.mark.parametrize("store", ["postgres"], indirect=True)


@pytest.fixture
def world(store: Store) -> Iterator[Api]:
    """A small world whose connection pool allows that many concurrent actors."""
    with small_world(store.url, pool_size=2 * THREADS) as world:
        yield world


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """The threads of the concurrent actors."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield pool


def test_of_accept_decline_withdraw_and_lapse_at_once_one_decides(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_of_answers(world, ROUNDS, pool)
    assert tally.faults == []
    assert tally.rounds == sum(tally.won.values()) == ROUNDS


def test_sweeps_reviews_and_answers_at_once_tell_each_step_once(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_of_sweeps(world, ROUNDS, pool, Random(SEED))
    assert tally.faults == [], f"seed {SEED}"
    assert tally.rounds == ROUNDS
