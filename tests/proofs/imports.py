"""A killed and restarted import of many rows reports exactly the planted faults.

    python3 dev.py proof imports --rows 50000 --faults 1000 --store sqlite
    python3 dev.py proof imports --rows 20000 --faults 400 --store postgresql --kills 0 --beside 2

A file of invented residents is written as an office sends it (CP949, Korean headings, dates in five
forms, telephones without their zero), with faults of every kind in its rows. `casework import`
imports it in a process of its own, which is killed (SIGKILL) several times and started
again with the same command. At the end the results must be those that were planted, line by line,
and every good row must be there once: its resident, and the event of its registration. Exits 1
otherwise. Without kills it says how fast a file is taken in, the start of the command included;
with ``--beside`` so many clients meanwhile change, find and read residents over HTTP.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Final
from unittest import mock
from uuid import UUID

from sqlalchemy import func, select
from starlette.testclient import TestClient

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.exchange import import_file, import_row
from tests.api.acts import a_resident
from tests.api.conftest import FAR, HERE, SUPERVISOR, Api
from tests.proofs._world import STORES, database, small_world
from tests.proofs.rotation import Load, work

HEADINGS: Final = "연번,성명,생년월일,성별,읍면동,주소,전화번호,독거 여부,비고"
DAY_FORMS: Final = ("{0:%Y}.{0.month}.{0.day}.", "{0:%Y-%m-%d}", "{0:%Y}/{0.month}/{0.day}",
                    "{0:%Y%m%d}", "{0:%Y}. {0.month}. {0.day}.")  # fmt: skip
FIRST_DAY: Final = date(1930, 1, 1)
KNOWN: Final = ("가상선등록", date(1935, 5, 5))
CLIENT: Final = "가상곁"
SETTINGS: Final = {
    "CASEWORK_AUDIT_KEY": "a" * 32,
    "CASEWORK_TOKEN_KEY": "t" * 32,
    "CASEWORK_CURSOR_KEY": "c" * 32,
}
POLL_S: Final = 0.02
Result = tuple[str, str, str]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, and the expected error."""

    name: str
    changes: dict[str, str]
    says: Result


FAULTS: Final = (
    Fault("no such day", {"birth": "1941.13.6."}, ("refused", "birth_date", "date_unreadable")),
    Fault("not yet born", {"birth": "2150-01-01"},
          ("refused", "birth_date", "birth_date_in_future")),
    Fault("too old", {"birth": "1850-01-01"}, ("refused", "birth_date", "birth_date_too_early")),
    Fault("no birth date", {"birth": ""}, ("refused", "birth_date", "required")),
    Fault("no name", {"name": " "}, ("refused", "name", "required")),
    Fault("a name too long", {"name": "가" * 121}, ("refused", "name", "invalid")),
    Fault("no such sex", {"sex": "모름"}, ("refused", "sex", "invalid")),
    Fault("no such centre", {"centre": "없는동"}, ("refused", "centre_code", "unknown_centre")),
    Fault("elsewhere", {"centre": FAR}, ("refused", "", "centre_out_of_scope")),
    Fault("no telephone", {"phone": "없음"}, ("refused", "phone", "invalid")),
    Fault("neither yes nor no", {"alone": "가끔"}, ("refused", "lives_alone", "invalid")),
    Fault("known before", {"name": KNOWN[0], "birth": KNOWN[1].isoformat()},
          ("duplicate", "", "possible_duplicate")),
    Fault("said before", {}, ("duplicate", "", "duplicate_in_file")),
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A file, and its expected results."""

    text: str
    says: dict[int, Result]
    good: frozenset[str]


def plant(rows: int, faults: int, seed: int) -> Planted:
    """A file of that many rows, of which that many are faulty, with each kind of fault in turn."""
    rng = random.Random(seed)
    wrong = sorted(rng.sample(range(2, rows), faults))
    kinds = {row: FAULTS[n % len(FAULTS)] for n, row in enumerate(wrong)}
    lines, says, good = [HEADINGS], {}, []
    for row in range(rows):
        fault = kinds.get(row)
        cells = _cells(row, rng)
        if fault is None:
            good.append(cells["name"])
        elif fault.name == "said before":
            cells = _cells(int(rng.choice(good).removeprefix("가상주민")), rng)
        if fault is not None:
            cells |= fault.changes
            says[row + 2] = fault.says
        lines.append(",".join((str(row + 1), *cells.values(), "")))
    return Planted("\r\n".join(lines), says, frozenset(good))


def _cells(row: int, rng: random.Random) -> dict[str, str]:
    born = FIRST_DAY + timedelta(days=row * 7 % 11_000)
    return {
        "name": f"가상주민{row:06}", "birth": rng.choice(DAY_FORMS).format(born),
        "sex": rng.choice(("남", "여")), "centre": rng.choice(("우1동", HERE, "우2동")),
        "address": "가상로 1",
        "phone": rng.choice((f"10{row:08}", f"010-0000-{row % 10_000:04}", "")),
        "alone": rng.choice(("예", "아니오", "")),
    }  # fmt: skip


@dataclass(frozen=True)
class Child:
    """The command as a process; its output goes to files, so that it never blocks on a pipe."""

    process: subprocess.Popen[str]
    said: Any
    wrong: Any

    def ended(self) -> tuple[str, str]:
        """Wait for its end; returns stdout and stderr."""
        self.process.wait()
        told = []
        for output in (self.said, self.wrong):
            output.seek(0)
            told.append(output.read())
            output.close()
        return told[0], told[1]


class Taking:
    """The command, started and killed until it completes."""

    def __init__(self, world: Api, url: str, file: Path) -> None:
        self._world, self._file = world, file
        self._env = {**os.environ, **SETTINGS, "CASEWORK_DATABASE_URL": url}
        self.kills: list[int] = []
        self.peak_mib = 0.0

    def go(self, kill_at: list[int]) -> dict[str, Any]:
        """Kill it after each of these positions; returns the output of the run that completes."""
        for position in kill_at:
            child = self._start()
            is_there = self._behind(child.process, position)
            child.process.send_signal(signal.SIGKILL)
            child.ended()
            if not is_there:
                break
            self.kills.append(self._position())
        child = self._start()
        while child.process.poll() is None:
            self._watch(child.process)
            time.sleep(POLL_S * 5)
        said, wrong = child.ended()
        if child.process.returncode not in (0, 1):
            raise RuntimeError(wrong[-500:])
        told: dict[str, Any] = json.loads(said)
        return told

    def _start(self) -> Child:
        command = [sys.executable, "-m", "casework", "import", "residents", str(self._file),
                   "--as", SUPERVISOR, "--json"]  # fmt: skip
        said, wrong = (tempfile.TemporaryFile("w+") for _ in range(2))  # noqa: SIM115 - kept open
        process = subprocess.Popen(command, env=self._env, stdout=said, stderr=wrong, text=True)
        return Child(process, said, wrong)

    def _behind(self, process: subprocess.Popen[str], position: int) -> bool:
        while process.poll() is None:
            self._watch(process)
            if self._position() >= position:
                return True
            time.sleep(POLL_S)
        return False

    def _position(self) -> int:
        engine = self._world.engine.execution_options(only_reads=True)
        with engine.connect() as connection:
            return connection.scalar(select(func.max(import_file.c.position))) or 0

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Record its peak memory, as the system reports it."""
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:  # it has ended, or this system does not report it
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mib = max(self.peak_mib, int(line.split()[1]) / 1024)


def _cpu_of_children() -> float:
    """The processor time, in seconds, of the commands that ended; the database's is its own."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prove(
    url: str, rows: int, faults: int, kills: int, seed: int, beside: int = 0
) -> dict[str, Any]:
    """Import a planted file, killed that many times, and compare the results."""
    rng = random.Random(seed)
    planted = plant(rows, faults, seed)
    with (
        tempfile.TemporaryDirectory(prefix="casework-") as folder,
        mock.patch.dict(os.environ, {**SETTINGS, "CASEWORK_DATA_DIR": folder}),
        small_world(url) as world,
    ):
        others = [KNOWN, *((f"{CLIENT}{n}", KNOWN[1] + timedelta(days=n)) for n in range(beside))]
        ids = [
            a_resident(world, SUPERVISOR, name=name, birth_date=born, centre_code=HERE)
            for name, born in others
        ]
        file = Path(folder, "residents.csv")
        file.write_bytes(planted.text.encode("cp949"))
        taking = Taking(world, url, file)
        with served(world, ids[1:]) as loads:
            began, used = time.monotonic(), _cpu_of_children()
            told = taking.go(sorted(rng.randrange(1, max(2, rows * 9 // 10)) for _ in range(kills)))
            seconds, cpu = time.monotonic() - began, _cpu_of_children() - used
        return _compared(world, planted, told, [name for name, _ in others]) | {
            "rows": rows, "faults": faults, "killed_behind": taking.kills,
            "peak_mib": round(taking.peak_mib), "seconds": round(seconds, 1),
            "rows_a_second": round(rows / seconds), "cpu_ms_a_row": round(cpu / rows * 1000, 2),
            "file_kib": file.stat().st_size // 1024, "beside": _beside(loads),
        }  # fmt: skip


@contextmanager
def served(world: Api, residents: list[UUID]) -> Iterator[list[Load]]:
    """A client for each of these residents, until the block ends; then what came of each."""
    loads: list[Load] = []
    if not residents:
        yield loads
        return
    stop = Event()
    with (
        TestClient(world.application.app()) as client,
        ThreadPoolExecutor(len(residents)) as pool,
    ):
        worker = replace(world, client=client).as_(SUPERVISOR)
        running = [pool.submit(work, worker, [id], n, stop) for n, id in enumerate(residents)]
        try:
            yield loads
        finally:
            stop.set()
        loads += [one.result() for one in running]


def _beside(loads: list[Load]) -> dict[str, Any]:
    return {
        "requests": sum(sum(load.asked.values()) for load in loads),
        "failed": [fault for load in loads for fault in load.failed][:5],
        "slowest": round(max((load.slowest for load in loads), default=0.0), 2),
    }


def _compared(
    world: Api, planted: Planted, told: dict[str, Any], others: list[str]
) -> dict[str, Any]:
    said = {
        one["line"]: (one["outcome"], one["errors"][0]["field"], one["errors"][0]["code"])
        for one in told["results"]
    }
    with world.engine.connect() as connection:
        names = Counter(connection.scalars(select(t.resident.c.name)))
        events = connection.scalar(
            select(func.count()).where(t.event.c.name == "ResidentRegistered")
        )
        imports = connection.scalar(select(func.count()).select_from(import_file))
        left = connection.scalar(select(func.count()).where(import_row.c.cells.is_not(None)))
    for name in others:
        del names[name]
    return {
        "imports": imports, "state": told["state"], "accepted": told["accepted"],
        "not_reported": len(planted.says.keys() - said.keys()),
        "reported_wrongly": len(said.keys() - planted.says.keys()),
        "reported_otherwise": sum(
            said[line] != planted.says[line] for line in said.keys() & planted.says.keys()
        ),
        "lost": len(planted.good - names.keys()),
        "made_up": len(names.keys() - planted.good),
        "twice": sum(count > 1 for count in names.values()),
        "events_too_many": (events or 0) - len(others) - len(planted.good),
        "cells_left": left,
    }  # fmt: skip


NOTHING: Final = (
    "not_reported", "reported_wrongly", "reported_otherwise", "lost", "made_up", "twice",
    "events_too_many", "cells_left",
)  # fmt: skip


def is_proven(result: dict[str, Any], kills: int) -> bool:
    """Whether exactly the planted faults were reported, and nothing was lost or done twice."""
    return (
        not any(result[name] for name in NOTHING)
        and not result["beside"]["failed"]
        and result["state"] == "done"
        and result["imports"] == 1
        and result["accepted"] == result["rows"] - result["faults"]
        and len(result["killed_behind"]) == kills
        and all(position < result["rows"] for position in result["killed_behind"])
    )


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof imports", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--beside", type=int, default=0, help="clients over HTTP meanwhile")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with database(options.store) as url:
        result = prove(
            url, options.rows, options.faults, options.kills, options.seed, options.beside
        )
    told = {
        "proof": "imports", "store": options.store, **result, "machine": platform.platform(),
        "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if is_proven(result, options.kills) else 1


if __name__ == "__main__":
    sys.exit(main())
