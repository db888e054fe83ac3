"""The places that the setting names, each by its address."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from casework.adapters.archives.collector import Collector
from casework.adapters.archives.file import ArchiveFile
from casework.adapters.archives.system_log import SystemLog
from casework.adapters.outbound.exchange import Exchange
from casework.workflows.ports.audit import HeadArchive


class AddressError(ValueError):
    """An address is none of the three kinds."""


def archives_of(addresses: str, exchange: Exchange, *, secure: bool) -> list[HeadArchive]:
    """The places of ``file:/path``, ``https://host/path`` or ``syslog:`` addresses, in their order.

    They are separated by spaces or commas. ``secure`` refuses a collector without TLS. Raises
    AddressError.
    """
    return [
        _archive_of(one, exchange, secure) for one in re.split(r"[\s,]+", addresses) if one.strip()
    ]


def _archive_of(address: str, exchange: Exchange, secure: bool) -> HeadArchive:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressError(f"{address!r} is no address") from None
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return ArchiveFile(Path(parts.path))
    if parts.scheme == "https" or (parts.scheme == "http" and not secure):
        return Collector(address, exchange)
    if parts.scheme == "syslog" and (parts.path.startswith("/") or parts.hostname):
        return SystemLog((parts.hostname, port or 514) if parts.hostname else parts.path)
    raise AddressError(f"{address!r} is no file:/path, no https address and no syslog: address")
