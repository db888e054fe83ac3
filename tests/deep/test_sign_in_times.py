"""The duration of a refused sign-in reveals nothing of the account.

`python3 dev.py proof signin` measures thousands, on a PostgreSQL with safe settings.
"""

from __future__ import annotations

import statistics
import time

import pytest

from casework.adapters.identity import Argon2Passwords
from tests.api.conftest import COLLEAGUE, SUPERVISOR, WORKER, Api
from tests.api.signing import change, shut, sign_in
from tests.proofs.signin import is_told_apart, nothing_compared_for_nobody, slower


@pytest.fixture
def dear(api: Api) -> Api:
    """Password digests at production cost, so that a comparison is most of a sign-in.

    Refusals leave at once: it is what they take that is compared.
    """
    api.application.passwords = Argon2Passwords(refusal_step_s=0)
    digest = api.application.passwords.digest("only the worker knows it")
    for username in (WORKER, COLLEAGUE, SUPERVISOR):
        change(api, username, password_hash=digest)
    return api


def middle_times(api: Api) -> dict[str, float]:
    """The middle of seven refusals each, in seconds, by user name."""
    change(api, COLLEAGUE, is_active=False)
    names = ("nobody", WORKER, COLLEAGUE, SUPERVISOR)
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(7):
        api.clock.forward(hours=1)
        shut(api, SUPERVISOR)
        for name in names:  # in turn, so that a slow moment of the machine meets them all
            wall = time.perf_counter()
            assert sign_in(api, name, "wrong").status_code == 401
            took[name].append(time.perf_counter() - wall)
    return {name: statistics.median(times) for name, times in took.items()}


def test_unknown_wrong_and_locked_take_the_same_time(dear: Api) -> None:
    middle = middle_times(dear)
    # Without a comparison it would be a third, or less.
    assert max(middle.values()) < 1.7 * min(middle.values()), middle


def test_the_control_where_nothing_is_compared_for_nobody_is_found(dear: Api) -> None:
    with nothing_compared_for_nobody():
        middle = middle_times(dear)
    assert max(middle.values()) > 3 * middle["nobody"], middle


def test_the_times_of_many_are_judged_by_how_often_one_is_the_slower() -> None:
    assert slower([1, 2, 3], [1, 2, 3]) == 0.5
    assert (slower([4, 5], [1, 2, 3]), slower([1], [2, 3])) == (1, 0)
    assert not is_told_apart(0.56, 0.5, 2000)  # by chance
    assert is_told_apart(0.6, 0.03, 2000)
    assert not is_told_apart(0.6, 0.01, 2000)  # by nothing that matters
    assert not is_told_apart(0.6, 0.5, 20)
