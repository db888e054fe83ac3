"""Transports of outgoing messages: to endpoints, by mail, or to the console.

The console takes messages to people where no mail server is configured. Whoever is slow or fails
keeps nobody else waiting: each receiver has one worker at a time, people and endpoints have workers
apart, and what is left for a receiver after it failed, or used up its time, goes back to the queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from structlog import get_logger

from casework.adapters.notifications.mail import Mail
from casework.adapters.notifications.webhook import Webhook
from casework.domain.notices.outbox import Letter, Message
from casework.workflows.ports.notices import Delivery, Sending

log = get_logger("casework.notices")
PEOPLE_AT_ONCE: Final = 8
ENDPOINTS_AT_ONCE: Final = 32
# How long one receiver's messages are sent in a row, well within their lease.
IN_A_ROW_S: Final = 20.0
Channel = Callable[[Letter, datetime], str | None]


class Channels:
    """Sends each message by its transport, some at a time; a failure stops no other."""

    def __init__(
        self,
        webhook: Webhook,
        mail: Mail | None = None,
        adds: Callable[[Message], str] = lambda _message: "",
        aloud: Callable[[str], None] | None = None,
    ) -> None:
        """``adds`` is what a message says besides; ``aloud`` says it where there is no mail."""
        self._webhook, self._mail, self._adds, self._aloud = webhook, mail, adds, aloud

    @contextmanager
    def sending(self) -> Iterator[Sending]:
        with ThreadPoolExecutor(PEOPLE_AT_ONCE + ENDPOINTS_AT_ONCE) as pool:
            yield OnTheWay(pool, self._send)

    def _send(self, letter: Letter, now: datetime) -> str | None:
        if letter.subscription is not None:
            return self._webhook(letter, now)
        letter = replace(letter, added=self._adds(letter.message))
        if self._mail is not None and letter.email is not None:
            return self._mail(letter, now)
        if letter.added:  # a secret goes to its recipient or, where set, to ``aloud``
            if self._aloud is None:
                return "no_address"
            self._aloud(
                f"{letter.message.kind} {letter.email or letter.message.account_id}\n{letter.added}"
            )
        return console(letter, now)


class OnTheWay:
    """Messages on their way, one worker for a receiver."""

    def __init__(self, pool: ThreadPoolExecutor, send: Channel) -> None:
        self._pool, self._send = pool, send
        self._running: dict[Future[list[Delivery]], tuple[UUID | None, bool]] = {}

    @property
    def busy(self) -> frozenset[UUID]:
        return frozenset(who for who, _ in self._running.values() if who is not None)

    def free(self, *, endpoints: bool) -> int:
        taken = sum(is_endpoint == endpoints for _, is_endpoint in self._running.values())
        return max((ENDPOINTS_AT_ONCE if endpoints else PEOPLE_AT_ONCE) - taken, 0)

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        rows: dict[tuple[UUID | None, bool], list[Letter]] = {}
        for letter in letters:
            message = letter.message
            receiver = message.subscription_id or message.account_id
            rows.setdefault((receiver, message.subscription_id is not None), []).append(letter)
        for whom, row in rows.items():
            self._running[self._pool.submit(self._in_a_row, row, now)] = whom

    def finished(self) -> list[Delivery]:
        settled, _ = wait(self._running, return_when=FIRST_COMPLETED)
        deliveries = []
        for one in settled:
            del self._running[one]
            deliveries += one.result()
        return deliveries

    def _in_a_row(self, letters: Sequence[Letter], now: datetime) -> list[Delivery]:
        """One receiver's messages, until it fails or has had its time."""
        began, has_failed, deliveries = time.monotonic(), False, []
        for letter in letters:
            at = time.monotonic()
            if has_failed or at - began > IN_A_ROW_S:
                deliveries.append(Delivery(letter, None, is_tried=False))
                continue
            error = self._tried(letter, now)
            has_failed = error is not None
            deliveries.append(Delivery(letter, error, time.monotonic() - at))
        return deliveries

    def _tried(self, letter: Letter, now: datetime) -> str | None:
        """None where it was accepted, else an error code, whatever was raised."""
        try:
            return self._send(letter, now)
        except Exception:
            log.exception("a message could not be sent", message_id=str(letter.message.id))
            return "failed"


def console(letter: Letter, _now: datetime) -> str | None:
    """A line in the log: who is notified, of how many things."""
    message = letter.message
    log.info(
        "notice",
        message_id=str(message.id),
        kind=message.kind,
        account_id=str(message.account_id),
        count=message.payload.get("count", 1),
    )
    return None
