"""What taking files in needs from outside: its rows, sheets to read, forms to check, a listing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from casework.domain.exchange.importing import ImportFile, ImportRow


class Imports(Protocol):
    """Imports and their rows; an actor's own, but for what waits in the queue."""

    def add(self, file: ImportFile) -> None:
        """A new one, before its rows."""
        ...

    def stage(self, rows: Iterable[ImportRow]) -> int:
        """Write down what is to be worked on; returns how many."""
        ...

    def unfinished(self, kind: str) -> list[ImportFile]:
        """The actor's own imports of a kind that have not ended."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> ImportFile:
        """One of the actor's own, else NotFound."""
        ...

    def save(self, file: ImportFile) -> None:
        """Its state and counts."""
        ...

    def rows_after(self, file: ImportFile, limit: int) -> list[ImportRow]:
        """The next rows that have no result."""
        ...

    def keys_before(self, file: ImportFile, keys: Iterable[str]) -> set[str]:
        """Those of the keys that an earlier accepted row of the same file has."""
        ...

    def note(self, rows: Sequence[ImportRow], *, keep_cells: bool) -> None:
        """The results of rows; their cells go, unless they are needed again."""
        ...

    def forget_cells(self, import_id: UUID) -> None:
        """Remove what stands in the rows that wait for nobody."""
        ...

    def forget_results(self, import_id: UUID) -> None:
        """Remove what a first round found: the rows are gone through again."""
        ...

    def trial(self, *, keep: bool) -> AbstractContextManager[Any]:
        """A store for the next use case, which is then a part of this transaction.

        A refusal takes back what it did and nothing else; so does the end where it is not kept.
        """
        ...

    def places(self, district: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The codes of districts and of a district's centres, by code and by name."""
        ...

    def by_name(self, name: str, birth_date: date) -> list[UUID]:
        """Residents within reach of that name and birth date."""
        ...

    def by_external_id(
        self, external_id: str, import_id: UUID, *, by_hand: bool = False
    ) -> list[UUID]:
        """Whom earlier rows of that external id were about, within reach.

        Rows of the actor's district, of files that were kept or of this one; ``by_hand``, those
        alone that a person gave to somebody.
        """
        ...

    def within_reach(self, ids: Iterable[UUID]) -> list[UUID]:
        """Those residents the actor reaches, the merged ones as their survivors."""
        ...

    def has_assessment(self, case_id: UUID, assessed_on: date, determination: str) -> bool:
        """Whether this very result stands in the case already."""
        ...

    def waiting(self, id: UUID) -> ImportRow:
        """A row of the queue within reach, locked, else NotFound."""
        ...

    def settle(self, row: ImportRow) -> None:
        """A row of the queue that was dealt with."""
        ...

    def page(self, paging: Any) -> Any:
        """The actor's own imports, newest first."""
        ...

    def results(self, import_id: UUID, outcome: str | None, paging: Any) -> Any:
        """The rows of one of the actor's own imports, in their order."""
        ...

    def queue(self, paging: Any) -> Any:
        """What matched nobody, the oldest first, in the actor's reach."""
        ...

    def row(self, id: UUID) -> ImportRow:
        """A row that waited, within reach."""
        ...


class Unreadable(Exception):
    """A row does not have the shape it needs; ``errors`` says where."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("unreadable")
        self.errors = errors


class Forms(Protocol):
    """The shapes and lengths that the single operations ask for."""

    def read(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """The fields as a single operation would take them. Raises Unreadable."""
        ...


class Sheets(Protocol):
    """Files of rows, as they come and as they leave."""

    def read(self, source: BinaryIO) -> Iterator[list[str]]:
        """The rows of a CSV file or of a workbook's first sheet. Raises Invalid for no such."""
        ...

    def write(
        self, format: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[str, bytes]:
        """A file in that format (``csv``, ``xlsx``): its media type and its bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTools:
    """What works through files."""

    forms: Forms
    sheets: Sheets
    # Whether an error will pass, so that the batch is better tried again.
    is_transient: Callable[[Exception], bool]
    # The digest of a text under a salt, and of a whole file.
    keyed: Callable[[str, str], str]
    digest: Callable[[BinaryIO], str]
    new_salt: Callable[[], str]
    # Something failed that is no refusal: for the log.
    note_failure: Callable[[int, Exception], None]
