"""Several processes that answer on one port: uvicorn starts them and replaces those that die.

SIGHUP replaces each by a new one that is ready before the old one ends, SIGTERM ends all of them
once running requests are done.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from structlog import get_logger
from uvicorn.supervisors import Multiprocess

from casework import bootstrap, tracing
from casework.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = get_logger("casework")
ENDS_WITHIN_S: Final = 20
START_WITHIN_S: Final = 30.0
# Before one that cannot start, for instance since the database is gone, is started again.
PAUSE_S: Final = 2.0
# Where processes of one port keep what they count, so that each can tell it of all.
COUNTED: Final = "PROMETHEUS_MULTIPROC_DIR"


def application_of_worker() -> ASGIApp:
    """The application of this process, which serves until it is told to end or left alone."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        application = bootstrap.build(Settings())
        tracing.begin(application)
        return tracing.around(application.app(), application.settings)
    except Exception as error:
        log.error("a process cannot start", error=type(error).__name__, exc_info=error)
        time.sleep(PAUSE_S)
        raise SystemExit(1) from None


def _end_with(parent: int) -> None:
    """End once the process that started this one is gone: the port would stay taken."""
    while os.getppid() == parent:
        time.sleep(PAUSE_S)
    os.kill(os.getpid(), signal.SIGTERM)


class Workers(Multiprocess):
    """Processes on one socket, whose address is told once all of them answer."""

    def __init__(self, listener: socket.socket, number: int, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            "casework.cli.workers:application_of_worker",
            factory=True,
            workers=number,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=ENDS_WITHIN_S,
            # Also how long a new one may take to be ready before the old one stays.
            timeout_worker_healthcheck=int(START_WITHIN_S),
            server_header=False,
        )
        super().__init__(config, sockets=[listener])
        self._ready = ready

    def init_processes(self) -> None:
        """Start all, and wait until they answer; one that cannot is started again later."""
        super().init_processes()
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until and not self.should_exit.wait(0.05):
            self.handle_signals()
            if all(one.is_ready(timeout=1) for one in self.processes):
                self._ready()
                return
            if not all(one.process.is_alive() for one in self.processes):
                return


def serve_by_workers(listener: socket.socket, number: int, ready: Callable[[], None]) -> None:
    """Serve by so many processes until SIGTERM or Ctrl-C."""
    with _counted_together():
        Workers(listener, number, ready).run()


@contextmanager
def _counted_together() -> Iterator[None]:
    """Let processes that start meanwhile keep their figures in one folder, which then goes."""
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        os.environ[COUNTED] = folder
        try:
            yield
        finally:
            del os.environ[COUNTED]
