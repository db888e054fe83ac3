"""Who has the work of those who are away on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StandIns:
    """The deputy of each person who is away on a day; ``gone`` are deputies who have left.

    A deputy who is away too passes the work on to their own.
    """

    deputies: Mapping[UUID, UUID]
    gone: frozenset[UUID] = frozenset()

    def acting_for(self, id: UUID) -> UUID | None:
        """Who has somebody's work: that person, or the first deputy in turn who is there.

        None where the chain ends in nobody, and where it leads back to somebody in it.
        """
        passed: set[UUID] = set()
        while id in self.deputies:
            if id in passed:
                return None
            passed.add(id)
            id = self.deputies[id]
        return None if id in self.gone else id

    def work_of(self, id: UUID) -> list[UUID]:
        """Those who are away, whose work somebody has."""
        return [away for away in self.deputies if self.acting_for(away) == id]

    @property
    def left_to_nobody(self) -> list[UUID]:
        """Those who are away, whose work the supervisor has: their deputies end in nobody."""
        return [away for away in self.deputies if self.acting_for(away) is None]


EVERYBODY_IS_THERE = StandIns({})
