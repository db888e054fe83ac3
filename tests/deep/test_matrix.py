"""The permission matrix: every route, role and subject, as in `dev.py proof matrix`."""

from __future__ import annotations

import pytest

from tests.proofs._world import STORES
from tests.proofs.matrix import matrix_on


@pytest.mark.parametrize("kind", STORES)
def test_every_cell_of_every_route_is_as_the_policy_says(kind: str) -> None:
    with matrix_on(kind) as matrix:
        report = matrix.run()
    assert not report.unknown, report.unknown
    assert not report.faults, "\n".join(report.faults)
    assert not report.silent, f"nobody succeeds: give it a state or a body: {report.silent}"
    assert report.cells["404"] > 300
    assert report.cells["403"] > 4000
    assert report.cells["lists"] > 600
