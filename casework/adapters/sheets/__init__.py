"""Files of rows: CSV and Excel, as Korean offices send them and as they read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from casework.adapters.sheets.csv_files import as_typed, read_csv, write_csv

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MARK: Final = b"PK\x03\x04"


class SheetFiles:
    """What reads and writes files of rows, in this process."""

    def read(self, source: BinaryIO) -> Iterator[list[str]]:
        """The rows of a file."""
        return ([as_typed(cell) for cell in row] for row in _rows(source))

    def write(
        self, format: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[str, bytes]:
        if format == "xlsx":
            # Imported here: who reads a CSV file, in a process of its own, is done without.
            from casework.adapters.sheets.workbooks import write_workbook

            return XLSX_TYPE, write_workbook(headings, rows)
        return CSV_TYPE, write_csv(headings, rows)


def _rows(source: BinaryIO) -> Iterator[list[str]]:
    if not is_workbook(source):
        return read_csv(source)
    from casework.adapters.sheets.workbooks import read_workbook

    return read_workbook(source)


def is_workbook(source: BinaryIO) -> bool:
    """Whether this is a zip, as workbooks are."""
    source.seek(0)
    head = source.read(len(MARK))
    source.seek(0)
    return head == MARK
