"""Secrets of links and codes: derived from their ids under a key, so that none is stored.

The database holds ids and keyed digests; without the key neither gives a secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

from casework.domain.agencies.links import CODE_DIGITS

PURPOSE: Final = b"casework agency links"


class KeyedLinks:
    """The secrets of one installation; a new key voids all earlier links."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, PURPOSE, hashlib.sha256)

    def _mac(self, purpose: str, *parts: str) -> bytes:
        said = "\n".join((purpose, *parts)).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, said, hashlib.sha256)

    def secret_of(self, link_id: UUID) -> str:
        """43 unguessable characters."""
        return base64.urlsafe_b64encode(self._mac("secret", str(link_id))).rstrip(b"=").decode()

    def digest_of(self, secret: str) -> str:
        """HMAC-SHA256 in hexadecimal."""
        return self._mac("digest", secret).hex()

    def code_of(self, code_id: UUID) -> str:
        """Six digits; each is as likely as any other, but for one in 2¹⁰⁸."""
        number = int.from_bytes(self._mac("code", str(code_id))[:16]) % 10**CODE_DIGITS
        return f"{number:0{CODE_DIGITS}d}"

    def code_digest(self, link_id: UUID, code: str) -> str:
        """HMAC-SHA256 of a code and its link, in hexadecimal."""
        return self._mac("code digest", str(link_id), code).hex()

    def form_token(self, carried: str, link: str) -> str:
        """HMAC-SHA256 of what the browser carries and the link it is about."""
        return self._mac("form", carried, link).hex()

    def new_secret(self) -> str:
        """256 random bits."""
        return secrets.token_urlsafe(32)
