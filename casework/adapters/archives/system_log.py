"""The system's log, or one over the network: it is only added to, and asked by an operator."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from logging.handlers import SysLogHandler

from casework.workflows.ports.audit import ArchiveFailed


@dataclass(frozen=True)
class SystemLog:
    """The socket of the system's log, or the host and port of another's."""

    where: str | tuple[str, int]

    @property
    def address(self) -> str:
        """As the setting names it."""
        if isinstance(self.where, str):
            return f"syslog:{self.where}"
        return f"syslog://{self.where[0]}:{self.where[1]}"

    def add(self, line: str) -> None:
        """Hand a line over; one datagram says nothing of whether it came."""
        try:
            handler = _Handler(address=self.where, facility=SysLogHandler.LOG_AUTHPRIV)
        except OSError as error:
            raise ArchiveFailed(f"{self.address}: {error.strerror}") from error
        try:
            handler.emit(_record(line))
        except OSError as error:
            raise ArchiveFailed(f"{self.address}: {error.strerror}") from error
        finally:
            handler.close()

    def last_lines(self) -> list[str]:
        """None: it cannot be asked."""
        return []


class _Handler(SysLogHandler):
    """Raises what went wrong, which the usual one prints."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name there
        """Pass it on."""
        raise


def _record(line: str) -> logging.LogRecord:
    text = f"casework audit heads {line}"
    return logging.LogRecord("casework.audit", logging.INFO, "", 0, text, None, None)
