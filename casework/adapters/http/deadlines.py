"""The time of one request, and what is left of it for the record of its refusal.

A request's own work ends after five seconds, a statement that is on its way then half a second
later. What came of it is recorded after that, and has to be over before the sixth second is: behind
a slow database every wait would otherwise be as long as it may be, one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import Request

from casework.adapters.http.services import Services

# To record a refusal; and by when after the end of the request's own time it must have begun.
RECORD_SECONDS: Final = 0.75
RECORD_LATE_S: Final = 0.4


@contextmanager
def time_of(request: Request, services: Services, seconds: float) -> Iterator[None]:
    """Limit the work of a request to so many seconds, and remember when they were over."""
    request.state.ends_at = time.monotonic() + seconds
    with services.time_allowed(seconds):
        yield
    request.state.ends_at = None  # what follows, such as a slow client's body, is not its time


def time_to_record(request: Request) -> float:
    """The seconds in which a refusal is to be recorded."""
    ends_at: float | None = getattr(request.state, "ends_at", None)
    if ends_at is None:
        return RECORD_SECONDS
    return max(0.0, min(RECORD_SECONDS, ends_at + RECORD_LATE_S - time.monotonic()))


def time_to_step(seconds: float, step_s: float) -> float:
    """The seconds until the next whole multiple of a step, after so many; 0 without a step."""
    return -seconds % step_s if step_s else 0.0
