"""Long timeouts for requests on a machine that may stall for seconds.

What a request is ended for when it takes too long is tested where it is meant; elsewhere it would
be a refusal that says more of the machine than of the application.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final
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
