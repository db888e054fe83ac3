"""The port of keeping figures: what waits to be counted, and the sums of what was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from casework.domain.figures.figures import Month, Spent
from casework.domain.figures.tallying import Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Some of what waits to be counted: cases, residents, and days declared open or closed."""

    ids: tuple[UUID, ...]
    cases: frozenset[UUID]
    residents: frozenset[UUID]
    days: frozenset[date]


class FigureKeeping(Protocol):
    """Keeps the figures, in one transaction of the system, one at a time."""

    def waiting(self) -> int:
        """How many changes wait."""
        ...

    def next(self, at_most: int) -> Changes:
        """The changes of so many cases at most, all of a case. What comes later waits on."""
        ...

    def note_clocks_over(self, days: frozenset[date]) -> None:
        """Let the cases wait whose clocks were counted over some days."""
        ...

    def count(self, changes: Changes, spent: Spent, now: datetime) -> None:
        """Count what changed, and correct the sums by what it counted for before."""
        ...

    def begin_day(self, now: datetime) -> None:
        """Let the clocks that became overdue before today be among the cells of the city."""
        ...

    def counted(self, changes: Changes) -> None:
        """These no longer wait."""
        ...

    def begin_anew(self) -> None:
        """Forget what is kept, and let everything wait."""
        ...

    def months(self) -> list[Month]:
        """The months from the first application to the present."""
        ...

    def both(self, month: Month, spent: Spent, now: datetime) -> Iterator[tuple[Cells, Cells]]:
        """The cells of a month as kept and as the rows say, and those that the city is told."""
        ...
