"""Identifiers that a seed decides: valid UUIDs of version 7, in the order they were made."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Final
from uuid import UUID

VERSION_AND_VARIANT: Final = (7 << 76) | (0b10 << 62)
COUNTER_BITS: Final = 12


class SeededIds:
    """Makes ids that carry the instant last set; within one millisecond a counter orders them."""

    def __init__(self, rng: Random, at: datetime) -> None:
        self._rng = rng
        self._millisecond = -1
        self._count = 0
        self.set_time(at)

    def set_time(self, at: datetime) -> None:
        """Date the ids that follow at this instant, or at the latest one where that is later."""
        millisecond = int(at.timestamp() * 1000)
        if millisecond > self._millisecond:
            self._millisecond, self._count = millisecond, 0

    def __call__(self) -> UUID:
        """The next id."""
        if self._count >> COUNTER_BITS:
            self._millisecond, self._count = self._millisecond + 1, 0
        value = (self._millisecond << 80) | (self._count << 64) | self._rng.getrandbits(62)
        self._count += 1
        return UUID(int=value | VERSION_AND_VARIANT)
