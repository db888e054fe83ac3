"""CSV in practice: UTF-8, UTF-16 or CP949, with or without a BOM, any delimiter."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Final

from casework.domain.errors import Invalid

CHUNK: Final = 64 * 1024
SAMPLE: Final = 64 * 1024
MAX_FIELD_LENGTH: Final = 32 * 1024
DELIMITERS: Final = (",", "\t", ";", "|")
# A cell that begins so is a formula to a spreadsheet; to an Asian one the wide signs are too.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_csv(source: BinaryIO) -> Iterator[list[str]]:
    """The rows, one by one. Raises Invalid where it is no text or no CSV."""
    encoding = encoding_of(source)
    text = _text_of(source, encoding)
    delimiter = _delimiter(text.read(SAMPLE))
    text.detach()
    source.seek(0)
    text = _text_of(source, encoding)
    csv.field_size_limit(min(MAX_FIELD_LENGTH, sys.maxsize))
    try:
        for row in csv.reader(text, delimiter=delimiter, strict=False):
            if any("\x00" in cell for cell in row):
                raise _no_sheet()
            yield row
    except csv.Error:
        raise _no_sheet() from None
    finally:
        text.detach()


def _text_of(source: BinaryIO, encoding: str) -> io.TextIOWrapper:
    kept: Any = _Unclosable(source)
    return io.TextIOWrapper(kept, encoding=encoding, newline="")


def encoding_of(source: BinaryIO) -> str:
    """The encoding: what the BOM says, UTF-8 where all of it is valid, else CP949."""
    source.seek(0)
    head = source.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            _must_be(source, encoding)
            return encoding
    for encoding in ("utf-8", "cp949"):
        if _is(source, encoding):
            return encoding
    raise Invalid("neither UTF-8 nor CP949", code="encoding_unknown", field="file")


def _must_be(source: BinaryIO, encoding: str) -> None:
    if not _is(source, encoding):
        raise Invalid("not what its mark says", code="encoding_unknown", field="file")


def _is(source: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    source.seek(0)
    try:
        while chunk := source.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        source.seek(0)
    return True


def _delimiter(sample: str) -> str:
    """The delimiter: the one that most lines have equally often."""
    lines = [line for line in sample.splitlines()[:20] if line.strip()]
    if not lines:
        return ","

    def regular(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            return 0, 0
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        return (widths.count(usual) if usual > 1 else 0, usual)

    return max(DELIMITERS, key=regular)


def _no_sheet() -> Invalid:
    return Invalid("no file of rows", code="file_unreadable", field="file")


class _Unclosable(io.BufferedIOBase):
    """A source that its reader cannot close."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        """It is only read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        return self._source.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        return self._source.read(size)


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A file that Excel opens as intended: with a BOM, and no cell a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutral(one) for one in headings])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return codecs.BOM_UTF8 + text.getvalue().encode("utf-8")


def neutral(cell: Any) -> str:
    """A cell as text; what a spreadsheet would take for a formula has a quote before it."""
    told = plain(cell)
    is_number = isinstance(cell, int | float)
    return "'" + told if _is_formula(told) and not is_number else told


def as_typed(cell: str) -> str:
    """A cell of a file without the quote that ``neutral`` put before it."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(told: str) -> bool:
    """What a spreadsheet takes for a formula, or would without the quotes before it."""
    return told.lstrip("'").startswith(FORMULA)


def plain(cell: Any) -> str:
    """A value as a person reads it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Y" if cell else "N"
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, list | tuple | set | frozenset):
        return ", ".join(plain(one) for one in cell)
    return str(cell)
