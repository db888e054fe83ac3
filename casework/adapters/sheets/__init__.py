"""Files of rows: CSV and Excel, as Korean offices send them and as they read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from casework.adapters.sheets.csv_files import as_typed, read_csv, write_csv
from casework.adapters.sheets.workbooks import is_workbook, read_workbook, write_workbook

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetFiles:
    """What reads and writes files of rows."""

    def read(self, source: BinaryIO) -> Iterator[list[str]]:
        rows = read_workbook(source) if is_workbook(source) else read_csv(source)
        return ([as_typed(cell) for cell in row] for row in rows)

    def write(
        self, format: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[str, bytes]:
        if format == "xlsx":
            return XLSX_TYPE, write_workbook(headings, rows)
        return CSV_TYPE, write_csv(headings, rows)
