"""Giving up on a database that is gone, in time for the request to be refused.

PostgreSQL ends a statement that takes too long by itself. A server that is gone, or stays silent,
cannot: so the client waits no longer than that either, for an answer or for a connection, however
many addresses the host has and however long asking for them takes. After a failure nobody tries to
connect for a second, and then one at a time, so that a hundred requests do not wait for the same
silence one after the other.

A SQLite file that was there and is gone is not made anew: an empty one would answer as if nothing
had ever been written, and what is written to the one that was removed would be lost with it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final, TypeVar
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError

from casework.adapters.persistence.engine.lean_cursor import LeanCursor
from casework.adapters.persistence.engine.timeouts import OutOfTime, time_left

# For each address of the host; the driver takes no less.
CONNECT_TIMEOUT_S: Final = 2
# For all of them, and for asking which they are: the system's resolver knows no limit of ours.
CONNECT_IN_ALL_S: Final = 4.0
# The server is to end a statement first: it tells why, and the connection stays.
GRACE_S: Final = 0.5
# A request has it once: where that is over too, as for the rollback behind it, nobody waits.
LEAST_S: Final = 0.01
PAUSE_S: Final = 1.0
T = TypeVar("T")


class Gate:
    """Lets nobody through for a second after a failure, and then one until it succeeds."""

    def __init__(self) -> None:
        self._lock, self._is_shut, self._until = Lock(), False, 0.0

    def enter(self) -> None:
        """Raises OperationalError where the database was lost just now."""
        with self._lock:
            if not self._is_shut:
                return
            if time.monotonic() < self._until:
                raise psycopg.OperationalError("the database was lost a moment ago")
            self._until = time.monotonic() + 10 * CONNECT_TIMEOUT_S  # until this one comes back

    def shut(self) -> None:
        """The database cannot be reached, or does not answer."""
        with self._lock:
            self._is_shut, self._until = True, time.monotonic() + PAUSE_S

    def give_back(self) -> None:
        """Whoever was let through had no time to find out: the next one may."""
        with self._lock:
            self._until = min(self._until, time.monotonic())

    def open(self) -> None:
        """It answered."""
        self._is_shut = False


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer only as long as the server may take for it."""

    gate: Gate | None = None
    limit_s = 4.0

    def wait(
        self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        """Wait for an answer. Raises OperationalError, and is closed, where none came in time."""
        left = time_left()
        allowed = GRACE_S + (self.limit_s if left is None else min(left, self.limit_s))
        allowed = max(allowed, LEAST_S)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, allowed if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.closed or timeout is not None or time.monotonic() - began < allowed:
                raise
            self.close()  # the answer may come yet, and would be taken for that to another question
            if self.gate is not None and allowed > CONNECT_TIMEOUT_S:
                self.gate.shut()
            raise psycopg.OperationalError("the database does not answer") from None


def limit_postgres(
    engine: Engine, statement_s: float, made: Callable[[LimitedConnection], None]
) -> None:
    """Give up on a server that does not answer; ``made`` sets a new connection up."""
    gate = Gate()

    def connect(*args: Any, **params: Any) -> Any:
        left = time_left()
        if left is not None and left <= 0:
            raise OutOfTime("the request took too long")
        gate.enter()
        in_all = max(CONNECT_IN_ALL_S, float(params.get("connect_timeout", 0)))
        allowed, began = in_all if left is None else min(left, in_all), time.monotonic()
        try:
            found = made_within(allowed, lambda: LimitedConnection.connect(*args, **params))
        except psycopg.OperationalError:
            # A request that had hardly any time left says nothing of the database.
            is_hurried = allowed < CONNECT_TIMEOUT_S and time.monotonic() - began >= allowed
            (gate.give_back if is_hurried else gate.shut)()
            raise
        gate.open()
        found.gate, found.limit_s, found.cursor_factory = gate, statement_s, LeanCursor
        made(found)
        return found

    engine.dialect.connect = connect  # type: ignore[method-assign]

    @event.listens_for(engine, "checkin")
    def reset(connection: Any, _record: Any) -> None:
        if connection is not None:
            connection.limit_s = statement_s


def made_within(seconds: float, connect: Callable[[], LimitedConnection]) -> LimitedConnection:
    """A new connection. Raises OperationalError where making it takes longer.

    It is made in a thread of its own, which cannot be ended: what it makes too late it closes.
    """
    outcome: Future[LimitedConnection] = Future()

    def make() -> None:
        try:
            made = connect()
        except BaseException as error:
            if outcome.set_running_or_notify_cancel():
                outcome.set_exception(error)
            return
        if outcome.set_running_or_notify_cancel():
            outcome.set_result(made)
        else:
            made.close()

    Thread(target=copy_context().run, args=(make,), daemon=True, name="connecting").start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        if not outcome.cancel():  # it came at the last moment
            return outcome.result()
        raise psycopg.OperationalError("the database cannot be reached in time") from None


def allow_statements(connection: Connection, seconds: int) -> None:
    """Allow the statements of a transaction longer than usual, where nobody waits for it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")
        reached: Any = connection.connection.dbapi_connection
        reached.limit_s = float(seconds)


def _make_own(file: str) -> None:
    """Make a database file the owner's alone; SQLite makes those beside it as the file is."""
    if file == ":memory:" or file.startswith("file:") or Path(file).exists():
        return
    with suppress(OSError):  # it is said by SQLite, in its words
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))


def guard_file(engine: Engine) -> None:
    """Notice that a SQLite file is gone, or that another one is in its place."""
    has_opened = False
    usual = engine.dialect.connect

    def connect(*args: Any, **params: Any) -> Any:
        if has_opened and args[0] != ":memory:" and _stamp(args[0]) is None:
            raise _gone()
        if not has_opened:
            _make_own(args[0])
        elif args[0] != ":memory:" and not args[0].startswith("file:"):
            # Gone between the look and this, it would be made anew, over what its log holds.
            there = f"file:{quote(args[0])}?mode=rw"
            return usual(there, *args[1:], **params, uri=True)
        return usual(*args, **params)

    engine.dialect.connect = connect  # type: ignore[method-assign]

    @event.listens_for(engine, "connect")
    def remember(connection: Any, record: Any) -> None:
        nonlocal has_opened
        connection.execute("PRAGMA schema_version").fetchone()  # it opens the file no sooner
        has_opened = True
        (path,) = connection.execute("SELECT file FROM pragma_database_list LIMIT 1").fetchone()
        record.info["file"] = path, _stamp(path)

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: Any, _proxy: Any) -> None:
        path, file = record.info["file"]
        if _stamp(path) != file:
            raise DisconnectionError("the file was taken away")


def _stamp(path: str) -> tuple[int, int] | None:
    """Which file it is; None where there is none, as for a database in memory."""
    if not path:
        return None
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _gone() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return error
