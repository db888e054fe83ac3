"""Logs: JSON lines on stderr, of allowed keys only; no value of anybody's life gets in."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

ALLOWED: Final = frozenset({
    "event", "level", "timestamp", "request_id", "task", "error", "where", "status", "referral_id",
    "case_id", "job", "run_id", "found", "changed", "failed",
    "message_id", "account_id", "kind", "count", "sent", "dead",
})  # fmt: skip
FRAMES: Final = 8


def configure_logs() -> None:
    """Set up logging for this process; the same whoever calls it and however often."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _where(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception, the last places it came through: no message, and no value of a variable."""
    error = entry.pop("exc_info", None)
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        entry["where"] = [
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames
        ]
    return entry


def _only_allowed(
    _logger: Any, _name: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what nobody decided to log."""
    return {key: value for key, value in entry.items() if key in ALLOWED}
