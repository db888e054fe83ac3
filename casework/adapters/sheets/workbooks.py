"""Excel workbooks: read row by row and within bounds, written row by row.

A workbook is a zip of XML. Before anything parses it, every part is unpacked once within bounds and
checked for declarations that could expand its text: no real workbook has any.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from io import SEEK_END
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError, XMLParser

import xlsxwriter
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from casework.adapters.sheets.csv_files import neutral
from casework.domain.errors import Invalid

MAX_PARTS: Final = 500
MAX_BYTES: Final = 256 * 1024 * 1024
# A workbook unpacks to this many times its size at most, beyond what any may.
MAX_RATIO: Final = 100
UNPACKED_ANYWAY: Final = 4 * 1024 * 1024
# Elements of all parts together begin and end so often: two million cells.
MAX_MARKS: Final = 12_000_000
MAX_STRINGS: Final = 1_000_000
MAX_STRING_TEXT: Final = 48 * 1024 * 1024
CHUNK: Final = 256 * 1024
# So many empty rows in a sequence are the end of what somebody filled in.
EMPTY_ROWS: Final = 1_000
MAX_CELLS: Final = 120
# Compression methods of real workbooks: with others a chunk may unpack to more than requested.
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_FORBIDDEN: Final = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")
_STRING, _TEXT, _ASIDE = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "rPh"))
_BROKEN: Final = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError,
    AttributeError, IndexError, EOFError, NotImplementedError, OSError, RuntimeError,
    OverflowError, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip


def read_workbook(source: BinaryIO) -> Iterator[list[str]]:
    """The rows of the only sheet with any, as text. Raises Invalid where it is none, or too large.

    What stands on a second sheet would be dropped in silence, so it is refused.
    """
    try:
        check_parts(source)
        source.seek(0)
        book = _opened(source)
    except _BROKEN:
        raise _no_workbook() from None
    try:
        first, *others = book.worksheets
        if any(any(row) for sheet in others for row in _rows(sheet)):
            raise Invalid(
                "rows stand on several sheets; send a file for each of them",
                code="several_sheets",
                field="file",
            )
        yield from _rows(first)
    except _BROKEN:
        raise _no_workbook() from None
    finally:
        book.close()


def _opened(source: BinaryIO) -> Any:
    reader = _Reader(source, read_only=True, data_only=True, keep_links=False)
    reader.read()
    return reader.wb


class _Reader(ExcelReader):  # type: ignore[misc]
    """The usual reader, with its table of shared strings within bounds, whatever that is called."""

    def read_strings(self) -> None:
        """Read the shared strings."""
        declared = self.package.find(SHARED_STRINGS)
        if declared is not None:
            with self.archive.open(declared.PartName[1:]) as part:
                self.shared_strings = _shared_strings(part)


def _shared_strings(part: Any) -> list[str]:
    table = _StringTable()
    parser = XMLParser(target=table)  # noqa: S314 - no part with a DOCTYPE comes so far
    while chunk := part.read(CHUNK):
        parser.feed(chunk)
    parser.close()
    return table.strings


class _StringTable:
    """The texts of a table of strings, without how they look or are pronounced."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._text: list[str] = []
        self._size, self._in_text, self._aside = 0, False, 0

    def start(self, tag: str, _attributes: Any) -> None:
        """An element begins."""
        if tag == _ASIDE:
            self._aside += 1
        self._in_text = tag == _TEXT and not self._aside

    def end(self, tag: str) -> None:
        """An element ends."""
        self._in_text = False
        if tag == _ASIDE:
            self._aside -= 1
        elif tag == _STRING:
            self.strings.append("".join(self._text).replace("x005F_", ""))
            self._text.clear()
            if len(self.strings) > MAX_STRINGS:
                raise _too_large()

    def data(self, text: str) -> None:
        """Text of an element."""
        if self._in_text:
            self._size += len(text)
            if self._size > MAX_STRING_TEXT:
                raise _too_large()
            self._text.append(text)

    def close(self) -> None:
        """The table ends."""


def _rows(sheet: Any) -> Iterator[list[str]]:
    """The rows of a sheet, until nothing comes for a long while."""
    sheet.reset_dimensions()
    empty = 0
    for cells in sheet.iter_rows(values_only=True, max_col=MAX_CELLS):
        row = _trimmed([_text(cell) for cell in cells])
        empty = 0 if any(row) else empty + 1
        if empty > EMPTY_ROWS:
            return
        yield row


def _trimmed(row: list[str]) -> list[str]:
    """Without the empty cells at its end, which a sheet has without end."""
    while row and not row[-1]:
        row.pop()
    return row


def check_parts(source: BinaryIO) -> None:
    """Unpack every part within bounds, and refuse what declares entities or another alphabet.

    A part is what it holds, whatever it is called.
    """
    most = min(MAX_BYTES, UNPACKED_ANYWAY + MAX_RATIO * source.seek(0, SEEK_END))
    source.seek(0)
    with zipfile.ZipFile(source) as packed:
        parts = packed.infolist()
        if len(parts) > MAX_PARTS:
            raise _too_large()
        left, marks = most, MAX_MARKS
        for part in parts:
            if part.flag_bits & 0x1:
                raise Invalid("it is locked by a password", code="file_locked", field="file")
            if part.compress_type not in _PACKED:
                raise _no_workbook()
            size, found = _look_through(packed, part, left)
            left, marks = left - size, marks - found
            if marks < 0:
                raise _too_large()


def _look_through(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> tuple[int, int]:
    """The size of a part, and the beginnings and ends of its elements."""
    is_text = part.filename.endswith((".xml", ".rels", ".vml"))
    size, marks, tail, begun = 0, 0, b"", False
    with packed.open(part) as opened:
        while chunk := opened.read(CHUNK):
            if size == 0 and chunk[:2] in _WIDE:
                raise _no_workbook()
            if not begun and (said := chunk.lstrip(_BLANK)):
                begun, is_text = True, is_text or said.startswith(b"<")
            size += len(chunk)
            if size > left:
                raise _too_large()
            if is_text:
                marks += chunk.count(b"<")
                if any(one in tail + chunk for one in _FORBIDDEN):
                    raise _no_workbook()
            tail = chunk[-16:]
    return size, marks


def _text(cell: Any) -> str:
    """A cell as a person would have typed it: numbers without a useless point, days as days."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    return str(unescape(text)) if "_x" in text else text


def _no_workbook() -> Invalid:
    return Invalid("no workbook that can be read", code="file_unreadable", field="file")


def _too_large() -> Invalid:
    return Invalid("it unpacks to too much", code="file_too_large", field="file")


def write_workbook(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of one sheet, made in memory: no file with names in it lies about meanwhile."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False,
         "strings_to_urls": False},
    )  # fmt: skip
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            _put(sheet, at, column, cell)
    book.close()
    return written.getvalue()


def _put(sheet: Any, row: int, column: int, cell: Any) -> None:
    """Text stays text: nothing that somebody typed becomes a formula or a link."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        sheet.write_number(row, column, cell)
        return
    told = neutral(cell)
    if told:
        sheet.write_string(row, column, told)
