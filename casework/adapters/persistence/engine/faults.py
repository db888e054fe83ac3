"""Distinguish transient database faults from our own errors."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from casework.adapters.persistence.engine.timeouts import OutOfTime

_BY_SQLSTATE: Final = {
    "40001": "retry",
    "40P01": "retry",
    "55P03": "locked",
    "57014": "busy",
    "25006": "busy",  # a standby, which only reads
    "25P03": "busy",
    "53100": "full",
}
# No connection, no resources, an operator's intervention, a fault of the system.
_BUSY_CLASSES: Final = ("08", "53", "57", "58")
_BUSY_IN_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


class NotWritten(Exception):
    """The database took a row, and did not keep it."""


def fault(error: Exception) -> str | None:
    """``retry``, ``locked``, ``full`` or ``busy``; None for what is no transient fault.

    ``full`` is a disk without room, the database's or, for what is written beside it, our own.

    A database that is gone is ``busy``, whether it was lost while connecting, while it answered, or
    before the driver's error was wrapped; so is one that does not keep what it is given.
    """
    if isinstance(error, PoolTimeout | OutOfTime | NotWritten):
        return "busy"
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "busy"
    raw = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(raw, OSError):
        return "full" if raw.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if isinstance(raw, sqlite3.Error):
        return _fault_of_sqlite(getattr(raw, "sqlite_errorcode", None))
    return _fault_of_postgres(raw) if isinstance(raw, psycopg.Error) else None


def _fault_of_sqlite(code: int | None) -> str | None:
    if code is None:
        return None
    kind = code & 0xFF  # the last byte; the others say more of it
    if kind == sqlite3.SQLITE_FULL:
        return "full"
    return "busy" if kind in _BUSY_IN_SQLITE else None


def _fault_of_postgres(error: psycopg.Error) -> str | None:
    state = error.sqlstate
    if state is None:  # the server said nothing: there is none, or it is gone
        is_gone = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return "busy" if is_gone else None
    return _BY_SQLSTATE.get(state, "busy" if state.startswith(_BUSY_CLASSES) else None)


def is_taken(error: IntegrityError) -> bool:
    """Whether the error is a violated unique constraint."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" or "UNIQUE constraint failed" in str(error.orig)
