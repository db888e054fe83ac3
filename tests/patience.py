"""Time enough for a request on a machine that may stand still for seconds.

What a request is ended for when it takes too long is tested where it is meant; elsewhere it would
be a refusal that says more of the machine than of the application.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from casework.adapters.persistence.timeouts import time_allowed

PATIENCE: Final = 20
TIME_ALLOWED: Final = "casework.bootstrap.time_allowed"


def patient(seconds: float) -> AbstractContextManager[None]:
    """Many times as long as the application allows."""
    return time_allowed(PATIENCE * seconds)
