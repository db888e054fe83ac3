"""`python3 dev.py test …`: pytest with the slowest twenty and the time at its end.

`--on 2028-02-29T10:00` runs it as if it were then in Seoul, by libfaketime, which stands before the
clock of this process and of every one that it starts: PostgreSQL, the demo, the commands. It is
looked for in CASEWORK_LIBFAKETIME, then in the package `libfaketime` of the running Python. The
0.9.10 of Debian and Ubuntu does not do: in it, Python's `time.sleep` fails.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from datetime import datetime
from pathlib import Path

SLOWEST = "--durations=20"
MISSING = (
    "--on needs libfaketime: `.venv/bin/uv pip install --python .venv/bin/python libfaketime`"
    " compiles it, or CASEWORK_LIBFAKETIME is the path of a libfaketime.so.1 (0.9.11 or newer)."
)


def faked_clock(moment: str) -> dict[str, str]:
    """The environment in which the clock shows that moment in Seoul and goes on from there.

    What is waited for is not faked: it is measured by the monotonic clock, which stays as it is.
    """
    begins = datetime.fromisoformat(moment)
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME": f"@{begins:%Y-%m-%d %H:%M:%S}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Without it a waiting thread asks in a loop: tests took five times as long.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "TZ": "Asia/Seoul",
    }


def library() -> Path:
    """Where libfaketime is; ends where there is none."""
    return find_library() or sys.exit(MISSING)


def find_library() -> Path | None:
    """Where libfaketime is, if it is anywhere."""
    if given := os.environ.get("CASEWORK_LIBFAKETIME"):
        return Path(given)
    package = importlib.util.find_spec("libfaketime")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.rglob("libfaketime.so*"), None)


def main(*arguments: str) -> None:
    """Become pytest, on the day that `--on` names or on this one."""
    given = list(arguments)
    environment = dict(os.environ)
    if "--on" in given:
        at = given.index("--on")
        environment |= faked_clock(given[at + 1])
        del given[at : at + 2]
    command = [sys.executable, "-m", "pytest", SLOWEST, *given]
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
