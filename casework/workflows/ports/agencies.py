"""The ports of an agency's inbox, its response figures and its own accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.casefile.states import DeclineReason, ReferralStatus
from casework.domain.clocks.calendar import Pause
from casework.domain.clocks.standards import Priority
from casework.domain.figures.figures import Figure, Period
from casework.workflows.ports.paging import Page, Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """The filters of the inbox; None does not filter."""

    status: ReferralStatus | None = None
    service: str | None = None
    centre: str | None = None
    priority: Priority | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestGroup:
    """Requests with the same start and answer days and the same outcome.

    ``reason`` is why one was declined, ``outcome`` how the clock for the answer ended.
    """

    district_code: str
    service_code: str
    status: ReferralStatus
    was_accepted: bool
    reason: DeclineReason | None
    outcome: Figure | None
    asked_on: date
    answered_on: date | None
    pauses: Sequence[Pause]
    count: int


class Inbox(Protocol):
    """The requests that await the actor's agency."""

    def owed(self, filters: InboxFilter, paging: Paging) -> Page:
        """Requests with the clock that the agency holds, earliest due first."""
        ...

    def standing(self, referral_ids: Iterable[UUID]) -> Mapping[UUID, Any]:
        """The current state of some requests; those the agency does not see are omitted."""
        ...

    def in_order(self, referral_ids: Sequence[UUID]) -> list[UUID]:
        """The same ids, in the order in which their cases are locked."""
        ...

    def asked(self, period: Period) -> list[RequestGroup]:
        """The agency's requests of a period, as counts."""
        ...


class Staff(Protocol):
    """The personal accounts of the actor's own agency."""

    def listed(self, paging: Paging) -> Page:
        """The accounts by user name, disabled ones too."""
        ...

    def get(self, id: UUID) -> Account:
        """One account, not locked. Raises NotFound for any other account."""
        ...

    def locked(self, id: UUID) -> Account:
        """One account, locked. Raises NotFound for any other account."""
        ...

    def agency(self) -> str:
        """The slug of the agency."""
        ...

    def leads(self) -> list[UUID]:
        """The agency's leads, locked."""
        ...
