"""Transports of outgoing messages: to endpoints, by mail, or to the console.

The console takes messages to people where no mail server is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from structlog import get_logger

from casework.adapters.notifications.mail import Mail
from casework.adapters.notifications.webhook import Webhook
from casework.domain.notices.outbox import Letter, Message

log = get_logger("casework.notices")
AT_ONCE = 8
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

    def deliver(self, letters: Sequence[Letter], now: datetime) -> list[str | None]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda letter: self._send(letter, now), letters))

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
