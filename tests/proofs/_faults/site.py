"""One installation to break: a database, its small world, and the processes of the product."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.schema import migrations
from casework.bootstrap import utc_now
from tests.api.conftest import Api
from tests.proofs._faults.server import FragileServer, fragile_server
from tests.proofs._faults.starting import SAID, Forked, Starter
from tests.proofs._invariants import SERVED_BESIDES
from tests.proofs._world import small_world
from tests.proofs.sweeps import ROOT, environment

# What a process is told that is not as shipped.
ALTERED = "CASEWORK_PROOF_"
DEFECT, POOL_HELD_S = f"{ALTERED}DEFECT", f"{ALTERED}POOL_HELD_S"
SMALL_SWEEPS, REVISIONS = f"{ALTERED}SMALL_SWEEPS", f"{ALTERED}REVISIONS"
WITH_DEFECT = "tests.proofs._faults.defects"
PLACES, STARTS_WITHIN_S, ENDS_WITHIN_S = 50_000, 300.0, 240.0


class Process:
    """A command of the product in a process of its own, which can be killed and started again.

    It is started anew the first time, and then by somebody who has imported everything.
    """

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self._arguments, self.environment = arguments, environment
        self._starter: Starter | None = None
        is_altered = any(name.startswith(ALTERED) for name in environment)
        module = WITH_DEFECT if is_altered else "casework"
        self._running: subprocess.Popen[bytes] | Forked = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=SAID,
        )  # fmt: skip

    def prepare(self) -> None:
        """Have somebody import what its next start needs."""
        if self._starter is None:
            self._starter = Starter(self._arguments, self.environment)

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._running.pid

    @property
    def has_ended(self) -> bool:
        """Whether it came to its end."""
        return self._running.poll() is not None

    def kill(self) -> None:
        """SIGKILL, which lets it finish nothing."""
        self._running.kill()
        self._running.wait()

    def start(self) -> None:
        """Start it again, once it has ended."""
        self.prepare()
        assert self._starter is not None
        self._running = self._starter.start()

    def wait(self, seconds: float = ENDS_WITHIN_S) -> int:
        """Its exit code, once it has ended."""
        return self._running.wait(seconds)

    def stop(self) -> None:
        """End it as gently as it lets us."""
        if self._running.poll() is None:
            self._running.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.wait(5)
        self.kill()

    def end(self) -> None:
        """End it, whatever it started, and who would start it again."""
        those = self.workers()
        self.stop()
        if self._starter is not None:
            self._starter.end()
            self._starter = None
        for one in those:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def workers(self) -> list[psutil.Process]:
        """The processes that answer for it, where it has such."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
            return [one for one in children if "spawn_main" in " ".join(one.cmdline())]
        except psutil.NoSuchProcess:
            return []


class Served(Process):
    """`casework serve` on a port of its own."""

    def __init__(self, workers: int, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        super().__init__(
            "serve", "--port", str(self.port), "--workers", str(workers), environment=environment
        )

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                if httpx2.get(self.address + "/health/live", timeout=5).status_code == 200:
                    return
            assert not self.has_ended, "the server came to its end"
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.05)

    def ready_workers(self) -> list[psutil.Process]:
        """Those of its workers that listen: one that starts is there before it answers."""
        return [one for one in self.workers() if _waits_at(one.pid, self.port)]


def _waits_at(pid: int, port: int) -> bool:
    """Whether a process waits for connections to a port in its event loop."""
    sockets = {
        f"socket:[{fields[9]}]"
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A"  # it listens
    }
    files, infos = Path(f"/proc/{pid}/fd"), Path(f"/proc/{pid}/fdinfo")
    with contextlib.suppress(OSError):
        listening = {one.name for one in files.iterdir() if str(one.readlink()) in sockets}
        loops = [one.name for one in files.iterdir() if "eventpoll" in str(one.readlink())]
        waited = [
            line.split()[1]
            for loop in loops
            for line in (infos / loop).read_text().splitlines()
            if line.startswith("tfd:")
        ]
        return not listening.isdisjoint(waited)
    return False


@dataclass
class Site:
    """A world that clients write to over HTTP, and the commands that work on its database."""

    world: Api
    url: str
    folder: Path
    server: FragileServer | None = None
    processes: list[Process] = field(default_factory=list)

    def environment(self, role: str, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a process is started with, as one of the product's roles in the database."""
        url = self.url.replace("//casework_app:", f"//casework_{role}:", 1)
        own = {"CASEWORK_DATA_DIR": str(self.folder), "CASEWORK_LOG_REQUESTS": "false"}
        return environment(url) | own | dict(settings or {})

    def serve(self, workers: int = 1, settings: Mapping[str, str] | None = None) -> Served:
        """Start the API and wait until it answers; ``settings`` beside those of the site."""
        found = Served(workers, self.environment("app", settings))
        self.processes.append(found)
        found.wait_until_ready()
        return found

    def run(
        self, *arguments: str, role: str = "scheduler", settings: Mapping[str, str] | None = None
    ) -> Process:
        """Start a command that works on the database."""
        found = Process(*arguments, environment=self.environment(role, settings))
        self.processes.append(found)
        return found

    def end(self) -> None:
        """End every process."""
        for one in reversed(self.processes):
            one.end()


@contextlib.contextmanager
def site(
    store: str = "postgresql",
    server: FragileServer | None = None,
    *,
    disk: Path | None = None,
    tablespace: str = "pg_default",
) -> Iterator[Site]:
    """A small world as of now, on SQLite or on a server, which is made where none is given.

    The SQLite file is on ``disk``, the tables of PostgreSQL are in ``tablespace``.
    """
    with contextlib.ExitStack() as stack:
        place = disk or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casework-")))
        if store == "sqlite":
            url = f"sqlite:///{place / 'casework.sqlite'}"
            migrations.upgrade(url)
            server = None
        else:
            server = server or stack.enter_context(fragile_server())
            url = stack.enter_context(_database(server, tablespace))
        world = stack.enter_context(small_world(url))
        world.clock.now = utc_now()
        _make_room(world)
        found = Site(world, url, place, server)
        stack.callback(found.end)
        yield found


@contextlib.contextmanager
def _database(server: FragileServer, tablespace: str) -> Iterator[str]:
    name = f"casework_{uuid4().hex}"
    server.ask(f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {tablespace}")
    url = server.server.url(name)
    server.server.make_roles(url)
    migrations.upgrade(server.server.url_as("casework_owner", url))
    yield server.server.url_as("casework_app", url)
    server.server.drop_database(name)


def _make_room(world: Api) -> None:
    with world.engine.begin() as connection:
        plenty = {"capacity": PLACES + SERVED_BESIDES, "available": PLACES}
        connection.execute(update(t.offering).values(plenty))
