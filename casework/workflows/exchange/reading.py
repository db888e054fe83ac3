"""Reading a file of rows: before any transaction, and within the bounds of the port."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from casework.domain.errors import Invalid
from casework.domain.exchange.import_cells import plain
from casework.domain.exchange.import_columns import (
    HEADING_WITHIN,
    MAX_COLUMNS,
    MAX_ROWS,
    Headings,
    column_missing,
    find_headings,
)
from casework.domain.exchange.importing import MAX_AT_ONCE, FileKind, Mode
from casework.workflows.ports.exchange import ImportTools

# So many rows are compressed together.
PACKED: Final = 500
Row = tuple[int, dict[str, str]]


class PackedRows:
    """The rows of a file, which waits in memory for its transaction: a tenth of what they take."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._packs: list[bytes] = []
        self._count = 0
        while some := list(islice(rows, PACKED)):
            self._packs.append(zlib.compress(json.dumps(some).encode(), 1))
            self._count += len(some)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        for pack in self._packs:
            yield from json.loads(zlib.decompress(pack))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A file as it was read: each row with its line, and the cells below known headings."""

    digest: str
    rows: PackedRows
    unknown_columns: int


def read_file(import_tools: ImportTools, kind: FileKind, mode: Mode, source: BinaryIO) -> FileRead:
    """Read a file. Raises Invalid where it is none, too much, or without the kind's headings."""
    digest = import_tools.digest(source)
    sheet = _Sheet(kind, import_tools.sheets.read(source))
    rows = PackedRows(sheet.rows())
    if len(rows) == 0:
        raise Invalid("the file has no rows", code="file_empty", field="file")
    if mode == Mode.ALL_OR_NOTHING and len(rows) > MAX_AT_ONCE:
        raise Invalid(
            f"at most {MAX_AT_ONCE} rows at once; send it row by row or in parts",
            code="too_many_rows",
            field="mode",
        )
    unknown = sheet.headings.unknown if sheet.headings else 0
    return FileRead(digest=digest, rows=rows, unknown_columns=unknown)


class _Sheet:
    """The rows below the headings of a sheet."""

    def __init__(self, kind: FileKind, source: Iterator[tuple[int, list[str]]]) -> None:
        self._kind, self._source = kind, source
        self.headings: Headings | None = None

    def rows(self) -> Iterator[Row]:
        """Each non-empty row, with its line."""
        self._find_headings()
        number = 0
        for line, cells in self._source:
            if not any(map(plain, cells)):
                continue
            number += 1
            if number > MAX_ROWS:
                raise Invalid(f"at most {MAX_ROWS} rows", code="too_many_rows", field="file")
            yield line, self._named(cells)

    def _find_headings(self) -> None:
        """Find the headings; titles may precede them."""
        above: list[list[str]] = []
        for line, cells in self._source:
            if line > HEADING_WITHIN:
                break
            above.append(cells)
            if len(cells) > MAX_COLUMNS:
                raise Invalid(
                    f"at most {MAX_COLUMNS} columns", code="too_many_columns", field="file"
                )
            self.headings = find_headings(self._kind, cells)
            if self.headings is not None:
                return
        raise column_missing(self._kind, above)

    def _named(self, cells: Sequence[str]) -> dict[str, str]:
        known = self.headings.fields if self.headings else {}
        return {
            name: cells[at] for at, name in known.items() if at < len(cells) and cells[at].strip()
        }
