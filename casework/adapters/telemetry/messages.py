"""A span for each message that the relay tries to send: its kind and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from casework.adapters.telemetry.spans import in_use
from casework.domain.notices.outbox import Letter
from casework.workflows.ports.notices import Delivery, Sending, Transport


class TracedTransport:
    """A transport whose messages are traced."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @contextmanager
    def sending(self) -> Iterator[Sending]:
        """As the transport does, with each message traced."""
        with self._transport.sending() as sending:
            yield _TracedSending(sending)


class _TracedSending:
    """Messages on their way, each traced once it is settled."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending

    @property
    def busy(self) -> frozenset[UUID]:
        return self._sending.busy

    def free(self, *, endpoints: bool) -> int:
        return self._sending.free(endpoints=endpoints)

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        self._sending.start(letters, now)

    def finished(self) -> list[Delivery]:
        found = self._sending.finished()
        for delivery in found:
            if delivery.is_tried:
                _trace(delivery)
        return found


def _trace(delivery: Delivery) -> None:
    tracer = in_use()
    if tracer is None:
        return
    message = delivery.letter.message
    attributes = {
        "casework.message.kind": str(message.kind),
        "casework.message.to": "person" if message.subscription_id is None else "endpoint",
        "casework.message.tries": message.tries,
    }
    tracer.was("message", attributes, delivery.took_s, delivery.error)
