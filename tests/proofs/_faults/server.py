"""A throw-away PostgreSQL with safe settings that can be killed, stopped, frozen and filled up."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psutil
import psycopg

from casework.bench import throwaway
from tests import postgres

GONE_WITHIN_S = 10.0


class FragileServer:
    """The server in one folder; ``root_url`` is an address of libpq for its administrator."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.folder, self.server = folder, server
        self.data = folder / "data"

    @property
    def root_url(self) -> str:
        """Where its administrator connects."""
        return self.server.home_url

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self.data.resolve() / ".s.PGSQL.5432"

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement as its administrator; the rows, if there are any."""
        with psycopg.connect(self.root_url, autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def set(self, **settings: str) -> None:
        """Change settings that need no restart."""
        for name, value in settings.items():
            self.ask(f"ALTER SYSTEM SET {name} = '{value}'")
        self.ask("SELECT pg_reload_conf()")

    def reset(self) -> None:
        """Take all such changes back."""
        self.ask("ALTER SYSTEM RESET ALL")
        self.ask("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """SIGKILL for all of its processes at once: nothing that is in its memory is written."""
        those = self._processes()
        for one in those:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(those, GONE_WITHIN_S)

    def kill_backend(self, role: str) -> bool:
        """SIGKILL for one process that works for a role; whether there was one."""
        rows = self.ask(
            "SELECT pid FROM pg_stat_activity WHERE usename = '" + role + "'"
            " ORDER BY state = 'active' DESC, state_change DESC LIMIT 1"
        )
        for (pid,) in rows:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(str(pid)), signal.SIGKILL)
        return bool(rows)

    def freeze(self) -> None:
        """SIGSTOP: it takes connections, since the kernel does, and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it at once, as an operator does."""
        postgres.control(self.folder, "stop", "-m", "fast")

    def start(self) -> None:
        """Start it again, which recovers what was committed; wait until it answers."""
        postgres.control(self.folder, "start")

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            self.ask("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def wait_until_up(self, seconds: float = 30) -> None:
        """Wait for a server that recovers by itself."""
        until = time.monotonic() + seconds
        while not self.is_up():
            assert time.monotonic() < until, "PostgreSQL did not come back"
            time.sleep(0.05)

    def _processes(self) -> list[psutil.Process]:
        try:
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
            first = psutil.Process(pid)
            return [first, *first.children(recursive=True)]
        except (OSError, ValueError, psutil.NoSuchProcess):
            return []

    def _signal(self, number: signal.Signals) -> None:
        for one in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)


@contextlib.contextmanager
def fragile_server() -> Iterator[FragileServer]:
    """A server of its own, whatever CASEWORK_TEST_PG_URL names, with fsync and all that is safe."""
    folder = throwaway.make_folder()
    # Each commit of a client and each recovery would wait for the disk, whose loss is not tried.
    if place := postgres.fast_place():
        (folder / "data").symlink_to(throwaway.make_folder(place))
    with patch.dict(os.environ):
        os.environ.pop("CASEWORK_TEST_PG_URL", None)
        try:
            found = FragileServer(folder, postgres.start(folder, careless=False))
            yield found
        finally:
            if (folder / "data").exists():
                FragileServer(folder, postgres.Server("")).thaw()
            throwaway.stop(folder)
