"""Every operation two days before what is stored: the server's clock was set back.

On SQLite: it takes four times as long on PostgreSQL, and nothing of it depends on the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from casework.adapters.persistence.unit_of_work.store import SqlWork
from tests.proofs._operations import operations
from tests.proofs.matrix import Matrix, matrix_on


@pytest.fixture
def set_back() -> Iterator[Matrix]:
    """The planted world of the matrix, after its clock went back two days."""
    with matrix_on("sqlite") as matrix:
        matrix.api.clock.forward(days=-2)
        yield matrix


def test_no_operation_fails_two_days_before_what_is_stored(set_back: Matrix) -> None:
    set_back.let_in(operations(set_back.app))
    assert not set_back.report.faults, "\n".join(set_back.report.faults)
    # What is left is refused since it would be before what it follows.
    assert len(set_back.report.succeeded) > 145
    assert set_back.report.cells["let in"] > 1000


def test_the_control_an_operation_that_fails_is_found(
    set_back: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("what is stored is later than now")

    monkeypatch.setattr(SqlWork, "commit", fail)
    set_back.let_in([one for one in operations(set_back.app) if one.name == "POST /cases"])
    assert set_back.report.faults
    assert all("500" in fault for fault in set_back.report.faults)
