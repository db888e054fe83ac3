"""The ports of the relay: notices, messages, endpoints and transports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from casework.domain.access.policy import Scope
from casework.domain.notices.notices import Notice, Recipients
from casework.domain.notices.outbox import Letter, Message, Subscription
from casework.domain.notices.pausing import RelayState
from casework.workflows.ports.links import Links
from casework.workflows.ports.paging import Page, Paging, Row


class NoticeStore(Protocol):
    """Notices and messages, in one transaction."""

    @property
    def links(self) -> Links:
        """Links of agencies that answer without an account."""
        ...

    def unjudged(self, run_id: UUID | None, begun_before: datetime) -> dict[UUID, dict[str, int]]:
        """How many notices each run has for each district, where it was not judged yet.

        For one run; or, without one, for those that ended, failed or began before then.
        """
        ...

    def counts_before(self, district_code: str, limit: int) -> list[int]:
        """The counts of a district's last runs that raised anything, newest first."""
        ...

    def judge(self, run_id: UUID, district_code: str, count: int, held: bool, at: datetime) -> None:
        """Note a run's count for a district, and whether the flood limit holds it."""
        ...

    def release(self, district_code: str, by: UUID | None, at: datetime) -> int:
        """Release a district's held notices; returns how many."""
        ...

    def database_identity(self) -> str:
        """What tells this database from a copy of it, or one that was restored."""
        ...

    def relay_state(self, *, lock: bool = False) -> RelayState:
        """From which database is sent, and whether and why it is paused."""
        ...

    def save_relay_state(self, state: RelayState) -> None:
        """Store it."""
        ...

    def districts(self) -> list[str]:
        """The codes of all districts."""
        ...

    def still_overdue(
        self, district: str, told_before: datetime, paging: Paging, *, known: bool
    ) -> Page:
        """Late clocks of a district of which somebody may have to be told again (``LateClock``).

        Those are due before an instant, and either somebody heard of them until then, as was noted
        (``known``), or nothing is noted yet. Nobody else changes them until the commit.
        """
        ...

    def note_heard(self, until: Mapping[UUID, datetime]) -> None:
        """Note until when somebody heard of some clocks; what plans one anew forgets it."""
        ...

    def add_once(self, notices: Sequence[Notice]) -> None:
        """Add notices; one that is there already stays as it is."""
        ...

    def waiting(self, limit: int) -> list[Notice]:
        """Notices neither held nor addressed yet, oldest first, locked."""
        ...

    def case_numbers(self, notices: Sequence[Notice]) -> Mapping[UUID, str]:
        """The numbers of the cases that notices are about, by their ids."""
        ...

    def people(self, notices: Sequence[Notice], today: date) -> Recipients:
        """The accounts these notices may be for."""
        ...

    def subscriptions(self) -> list[Subscription]:
        """The active endpoints."""
        ...

    def address(
        self,
        notices: Sequence[Notice],
        told: Sequence[tuple[UUID, UUID, UUID | None]],
        at: datetime,
    ) -> None:
        """Store the recipients: notice, account, and the message if it has one."""
        ...

    def add_message(self, message: Message) -> bool:
        """Add a message; False where the account has a digest of that day already."""
        ...

    def swept_as_of(self) -> datetime | None:
        """The latest instant as of which a sweep has ended."""
        ...

    def awaiting_digest(self, today: date, until: datetime) -> list[tuple[UUID, str | None]]:
        """Accounts (with district) that have notices due by then and no digest today."""
        ...

    def to_gather(self, account_id: UUID, until: datetime) -> list[Notice]:
        """An account's notices due by then that are in no message yet, oldest first."""
        ...

    def gathered(self, account_id: UUID, message_id: UUID, notice_ids: Sequence[UUID]) -> None:
        """Store that these notices are in a message."""
        ...

    def claim(
        self,
        now: datetime,
        leased_until: datetime,
        *,
        endpoints: bool,
        limit: int,
        each: int,
        but: Set[UUID],
    ) -> list[Letter]:
        """Lease messages that are due, to endpoints or to people, but none to receivers of ``but``.

        At most ``each`` for one receiver; one where it fails.
        """
        ...

    def settle(self, letter: Letter) -> None:
        """Save the state of a message, and of its endpoint, after an attempt."""
        ...

    def give_up(self, subscription_id: UUID, older_than: datetime, error: str) -> int:
        """Dead-letter messages that waited that long at a failing endpoint."""
        ...

    def message(self, id: UUID) -> Message:
        """A message, locked. Raises NotFound."""
        ...

    def requeue(self, message: Message) -> None:
        """Queue a message to be sent again."""
        ...

    def outbox(self, state: str | None, paging: Paging) -> Page:
        """Messages, newest first, without their payloads."""
        ...

    def held(self, scope: Scope) -> list[Row]:
        """The notices that the flood limit holds within scope, longest held first."""
        ...


class Subscriptions(Protocol):
    """Active endpoints within scope."""

    def listed(self, paging: Paging) -> Page:
        """All of them."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Subscription:
        """One of them, else NotFound."""
        ...

    def number_of(self, provider_id: UUID) -> int:
        """How many an agency has; until the end of the transaction nobody adds another."""
        ...

    def add(self, subscription: Subscription) -> None:
        """Add an endpoint."""
        ...

    def end(self, subscription: Subscription) -> None:
        """End an endpoint; its pending messages are dropped."""
        ...


class Notices(Protocol):
    """Opens the relay's transactions."""

    def store(self) -> AbstractContextManager[NoticeStore]:
        """A transaction, committed at its end."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a message that was to be sent.

    ``error`` is None where it was accepted; ``took_s`` says how long its receiver needed. One that
    was not tried, since its receiver had failed or used up its time, goes back to the queue.
    """

    letter: Letter
    error: str | None
    took_s: float = 0.0
    is_tried: bool = True


class Sending(Protocol):
    """Messages on their way, each receiver's by a worker of its own."""

    @property
    def busy(self) -> frozenset[UUID]:
        """The receivers that messages are on their way to."""
        ...

    def free(self, *, endpoints: bool) -> int:
        """To how many more endpoints, or people, something can be sent now."""
        ...

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        """Send these, for receivers that are not busy. Returns at once."""
        ...

    def finished(self) -> list[Delivery]:
        """What has been settled since the last time; waits for one where any is on its way."""
        ...


class Transport(Protocol):
    """A transport for messages."""

    def sending(self) -> AbstractContextManager[Sending]:
        """Send some; at its end everything has been settled."""
        ...
