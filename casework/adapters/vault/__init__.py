"""AES-256-GCM for single fields, HMAC-SHA256 as blind index; the keys are in no database."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casework.adapters.vault.ring import (
    DATA,
    INDEX,
    NONCE_BYTES,
    Ring,
    RingError,
    change_ring,
    read_ring,
)
from casework.workflows.ports.vault import KeyCheck, KeyFacts, Place

__all__ = ["KeyVault", "RingError"]

# An encrypted value is text: this, the key's id, nonce with ciphertext and tag.
FORMAT: Final = "v1"
BLIND_BYTES: Final = 21
KNOWN: Final = "casework key check"
_Stamp = tuple[int, int, int]


class KeyVault:
    """Encrypts under the newest key of the ring, decrypts under any, and notices a changed ring."""

    def __init__(self, path: Path, master: bytes) -> None:
        self._path, self._master = path, master
        self._opened = self._read()

    def encrypt(self, plain: str, place: Place) -> str:
        """Encrypt a value under the newest data key."""
        return _encrypted(*self._newest().sealing, plain, place)

    def decrypt(self, sealed: str, place: Place) -> str:
        form, _, rest = sealed.partition(".")
        key, _, body = rest.partition(".")
        if form != FORMAT or not body:
            raise ValueError("no sealed value")
        cipher = self._opened.ciphers.get(key) or self._newest().ciphers.get(key)
        if cipher is None:
            raise ValueError(f"no key {key} on the ring")
        raw = _decoded(body)
        try:
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key, place)).decode()
        except InvalidTag:
            raise ValueError("a sealed value was changed or moved") from None

    def blind(self, purpose: str, value: str) -> str:
        """Names its key as an encrypted value does."""
        opened = self._newest()
        return opened.blind(opened.ring.current(INDEX), purpose, value)

    def blinds(self, purpose: str, value: str) -> list[str]:
        opened = self._newest()
        return [opened.blind(one.id, purpose, value) for one in opened.ring.of(INDEX)]

    def current(self, kind: str = DATA) -> str:
        return self._newest().ring.current(kind)

    def listed(self) -> list[KeyFacts]:
        ring = self._newest().ring
        return [
            KeyFacts(one.id, one.kind, one.made_at, ring.superseded_at(one)) for one in ring.keys
        ]

    def renew(self, kind: str, now: datetime) -> str:
        """Writes the ring to its file."""
        change_ring(self._path, self._master, lambda ring: ring.with_new(kind, now))
        return self.current(kind)

    def drop(self, ids: set[str]) -> None:
        """Values still encrypted under them are lost."""
        change_ring(self._path, self._master, lambda ring: ring.without(ids))

    def checks(self) -> list[KeyCheck]:
        opened = self._newest()
        return [
            KeyCheck(one.id, one.kind, _known(opened, one.id, one.kind)) for one in opened.ring.keys
        ]

    def opens(self, check: KeyCheck) -> bool:
        opened = self._newest()
        if check.id not in [one.id for one in opened.ring.of(check.kind)]:
            return False
        if check.kind == INDEX:
            return hmac.compare_digest(_known(opened, check.id, INDEX), check.sealed)
        try:
            return self.decrypt(check.sealed, _known_place(check.id)) == KNOWN
        except ValueError:
            return False

    @property
    def audit_begun(self) -> datetime | None:
        """When the audit of this installation began; None where the ring does not say."""
        return self._newest().ring.audit_begun

    def note_audit_begun(self, now: datetime) -> None:
        """Writes into the ring's file that the audit began; an earlier instant stays."""
        change_ring(
            self._path,
            self._master,
            lambda ring: replace(ring, audit_begun=ring.audit_begun or now),
        )

    @property
    def path(self) -> Path:
        """The file of the ring."""
        return self._path

    def check(self) -> None:
        """Read the ring again from its file. Raises RingError where it cannot be opened."""
        self._opened = self._read()

    def _newest(self) -> _Opened:
        """The ring as its file has it now; without a readable ring nothing is encrypted."""
        if self._opened.stamp != _stamp(self._path):
            self._opened = self._read()
        return self._opened

    def _read(self) -> _Opened:
        return _Opened(_stamp(self._path), read_ring(self._path, self._master))


class _Opened:
    """A ring as one reading of its file found it."""

    def __init__(self, stamp: _Stamp, ring: Ring) -> None:
        self.stamp, self.ring = stamp, ring
        self.ciphers = {one.id: AESGCM(one.secret) for one in ring.of(DATA)}
        newest = ring.current(DATA)
        self.sealing = newest, self.ciphers[newest]
        self._secrets = {one.id: one.secret for one in ring.of(INDEX)}
        self._subkeys: dict[tuple[str, str], bytes] = {}

    def blind(self, key: str, purpose: str, value: str) -> str:
        """A keyed hash under a subkey of this purpose alone, so that no two columns compare."""
        subkey = self._subkeys.get((key, purpose))
        if subkey is None:
            subkey = hmac.digest(self._secrets[key], f"blind index: {purpose}".encode(), sha256)
            self._subkeys[key, purpose] = subkey
        digest = hmac.digest(subkey, value.encode(), sha256)[:BLIND_BYTES]
        return f"{key}.{urlsafe_b64encode(digest).decode()}"


def _decoded(body: str) -> bytes:
    """As ``urlsafe_b64decode``, without its conversions of type: a page has a hundred of them."""
    return a2b_base64(body.replace("-", "+").replace("_", "/"))


def _encrypted(key: str, cipher: AESGCM, plain: str, place: Place) -> str:
    nonce = os.urandom(NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plain.encode(), _bound(key, place))
    return f"{FORMAT}.{key}.{urlsafe_b64encode(nonce + sealed).decode()}"


def _known(opened: _Opened, key: str, kind: str) -> str:
    """The known value under a key: encrypted under a data key, blinded under an index key."""
    if kind == INDEX:
        return opened.blind(key, KNOWN, KNOWN)
    return _encrypted(key, opened.ciphers[key], KNOWN, _known_place(key))


def _known_place(key: str) -> Place:
    return Place("key_check", "sealed", UUID(int=int(key, 16)))


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise RingError(f"the key ring cannot be read: {error.strerror}") from None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _bound(key: str, place: Place) -> bytes:
    """The associated data of an encrypted value: its format, its key, and its exact place."""
    return f"{FORMAT}|{key}|{place.table}|{place.column}|{place.row}".encode()
