"""The directory and the accounts as they are looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Reach
from casework.domain.cases.handover import Absence
from casework.domain.directory.directory import Centre, Offering
from casework.workflows.ports.access import AccountAdministration
from casework.workflows.ports.directory import DirectoryEditing
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row


class Directory(Protocol):
    """Who offers what; read by everyone."""

    def offering(self, id: UUID) -> Offering | None:
        """An offering of an active agency with the centres it covers, or None."""
        ...

    def known_providers(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are active agencies."""
        ...

    def has_district(self, code: str) -> bool:
        """Whether there is such a district."""
        ...

    def centre(self, code: str) -> Centre | None:
        """A centre, or None where there is no such one."""
        ...

    def covers(self, offering_id: UUID, centre_code: str) -> bool:
        """Whether an offering reaches a centre."""
        ...

    def centre_district(self, centre_code: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...


class Accounts(Protocol):
    """Accounts that work can be given to."""

    def worker_of(self, id: UUID, centre_code: str) -> Account | None:
        """An active worker of that centre, or None."""
        ...

    def worker_in_reach(self, id: UUID, reach: Reach, *, active: bool = True) -> Account | None:
        """A worker of the asker's district, or None; one who has left counts where asked."""
        ...

    def add_absence(self, absence: Absence) -> None:
        """A new absence."""
        ...


class AccountReading(AccountAdministration, Protocol):
    """Accounts as whoever keeps them looks at them."""

    def listed_tokens(self, account_id: UUID, paging: Paging) -> Page:
        """The tokens of an account page by page, newest first, without their digests."""
        ...


class DirectoryReading(DirectoryEditing, Protocol):
    """The directory, its drafts and its past, as whoever keeps it looks at them."""

    def history(self, kinds: Collection[str], subject_id: object, paging: Paging) -> Page:
        """The changes of a thing, of some kinds, newest first, with who made them."""
        ...

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Offerings within reach in every state; a filter that is None filters nothing."""
        ...

    def states_of(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The states of those offerings that are within reach."""
        ...

    def overview(self, district: str | None, service: str | None, paging: Paging) -> Page:
        """For each district and service of the list, what is offered there."""
        ...
