"""A short run of the proof of imports: `python3 dev.py proof imports`."""

from __future__ import annotations

from tests.conftest import Store
from tests.proofs import imports


def test_a_file_killed_midway_reports_exactly_what_was_planted_and_does_nothing_twice(
    store: Store,
) -> None:
    result = imports.prove(store.url, rows=1600, faults=26, kills=1, seed=3)
    assert imports.is_proven(result, kills=1), result
