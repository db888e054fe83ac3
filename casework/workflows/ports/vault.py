"""What keeps a secret: fields that stand sealed in the database, and how they are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class Place(NamedTuple):
    """Where a sealed value stands: it cannot be opened in another row, column or table."""

    table: str
    column: str
    row: UUID


class Vault(Protocol):
    """Seals single fields under a key that the database never sees."""

    def encrypt(self, plain: str, place: Place) -> str:
        """The value as it is stored: text that names its key, another one each time."""
        ...

    def decrypt(self, sealed: str, place: Place) -> str:
        """The value again. Raises ValueError where it was changed or moved, or its key is gone."""
        ...

    def blind(self, purpose: str, value: str) -> str:
        """What an equal value is found by: keyed, so that a list of all values tells nothing."""
        ...

    def blinds(self, purpose: str, value: str) -> list[str]:
        """Each form an equal value may be found by while the indexes get a new key."""
        ...


class Progress(NamedTuple):
    """So many rows were looked at, so many sealed again, so many left for the next round."""

    seen: int
    changed: int
    left: int


class KeyFacts(NamedTuple):
    """What may be said of a key."""

    id: str
    kind: str
    made_at: datetime
    superseded_at: datetime | None


class KeyRing(Protocol):
    """The keys, kept where the database is not."""

    def current(self, kind: str) -> str:
        """The newest key of a kind."""
        ...

    def listed(self) -> list[KeyFacts]:
        """Every key, the oldest first."""
        ...

    def renew(self, kind: str, now: datetime) -> str:
        """Make a new key; every process writes under it from its next write on."""
        ...

    def drop(self, ids: set[str]) -> None:
        """Forget keys for good."""
        ...


class EncryptedData(Protocol):
    """Everything that stands sealed."""

    def total(self) -> int:
        """How many rows one round looks at."""
        ...

    def values_by_key(self) -> Counter[str]:
        """How many values stand under each key."""
        ...

    def reencrypt(self, current: set[str]) -> Iterator[Progress]:
        """One round: what stands under another key than these is sealed again."""
        ...
