"""What sealing, checking and reading the audit ask of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.audit.chain import ChainHead, Entry, Seal
from casework.domain.audit.reviews import AuditReview
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row


@dataclass(frozen=True, slots=True)
class SealResult:
    """What one transaction sealed, and the chains that it left alone: their heads are false."""

    entries: int
    false: frozenset[str]


class AuditChainStore(Protocol):
    """The chains, a page at a time, each page a short transaction."""

    def seal_some(self, limit: int, now: datetime, without: Iterable[str]) -> SealResult:
        """Seal entries that wait, in the order of their ids, but for those of some chains.

        Nothing where another sealer is at it.
        """
        ...

    def heads(self) -> dict[str, ChainHead]:
        """Every head as it stands, the roll too, by chain."""
        ...

    def chains(self) -> list[str]:
        """The chains that have seals."""
        ...

    def links(
        self, chain: str, after: int, upto: int, limit: int
    ) -> Sequence[tuple[Seal, Entry | None]]:
        """Seals with their entries, in order. Raises ValueError where one cannot be read."""
        ...

    def id_at(self, chain: str, seq: int) -> UUID | None:
        """The entry a seal names."""
        ...

    def first_beyond(self, chain: str) -> tuple[int, UUID | None] | None:
        """The first seal that lies beyond the head as it stands."""
        ...

    def hash_at(self, chain: str, seq: int) -> str | None:
        """The hash of a seal."""
        ...

    def unsealed(
        self, after: str, limit: int, late: datetime
    ) -> tuple[str | None, int, list[tuple[UUID | None, str]]]:
        """Among the next entries by id: the last id, how many wait, and those that should not.

        An entry should not be without a seal if it does not wait for one, or waits since before
        ``late``; each with its chain.
        """
        ...

    def last_to_prune(self, chain: str, before: datetime) -> Seal | None:
        """The last seal before the first one whose entry is to be kept."""
        ...

    def prune(self, before: ChainHead, after: ChainHead, note: Callable[[Any], None]) -> int:
        """Forget what lies before a head, and write the head. How many entries that was."""
        ...


class AuditTrail(Protocol):
    """Who saw whom, how much in a month, and who reviewed it. No name of a resident is in it."""

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Entries, newest first; a filter that is None filters nothing."""
        ...

    def affected(self, actor: str, since: datetime | None, until: datetime, paging: Paging) -> Page:
        """Everybody an account's entries of a period are about, each once."""
        ...

    def summary(
        self, since: datetime, until: datetime, closed: Iterable[date], paging: Paging
    ) -> Page:
        """What each account did in a period, by user name; ``closed`` are its holidays."""
        ...

    def add(self, review: AuditReview) -> None:
        """A new review."""
        ...

    def review(self, id: UUID) -> AuditReview:
        """One review."""
        ...

    def reviews(self, month: str | None, paging: Paging) -> Page:
        """Reviews, newest month first."""
        ...

    def reviews_since(self, month: str) -> list[AuditReview]:
        """Every review of a month or of a later one."""
        ...

    def chains(self) -> list[str]:
        """The chains there are."""
        ...

    def first_at(self) -> datetime | None:
        """The instant of the oldest entry."""
        ...

    def has_account(self, username: str) -> bool:
        """Whether there is that account."""
        ...

    def count(
        self, since: datetime, until: datetime, *, chain: str | None, account: str | None
    ) -> int:
        """How many entries a chain, an account, or an account within a chain has in a period."""
        ...
