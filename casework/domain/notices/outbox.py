"""The outbox: messages to people and endpoints, sent after the commit, tried until they arrive.

At least once, under a stable id; a failing endpoint backs off exponentially without delaying
others; what never arrives is a dead letter that can be replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.tries import TOLD_AT
from casework.domain.errors import Conflict, require
from casework.domain.notices.notices import Notice, NoticeKind

MAX_TRIES: Final = 12
GIVEN_UP_AFTER: Final = timedelta(hours=24)
FIRST_WAIT: Final = timedelta(seconds=30)
MAX_WAIT: Final = timedelta(hours=6)
LEASE: Final = timedelta(seconds=60)
# Nothing waits or is leased for longer: what seems to, was written while the clock was ahead.
LONGEST_WAIT: Final = 2 * MAX_WAIT
LONGEST_LEASE: Final = 2 * LEASE
# An endpoint that takes longer than this rests for nine times as long: it has a tenth of the time.
SLOW: Final = timedelta(seconds=1)
REST: Final = 9
ENDPOINTS_OF_AN_AGENCY: Final = 5
HTTPS_PORT: Final = 443
FIRST_FREE_PORT: Final = 1024


class LetterKind(StrEnum):
    """What a message is that tells of no single notice."""

    DIGEST = "digest"
    LINK = "link"
    LINK_CODE = "link_code"
    SIGN_IN_FAILED = "sign_in_failed"


MessageKind = NoticeKind | LetterKind
DIGEST: Final = LetterKind.DIGEST


def message_kind(name: str) -> MessageKind:
    """The kind of that name. Raises ValueError for one that there is not."""
    return LetterKind(name) if name in list(LetterKind) else NoticeKind(name)


SIGN_IN_FAILED: Final = LetterKind.SIGN_IN_FAILED


class MessageState(StrEnum):
    """How far a message got."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(slots=True, kw_only=True)
class Subscription:
    """An endpoint that receives notices by webhook.

    ``provider_id`` and ``district_code`` narrow what it hears; ``failures`` counts those in a row,
    and until ``retry_at`` nothing is sent to it.
    """

    id: UUID
    url: str
    secret: str
    kinds: list[NoticeKind]
    provider_id: UUID | None
    district_code: str | None
    created_at: datetime
    created_by: UUID | None
    ended_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    version: int = 1

    def answered(self, at: datetime, took: timedelta) -> None:
        """The endpoint accepted a message; one that was slow rests."""
        self.failures, self.retry_at = 0, at + REST * took if took > SLOW else None

    def failed(self, at: datetime, wait: timedelta) -> None:
        """The endpoint failed; several failures of one batch count as one."""
        if self.retry_at is None or not at < self.retry_at <= at + LONGEST_WAIT:
            self.failures, self.retry_at = self.failures + 1, at + wait

    def wants_notice(self, notice: Notice) -> bool:
        """Whether a notice is one that this endpoint asked for."""
        return (
            notice.kind in self.kinds
            and self.provider_id in (None, notice.provider_id)
            and self.district_code in (None, notice.district_code)
        )


def check_subscription(subscription: Subscription, *, in_clear: bool) -> None:
    """Refuse an address that cannot be called; ``in_clear`` allows plain http and any port."""
    schemes = ("https", "http") if in_clear else ("https",)
    require(
        _is_callable(subscription.url, schemes, any_port=in_clear),
        f"an address of {' or '.join(schemes)}, without a user, at port {HTTPS_PORT} or above"
        f" {FIRST_FREE_PORT - 1}",
        code="url_unusable",
        field="url",
    )
    require(
        subscription.kinds and set(subscription.kinds) <= set(NoticeKind),
        f"one or more of {', '.join(NoticeKind)}",
        code="kind_unknown",
        field="kinds",
    )


def check_number_of_endpoints(there_are: int) -> None:
    """Refuse one more than an agency may have."""
    if there_are >= ENDPOINTS_OF_AN_AGENCY:
        raise Conflict(
            f"an agency has at most {ENDPOINTS_OF_AN_AGENCY}",
            code="too_many_endpoints",
        )


def _is_callable(url: str, schemes: tuple[str, ...], *, any_port: bool) -> bool:
    """Whether an address can be called at all, by one of these schemes."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets that do not close, a port that is no number or beyond all ports
        return False
    is_plain = parts.username is None and parts.password is None and not parts.fragment
    is_port = port is None or port == HTTPS_PORT or port >= FIRST_FREE_PORT or (any_port and port)
    return bool(parts.scheme in schemes and host and url.isascii() and is_plain and is_port)


@dataclass(slots=True, kw_only=True)
class Message:
    """One message to one account or one subscription. ``payload`` holds nothing personal."""

    id: UUID
    kind: MessageKind
    account_id: UUID | None
    subscription_id: UUID | None
    district_code: str | None
    payload: dict[str, Any]
    created_at: datetime
    next_at: datetime
    digest_on: date | None = None
    state: MessageState = MessageState.WAITING
    tries: int = 0
    leased_until: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None

    def arrived(self, at: datetime) -> None:
        """Mark the message as delivered."""
        self.state, self.sent_at, self.error, self.leased_until = MessageState.SENT, at, None, None

    def failed(self, error: str, at: datetime, wait: timedelta) -> None:
        """Delivery failed: back off, or give up after twelve attempts or a day."""
        self.error, self.leased_until, self.next_at = error, None, at + wait
        if self.tries >= MAX_TRIES or (self.tries > 1 and at - self.created_at > GIVEN_UP_AFTER):
            self.state = MessageState.DEAD

    def put_back(self) -> None:
        """It was leased, and not tried."""
        self.tries, self.leased_until = self.tries - 1, None

    def replay(self, at: datetime) -> None:
        """Try a dead letter again, under the id it has."""
        self.state, self.tries, self.next_at = MessageState.WAITING, 0, at


def of_wrong_tries(account: Account, id: UUID, now: datetime) -> Message:
    """Tells an account's owner that several tries to sign in were wrong within an hour."""
    return Message(
        id=id,
        kind=SIGN_IN_FAILED,
        account_id=account.id,
        subscription_id=None,
        district_code=account.district_code,
        payload={
            "id": id,
            "kind": SIGN_IN_FAILED,
            "case_id": None,
            "subject": {"type": "account", "id": account.id},
            "about": str(TOLD_AT),
            "tier": None,
            "due_at": None,
        },
        created_at=now,
        next_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message with where it goes: an endpoint, or a person by mail where an address is known."""

    message: Message
    subscription: Subscription | None
    email: str | None
    # What is said besides, worked out as it leaves and stored nowhere: an address, a code.
    added: str = ""


def wait_after(failures: int, jitter: float) -> timedelta:
    """How long to wait after so many failures in a row: doubling, with up to a fifth more.

    ``jitter`` lies between 0 and 1.
    """
    doubled: timedelta = FIRST_WAIT * 2 ** min(max(failures - 1, 0), MAX_TRIES)
    return min(doubled, MAX_WAIT) * (1 + 0.2 * jitter)
