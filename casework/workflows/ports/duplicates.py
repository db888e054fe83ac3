"""What the use cases about duplicates, merges and households need from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.residents.households import Household, HouseholdMember
from casework.domain.residents.resident import Resident


class Duplicates(Protocol):
    """The queue of pairs that may be one person, as the actor sees it."""

    def queue_check(self, resident_id: UUID) -> None:
        """Have the duplicates of a resident looked for, once this is committed."""
        ...

    def queue_checks(self, after: UUID | None, limit: int) -> UUID | None:
        """Have those of the next residents looked for; the last of them, or None past the end."""
        ...

    def waiting(self) -> int:
        """How many residents' duplicates are still to be found."""
        ...

    def take(self, limit: int) -> list[Resident]:
        """Some of them, which nobody else takes; they are done with the commit."""
        ...

    def add(self, suspicions: Iterable[Suspicion]) -> int:
        """Pairs that are not in the queue yet; how many there were."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Suspicion:
        """A pair of which one is within reach, else NotFound."""
        ...

    def save(self, suspicion: Suspicion) -> None:
        """A pair that was decided."""
        ...

    def knows(self, one: UUID, other: UUID) -> bool:
        """Whether the actor's queue shows these two as a pair."""
        ...

    def shown(self, id: UUID) -> Mapping[str, Any]:
        """A pair with what the actor may know of either."""
        ...

    def listed(self, state: str | None, paging: Any) -> Any:
        """The queue, newest first."""
        ...


class Merges(Protocol):
    """Merges as the actor sees them, and what they move."""

    def pair(self, one: UUID, other: UUID) -> dict[UUID, Resident]:
        """Those of two records that are within reach, themselves and locked."""
        ...

    def cases_of(self, resident_id: UUID) -> list[UUID]:
        """The cases of a resident, locked, ids ascending."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Merge:
        """A merge whose survivor is within reach, else NotFound."""
        ...

    def into(self, resident_id: UUID) -> list[Mapping[str, Any]]:
        """The records that lead to a resident, with their merges."""
        ...

    def moved_rows(self, merge_id: UUID) -> dict[tuple[str, UUID], Any]:
        """What a merge moved, by kind and id, with what stood there before."""
        ...

    def crossing(self, survivor_id: UUID, moved_rows: Iterable[tuple[str, UUID]]) -> list[UUID]:
        """Open referrals that would rest on the other's consent if the two were two again."""
        ...

    def move_rows(self, made: Merge, before: dict[UUID, dict[str, Any]]) -> list[UUID]:
        """Everything of the duplicate becomes the survivor's; the cases that do."""
        ...

    def return_rows(self, made: Merge, moved_rows: Mapping[tuple[str, UUID], Any]) -> list[UUID]:
        """What the merge moved is the duplicate's again; the cases that are."""
        ...


class Households(Protocol):
    """Households of which the actor sees somebody."""

    def get(self, id: UUID, *, lock: bool = False) -> Household:
        """A household, else NotFound."""
        ...

    def member(self, household_id: UUID, resident_id: UUID) -> HouseholdMember | None:
        """Someone who lives there now, or None."""
        ...

    def add(self, household: Household, members: Sequence[HouseholdMember]) -> None:
        """A new one. Raises Conflict ``in_household`` where someone lives in another."""
        ...

    def save(
        self, household: Household, joined: HouseholdMember | None, left: HouseholdMember | None
    ) -> None:
        """Who joined or left. Raises Conflict ``in_household`` as well."""
        ...

    def shown(self, id: UUID) -> Mapping[str, Any]:
        """A household with the members within reach, and how many others."""
        ...

    def of(self, resident_id: UUID) -> Mapping[str, Any] | None:
        """The household of a resident who was loaded before, or None."""
        ...
