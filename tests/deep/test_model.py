"""Random stories on the real use cases: `python3 dev.py proof model` tells thousands of them."""

from __future__ import annotations

import pytest

from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.model import control, tell_stories

SEED, STORIES = 20260328, 5


def test_whatever_happens_the_house_agrees_with_the_model(store: Store) -> None:
    with small_world(store.url) as world:
        told = tell_stories(world, STORIES, SEED, shrink=False)
    print(f"seed {SEED}, {told['stories']} stories, {told['acts']} acts, {told['sweeps']} sweeps")
    assert told["fault"] is None, f"seed {SEED}: {told['fault']}"
    assert told["stories"] >= STORIES
    for what in ("acts", "refused", "retried", "cut_off", "sweeps", "raised_and_moved", "checks"):
        assert told[what] > 0, what


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "name", ["an_early_end_looks_served", "a_step_is_told_twice", "what_counted_before_stays"]
)
def test_the_control_a_broken_rule_is_caught(store: Store, name: str) -> None:
    with small_world(store.url) as world:
        assert control(world, name, SEED)["caught"], f"{name} was not caught with seed {SEED}"
