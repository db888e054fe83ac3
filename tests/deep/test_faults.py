"""Faults under load, once each: `python3 dev.py proof faults` strikes thirty times and more.

Killed and lost servers, slow databases and exhausted pools have tests of their own beside this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.proofs._faults.registry import FAULTS
from tests.proofs._faults.server import FragileServer, fragile_server
from tests.proofs._faults.trial import NotRun, Outcome, Plan
from tests.proofs.faults import is_proven, summary
from tests.proofs.rotation import own_ring

# How often each strikes: a clock goes there and back, a mail server is dead in two ways and back.
TIMES = {
    "scheduler": 1, "relay": 1, "disk": 1, "clock": 2, "mail": 3, "schedulers": 1, "migration": 2,
}  # fmt: skip
TICKS_OF_BOTH_MINUTES = 1.1


@pytest.fixture(scope="module")
def server() -> Iterator[FragileServer]:
    """A PostgreSQL that others do not need."""
    with own_ring(), fragile_server() as found:
        yield found


def struck(name: str, plan: Plan) -> Outcome:
    """What came of a fault, where it can be tried here."""
    try:
        return FAULTS[name].run(plan)
    except NotRun as why:
        pytest.skip(str(why))


@pytest.mark.parametrize("name", TIMES)
def test_under_load_nothing_acknowledged_is_lost_and_it_is_soon_back(
    server: FragileServer, name: str
) -> None:
    outcome = struck(name, Plan(TIMES[name], 0.3, server=server))
    assert outcome.amiss == []
    assert outcome.strikes == TIMES[name]
    assert outcome.figures["acknowledged"] > 0


@pytest.mark.parametrize("name", TIMES)
def test_the_control_with_its_defect_it_is_caught(server: FragileServer, name: str) -> None:
    times = FAULTS[name].control_times
    plan = Plan(times, TICKS_OF_BOTH_MINUTES, is_control=True, server=server)
    assert struck(name, plan).amiss


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
