"""Under which conditions it was measured, what was asked for, and both as text."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from casework.bench.processes import PACKAGE

LIBRARIES: Final = (
    "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "psycopg", "pydantic",
    "orjson",
)  # fmt: skip
Result = dict[str, Any]
Figures = dict[str, Result]


def conditions(postgresql: str) -> Result:
    """The commit, the machine and the versions."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "model": _model(),
            "platform": platform.platform(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "python": platform.python_version(),
        "postgresql": postgresql,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _commit() -> str | None:
    """The commit of a checkout, with a mark where files differ from it; None elsewhere."""
    git = shutil.which("git")
    if git is None or not (PACKAGE / ".git").exists():
        return None
    said = subprocess.run(  # noqa: S603 - reads the checkout
        [git, "-C", str(PACKAGE), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip() or None


def _model() -> str:
    """What the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


# What is asked for


def _statements(mode: str) -> Callable[[Figures], Any]:
    return lambda figures: figures.get(mode, {}).get("statements")


def _beside(mode: str) -> Callable[[Figures], Any]:
    return lambda figures: figures.get(mode, {}).get("app_cpu_to_prototype")


# What is measured, how it is read, at least and aim, and whether more is better.
WANTED: Final[tuple[tuple[str, Callable[[Figures], Any], float, float, bool], ...]] = (
    (
        "create a referral ÷ the raw transaction, rate",
        lambda figures: figures.get("create", {}).get("rate_to_raw"),
        0.20, 0.30, True,
    ),
    ("statements to create a referral", _statements("create"), 8, 5, False),
    ("statements to read a referral", _statements("read"), 5, 4, False),
    ("statements of a worklist of 50", _statements("worklist"), 6, 4, False),
    ("create ÷ the prototype, CPU of the application", _beside("create"), 2, 1.5, False),
    ("read ÷ the prototype, CPU of the application", _beside("read"), 2, 1.5, False),
    ("worklist ÷ the prototype, CPU of the application", _beside("worklist"), 2, 1.5, False),
    (
        "mixed requests a second of a core (application and database)",
        lambda figures: figures.get("mixed", {}).get("requests_per_second_and_core"),
        350, 600, True,
    ),
)  # fmt: skip


def speed_table(figures: Sequence[Result]) -> list[Result]:
    """What is asked for beside what was measured, for the modes that were."""
    by_mode = {one["mode"]: one for one in figures}
    rows = []
    for what, read, least, aim, more_is_better in WANTED:
        if (measured := read(by_mode)) is not None:
            held, met = (
                (measured >= bound) if more_is_better else (measured <= bound)
                for bound in (least, aim)
            )
            rows.append({"what": what, "measured": measured, "at_least": least, "aim": aim,
                         "holds": held, "meets_aim": met})  # fmt: skip
    return rows


# As text


def lines_of(result: Result) -> Iterator[str]:
    """What stands above the tables."""
    machine = result["machine"]
    yield (
        f"commit {result['commit'] or 'unknown'}, {machine['cores']} cores ({machine['model']}), "
        f"load before {machine['load_before']}"
    )
    yield (
        f"Python {result['python']}, PostgreSQL {result['postgresql']}, "
        f"raw transaction by {result['raw_transaction_by']}"
    )
    yield (
        f"{result['residents']:,} residents, {result['clients']} clients, median of "
        f"{result['rounds']} rounds of {result['seconds']:g} s, no bad answer"
    )


def tables_of(result: Result) -> Iterator[Table]:
    """The figures, and what is asked for beside them."""
    figures = Table("", "req/s", "p50 ms", "p95 ms", "p99 ms", "app CPU", "db CPU", "statements")
    for figure in result["figures"]:
        figures.add_row(figure["mode"], *_cells(figure), _shown(figure.get("statements")))
        for side in ("prototype", "raw"):
            if side in figure:
                figures.add_row(f"  {side}", *_cells(figure[side]), "", style="dim")
    yield figures
    wanted = Table("", "measured", "at least", "aim", "")
    for row in result["speed"]:
        verdict = "aim" if row["meets_aim"] else "holds" if row["holds"] else "misses"
        wanted.add_row(row["what"], *(_shown(row[one]) for one in ("measured", "at_least", "aim")),
                       verdict)  # fmt: skip
    if result["speed"]:
        yield wanted


def _cells(figure: Result) -> list[str]:
    names = ("requests_per_second", "p50_ms", "p95_ms", "p99_ms", "app_cpu_ms", "db_cpu_ms")
    return [_shown(figure.get(name)) for name in names]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
