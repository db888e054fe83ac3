"""Accounts that work can be given to."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Scope
from casework.workflows.ports.paging import Page, Paging


class Accounts(Protocol):
    """Accounts that work can be given to."""

    def worker_of(self, id: UUID, centre_code: str) -> Account | None:
        """An active worker of that centre, or None; stays so until the transaction ends."""
        ...

    def worker_named(self, username: str, centre_code: str) -> Account | None:
        """The same by the user name."""
        ...

    def still_carries(self, id: UUID | None, centre_code: str) -> UUID | None:
        """The worker who carried a case, or None for one who could no longer open it."""
        ...

    def worker_within_scope(self, id: UUID, scope: Scope, *, active: bool = True) -> Account | None:
        """A worker of the actor's district, or None; ``active=False`` includes disabled ones."""
        ...

    def colleague(self, id: UUID, scope: Scope, *, active: bool = True) -> Account | None:
        """Somebody of the actor's district who can be away, or deputise, or None."""
        ...

    def listed(self, role: str | None, centre: str | None, paging: Paging) -> Page:
        """Active accounts within scope, by user name."""
        ...
