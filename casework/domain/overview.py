"""The comprehensive list at a glance: whether a service is to be had in a district."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# How old a figure may be before nobody can rely on it.
FRESH_FOR: Final = timedelta(days=7)


class Standing(StrEnum):
    """How a service stands in a district."""

    OPEN = "open"
    FULL = "full"
    STALE = "stale"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What is said of one published offering that reaches into a district."""

    is_open: bool
    available: int
    waiting: int
    as_of: datetime


def is_stale(as_of: datetime, now: datetime, fresh_for: timedelta = FRESH_FOR) -> bool:
    """Whether a figure is older than it may be; at the very limit it is not yet."""
    return now - as_of > fresh_for


def standing(
    offered: Iterable[Offered], now: datetime, fresh_for: timedelta = FRESH_FOR
) -> Standing:
    """Open where somebody has a free place, by a figure that is fresh.

    Where nobody says so, but some figure is too old to say anything, it is stale; where all are
    fresh and none has a place it is full; and where nobody takes anyone there is none.
    """
    takers = [one for one in offered if one.is_open]
    fresh = [one for one in takers if not is_stale(one.as_of, now, fresh_for)]
    if any(one.available > 0 for one in fresh):
        return Standing.OPEN
    if len(fresh) < len(takers):
        return Standing.STALE
    return Standing.FULL if takers else Standing.NONE
