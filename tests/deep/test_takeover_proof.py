"""A short run of the proof of taking over: `python3 dev.py proof takeover`."""

from __future__ import annotations

from tests.conftest import Store
from tests.proofs import takeover


def test_clocks_of_cases_taken_over_equal_a_second_count_and_nobody_hears_of_the_past(
    store: Store,
) -> None:
    result = takeover.prove(store.url, rows=220, faults=0.05, seed=3)
    assert takeover.is_proven(result), result
