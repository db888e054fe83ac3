"""The ports of the audit: its hash chain and its trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.audit.chain import ChainHead, Entry, Flaw, Seal
from casework.domain.audit.reviews import AuditReview
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row


@dataclass(frozen=True, slots=True)
class SealResult:
    """What one transaction sealed, and the chains it skipped as their heads are not genuine.

    It sealed nothing where it found ``flaws``, or where another one seals (``is_passed_by``).
    """

    entries: int
    false: frozenset[str] = frozenset()
    flaws: tuple[Flaw, ...] = ()
    is_passed_by: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the chains found: flaws, and the heads that it read."""

    flaws: Sequence[Flaw]
    heads: Mapping[str, ChainHead]


# Asked within the transaction that seals, of the chains as that transaction sees them.
Look = Callable[["AuditChainStore"], Looked]


class AuditChainStore(Protocol):
    """The chains, a page at a time, each page a short transaction."""

    def seal_some(
        self, limit: int, now: datetime, without: Iterable[str], look: Look
    ) -> SealResult:
        """Seal pending entries in the order of their ids, except those of some chains.

        Does nothing while another process seals, nor where the look finds a flaw. Only the heads
        that it read are gone on from.
        """
        ...

    def altered_guards(self) -> list[str]:
        """What stands around the tables of the audit and was not shipped, or is gone, by name."""
        ...

    def damaged(self) -> list[str]:
        """The tables of which an index tells otherwise than the table, by name."""
        ...

    def waits(self) -> bool:
        """Whether an entry is pending."""
        ...

    def heads(self) -> dict[str, ChainHead]:
        """Every stored head by chain, the list of chains included."""
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
        """The first seal beyond the stored head."""
        ...

    def hashes_at(self, chain: str, seqs: Iterable[int]) -> dict[int, str]:
        """The hashes of some seals, by number."""
        ...

    def unsealed(
        self, after: str, limit: int, between: tuple[datetime, datetime] | None
    ) -> tuple[str | None, int, list[tuple[UUID | None, str]]]:
        """Of the next entries by id: the last id, how many are pending, and those missing a seal.

        An entry misses its seal if it is not marked pending, or is not from ``between`` two
        instants; each with its chain.
        """
        ...

    def prune(self, before: ChainHead, after: ChainHead, note: Callable[[Any], None]) -> int:
        """Delete the entries before a new head and save it; returns how many."""
        ...


class ArchiveFailed(Exception):
    """A place where heads are kept could not be reached, or did not take them."""


class ArchiveTooLong(ArchiveFailed):
    """A place gives more than the newest lines, so that nothing of it is read."""


class HeadArchive(Protocol):
    """A place outside the database to which heads are added, and that nothing is taken from."""

    @property
    def address(self) -> str:
        """Where it is, without a secret."""
        ...

    def add(self, line: str) -> None:
        """Keep a line. Raises ArchiveFailed."""
        ...

    def last_lines(self) -> list[str]:
        """The newest lines; none where it can only be added to. Raises ArchiveFailed."""
        ...


class AuditTrail(Protocol):
    """Audit entries, monthly summaries and reviews; no resident's name is in them."""

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Entries, newest first; None does not filter."""
        ...

    def affected(self, actor: str, since: datetime | None, until: datetime, paging: Paging) -> Page:
        """The residents that an account's entries of a period are about, each once."""
        ...

    def summary(
        self, since: datetime, until: datetime, closed: Iterable[date], paging: Paging
    ) -> Page:
        """The activity of each account that has any, the unusual first; ``closed`` are holidays.

        Of the newest entries alone where there are more than are counted at once: ``counted_from``
        says from when on.
        """
        ...

    def add(self, review: AuditReview) -> None:
        """Add a review."""
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
        """Whether the account exists."""
        ...

    def count(
        self, since: datetime, until: datetime, *, chain: str | None, account: str | None
    ) -> int:
        """How many entries a chain, an account, or an account within a chain has in a period."""
        ...
