"""Processes that a benchmark starts, and the processor time of them and of the database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

import casework

PROC: Final = Path("/proc")
ENDS_WITHIN_S: Final = 30
PACKAGE: Final = Path(casework.__file__).parents[1]


class BenchmarkFailed(Exception):
    """The measurement does not count; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server in another process."""

    pid: int
    host: str
    port: int


@contextmanager
def serving(command: Sequence[str], settings: Mapping[str, str], log: Path) -> Iterator[Served]:
    """A server that prints ``ready ADDRESS`` once it listens; ended with SIGTERM.

    It has only the given settings of the product, and writes what else it says into ``log``.
    """
    with log.open("w", encoding="utf-8") as noted:
        process = subprocess.Popen(  # noqa: S603 - a command of this project
            command,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noted,
            text=True,
        )
        try:
            yield _ready(process, log)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _ready(process: subprocess.Popen[str], log: Path) -> Served:
    for line in process.stdout or ():
        if line.startswith("ready "):
            address = urlsplit(line.split()[1])
            return Served(process.pid, address.hostname or "", address.port or 0)
    process.wait()
    lines = log.read_text("utf-8").splitlines() or ["it said nothing"]
    raise BenchmarkFailed(f"a server did not start: {lines[-1]}")


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    usual = {name: it for name, it in os.environ.items() if not name.startswith("CASEWORK_")}
    path = os.pathsep.join([str(PACKAGE), *filter(None, [usual.get("PYTHONPATH")])])
    return {**usual, "PYTHONPATH": path, **settings}


def generated(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the load generator says of a plan, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "casework.bench.load"],
        input=json.dumps(plan),
        env=_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        lines = ended.stderr.splitlines() or ["it said nothing"]
        raise BenchmarkFailed(f"the load generator failed: {lines[-1]}")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


# Processor time


def cpu_of(pid: int) -> float | None:
    """Milliseconds of a process, of those it started, and of those it saw end; None if unknown."""
    if not (PROC / str(pid) / "stat").exists():
        return None
    return sum(_own(one) for one in _family(pid))


def postmaster(connection: psycopg.Connection[Any]) -> int | None:
    """The process that started all others of a PostgreSQL; None where it runs elsewhere."""
    pid = connection.info.backend_pid
    try:
        if not (PROC / str(pid) / "comm").read_text().startswith("postgres"):
            return None
        return int(_fields(pid)[1])
    except OSError:
        return None


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in _children(pid):
        yield from _family(child)


def _children(pid: int) -> list[int]:
    """Those a process started; none where it, or one of its threads, ended while it was read."""
    try:
        threads = os.listdir(PROC / str(pid) / "task")
    except OSError:
        return []
    found: list[str] = []
    for thread in threads:
        with suppress(OSError):
            found += (PROC / str(pid) / "task" / thread / "children").read_text().split()
    return [int(child) for child in found]


def _own(pid: int) -> float:
    """User and system time, with that of the children whose end was noted."""
    try:
        ticks = sum(map(int, _fields(pid)[11:15]))
    except OSError:
        return 0.0
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    """What ``stat`` says of a process after its name, beginning with the state."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
