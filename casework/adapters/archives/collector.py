"""A collector over HTTP: a POST adds a line, a GET of the same address gives the newest lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from casework.adapters.archives.file import TAIL_BYTES
from casework.adapters.outbound.exchange import Exchange
from casework.adapters.outbound.failures import ExchangeFailed, TooLarge
from casework.workflows.ports.audit import ArchiveFailed, ArchiveTooLong

_HEADERS: Final = {"Content-Type": "application/json", "Accept": "text/plain, application/json"}
# It has taken nothing yet.
_NOTHING: Final = (204, 404)


@dataclass(frozen=True)
class Collector:
    """Its answer to a POST is a success where the line is kept."""

    url: str
    exchange: Exchange

    @property
    def address(self) -> str:
        """Its address without a query, where a secret may stand, and without a password."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def add(self, line: str) -> None:
        """Post the line; no redirect is followed."""
        try:
            status = self.exchange.status_of_post(self.url, line.encode(), _HEADERS)
        except ExchangeFailed as error:
            raise ArchiveFailed(f"{self.address}: {error}") from error
        if not 200 <= status < 300:
            raise ArchiveFailed(f"{self.address}: answered {status}")

    def last_lines(self) -> list[str]:
        """What it gives, which is to be the newest lines. Raises ArchiveTooLong for more."""
        try:
            status, body = self.exchange.fetch(self.url, _HEADERS, largest=TAIL_BYTES)
        except TooLarge as error:
            raise ArchiveTooLong(f"{self.address}: {error}") from error
        except ExchangeFailed as error:
            raise ArchiveFailed(f"{self.address}: {error}") from error
        if status in _NOTHING:
            return []
        if status != 200:
            raise ArchiveFailed(f"{self.address}: answered {status}")
        return body.decode(errors="replace").splitlines()
