"""How many clocks a batch of a sweep raises: as many as the time of one transaction allows.

What a transaction raises is locked until it ends, and on SQLite nobody else writes meanwhile. How
many clocks that is depends on the machine and on what else it does, so each batch is sized by
how long the one before it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A batch that was quick is followed by one that is larger by such a part of it at the most: a
# machine that was free for one batch is not always free for the next.
GROWS_BY: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Sizes of batches in clocks, and the seconds that one is to take.

    ``least`` is raised however long it takes: smaller ones would cost more than they leave free,
    since a transaction takes some time whatever it raises.
    """

    first: int = 500
    least: int = 200
    most: int = 2_000
    seconds: float = 0.05

    def __post_init__(self) -> None:
        """Raise ValueError for sizes of which a sweep would never end, or no time at all."""
        if not 1 <= self.least <= self.first <= self.most or self.seconds <= 0:
            raise ValueError("sizes from 1 on, the least first and the most last, and some time")

    def after(self, size: int, seconds: float, *, was_full: bool) -> int:
        """The size that follows a batch of ``size``, which took so long.

        One that found less than it was allowed says nothing about what a larger one takes.
        """
        at_most = size + max(1, size // GROWS_BY) if was_full else size
        fits = size * self.seconds / seconds if seconds > 0 else at_most
        return max(self.least, int(min(fits, at_most, self.most)))
