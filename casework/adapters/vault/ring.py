"""The key ring: a file apart from the database, whose keys are wrapped by the master key."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DATA: Final = "data"
INDEX: Final = "index"
KINDS: Final = (DATA, INDEX)
NONCE_BYTES: Final = 12
_SECRET_BYTES: Final = 32
_FORMAT: Final = 1


class RingError(ValueError):
    """The key ring is missing, is not one, or opens under another master key only."""


@dataclass(frozen=True)
class Key:
    """One key: what it is for, since when, and the secret itself."""

    id: str
    kind: str
    made_at: datetime
    secret: bytes


@dataclass(frozen=True)
class Ring:
    """Every key in use, in the order in which they were made.

    ``audit_begun`` is when the audit of this installation began, which nobody who can only write
    to the database can make forgotten.
    """

    keys: tuple[Key, ...]
    audit_begun: datetime | None = None

    def of(self, kind: str) -> list[Key]:
        """The keys of a kind, the oldest first."""
        return [one for one in self.keys if one.kind == kind]

    def current(self, kind: str) -> str:
        """The id of the newest of a kind: what is written is written under it."""
        return self.of(kind)[-1].id

    def superseded_at(self, key: Key) -> datetime | None:
        """When the next one of its kind was made; None for the newest."""
        later = [one for one in self.of(key.kind) if self.keys.index(one) > self.keys.index(key)]
        return later[0].made_at if later else None

    def with_new(self, kind: str, now: datetime) -> Ring:
        """The ring with one more key of that kind."""
        fresh = Key(secrets.token_hex(4), kind, now, secrets.token_bytes(_SECRET_BYTES))
        return replace(self, keys=(*self.keys, fresh))

    def without(self, ids: set[str]) -> Ring:
        """The ring without those keys; what was encrypted under them is lost."""
        return replace(self, keys=tuple(one for one in self.keys if one.id not in ids))


def make_ring(path: Path, master: bytes, now: datetime) -> None:
    """A new ring with one key of each kind; one that exists already is left as it is."""
    ring = Ring(())
    for kind in KINDS:
        ring = ring.with_new(kind, now)
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _draft(path, ring, master)
    try:
        path.hardlink_to(fresh)  # the first of several creators wins, all read its ring
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def read_ring(path: Path, master: bytes) -> Ring:
    """The ring of a file. Raises RingError where there is none that opens."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != _FORMAT:
            raise ValueError("another format")
        begun = found.get("audit_begun")
        ring = Ring(
            tuple(_unwrapped(one, master) for one in found["keys"]),
            datetime.fromisoformat(begun) if begun else None,
        )
    except OSError as error:
        raise RingError(f"the key ring cannot be read: {error.strerror}") from None
    except InvalidTag:
        raise RingError("the key ring does not open under this master key") from None
    except (KeyError, TypeError, ValueError):
        raise RingError("the key ring's file holds no key ring") from None
    if not all(ring.of(kind) for kind in KINDS):
        raise RingError("the key ring lacks a key")
    return ring


def change_ring(path: Path, master: bytes, change: Callable[[Ring], Ring]) -> Ring:
    """Read, change and write the ring, one process at a time; readers see the old or the new."""
    with _alone(path):
        ring = change(read_ring(path, master))
        _draft(path, ring, master).replace(path)
        return ring


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _draft(path: Path, ring: Ring, master: bytes) -> Path:
    """Write the ring to a temporary file beside it, synced and readable by its owner only."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    plain = {"format": _FORMAT, "keys": [_wrapped(one, master) for one in ring.keys]}
    if ring.audit_begun is not None:
        plain["audit_begun"] = ring.audit_begun.isoformat()
    text = json.dumps(plain)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _wrapping(master: bytes) -> AESGCM:
    derived = HKDF(SHA256(), _SECRET_BYTES, salt=None, info=b"casework key ring").derive(master)
    return AESGCM(derived)


def _wrapped(key: Key, master: bytes) -> dict[str, Any]:
    made_at, nonce = key.made_at.isoformat(), os.urandom(NONCE_BYTES)
    bound = f"{key.kind}|{key.id}|{made_at}".encode()
    wrapped = nonce + _wrapping(master).encrypt(nonce, key.secret, bound)
    return {
        "id": key.id,
        "kind": key.kind,
        "made_at": made_at,
        "wrapped": urlsafe_b64encode(wrapped).decode(),
    }


def _unwrapped(found: dict[str, Any], master: bytes) -> Key:
    raw = urlsafe_b64decode(found["wrapped"])
    bound = f"{found['kind']}|{found['id']}|{found['made_at']}".encode()
    secret = _wrapping(master).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound)
    return Key(found["id"], found["kind"], datetime.fromisoformat(found["made_at"]), secret)
