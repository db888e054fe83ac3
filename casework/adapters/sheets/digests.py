"""What is remembered of a file instead of its contents: keyed digests."""

from __future__ import annotations

import hashlib
import hmac
from typing import BinaryIO


def keyed_digest(salt: str, text: str) -> str:
    """The digest of a text under a salt, in hexadecimal."""
    return hmac.digest(salt.encode(), text.encode(), "sha256").hex()


def digest_of(source: BinaryIO) -> str:
    """The SHA-256 digest of a whole file, in hexadecimal; leaves it at its beginning."""
    source.seek(0)
    found = hashlib.sha256()
    while chunk := source.read(1024 * 1024):
        found.update(chunk)
    source.seek(0)
    return found.hexdigest()
