"""Races for last places: `python3 dev.py proof places` runs thousands.

Each has its control, a faulty application, in which the same comparison must find a fault.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.adapters.persistence.directory.test_races_for_places import pool, world
from tests.api.conftest import Api
from tests.proofs.places import careless, forgetting, race_for_places

__all__ = ["pool", "world"]

RACES, CONTROL_RACES, SEED = 16, 4, 20260327


def test_as_many_are_taken_on_as_there_are_places_and_none_is_lost(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    tally = race_for_places(world, RACES, pool, Random(SEED))
    assert tally.faults == [], f"seed {SEED}"
    assert tally.rounds == RACES
    assert tally.won["end"] == RACES // 2
    assert tally.refused > RACES, "it was no race: hardly anybody was refused"


def test_the_control_that_frees_nothing_is_found_out(world: Api, pool: ThreadPoolExecutor) -> None:
    with forgetting(world):
        tally = race_for_places(world, CONTROL_RACES, pool, Random(SEED))
    assert [fault for fault in tally.faults if "there stands" in fault]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_the_control_that_looks_before_it_writes_gives_a_place_away_twice(
    world: Api, pool: ThreadPoolExecutor
) -> None:
    with careless(world):
        tally = race_for_places(world, CONTROL_RACES, pool, Random(SEED))
    assert [fault for fault in tally.faults if "have one of" in fault]
