"""A model-based test: random stories on the real use cases, checked after every step.

    python3 dev.py proof model --examples 1000 --store sqlite --seed 1

Each story is some thirty acts on an empty database with a small world: people apply, plan, refer,
answer, hold, transfer, close and reopen; time passes; sweeps run, or are cut off; requests are
sent twice or die before their commit; supervisors review. A plain model states what is
possible and what stands afterwards, and the invariants are checked over everything stored. As a
control, the same stories run on applications with a broken rule, and each must be caught. Exits 1
where a story went wrong or a control was not caught.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.supervision import sweeping
from casework.domain.casefile.casefile import CaseFile
from casework.domain.referring import moving
from casework.workflows.supervision import overdue
from tests.api.conftest import Api
from tests.proofs._machine import CareMachine
from tests.proofs._stage import ACTS_A_STORY, BATCH
from tests.proofs._world import STORES, database, small_world

CONTROL_EXAMPLES = 200
COUNTED = ("stories", "acts", "refused", "retried", "cut off", "sweeps", "sweeps cut off",
           "raised and moved", "outsiders", "checks")  # fmt: skip


def tell_stories(
    world: Api, examples: int, seed_: int, *, shrink: bool = True, acts: int = ACTS_A_STORY
) -> dict[str, Any]:
    """Run that many random stories; returns the acts done in them, and the first fault found."""

    class Machine(CareMachine):
        """A state machine whose counts begin at zero."""

    Machine.world, Machine.done, Machine.actors = world, type(CareMachine.done)(), {}
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    how = settings(
        max_examples=examples, stateful_step_count=acts, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=phases, print_blob=False,
        report_multiple_bugs=False,
    )  # fmt: skip
    began, fault = time.monotonic(), None
    with patch.object(overdue, "BATCH", BATCH):
        try:
            run_state_machine_as_test(seed(seed_)(Machine), settings=how)
        except Exception as error:
            notes = "\n".join(getattr(error, "__notes__", ()))
            fault = f"{type(error).__name__}: {error}\n{notes}".strip()
    done = Machine.done
    return {
        "examples": examples,
        "seed": seed_,
        **{name.replace(" ", "_"): done[name] for name in COUNTED},
        "made": {name: n for name, n in sorted(done.items()) if name not in COUNTED},
        "fault": fault,
        "seconds": round(time.monotonic() - began, 1),
    }


# Applications with a broken rule: each must be caught.


@contextmanager
def a_clock_runs_on() -> Iterator[None]:
    """A declined or failed request keeps the clock that ran."""
    proper = moving._follow_clocks

    def careless(file: Any, referral: Any, row: Any, details: Any, act: Any) -> None:
        if row.action not in ("decline", "fail", "cancel"):
            proper(file, referral, row, details, act)

    with patch.object(moving, "_follow_clocks", careless):
        yield


@contextmanager
def a_step_is_told_twice() -> Iterator[None]:
    """A sweep writes the notice of a step again after it has claimed it."""
    proper = sweeping.SqlSweepStore.raise_due

    def careless(self: Any, run_id: UUID, as_of: Any, limit: int) -> Any:
        raised = proper(self, run_id, as_of, limit)
        _tell_again(self._engine, run_id)
        return raised

    with patch.object(sweeping.SqlSweepStore, "raise_due", careless):
        yield


def _tell_again(engine: Engine, run_id: UUID) -> None:
    step = t.escalation.c
    query = select(t.event).join(t.escalation, step.id == t.event.c.id).where(step.run_id == run_id)
    with engine.begin() as connection:
        for row in connection.execute(query).all():
            connection.execute(insert(t.event), [dict(row._mapping) | {"id": new_id()}])


@contextmanager
def an_event_forgets_its_clocks() -> Iterator[None]:
    """The event of a hold leaves out the clocks that it recounts."""
    proper = CaseFile.recount

    def careless(self: CaseFile, deadline: Any, act: Any) -> None:
        proper(self, deadline, act)
        self._touched.pop(deadline.id, None)

    with patch.object(CaseFile, "recount", careless):
        yield


@contextmanager
def a_sweep_overlooks_a_hold() -> Iterator[None]:
    """Holds of a case that ran out are never noticed."""
    with patch.object(sweeping.SqlSweepStore, "cases_to_resume", lambda _self, _as_of: []):
        yield


CONTROLS: dict[str, Callable[[], Any]] = {
    control.__name__: control
    for control in (
        a_clock_runs_on, a_step_is_told_twice, an_event_forgets_its_clocks,
        a_sweep_overlooks_a_hold,
    )
}  # fmt: skip


def control(world: Api, name: str, seed_: int, examples: int = CONTROL_EXAMPLES) -> dict[str, Any]:
    """The same stories with a broken rule; returns after how many it was caught, and how."""
    with CONTROLS[name]():
        told = tell_stories(world, examples, seed_, shrink=False)
    fault = told["fault"]
    return {
        "stories": told["stories"],
        "caught": fault is not None,
        "by": fault.splitlines()[0] if fault else None,
    }


def prove(store: str, examples: int, seed_: int) -> dict[str, Any]:
    """The stories and the controls on one store."""
    with database(store) as url, small_world(url) as world:
        told = tell_stories(world, examples, seed_)
        print(f"{told}", file=sys.stderr)
        caught = {name: control(world, name, seed_) for name in CONTROLS}
    return {
        "proof": "model", "store": store, **told, "controls": caught,
        "machine": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip


def is_proven(result: dict[str, Any]) -> bool:
    """Whether no story went wrong, and every broken rule was caught."""
    caught = all(one["caught"] for one in result["controls"].values())
    return result["fault"] is None and result["stories"] >= result["examples"] and caught


def main() -> int:
    """Run the proof and print what it found."""
    parser = argparse.ArgumentParser(prog="proof model", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    result = prove(options.store, options.examples, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
