"""Key rotation under load: `python3 dev.py proof rotation` does it with 50,000 residents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.conftest import Api
from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.rotation import is_proven, own_ring, rotate_under_load

RESIDENTS, SEED = 120, 3


@pytest.fixture
def world(store: Store) -> Iterator[Api]:
    """A small world with a key ring of its own."""
    with own_ring(), small_world(store.url) as world:
        yield world


def test_a_rotation_under_load_that_is_killed_and_resumed_loses_nothing(world: Api) -> None:
    result = rotate_under_load(world, RESIDENTS, SEED)
    assert result["failed"] == []
    assert result["left_on_old"] == {}
    assert (result["wrong"], result["wrong_without_it"]) == (0, 0)
    assert is_proven(result), result
