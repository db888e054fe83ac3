"""What a stolen dump reveals of a few people; tests/deep uses more."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.api.conftest import Api
from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.dump import attack, invent, is_proven

PEOPLE, CANDIDATES, SEED = 6, 10, 7


@pytest.fixture
def world(store: Store) -> Iterator[Api]:
    """A small world."""
    with small_world(store.url) as world:
        yield world


def check_dump(world: Api, people: int, candidates: int) -> None:
    """Check that nothing of that many people is recovered, except by the control."""
    result = attack(world, invent(Random(SEED), people), SEED, candidates, files=False)
    assert set(result["recovered"].values()) == {0}, result
    assert set(result["leaks"].values()) == {0}, result
    assert result["control"] == people, "an unkeyed hash gives all away"
    assert is_proven(result, people)


def test_a_dump_without_keys_gives_no_number_telephone_address_or_note(world: Api) -> None:
    check_dump(world, PEOPLE, CANDIDATES)
