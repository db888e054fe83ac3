"""The ports of duplicates, merges and households."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from casework.domain.duplicates.merged_facts import OpenRequest
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.notices.notices import Notice
from casework.domain.residents.households import Household, HouseholdMember
from casework.domain.residents.resident import Resident


class Duplicates(Protocol):
    """The queue of pairs that may be one person, within the actor's scope."""

    def queue_check(self, resident_id: UUID) -> None:
        """Queue a resident for the duplicate check, from the commit on."""
        ...

    def queue_checks(self, after: UUID | None, limit: int) -> UUID | None:
        """Queue the next residents; returns the last of them, or None past the end."""
        ...

    def waiting(self) -> int:
        """How many residents are queued for the duplicate check."""
        ...

    def take(self, limit: int) -> list[Resident]:
        """Claim some queued residents; the commit removes them from the queue."""
        ...

    def add(self, suspicions: Iterable[Suspicion]) -> int:
        """Add the pairs that are not in the queue yet; returns how many."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Suspicion:
        """A pair with at least one resident within scope, else NotFound."""
        ...

    def save(self, suspicion: Suspicion) -> None:
        """Save a decided pair."""
        ...

    def knows(self, one: UUID, other: UUID) -> bool:
        """Whether the actor's queue shows these two as a pair."""
        ...

    def shown(self, id: UUID) -> Mapping[str, Any]:
        """A pair with what the actor may see of each resident."""
        ...

    def listed(self, state: str | None, paging: Any) -> Any:
        """The queue, newest first."""
        ...


class Merges(Protocol):
    """Merges within the actor's scope, and the records they move."""

    def pair(self, one: UUID, other: UUID) -> dict[UUID, Resident]:
        """Those of two records that are within scope, locked; merged ones are not resolved."""
        ...

    def cases_of(self, resident_id: UUID) -> list[UUID]:
        """The cases of a resident, locked, ids ascending."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Merge:
        """A merge whose survivor is within scope, else NotFound."""
        ...

    def into(self, resident_id: UUID) -> list[Mapping[str, Any]]:
        """The records that were merged into a resident, with their merges."""
        ...

    def moved_rows(self, merge_id: UUID) -> dict[tuple[str, UUID], Any]:
        """The rows that a merge moved, by kind and id, with their previous values."""
        ...

    def crossing(self, survivor_id: UUID, moved_rows: Iterable[tuple[str, UUID]]) -> list[UUID]:
        """Open referrals that would rest on the other resident's consent after an undo."""
        ...

    def open_requests(self, resident_ids: list[UUID]) -> list[OpenRequest]:
        """The open referrals of residents who were loaded before of which an agency knows."""
        ...

    def tell(self, notices: Sequence[Notice]) -> None:
        """Add notices that no case file's event gives."""
        ...

    def move_rows(self, made: Merge, before: dict[UUID, dict[str, Any]]) -> list[UUID]:
        """Move the duplicate's records to the survivor; returns the moved cases."""
        ...

    def return_rows(self, made: Merge, moved_rows: Mapping[tuple[str, UUID], Any]) -> list[UUID]:
        """Move a merge's records back to the duplicate; returns the moved cases."""
        ...


class Households(Protocol):
    """Households with a member within the actor's scope."""

    def get(self, id: UUID, *, lock: bool = False) -> Household:
        """A household, else NotFound."""
        ...

    def member(self, household_id: UUID, resident_id: UUID) -> HouseholdMember | None:
        """A current member, or None."""
        ...

    def add(self, household: Household, members: Sequence[HouseholdMember]) -> None:
        """Add a household. Raises Conflict ``in_household`` where a member lives in another."""
        ...

    def save(
        self, household: Household, joined: HouseholdMember | None, left: HouseholdMember | None
    ) -> None:
        """Save who joined or left. Raises Conflict ``in_household`` as well."""
        ...

    def shown(self, id: UUID) -> Mapping[str, Any]:
        """A household with its members within scope, and the number of others."""
        ...

    def of(self, resident_id: UUID) -> Mapping[str, Any] | None:
        """The household of a resident who was loaded before, or None."""
        ...
