"""Timeouts that nest: lock 2 s < statement 4 s < request 5 s, and a long job 30 s.

The database ends a statement by itself. A request that consists of many is ended here: before each
statement the remaining time is checked, and a statement timeout longer than that is lowered.
A quick request pays nothing for it. SQLite has no statement timeout, only one for the wait
for its single writer, which is lowered to the remaining time too: there a request ends between two
statements. For a database that is gone and can end nothing see ``reaching``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from sqlalchemy import Engine, event

REQUEST_TIMEOUT_S: Final = 5.0
LONG_REQUEST_TIMEOUT_S: Final = 30.0
# What came of a request is recorded even where its own time is over.
RECORD_S: Final = 2.0
_until: ContextVar[float | None] = ContextVar("until", default=None)


class OutOfTime(Exception):
    """A request took longer than it may; nothing that it had not committed remains."""


@contextmanager
def time_allowed(seconds: float) -> Iterator[None]:
    """Limit the database work within this context to so many seconds."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def time_left(clock: Callable[[], float] = time.monotonic) -> float | None:
    """The seconds that the request has left, None where it is not limited."""
    until = _until.get()
    return None if until is None else until - clock()


def watch(engine: Engine, statement_s: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Limit every statement on an engine to the time that its request has left."""

    @event.listens_for(engine, "before_cursor_execute")
    def check(connection: Any, *_: Any) -> None:
        left = time_left(clock)
        if left is None:
            return
        if left <= 0:
            raise OutOfTime("the request took too long")
        if left < statement_s and connection.dialect.name == "postgresql":
            # Not on the statement's own cursor, which may be one that stays on the server.
            with connection.connection.cursor() as other:
                other.execute(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}")
