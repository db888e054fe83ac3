"""What the proof of faults says of all of them together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proofs.faults import is_proven, summary


def a_fault(**figures: Any) -> dict[str, Any]:
    """What the proof says of a fault with nothing amiss, but for these figures."""
    return {
        "fault": "api", "kills": True, "strikes": 3, "proven": True, "amiss": 0,
        "statuses": {"201": 50, "503": 2}, "acknowledged": 50, "back_s": {"most": 1.5},
        "control": {"caught": True},
    } | figures  # fmt: skip


def test_the_summary_adds_up_all_faults() -> None:
    pool = a_fault(fault="pool", kills=False, back_s={"most": 2.5}, statuses={"500": 1, "503": 4})
    found = summary([a_fault(), pool, {**pool, "fault": "disk", "not_run": "no right to mount"}])
    assert found == {
        "strikes": 9, "kills": 3, "acknowledged": 150, "lost": 0, "doubled": 0, "half_done": 0,
        "broken": 0, "amiss": 0, "5xx_but_503": 2, "longest_until_acknowledged_s": 2.5,
        "controls_caught": "3 of 3", "not_run": ["disk"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "proven"),
    [
        ({}, True),
        ({"proven": False}, False),
        ({"control": {"caught": False}}, False),
    ],
)
def test_one_fault_or_one_control_that_is_not_caught_is_told(
    figures: dict[str, Any], proven: bool
) -> None:
    assert is_proven({"faults": [a_fault(), a_fault(**figures)]}) is proven
