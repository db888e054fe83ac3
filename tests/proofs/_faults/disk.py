"""A disk that is full for a while: a small one, in memory, for the tables of the database.

It is a tmpfs of its own, which needs the right to mount. PostgreSQL has a tablespace on it: what is
full is the place of the tables, not that of its log, without which it would end itself. A file of
SQLite lies on it as a whole.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2

from casework.bench import throwaway
from tests.proofs._faults.load import Load
from tests.proofs._faults.outages import KNOWS_NONE, strike_and_look_for_leaks
from tests.proofs._faults.server import FragileServer
from tests.proofs._faults.site import Served, Site, site
from tests.proofs._faults.trial import NotRun, Outcome, Plan, defect

FULL_S, LOOKS_EVERY_S = 3.0, 0.3
DISK_MB, LEFT_BYTES = 200, 4096


def full_disk(plan: Plan) -> Outcome:
    """The disk of the tables is full for three seconds: what finds no room is refused."""
    with small_disk() as disk, _site_on(disk, plan) as place:
        # A SQLite file is refused beforehand where there is little room: here it is to run full.
        settings = {"CASEWORK_MIN_FREE_MB": "0"} | defect(plan, KNOWS_NONE)
        served, filler, told = place.serve(settings=settings), disk / "filler", Unready()

        def strike() -> float:
            fill(filler)
            try:
                until = time.monotonic() + FULL_S
                while time.monotonic() < until:
                    told.look(served)
                    time.sleep(LOOKS_EVERY_S)
            finally:
                filler.unlink()
            return time.monotonic()

        outcome = strike_and_look_for_leaks(Load(place, served.address), plan, strike, place)
        served.end()
        refused = outcome.figures["statuses"].get("503", 0)
        outcome.figures |= {"told_unready": f"{told.unready} of {told.looks}"}
        outcome.amiss += [] if refused >= outcome.strikes else ["the disk was never full"]
        return outcome


class Unready:
    """What readiness says while the disk is full."""

    def __init__(self) -> None:
        self.looks = self.unready = 0

    def look(self, served: Served) -> None:
        """Ask once."""
        answer = httpx2.get(served.address + "/health/ready", timeout=8)
        self.looks += 1
        self.unready += answer.status_code == 503 and answer.json()["storage"] is False


@contextlib.contextmanager
def _site_on(disk: Path, plan: Plan) -> Iterator[Site]:
    """An installation whose tables are on that disk."""
    if plan.store == "sqlite":
        with site("sqlite", disk=disk) as place:
            yield place
        return
    assert plan.server is not None
    with (
        _tablespace(disk, plan.server) as name,
        site("postgresql", plan.server, tablespace=name) as place,
    ):
        yield place


@contextlib.contextmanager
def _tablespace(disk: Path, server: FragileServer) -> Iterator[str]:
    name = f"small_{uuid4().hex}"
    server.ask(f"CREATE TABLESPACE {name} LOCATION '{throwaway.make_folder(disk)}'")
    yield name
    server.ask(f"DROP TABLESPACE {name}")


def fill(filler: Path) -> None:
    """Write until nothing more finds room."""
    with filler.open("wb", buffering=0) as file:
        size = 1 << 20
        while size >= LEFT_BYTES:
            try:
                file.write(b"\\0" * size)
            except OSError:
                size //= 2


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of its own, in memory. Raises NotRun where that is not allowed."""
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "casework", folder]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise NotRun("a small disk needs the right to mount, which this user lacks") from None
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
