"""Webhooks, signed as Standard Webhooks specifies: id, instant and body under a shared secret.

Of an answer only the status is read. Where it may go, and how long it may take, is the exchange's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Final

import orjson

from casework.adapters.outbound.exchange import Exchange
from casework.adapters.outbound.failures import AddressForbidden, ExchangeFailed, TimedOut
from casework.domain.notices.outbox import Letter, Message, Subscription

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, id: str, at: datetime, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of id, seconds and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Webhook:
    """Posts messages to endpoints, by the bounded exchange it is given."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __call__(self, letter: Letter, now: datetime) -> str | None:
        """Send one; None where it was accepted (2xx), else an error code."""
        endpoint = letter.subscription
        if endpoint is None or endpoint.ended_at is not None:
            return "subscription_ended"
        body, headers = _written(letter.message, endpoint, now)
        try:
            status = self._exchange.status_of_post(endpoint.url, body, headers)
        except AddressForbidden:
            return "address_forbidden"
        except TimedOut:
            return "timed_out"
        except ExchangeFailed:
            return "unreachable"
        return None if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else f"status_{status}"


def _written(
    message: Message, endpoint: Subscription, now: datetime
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a message, signed."""
    body = orjson.dumps(
        {"type": message.kind, "timestamp": message.created_at, "data": message.payload}
    )
    return body, {
        "Content-Type": "application/json",
        "User-Agent": "casework",
        "webhook-id": str(message.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature(endpoint.secret, str(message.id), now, body),
    }
