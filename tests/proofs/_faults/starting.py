"""Starting a command again and again: by a process that has imported what it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from tests.proofs.sweeps import ROOT

BEFOREHAND = "tests.proofs._faults.beforehand"
# What all processes of the product say of what went wrong.
SAID = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this process
FAILED = b'"level":"error"'


def said_of_failures(most: int = 5) -> list[str]:
    """The last lines in which a process of the product told of a failure."""
    SAID.flush()
    whole = os.pread(SAID.fileno(), os.fstat(SAID.fileno()).st_size, 0)
    return [line.decode() for line in whole.splitlines() if FAILED in line][-most:]


class Forked:
    """A process that was forked, with what `subprocess.Popen` has of it."""

    def __init__(self, starter: Starter, pid: int) -> None:
        self._starter, self.pid = starter, pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self._code is None:
            try:
                said = self._starter.ask("poll")
            except OSError:  # it was ended, and this process with it
                said = str(-signal.SIGKILL)
            self._code = int(said) if said else None
        return self._code

    def wait(self, timeout: float = 60.0) -> int:
        """Its exit code, once it has ended. Raises TimeoutExpired."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, while it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Starter:
    """Starts a command, one at a time."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", BEFOREHAND, *arguments], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=SAID,
        )  # fmt: skip

    def start(self) -> Forked:
        """Start it; the one before it must have ended, and its end been seen."""
        return Forked(self, int(self.ask("start")))

    def ask(self, word: str) -> str:
        """Say a word and read the answer, which is there once everything is imported."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        """End it, and what it started."""
        self._process.communicate()
