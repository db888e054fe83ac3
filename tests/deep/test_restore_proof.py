"""A short run of `python3 dev.py proof restore`."""

from __future__ import annotations

import pytest

from tests.proofs import restore


@pytest.mark.parametrize("store", restore.STORES)
def test_what_is_backed_up_under_load_comes_back_and_sends_nothing(store: str) -> None:
    result = restore.drill_once(store, residents=40, seed=7)
    assert restore.is_proven(result), result
