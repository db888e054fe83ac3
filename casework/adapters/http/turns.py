"""Turns at work that is heavy: few at once, one an account; the others wait, and hold no thread."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Final

from anyio import sleep

from casework.adapters.http.problems import Problem
from casework.adapters.http.rates import TooMany

AT_ONCE: Final = 2
WAITING: Final = 3
PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.02
RETRY_AFTER_S: Final = 5.0


@dataclass(eq=False)
class _Ticket:
    owner: object


class Turns:
    """At most ``at_once`` of all and one of each owner, first come first served."""

    def __init__(
        self, at_once: int = AT_ONCE, waiting: int = WAITING, patience_s: float = PATIENCE_S
    ) -> None:
        self._at_once, self._waiting, self._patience_s = at_once, waiting, patience_s
        self._line: list[_Ticket] = []
        self._at_work: list[_Ticket] = []
        self._lock = Lock()

    @asynccontextmanager
    async def turn(self, owner: object) -> AsyncIterator[None]:
        """Wait for a turn. Raises TooMany where one waits too often, ``busy`` after too long."""
        ticket, until = self._queue(owner), time.monotonic() + self._patience_s
        try:
            while not self._begin(ticket):
                if time.monotonic() > until:
                    raise Problem("too many files are being read", code="busy")
                await sleep(LOOK_S)
            yield
        finally:
            self._end(ticket)

    def _queue(self, owner: object) -> _Ticket:
        with self._lock:
            if sum(one.owner == owner for one in self._line) >= self._waiting:
                raise TooMany(RETRY_AFTER_S, is_first=True)
            ticket = _Ticket(owner)
            self._line.append(ticket)
            return ticket

    def _begin(self, ticket: _Ticket) -> bool:
        """Whether it is this one's turn: the first in line of those who are not at work."""
        with self._lock:
            busy = {one.owner for one in self._at_work}
            first = next((one for one in self._line if one.owner not in busy), None)
            if len(self._at_work) >= self._at_once or first is not ticket:
                return False
            self._line.remove(ticket)
            self._at_work.append(ticket)
            return True

    def _end(self, ticket: _Ticket) -> None:
        with self._lock:
            for those in (self._line, self._at_work):
                if ticket in those:
                    those.remove(ticket)
