"""A refused sign-in leaves at a whole step after it was asked for; who is let in does not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from casework.adapters.http.deadlines import time_to_step
from casework.adapters.identity import REFUSAL_STEP_S, Argon2Passwords
from tests.api.conftest import PASSWORD, WORKER, Api
from tests.api.signing import refresh, sign_in

STEP_S = 0.4


@pytest.fixture
def stepping(api: Api) -> Api:
    """Refusals leave at multiples of a step that is longer than anything else here."""
    passwords = Argon2Passwords(cheap=True, refusal_step_s=STEP_S)
    api.application.passwords = passwords
    return api


def seconds_of(act: Callable[[], object]) -> float:
    """How long something took."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@pytest.mark.parametrize("name", [WORKER, "nobody.at.all"])
def test_a_refusal_is_held_back_to_its_step(stepping: Api, name: str) -> None:
    assert seconds_of(lambda: sign_in(stepping, name, "wrong")) >= STEP_S


def test_a_refused_token_is_held_back_as_well(stepping: Api) -> None:
    assert seconds_of(lambda: refresh(stepping, "no such token")) >= STEP_S


def test_who_is_let_in_does_not_wait(stepping: Api) -> None:
    quickest = min(seconds_of(lambda: sign_in(stepping, WORKER, PASSWORD)) for _ in range(5))
    assert quickest < STEP_S


def test_refusals_that_are_held_back_take_no_thread_from_others(stepping: Api) -> None:
    many = 48  # six times as many as there are threads for requests
    with ThreadPoolExecutor(many) as pool:
        refused = [pool.submit(sign_in, stepping, f"nobody.{n}", "wrong") for n in range(many)]
        took = seconds_of(lambda: [one.result() for one in refused])
    assert took < many / 8 * STEP_S


@pytest.mark.parametrize(
    ("seconds", "held"), [(0.0, 0.0), (0.05, 0.15), (0.2, 0.0), (0.21, 0.19), (0.399, 0.001)]
)
def test_what_is_left_of_a_step(seconds: float, held: float) -> None:
    assert time_to_step(seconds, 0.2) == pytest.approx(held)
    assert time_to_step(seconds, 0) == 0


def test_passwords_of_production_have_steps_and_those_of_tests_none() -> None:
    assert Argon2Passwords().refusal_step_s == REFUSAL_STEP_S > 0
    assert Argon2Passwords(cheap=True).refusal_step_s == 0
