"""Logs: JSON lines on stderr, with allowed keys only; no personal data gets in.

The lines of requests may go to a file of their own.

An entry keeps the keys listed here. Of an exception it keeps the type and the places it came
through, since a message may quote a row. What libraries log comes to the same place, and of that
only who logged, where in its code, and the type of an error: nobody here decided on its words.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

ALLOWED: Final = frozenset({
    "event", "level", "timestamp", "request_id", "task", "error", "where", "status", "referral_id",
    "trace_id", "case_id", "job", "run_id", "found", "changed", "failed",
    "message_id", "account_id", "kind", "count", "sent", "dead",
    "method", "route", "ms", "logger", "line",
})  # fmt: skip
REQUESTS: Final = "casework.requests"
FRAMES: Final = 8
MAX_LENGTH: Final = 300


def configure_logs(requests: Path | None = None) -> None:
    """Set up logging for this process; idempotent.

    ``requests`` is the file that takes the lines of requests; without it they go to stderr.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, Libraries)]:
        root.removeHandler(handler)
    root.addHandler(Libraries(logging.WARNING))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _only_allowed,
            structlog.processors.JSONRenderer(_json),
        ],
        logger_factory=lambda *names: (
            AppendLogger(requests)
            if requests and REQUESTS in names
            else structlog.PrintLogger(sys.stderr)
        ),
        cache_logger_on_first_use=False,
    )


class AppendLogger:
    """Adds lines to a file, opened for each so that a log rotation may move it away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def msg(self, line: str) -> None:
        """Add one line."""
        file = os.open(self._path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o666)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)

    info = msg


class Libraries(logging.Handler):
    """What uvicorn, SQLAlchemy, APScheduler and others log, without their words."""

    def emit(self, record: logging.LogRecord) -> None:
        """Who said something, where, and about which kind of error."""
        error = record.exc_info[1] if record.exc_info else None
        facts: dict[str, Any] = {"where": [f"{record.filename}:{record.lineno} {record.funcName}"]}
        if error is not None:
            facts = {"error": type(error).__name__, "exc_info": error}
        level = max(logging.WARNING, min(record.levelno, logging.CRITICAL))
        structlog.get_logger(record.name).log(level, "library", logger=record.name, **facts)


def _json(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


def _where(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception, the last places it came through: no message, and no value of a variable."""
    error = entry.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        entry["where"] = [
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames
        ]
        entry.setdefault("error", type(error).__name__)
    return entry


def _only_allowed(
    _logger: Any, _name: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop keys that are not allowed; reduce an exception to its type, and shorten text."""
    return {key: _plain(value) for key, value in entry.items() if key in ALLOWED}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseException):
        return type(value).__name__
    return value[:MAX_LENGTH] if isinstance(value, str) else value
