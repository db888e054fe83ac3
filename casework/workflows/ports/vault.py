"""The ports of field encryption at rest: vault, blind indexes and key ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class Place(NamedTuple):
    """The location of an encrypted value: it cannot be decrypted for another row or column."""

    table: str
    column: str
    row: UUID


class Vault(Protocol):
    """Encrypts single fields under a key that the database never sees."""

    def encrypt(self, plain: str, place: Place) -> str:
        """The encrypted value: text that names its key, different each time."""
        ...

    def decrypt(self, sealed: str, place: Place) -> str:
        """The decrypted value. Raises ValueError where it was changed or moved, or has no key."""
        ...

    def blind(self, purpose: str, value: str) -> str:
        """The blind index of a value: keyed, so hashing all possible values reveals nothing."""
        ...

    def blinds(self, purpose: str, value: str) -> list[str]:
        """Each blind index that a value may have during a rotation of the index key."""
        ...


class Progress(NamedTuple):
    """How many rows were read, re-encrypted, and left for the next round."""

    seen: int
    changed: int
    left: int


class KeyFacts(NamedTuple):
    """The public facts of a key."""

    id: str
    kind: str
    made_at: datetime
    superseded_at: datetime | None


class KeyCheck(NamedTuple):
    """A known value under a key, which stands in the database: only that key opens it."""

    id: str
    kind: str
    sealed: str


class KeyRing(Protocol):
    """The keys, stored apart from the database."""

    def checks(self) -> list[KeyCheck]:
        """A known value under each key."""
        ...

    def opens(self, check: KeyCheck) -> bool:
        """Whether that key is on the ring, and opens its known value."""
        ...

    def current(self, kind: str) -> str:
        """The newest key of a kind."""
        ...

    def listed(self) -> list[KeyFacts]:
        """Every key, the oldest first."""
        ...

    def renew(self, kind: str, now: datetime) -> str:
        """Create a key; every process encrypts under it from its next write on."""
        ...

    def drop(self, ids: set[str]) -> None:
        """Delete keys permanently."""
        ...


class EncryptedData(Protocol):
    """All values that are encrypted at rest."""

    def total(self) -> int:
        """How many rows one round reads."""
        ...

    def values_by_key(self) -> Counter[str]:
        """How many values each key encrypts."""
        ...

    def add_checks(self, checks: list[KeyCheck]) -> None:
        """Store the known values of keys that have none yet."""
        ...

    def forget_checks(self, ids: set[str]) -> None:
        """Delete the known values of keys that leave the ring."""
        ...

    def reencrypt(self, current: set[str]) -> Iterator[Progress]:
        """One round: re-encrypt the values under any other key than these."""
        ...
