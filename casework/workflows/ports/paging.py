"""How lists are asked for, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order, and the key of the last one where more follow."""

    rows: list[Any]
    last_key: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How many rows, after which key."""

    limit: int = 50
    after: tuple[Any, ...] | None = None


Row = Mapping[str, Any]
