"""The duration of a refused sign-in reveals nothing of the account."""

from __future__ import annotations

import statistics
import time

import pytest

from casework.adapters.identity import Argon2Passwords
from tests.api.access.test_brute_force import HOUR
from tests.api.conftest import COLLEAGUE, SUPERVISOR, WORKER, Api
from tests.api.signing import change, shut, sign_in


@pytest.fixture
def dear(api: Api) -> Api:
    """Password digests at production cost, so that a comparison is most of a sign-in."""
    api.application.passwords = Argon2Passwords()
    digest = api.application.passwords.digest("only the worker knows it")
    for username in (WORKER, COLLEAGUE, SUPERVISOR):
        change(api, username, password_hash=digest)
    return api


def test_unknown_wrong_and_locked_take_the_same_time(dear: Api) -> None:
    api = dear
    change(api, COLLEAGUE, is_active=False)
    shut(api, SUPERVISOR, api.clock.now + 1000 * HOUR)
    names = ("nobody", WORKER, COLLEAGUE, SUPERVISOR)
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(7):
        api.clock.forward(hours=1)
        for name in names:  # in turn, so that a slow moment of the machine meets them all
            wall = time.perf_counter()
            assert sign_in(api, name, "wrong").status_code == 401
            took[name].append(time.perf_counter() - wall)
    middle = {name: statistics.median(times) for name, times in took.items()}
    fastest, slowest = min(middle.values()), max(middle.values())
    # Without a comparison it would be a third, or less.
    assert slowest < 1.7 * fastest, middle
