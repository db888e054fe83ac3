"""Distinguish transient database faults from our own errors."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from casework.adapters.persistence.engine.timeouts import OutOfTime

_BY_SQLSTATE = {
    "40001": "retry",
    "40P01": "retry",
    "55P03": "locked",
    "57014": "busy",
    "53300": "busy",
    "57P01": "busy",
    "57P03": "busy",
}


def fault(error: Exception) -> str | None:
    """``retry``, ``locked`` or ``busy``; None for what is no transient fault."""
    if isinstance(error, PoolTimeout | OutOfTime):
        return "busy"
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return "busy"
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _BY_SQLSTATE.get(state)
    return "busy" if "database is locked" in str(error.orig) else None


def is_taken(error: IntegrityError) -> bool:
    """Whether the error is a violated unique constraint."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" or "UNIQUE constraint failed" in str(error.orig)
