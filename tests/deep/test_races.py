"""Answers, sweeps and reviews that meet on PostgreSQL: `python3 dev.py proof races` runs thousands.

Each race has its control, without the guard, in which the same comparison must find a fault.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.adapters.persistence.casefile.test_races import pool, world
from tests.api.conftest import Api
from tests.proofs.races import no_constraint, no_lock, race_of_answers, race_of_sweeps

__all__ = ["pool", "world"]

ROUNDS, CONTROL_ROUNDS, SEED = 20, 8, 20260327
pytestmark = pytest.mark.parametrize("store", ["postgres"], indirect=True)


def test_of_accept_decline_withdraw_and_lapse_at_once_one_decides(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_of_answers(world, ROUNDS, pool)
    assert tally.faults == []
    assert tally.rounds == sum(tally.won.values()) == ROUNDS
    assert len(tally.won) > 1, "it was no race: the same one won each round"


def test_sweeps_reviews_and_answers_at_once_tell_each_step_once(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_of_sweeps(world, ROUNDS, pool, Random(SEED))
    assert tally.faults == [], f"seed {SEED}"
    assert tally.rounds == ROUNDS
    assert set(tally.won) == {"sweep", "review", "answer"}


def test_the_control_without_the_lock_several_decide(world: Api, pool: ThreadPoolExecutor) -> None:
    with no_lock(world):
        tally = race_of_answers(world, CONTROL_ROUNDS, pool)
    assert [fault for fault in tally.faults if "decisions" in fault]


def test_the_control_without_the_constraint_steps_stand_twice(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    with no_constraint(world):
        tally = race_of_sweeps(world, CONTROL_ROUNDS, pool, Random(SEED))
    assert [fault for fault in tally.faults if "rows for" in fault]
