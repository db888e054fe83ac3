"""Faults under load: nothing acknowledged is lost, doubled or half done, and it is soon back.

    python3 dev.py proof faults --fault api --times 30
    python3 dev.py proof faults --fault schedulers --minutes 60
    python3 dev.py proof faults --list

Each fault strikes a throw-away installation so often, on a PostgreSQL with safe settings, while
clients write over HTTP, each thing under one idempotency key until it is answered; afterwards the
database is compared with what each client was told. Then the same is done with a defect switched
on: its control. Exits 1 where something was amiss, a control was not caught, or a fault could not
be tried on this machine.

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
from tests.proofs._faults.starting import said_of_failures
from tests.proofs._faults.trial import NotRun, Plan
from tests.proofs.rotation import own_ring

# A tick of every minute comes to both of two schedulers in so many.
CONTROL_MINUTES = 1.1


def prove(fault: Fault, plan: Plan) -> dict[str, Any]:
    """Try a fault; returns the figures, with `proven` for whether nothing was amiss."""
    began, nothing = time.monotonic(), {"strikes": 0, "amiss": 1, "proven": False}
    try:
        outcome = fault.run(plan)
    except NotRun as why:
        return nothing | {"not_run": str(why)}
    except Exception as error:  # the others are still to be tried
        return nothing | {"failed": f"{type(error).__name__}: {error}"}
    return outcome.told() | {
        "seconds": round(time.monotonic() - began, 1),
        "proven": outcome.strikes > 0 and not outcome.amiss,
    }


def prove_with_control(
    fault: Fault, options: argparse.Namespace, server: FragileServer | None, bar: Progress
) -> dict[str, Any]:
    """A fault and its control."""
    times = options.times if options.times is not None else fault.times
    store = options.store if options.store in fault.stores else fault.stores[0]
    plan = Plan(times, options.minutes, seed=options.seed, store=store, server=server)
    task = bar.add_task(fault.name, total=fault.steps(plan))
    plan.advance = lambda: bar.advance(task)
    found = {"fault": fault.name, "says": fault.says, "store": store, "kills": fault.kills}
    found |= prove(fault, plan)
    bar.console.print(_verdict(found), highlight=False, markup=False)
    if options.control and found["proven"]:
        plan.is_control, plan.times, plan.minutes = True, fault.control_times, CONTROL_MINUTES
        bar.reset(task, total=fault.steps(plan), description=f"{fault.name}: control")
        control = prove(fault, plan)
        caught = not control["proven"] and "failed" not in control
        found["control"] = {"defect": fault.defect, "caught": caught} | control
        bar.console.print(f"{fault.name}: control {'caught' if caught else 'MISSED'}")
    bar.update(task, completed=fault.steps(plan), description=fault.name)
    return found


def is_proven(result: dict[str, Any]) -> bool:
    """Whether nothing was amiss in any fault, and each control that was run was caught."""
    return all(
        one["proven"] and one.get("control", {"caught": True})["caught"] for one in result["faults"]
    )


def summary(faults: list[dict[str, Any]]) -> dict[str, Any]:
    """All faults together, without their controls."""
    statuses = [one.get("statuses", {}) for one in faults]
    backs = [one["back_s"]["most"] for one in faults if "back_s" in one]
    controls = [one["control"]["caught"] for one in faults if "control" in one]
    together = {
        name: sum(one.get(name, 0) for one in faults)
        for name in ("acknowledged", "lost", "doubled", "half_done", "broken", "amiss")
    }
    return {
        "strikes": sum(one["strikes"] for one in faults),
        "kills": sum(one["strikes"] for one in faults if one["kills"]),
        **together,
        "5xx_but_503": sum(
            count for of in statuses for status, count in of.items()
            if status.startswith("5") and status != "503"
        ),
        "longest_until_acknowledged_s": max(backs, default=None),
        "controls_caught": f"{sum(controls)} of {len(controls)}",
        "not_run": [one["fault"] for one in faults if "not_run" in one],
    }  # fmt: skip


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
    parser.add_argument(
        "--minutes", type=float, default=2.0, help="how long two schedulers run (2)"
    )
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
    console = Console(stderr=True)
    with own_ring(), fragile_server() as server, Progress(*COLUMNS, console=console) as bar:
        results = [
            prove_with_control(FAULTS[name], options, server, bar)
            for name in options.fault or FAULTS
        ]
    result = {
        "proof": "faults", "seed": options.seed, "faults": results, "summary": summary(results),
        "machine": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(result, indent=2, ensure_ascii=False) if options.json else _written(result))
    return 0 if is_proven(result) else 1


def _verdict(fault: dict[str, Any]) -> str:
    """Whether a fault was proven, and if it was not, what stood in the way."""
    if is_proven({"faults": [fault]}):
        return f"{fault['fault']}: proven"
    why = fault.get("not_run") or fault.get("failed") or fault.get("for_instance")
    return "\n".join([f"{fault['fault']}: AMISS: {why}", *said_of_failures()])


def _written(result: dict[str, Any]) -> str:
    lines = [(one["fault"], one) for one in result["faults"]] + [("all", result["summary"])]
    return "\n".join(
        f"{name}: " + ", ".join(f"{key} {value}" for key, value in one.items())
        for name, one in lines
    )


if __name__ == "__main__":
    sys.exit(main())
