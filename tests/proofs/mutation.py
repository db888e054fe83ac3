"""Mutation: small errors put into casework/domain one by one, and whether its tests notice.

    python3 dev.py proof mutation
    python3 dev.py proof mutation --paths casework/domain/clocks/deadlines.py
    python3 dev.py proof mutation --survivors      # only what the last run left, after new tests

mutmut makes the mutants of every function in `mutants/` and runs against each the tests of
tests/domain that reach it, by `[tool.mutmut]` in pyproject.toml. Prints a table and the survivors
with what was changed in each, or with --json one document. What it does not mutate is what stands
outside functions, such as the rows of a table, and properties: a test compares those as a whole.
Exits 1 where fewer than --at-least per cent were noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = Path("casework/domain")
MUTANTS = ROOT / "mutants"
MUTMUT = [sys.executable, "-m", "mutmut"]
# mutmut's status of a killed mutant: the tests failed, or timed out.
NOTICED = ("killed", "timeout")
NOT_TRIED = ("not checked", "skipped", "check was interrupted by user")


@dataclass
class Count:
    """The results of the mutants of one module; ``survived`` names those that no test killed."""

    module: str
    mutants: int = 0
    killed: int = 0
    survived: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share that was killed."""
        return self.killed / self.mutants if self.mutants else 1.0


def chosen(paths: list[Path]) -> list[str]:
    """The dotted names of the modules under these files and folders, all of the domain if none."""
    files: set[Path] = set()
    for path in paths or [DOMAIN]:
        whole = (ROOT / path).resolve()
        files |= set(whole.rglob("*.py")) if whole.is_dir() else {whole}
    unknown = [path for path in files if not path.is_relative_to(ROOT / DOMAIN)]
    if unknown or not all(path.is_file() for path in files):
        sys.exit(f"only files of {DOMAIN} are mutated")
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)


def verdicts() -> dict[str, str]:
    """The status of each mutant in the last run, by its name."""
    said = subprocess.run(
        [*MUTMUT, "results", "--all", "true"], cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout
    lines = (line.strip().rpartition(": ") for line in said.splitlines())
    return {name: verdict for name, _, verdict in lines if name}


def run_mutants(names: list[str], processes: int) -> None:
    """Run these mutants (a name may end in a star); mutmut shows its progress."""
    command = [*MUTMUT, "run", "--max-children", str(processes), *names]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}: do the tests of the domain pass?")


def counted(found: dict[str, str], modules: list[str]) -> list[Count]:
    """The mutants of these modules, module by module; those that were not tried do not count."""
    counts = {module: Count(module) for module in modules}
    for name, verdict in found.items():
        count = counts.get(name.rpartition(".")[0])
        if count is None or verdict in NOT_TRIED:
            continue
        count.mutants += 1
        if verdict in NOTICED:
            count.killed += 1
        else:
            count.survived.append(name)
    return [count for count in counts.values() if count.mutants]


def change_in(name: str) -> str:
    """What a mutant changes: the lines taken out and put in, on one line."""
    shown = subprocess.run(
        [*MUTMUT, "show", name], cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout
    lines = [
        line for line in shown.splitlines() if line[:1] in "-+" and line[:3] not in ("---", "+++")
    ]
    return "  ".join(f"{line[0]} {line[1:].strip()}" for line in lines)


def result_of(counts: list[Count], seconds: float) -> dict[str, Any]:
    """The figures, for a machine."""
    mutants = sum(count.mutants for count in counts)
    killed = sum(count.killed for count in counts)
    return {
        "proof": "mutation",
        "mutants": mutants,
        "killed": killed,
        "share": round(killed / mutants, 4) if mutants else None,
        "modules": [asdict(count) | {"share": round(count.share, 4)} for count in counts],
        "changes": {name: change_in(name) for count in counts for name in count.survived},
        "machine": platform.platform(),
        "python": platform.python_version(),
        "seconds": round(seconds),
    }


def show(result: dict[str, Any]) -> None:
    """The figures, for a person."""
    together = {"module": "together", **result}
    for row in [*result["modules"], together]:
        share = row["share"] or 0
        print(f"{row['module']:<32}{row['killed']:>6} of {row['mutants']:<6}{share:>7.1%}")
    for name, change in result["changes"].items():
        print(f"{name}\n    {change}")


def main() -> int:
    """Run the proof and print its result."""
    parser = argparse.ArgumentParser(
        prog="proof mutation", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--paths", type=Path, nargs="+", default=[])
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--survivors", action="store_true", help="try again what survived")
    parser.add_argument("--show", action="store_true", help="only show what the last run found")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--at-least", type=float, default=85, metavar="PER_CENT")
    options = parser.parse_args()
    modules, began = chosen(options.paths), time.monotonic()
    if options.survivors:
        left = [name for count in counted(verdicts(), modules) for name in count.survived]
        if left:
            run_mutants(left, options.processes)
    elif not options.show:
        shutil.rmtree(MUTANTS, ignore_errors=True)
        run_mutants([f"{module}.*" for module in modules], options.processes)
    result = result_of(counted(verdicts(), modules), time.monotonic() - began)
    print(json.dumps(result, indent=2)) if options.json else show(result)
    return 0 if (result["share"] or 0) * 100 >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
