"""One random story on the real use cases; tests/deep tells more, `dev.py proof model` thousands."""

from __future__ import annotations

from tests.conftest import Store
from tests.proofs._world import small_world
from tests.proofs.model import tell_stories

SEED = 20260327


def test_whatever_happens_in_a_story_the_application_agrees_with_the_model(store: Store) -> None:
    with small_world(store.url) as world:
        told = tell_stories(world, 1, SEED, shrink=False)
    assert told["fault"] is None, f"seed {SEED}: {told['fault']}"
    assert told["acts"] > 0
    assert told["checks"] > 0
