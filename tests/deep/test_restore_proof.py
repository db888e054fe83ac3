"""A short run of `python3 dev.py proof restore`."""

from __future__ import annotations

import pytest

from tests.proofs import restore
from tests.proofs._world import STORES


@pytest.mark.parametrize("store", STORES)
def test_what_is_backed_up_under_load_comes_back_and_sends_nothing(store: str) -> None:
    result = restore.drill_once(store, residents=12, seed=7)
    assert restore.is_proven(result), result
