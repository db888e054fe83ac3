"""Faults under load: nothing acknowledged is lost, doubled or half done, and it is soon back.

    python3 dev.py proof faults --fault api --times 30
    python3 dev.py proof faults --list

Each fault strikes a throw-away installation so often, on a PostgreSQL with safe settings, while
clients write over HTTP, each thing under one idempotency key until it is answered; afterwards the
database is compared with what each client was told. Then the same is done with a defect switched
on: its control. Exits 1 where something was amiss or a control was not caught.

`kill -9` is not a power cut: what a process gave to the kernel is still written.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import Progress

from casework.cli.shared import COLUMNS
from tests.proofs._faults.registry import FAULTS, Fault
from tests.proofs._faults.server import FragileServer, fragile_server
from tests.proofs._faults.trial import Plan
from tests.proofs.rotation import own_ring


def prove(fault: Fault, plan: Plan) -> dict[str, Any]:
    """Try a fault; returns the figures, with `proven` for whether nothing was amiss."""
    began = time.monotonic()
    outcome = fault.run(plan)
    took = time.monotonic() - began
    return outcome.told() | {
        "seconds": round(took, 1),
        "seconds_per_strike": round(took / max(outcome.strikes, 1), 1),
        "proven": outcome.strikes > 0 and not outcome.amiss,
    }


def prove_with_control(
    fault: Fault, options: argparse.Namespace, server: FragileServer | None, bar: Progress
) -> dict[str, Any]:
    """A fault and its control."""
    times = options.times if options.times is not None else fault.times
    store = options.store if options.store in fault.stores else fault.stores[0]
    task = bar.add_task(fault.name, total=times + fault.control_times)
    plan = Plan(
        times, seed=options.seed, store=store, server=server,
        advance=lambda: bar.advance(task),
    )  # fmt: skip
    found = {"fault": fault.name, "says": fault.says, "store": store} | prove(fault, plan)
    if options.control:
        plan.is_control, plan.times = True, fault.control_times
        control = prove(fault, plan)
        found["control"] = {"defect": fault.defect, "caught": not control["proven"]} | control
    bar.update(task, completed=times + fault.control_times)
    return found


def is_proven(result: dict[str, Any]) -> bool:
    """Whether nothing was amiss in any fault, and each control that was run was caught."""
    return all(
        one["proven"] and one.get("control", {"caught": True})["caught"] for one in result["faults"]
    )


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="proof faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--fault", action="append", choices=sorted(FAULTS), metavar="NAME",
        help="which fault, may be said several times; all where left out",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="name all faults with their controls")
    parser.add_argument("--times", type=int, help="how often it strikes")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--no-control", dest="control", action="store_false", help="leave the control out"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


def main() -> int:
    """Run the proof and print what it found."""
    options = options_of()
    # A server that is left behind would run for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if options.list:
        for fault in FAULTS.values():
            print(f"{fault.name}: {fault.says}\n    control: {fault.defect}")
        return 0
    results = []
    console = Console(stderr=True)
    with own_ring(), fragile_server() as server, Progress(*COLUMNS, console=console) as bar:
        for name in options.fault or FAULTS:
            results.append(prove_with_control(FAULTS[name], options, server, bar))
            console.print(f"{name}: {'proven' if is_proven({'faults': results[-1:]}) else 'AMISS'}")
    result = {
        "proof": "faults", "seed": options.seed, "faults": results,
        "machine": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(result, indent=2, ensure_ascii=False) if options.json else _written(result))
    return 0 if is_proven(result) else 1


def _written(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{one['fault']}: " + ", ".join(f"{key} {value}" for key, value in one.items())
        for one in result["faults"]
    )


if __name__ == "__main__":
    sys.exit(main())
