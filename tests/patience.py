"""Long timeouts for requests on a machine that may stall for seconds.

What a request is ended for when it takes too long is tested where it is meant; elsewhere it would
be a refusal that says more of the machine than of the application.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Self
from unittest.mock import patch

from casework.adapters.persistence.engine import engine
from casework.adapters.persistence.engine.timeouts import time_allowed

PATIENCE: Final = 20
TIME_ALLOWED: Final = "casework.bootstrap.time_allowed"


def patient(seconds: float) -> AbstractContextManager[None]:
    """Many times as long as the application allows."""
    return time_allowed(PATIENCE * seconds)


@contextmanager
def patient_locks() -> Iterator[None]:
    """An engine that is opened in here waits for a lock nearly as long as for a statement."""
    with patch.object(engine, "LOCK_TIMEOUT_MS", engine.STATEMENT_TIMEOUT_MS - 200):
        yield


class Watch:
    """A stop-watch that leaves out by how much the machine was late to wake a sleeper.

    On a machine whose processors are all taken, every wait is longer than what was asked for; that
    is no doing of the product. While the watch runs, a thread sleeps in short steps and adds up by
    how much each was too long.
    """

    STEP_S = 0.02

    def __init__(self) -> None:
        self.late, self._done = 0.0, threading.Event()
        self._sleeper = threading.Thread(target=self._sleep, daemon=True)

    def _sleep(self) -> None:
        while not self._done.is_set():
            began = time.monotonic()
            time.sleep(self.STEP_S)
            self.late += time.monotonic() - began - self.STEP_S

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._sleeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sleeper.join()
        self.seconds = time.monotonic() - self._began - self.late
