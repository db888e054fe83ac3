"""What telling people needs from outside: notices, messages, endpoints, and ways out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from casework.domain.access.policy import Reach
from casework.domain.notices.notices import Notice, Recipients
from casework.domain.notices.outbox import Letter, Message, Subscription
from casework.workflows.ports.links import Links
from casework.workflows.ports.paging import Page, Paging, Row


class NoticeStore(Protocol):
    """Notices and messages, in one transaction."""

    @property
    def links(self) -> Links:
        """Links of agencies that answer without an account."""
        ...

    def unjudged(self, run_id: UUID | None, begun_before: datetime) -> dict[UUID, dict[str, int]]:
        """How many notices each run gives each district to be told, where nobody has judged it yet.

        Of one run; or, without one, of those that have ended, broke off or began before then.
        """
        ...

    def counts_before(self, district_code: str, limit: int) -> list[int]:
        """The counts of a district's last runs that raised anything, newest first."""
        ...

    def judge(self, run_id: UUID, district_code: str, count: int, held: bool, at: datetime) -> None:
        """Note a run's count for a district, and whether the brake holds it."""
        ...

    def release(self, district_code: str, by: UUID | None, at: datetime) -> int:
        """Let what is held of a district go; the number of notices that were."""
        ...

    def waiting(self, limit: int) -> list[Notice]:
        """Notices that nobody holds back and nobody was found for yet, oldest first, locked."""
        ...

    def people(self, notices: Sequence[Notice], today: date) -> Recipients:
        """The accounts these notices may be for."""
        ...

    def subscriptions(self) -> list[Subscription]:
        """The endpoints that listen."""
        ...

    def address(
        self,
        notices: Sequence[Notice],
        told: Sequence[tuple[UUID, UUID, UUID | None]],
        at: datetime,
    ) -> None:
        """Note for whom notices are: notice, account, and the message where it has one."""
        ...

    def add_message(self, message: Message) -> bool:
        """A new message; False where the account has a digest of that day already."""
        ...

    def swept_as_of(self) -> datetime | None:
        """The latest instant as of which a sweep has ended."""
        ...

    def awaiting_digest(self, today: date, until: datetime) -> list[tuple[UUID, str | None]]:
        """Accounts (and their districts) with something to tell by then and no digest today."""
        ...

    def to_gather(self, account_id: UUID, until: datetime) -> list[Notice]:
        """What an account is to be told by then and no message says yet, oldest first."""
        ...

    def gathered(self, account_id: UUID, message_id: UUID, notice_ids: Sequence[UUID]) -> None:
        """These notices are in that message."""
        ...

    def claim(self, now: datetime, leased_until: datetime, limit: int, each: int) -> list[Letter]:
        """Lease messages that are due: at most ``each`` for one receiver, one where it fails."""
        ...

    def settle(self, letter: Letter) -> None:
        """Write down how a message, and its endpoint, stand after a try."""
        ...

    def give_up(self, subscription_id: UUID, older_than: datetime, error: str) -> int:
        """Give up what has waited that long at an endpoint that fails."""
        ...

    def message(self, id: UUID) -> Message:
        """A message, locked. Raises NotFound."""
        ...

    def requeue(self, message: Message) -> None:
        """Write down that a message is to be sent again."""
        ...

    def outbox(self, state: str | None, paging: Paging) -> Page:
        """Messages, newest first; what they say is left out."""
        ...

    def held(self, reach: Reach) -> list[Row]:
        """What the brake holds within reach, longest first."""
        ...


class Subscriptions(Protocol):
    """Endpoints within reach that still listen."""

    def listed(self, paging: Paging) -> Page:
        """All of them."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Subscription:
        """One of them, else NotFound."""
        ...

    def add(self, subscription: Subscription) -> None:
        """A new endpoint."""
        ...

    def end(self, subscription: Subscription) -> None:
        """Write down that an endpoint no longer listens; what waits for it is dropped."""
        ...


class Notices(Protocol):
    """Where notices are worked on, one transaction at a time."""

    def store(self) -> AbstractContextManager[NoticeStore]:
        """A transaction, committed at its end."""
        ...


class Transport(Protocol):
    """Carries letters out of the house."""

    def deliver(self, letters: Sequence[Letter], now: datetime) -> list[str | None]:
        """Send each; for each None where it was taken, else a code of what went wrong."""
        ...
