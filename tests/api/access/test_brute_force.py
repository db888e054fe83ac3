"""Guessing: at most ten passwords per account and hour are compared; refusals do not differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.conftest import COLLEAGUE, PASSWORD, SUPERVISOR, WORKER, Api
from tests.api.signing import change, from_elsewhere, shut, sign_in, stored

HOUR = timedelta(hours=1)


class Compared:
    """The instants at which a password was compared with the digest of one account."""

    def __init__(self, digest: str) -> None:
        self.digest, self.count, self._lock = digest, 0, Lock()

    def note(self, digest: str) -> None:
        """Record the comparison if the digest is that account's."""
        with self._lock:
            self.count += digest == self.digest


@pytest.fixture
def compared(api: Api, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Records the comparisons with the worker's own digest."""
    change(api, WORKER, password_hash=api.application.passwords.digest("only the worker knows it"))
    counted, verify = Compared(stored(api, WORKER).password_hash), PasswordHasher.verify

    def noted(self: PasswordHasher, digest: Any, password: Any) -> bool:
        counted.note(digest)
        return verify(self, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    return counted


def test_in_no_hour_are_more_than_ten_guesses_compared(api: Api, compared: Compared) -> None:
    seen: list[tuple[datetime, int]] = []
    for _ in range(60):
        before = compared.count
        assert sign_in(api, WORKER, "wrong").status_code == 401
        seen.append((api.clock.now, compared.count - before))
        api.clock.forward(minutes=3)
    for begins, _ in seen:
        within = sum(count for at, count in seen if begins <= at < begins + HOUR)
        assert within <= 10, begins
    assert 20 <= compared.count <= 30  # three hours


def test_an_owner_who_signs_in_between_gives_a_guesser_no_more_guesses(
    api: Api, compared: Compared
) -> None:
    with from_elsewhere(api) as owner:
        for _ in range(30):
            sign_in(api, WORKER, "wrong")
            assert sign_in(owner, WORKER, "only the worker knows it").status_code == 200
            api.clock.forward(seconds=60)
    assert len(stored(api, WORKER).tries) == 10
    assert compared.count == 10 + 30  # the guesses, and the owner's


def test_who_guesses_where_the_owner_signs_in_has_ten_and_then_one_a_minute(
    api: Api, compared: Compared
) -> None:
    assert sign_in(api, WORKER, "only the worker knows it").status_code == 200
    for _ in range(3600 // 5):
        sign_in(api, WORKER, "wrong")
        api.clock.forward(seconds=5)
    assert compared.count <= 1 + 10 + 60


@pytest.mark.both_stores
def test_guesses_at_the_same_moment_are_counted_before_they_are_compared(
    api: Api, compared: Compared
) -> None:
    barrier = Barrier(8)

    def guess(_: int) -> int:
        barrier.wait()
        return int(sign_in(api, WORKER, "wrong").status_code)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(guess, range(8))) == [401] * 8
            api.clock.forward(minutes=16)  # the hour's ten remain
    assert compared.count == 10
    assert len(stored(api, WORKER).tries) == 10


def test_an_owner_may_sign_in_as_often_as_they_like(api: Api) -> None:
    assert [sign_in(api, WORKER).status_code for _ in range(25)] == [200] * 25
    assert stored(api, WORKER).tries == []
    with api.engine.connect() as connection:
        assert connection.execute(select(t.sign_in_source)).all() == []


def test_after_a_hundred_failures_one_place_compares_nothing_for_anybody(
    api: Api, compared: Compared
) -> None:
    for n in range(101):
        sign_in(api, f"nobody{n}", "wrong")
    assert sign_in(api, WORKER, "only the worker knows it").status_code == 401
    assert compared.count == 0
    api.clock.forward(minutes=15)
    assert sign_in(api, WORKER, "only the worker knows it").status_code == 200


def test_unknown_wrong_locked_and_disabled_read_the_same(api: Api) -> None:
    change(api, COLLEAGUE, is_active=False)
    shut(api, SUPERVISOR)
    shut(api, "city")
    answers = [
        sign_in(api, username, password)
        for username in ("nobody", WORKER, COLLEAGUE, SUPERVISOR, "city")
        for password in ("wrong", PASSWORD)
        if (username, password) != (WORKER, PASSWORD)
    ]
    told = {
        (one.status_code, one.content, tuple(sorted(
            (k, v) for k, v in one.headers.items() if k != "x-request-id")))
        for one in answers
    }  # fmt: skip
    assert len(answers) == 9
    assert len(told) == 1


def test_unknown_wrong_disabled_and_locked_cost_one_comparison_each(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that they take as long; tests/deep measures that they do."""
    change(api, COLLEAGUE, is_active=False)
    shut(api, SUPERVISOR)
    compared: list[str] = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, digest: Any, password: Any) -> bool:
        compared.append(digest)
        return verify(self, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    for name in ("nobody", WORKER, COLLEAGUE, SUPERVISOR):
        before = len(compared)
        assert sign_in(api, name, "wrong").status_code == 401
        assert len(compared) == before + 1, name
