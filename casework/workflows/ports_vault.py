"""What keeps a secret: fields that stand sealed in the database, and how they are found."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID


class Place(NamedTuple):
    """Where a sealed value stands: it cannot be opened in another row, column or table."""

    table: str
    column: str
    row: UUID


class Vault(Protocol):
    """Seals single fields under a key that the database never sees."""

    def seal(self, plain: str, place: Place) -> str:
        """The value as it is stored: text that names its key, another one each time."""
        ...

    def open(self, sealed: str, place: Place) -> str:
        """The value again. Raises ValueError where it was changed or moved, or its key is gone."""
        ...

    def blind(self, purpose: str, value: str) -> str:
        """What an equal value is found by: keyed, so that a list of all values tells nothing."""
        ...

    def blinds(self, purpose: str, value: str) -> list[str]:
        """Each form an equal value may be found by while the indexes get a new key."""
        ...
