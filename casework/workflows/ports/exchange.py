"""The ports of imports and exports: stored rows, file formats, validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from casework.domain.exchange.importing import FileKind, ImportFile, ImportRow


class Imports(Protocol):
    """Imports and their rows: the actor's own, and the queue within the actor's scope."""

    def add(self, file: ImportFile) -> None:
        """Add an import, before its rows."""
        ...

    def stage(self, rows: Iterable[ImportRow]) -> int:
        """Store the rows to be processed; returns how many."""
        ...

    def unfinished(self, kind: FileKind) -> list[ImportFile]:
        """The actor's own imports of a kind that have not ended."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> ImportFile:
        """One of the actor's own, else NotFound."""
        ...

    def save(self, file: ImportFile) -> None:
        """Save an import's state and counts."""
        ...

    def rows_after(self, file: ImportFile, limit: int) -> list[ImportRow]:
        """The next rows that have no result."""
        ...

    def keys_before(self, file: ImportFile, keys: Iterable[str]) -> set[str]:
        """Those of the keys that an earlier accepted row of the same file has."""
        ...

    def note(self, rows: Sequence[ImportRow], *, keep_cells: bool) -> None:
        """Save the results of rows; their cells are deleted, unless needed again."""
        ...

    def forget_cells(self, import_id: UUID) -> None:
        """Delete the cells of the rows that are not queued."""
        ...

    def forget_results(self, import_id: UUID) -> None:
        """Delete the results of the validation round: the rows are processed again."""
        ...

    def places(self, district: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The codes of districts and of a district's centres, by code and by name."""
        ...

    def by_name(self, name: str, birth_date: date) -> list[UUID]:
        """Residents within scope of that name and birth date."""
        ...

    def by_external_id(
        self, external_id: str, import_id: UUID, *, by_hand: bool = False
    ) -> list[UUID]:
        """The residents of earlier rows with that external id, within scope.

        Rows of the actor's district, of written files or of this one; ``by_hand``: only those
        that a person assigned.
        """
        ...

    def within_scope(self, ids: Iterable[UUID]) -> list[UUID]:
        """Those of the residents within scope, merged ones as their survivors."""
        ...

    def has_assessment(self, case_id: UUID, assessed_on: date, determination: str) -> bool:
        """Whether the same result is recorded in the case already."""
        ...

    def waiting(self, id: UUID) -> ImportRow:
        """A row of the queue within scope, locked, else NotFound."""
        ...

    def settle(self, row: ImportRow) -> None:
        """Save a queued row that was assigned or dismissed."""
        ...

    def page(self, paging: Any) -> Any:
        """The actor's own imports, newest first."""
        ...

    def results(self, import_id: UUID, outcome: str | None, paging: Any) -> Any:
        """The rows of one of the actor's own imports, in their order."""
        ...

    def queue(self, paging: Any) -> Any:
        """Unmatched rows within the actor's scope, oldest first."""
        ...

    def row(self, id: UUID) -> ImportRow:
        """A row that is or was queued, within scope."""
        ...


class Unreadable(Exception):
    """A row fails validation; ``errors`` says where."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("unreadable")
        self.errors = errors


class Forms(Protocol):
    """The request body schemas of the single operations."""

    def read(self, kind: FileKind, values: dict[str, Any]) -> dict[str, Any]:
        """The values validated as the single operation's request body. Raises Unreadable."""
        ...


class Sheets(Protocol):
    """Reading and writing tabular files."""

    def read(self, source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        """The rows of a CSV file or of the only sheet of a workbook that hold anything.

        Each with its number, and cut to some more cells than a file may have. Raises Invalid for
        other files and for what takes too much to read; whatever a file holds, reading it costs
        this process little, and is done outside of any transaction.
        """
        ...

    def write(
        self, format: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[str, bytes]:
        """A file in that format (``csv``, ``xlsx``): its media type and its bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTools:
    """The dependencies of file imports."""

    forms: Forms
    sheets: Sheets
    # Whether an error is transient, so that the batch is retried.
    is_transient: Callable[[Exception], bool]
    # The digest of a text under a salt, and of a whole file.
    keyed: Callable[[str, str], str]
    digest: Callable[[BinaryIO], str]
    new_salt: Callable[[], str]
    # Logs an error that is not a refusal.
    note_failure: Callable[[int, Exception], None]
