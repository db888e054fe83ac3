"""Webhooks, signed as Standard Webhooks specifies: id, instant and body under a shared secret.

The name is resolved once, the address checked, and that very address called: a name that resolves
to a private network, at once or on a second lookup, is refused. Redirects are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
from datetime import datetime
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

import httpx2
import orjson

from casework.domain.notices.outbox import Letter, Subscription

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
TIMEOUT_S: Final = 5.0
PORTS: Final = {"https": 443, "http": 80}


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, id: str, at: datetime, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of id, seconds and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Webhook:
    """Posts messages to endpoints; ``private`` allows addresses of private networks."""

    def __init__(self, *, private: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._private, self._timeout_s = private, timeout_s

    @cached_property
    def _client(self) -> httpx2.Client:
        """Created at the first message: it loads all root certificates."""
        return httpx2.Client(timeout=self._timeout_s, follow_redirects=False, trust_env=False)

    def __call__(self, letter: Letter, now: datetime) -> str | None:
        """Send one; None where it was accepted (2xx), else an error code."""
        endpoint = letter.subscription
        if endpoint is None or endpoint.ended_at is not None:
            return "subscription_ended"
        try:
            return self._post(letter, endpoint, now)
        except httpx2.TimeoutException:
            return "timed_out"
        except (httpx2.HTTPError, OSError, UnicodeError, httpx2.InvalidURL):
            return "unreachable"

    def _post(self, letter: Letter, endpoint: Subscription, now: datetime) -> str | None:
        message, parts = letter.message, urlsplit(endpoint.url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        address = self._address(host, port)
        if address is None:
            return "address_forbidden"
        body = orjson.dumps(
            {"type": message.kind, "timestamp": message.created_at, "data": message.payload}
        )
        url = httpx2.URL(endpoint.url).copy_with(host=address, port=port)
        response = self._client.post(
            url,
            content=body,
            headers={
                "Host": parts.netloc,
                "Content-Type": "application/json",
                "User-Agent": "casework",
                "webhook-id": str(message.id),
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature(endpoint.secret, str(message.id), now, body),
            },
            extensions={"sni_hostname": host},
        )
        return None if response.is_success else f"status_{response.status_code}"

    def _address(self, host: str, port: int) -> str | None:
        """The address of a host, or None where any of its addresses is not a public one."""
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        addresses = sorted(map(str, found))
        public = all(_is_public(address) for address in addresses)
        return addresses[0] if addresses and (public or self._private) else None


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return bool(mapped.is_global and not mapped.is_multicast)
