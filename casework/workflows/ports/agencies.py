"""What an agency's desk needs from the database: its inbox, its figures and its own accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.clocks.calendar import Pause
from casework.domain.figures.figures import Period
from casework.workflows.ports.paging import Page, Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """Which of what is owed; None filters nothing."""

    status: str | None = None
    service: str | None = None
    centre: str | None = None
    priority: str | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestGroup:
    """Requests that began and were answered on the same days, and came to the same."""

    district_code: str
    service_code: str
    status: str
    was_accepted: bool
    reason: str | None
    outcome: str | None
    asked_on: date
    answered_on: date | None
    pauses: Sequence[Pause]
    count: int


class Inbox(Protocol):
    """What is owed by the actor's agency."""

    def owed(self, wanted: InboxFilter, paging: Paging) -> Page:
        """Requests with the clock that waits for the agency, first due first."""
        ...

    def standing(self, referral_ids: Iterable[UUID]) -> Mapping[UUID, Any]:
        """Some requests of the agency as they stand now; those it does not see are left out."""
        ...

    def in_order(self, referral_ids: Sequence[UUID]) -> list[UUID]:
        """The same ids, in the order in which their cases are locked."""
        ...

    def asked(self, period: Period) -> list[RequestGroup]:
        """What the agency was asked in a period, counted."""
        ...


class Staff(Protocol):
    """The accounts of the actor's agency: of people, and of no other agency."""

    def listed(self, paging: Paging) -> Page:
        """By user name, those that are shut too."""
        ...

    def get(self, id: UUID) -> Account:
        """One as it stands now. Raises NotFound for any other account."""
        ...

    def locked(self, id: UUID) -> Account:
        """One, locked. Raises NotFound for any other account."""
        ...

    def agency(self) -> str:
        """The slug of the agency."""
        ...

    def leads(self) -> list[UUID]:
        """Who leads the agency now, locked."""
        ...
