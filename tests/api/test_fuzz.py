"""A bounded run of what `dev.py proof fuzz` does at length: nothing fails, most things succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casework.workflows import referring
from tests.proofs.fuzz import SHARE, Fuzz
from tests.proofs.matrix import matrix_on


def fuzzed(requests: int, *roles: str, first: Callable[[], None] = lambda: None) -> dict[str, Any]:
    with matrix_on("sqlite") as matrix:
        first()
        fuzz = Fuzz(matrix, seed=1)
        fuzz.run(requests, roles, examples=1)
        return fuzz.told()


def test_no_request_of_the_document_makes_it_fail() -> None:
    told = fuzzed(480, "supervisor", "admin")
    assert not told["faults"], "\n".join(told["faults"])
    # Without the roles that are left out; at length, as every role, it is ``SHARE`` at least.
    assert told["share"] >= SHARE - 0.15, told["never_succeeded"]
    assert told["by_phase"]["fuzzing"] > 250
    assert told["by_phase"]["coverage"] > 50


def test_a_failure_and_an_answer_that_is_not_documented_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-8d1f")

    def break_it() -> None:
        monkeypatch.setattr(referring, "move_referral", broken)

    told = fuzzed(140, "provider", first=break_it)
    assert any("POST /referrals/{id}/accept failed: 500" in said for said in told["faults"])
