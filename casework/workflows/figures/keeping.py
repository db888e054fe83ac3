"""Keeping the figures: counting again what changed, and comparing what is kept with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from casework.domain.clocks.deadlines import Clockwork
from casework.domain.figures.disclosure import name_of
from casework.domain.figures.figures import spent_in
from casework.domain.figures.tallying import Cell
from casework.workflows.ports.kept_figures import FigureKeeping

# Cases.
AT_ONCE: Final = 100
Open = Callable[[], AbstractContextManager[FigureKeeping]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What keeping figures needs; ``clockwork`` reads the calendars as they are now."""

    store: Open
    clockwork: Callable[[], Clockwork]
    now: Callable[[], datetime]


def keep(keeping: Keeping) -> Iterator[int]:
    """Count what waits, batch by batch; yields how many changes each had.

    A change that comes meanwhile waits on. The calendars are read after the changes, so that a day
    that was declared is either known or waits.
    """
    with keeping.store() as store:
        store.begin_day(keeping.now())
    while True:
        with keeping.store() as store:
            changes = store.next(AT_ONCE)
        if not changes.ids:
            return
        spent = spent_in(keeping.clockwork())
        with keeping.store() as store:
            if changes.days:
                store.note_clocks_over(changes.days)
            store.count(changes, spent, keeping.now())
            store.counted(changes)
        yield len(changes.ids)


def waiting(keeping: Keeping) -> int:
    """How many changes wait to be counted."""
    with keeping.store() as store:
        return store.waiting()


def begin_anew(keeping: Keeping) -> int:
    """Forget what is kept; returns how much waits to be counted."""
    with keeping.store() as store:
        store.begin_anew()
        return store.waiting()


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that is kept as another number than the rows give."""

    cell: Cell
    kept: int
    counted: int

    def __str__(self) -> str:
        """The cell by what it is of, and the two numbers."""
        return f"{name_of(self.cell)}: kept {self.kept}, counted {self.counted}"


def compare(keeping: Keeping) -> Iterator[tuple[int, int, Difference | None]]:
    """Compare what is kept with the rows, month by month, until the first difference.

    Yields the number of months compared, of how many, and the difference.
    """
    with keeping.store() as store:
        months = store.months()
    for done, month in enumerate(months, 1):
        found, spent = None, spent_in(keeping.clockwork())
        with keeping.store() as store:
            for kept, counted in store.both(month, spent, keeping.now()):
                for cell in sorted(kept.keys() | counted.keys(), key=str):
                    if found is None and kept[cell] != counted[cell]:
                        found = Difference(cell, kept[cell], counted[cell])
        yield done, len(months), found
        if found is not None:
            return
