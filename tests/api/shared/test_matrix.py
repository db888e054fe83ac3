"""The permission matrix over a few routes, with controls; tests/deep covers all routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from casework.domain.access.policy import POLICY, Role
from tests.proofs import _operations, matrix
from tests.proofs._open import filter_open
from tests.proofs._operations import Operation
from tests.proofs.matrix import Matrix, matrix_on

FEW = ("GET /residents/{id}", "GET /cases", "PATCH /residents/{id}", "GET /referrals/{id}")


@pytest.fixture
def planted() -> Iterator[Matrix]:
    """A fresh matrix on SQLite."""
    with matrix_on("sqlite") as made:
        made.thorough = False
        yield made


def few(operation: Operation) -> bool:
    return operation.name in FEW


def test_every_cell_of_a_few_routes_is_as_the_policy_says(planted: Matrix) -> None:
    report = planted.run(few)
    assert not report.unknown, report.unknown
    assert not [said for said in report.faults if said.startswith(FEW)], report.faults
    for kind in ("403", "404", "lists"):
        assert report.cells[kind] > 0, report.cells


def test_a_filter_that_lets_all_through_is_found(planted: Matrix) -> None:
    with filter_open():
        report = planted.run(few)
    about = " ".join(report.faults)
    for said in ("GET /residents/{id}", "GET /cases", "PATCH /residents/{id} changed rows",
                 "shows", "other district", "other agency", "ended"):  # fmt: skip
        assert said in about, (said, report.faults)


def test_a_row_too_many_and_a_row_too_few_are_found(
    planted: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matrix compares with the policy's table, not with what the application happens to do."""
    max_buckets = {action: dict(row) for action, row in POLICY.items()}

    def as_was(action: str, role: str) -> Any:
        return max_buckets[action].get(Role(role))

    monkeypatch.setattr(matrix, "relation_of", as_was)
    monkeypatch.setitem(POLICY["case.read"], Role.AUDITOR, POLICY["case.read"][Role.SUPERVISOR])
    monkeypatch.delitem(POLICY["referral.read"], Role.PROVIDER)
    report = planted.run(few)
    about = " ".join(report.faults)
    assert "GET /residents/{id} as auditor" in about
    assert "GET /referrals/{id} as provider" in about


def test_a_route_that_cannot_be_filled_in_is_named(
    planted: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(_operations.KIND_OF_PATH, "residents")
    report = planted.run(few)
    assert "GET /residents/{id}: say in KIND_OF_PATH what its id is of" in report.unknown
    assert not report.is_clean
