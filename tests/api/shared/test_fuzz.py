"""Random requests to part of the API, and a control with a failure; tests/deep covers all of it."""

from __future__ import annotations

from typing import Any

import pytest

from casework.workflows.referring import referring
from tests.proofs.fuzz import Fuzz
from tests.proofs.matrix import matrix_on


def test_no_request_of_a_subject_makes_it_fail() -> None:
    with matrix_on("sqlite") as matrix:
        fuzz = Fuzz(matrix, seed=1)
        fuzz.scope_of(("supervisor",), tags=("referrals", "worklist"))
        told = fuzz.told()
    assert not told["faults"], "\n".join(told["faults"])
    assert told["succeeded"] > 5


def test_a_failure_and_an_answer_that_is_not_documented_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-8d1f")

    with matrix_on("sqlite") as matrix:
        monkeypatch.setattr(referring, "move_referral", broken)
        fuzz = Fuzz(matrix, seed=1)
        fuzz.scope_of(("provider",), tags=("referrals",))
        told = fuzz.told()
    assert any("POST /referrals/{id}/accept failed: 500" in said for said in told["faults"])
