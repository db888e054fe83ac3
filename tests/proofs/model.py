"""A model-based test: random stories on the real use cases, checked after every step.

    python3 dev.py proof model --examples 1000 --store sqlite --seed 1

Each story is some thirty acts on an empty database with a small world: people apply, plan, refer,
answer, hold, transfer, close and reopen; they enter acts late and put right what was wrong; they
promise to call back, are away, leave, die, and turn out to be one person; time passes; sweeps run,
or are cut off; requests are sent twice or die before their commit; supervisors review. A plain
model states what is possible and what stands afterwards, and the invariants are checked over
everything stored. As a control, the same stories run on applications with a broken rule, and each
must be caught. Exits 1 where a story went wrong or a control was not caught.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from casework.workflows.supervision import overdue
from tests.api.conftest import Api
from tests.proofs._controls import CONTROLS
from tests.proofs._machine import CareMachine
from tests.proofs._stage import ACTS_A_STORY, BATCHES
from tests.proofs._world import STORES, database, small_world

CONTROL_EXAMPLES = 400
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
    with patch.object(overdue, "BATCHES", BATCHES):
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
