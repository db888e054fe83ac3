"""Files that nobody who means well sends, and some that are only odd: each by its name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import xlsxwriter

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
OFFICE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
LINKS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
HEADINGS: Final = ("성명", "생년월일", "성별", "읍면동", "전화번호")
PERSON: Final = ("가상주민", "1941.5.6.", "여", "우1동", "")


def plain() -> bytes:
    """A workbook of one person, which is taken."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate((HEADINGS, PERSON)):
            sheet.write_row(at, 0, row)
    return written.getvalue()


def packed(parts: Mapping[str, bytes | str], way: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these parts."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", way) as book:
        for name, part in parts.items():
            book.writestr(name, part)
    return written.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The parts of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def changed(**parts: bytes | str) -> bytes:
    """The plain workbook with other parts: ``sheet``, ``strings``, or any name."""
    names = {"sheet": SHEET, "strings": STRINGS}
    return packed(unpacked(plain()) | {names.get(name, name): it for name, it in parts.items()})


def sheet_of(rows: str, after: str = "") -> str:
    """A sheet of these rows."""
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def cells(count: int, cell: str = "<c><v>1</v></c>") -> str:
    """A row of cells."""
    return f"<row>{cell * count}</row>"


def strings_of(count: int) -> str:
    """A table of tiny strings."""
    return f'<sst xmlns="{MAIN}">{"".join(f"<si><t>{n:x}</t></si>" for n in range(count))}</sst>'


def renamed(table: str, name: str = "xl/theme/picture7.png") -> bytes:
    """The table of strings under another part's name."""
    parts = unpacked(plain())
    del parts[STRINGS]
    kinds = parts["[Content_Types].xml"].replace(STRINGS.encode(), name.encode())
    return packed(parts | {"[Content_Types].xml": kinds, name: table.encode()})


def _nested(depth: int = 6) -> bytes:
    inner = b"\0" * (8 * 1024 * 1024)
    for _ in range(depth):
        inner = packed({"a.zip": inner, "b.zip": inner})
    return packed(unpacked(plain()) | {"xl/embeddings/a.xlsx": inner})


def _overlapping() -> bytes:
    """Many names for the same packed megabytes, as far as a zip can say so."""
    big = b"\0" * (8 * 1024 * 1024)
    return packed(unpacked(plain()) | {f"xl/media/{n}.bin": big for n in range(60)})


def _locked() -> bytes:
    content = bytearray(plain())
    content[6] |= 1
    at = content.index(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 1)
    return bytes(content)


def _entities(name: str = SHEET) -> bytes:
    said = '<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY a "ha">'
    said += "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    sheet = sheet_of("<row><c t='inlineStr'><is><t>&j;</t></is></c></row>")
    return changed(**{name: f"{said}]>{sheet}"})


def _sheet_under_another_name() -> bytes:
    parts = unpacked(_entities())
    name = "xl/worksheets/sheet1.png"
    parts[name] = parts.pop(SHEET)
    for one in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts[one] = parts[one].replace(b"sheet1.xml", b"sheet1.png")
    return packed(parts)


def _repeated(text: int, count: int) -> bytes:
    """One long string, which many cells are."""
    table = f'<sst xmlns="{MAIN}"><si><t>{"가" * text}</t></si></sst>'
    rows = "<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>"
    return changed(strings=table, sheet=sheet_of(rows * (count // 100)))


MERGED: Final = "".join(f'<mergeCell ref="A{n}:XFD{n}"/>' for n in range(1, 60_000))
PEOPLE: Final = "".join(
    "<row>" + "".join(f"<c t='inlineStr'><is><t>{one}</t></is></c>" for one in row) + "</row>"
    for row in (HEADINGS, PERSON)
)
NUL: Final = "<c t='inlineStr'><is><t>a_x0000_b</t></is></c>"
FORMULA: Final = "<c><f>HYPERLINK(CONCAT(A1:XFD1048576))</f></c>"
LINK: Final = f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{LINKS}/externalLinkPath" Target="http://169.254.169.254/x" TargetMode="External"/></Relationships>'  # noqa: E501

# By its name: the file, and the codes of which it gets one; None where it may be taken.
CORPUS: Final[dict[str, tuple[Callable[[], bytes], set[str | None]]]] = {
    "an ordinary one": (plain, {None}),
    "a bomb": (lambda: changed(strings=" " * (65 << 20)), {"file_too_large"}),
    "a bomb under another name": (
        lambda: changed(**{"xl/media/a.png": b"\0" * (300 << 20)}), {"file_too_large"},
    ),
    "zips in zips": (_nested, {None, "file_too_large"}),
    "the same again and again": (_overlapping, {"file_too_large"}),
    "ten thousand parts": (
        lambda: packed({f"xl/{n}.xml": b"<a/>" for n in range(10_000)}), {"file_too_large"},
    ),
    "entities": (_entities, {"file_unreadable"}),
    "entities under another name": (_sheet_under_another_name, {"file_unreadable"}),
    "a million strings": (
        lambda: changed(strings=strings_of(1_000_001)), {"file_too_large"},
    ),
    "a million strings under another name": (
        lambda: renamed(strings_of(1_100_000)), {"file_too_large"},
    ),
    "tiny strings, all the same": (
        lambda: changed(strings=f'<sst xmlns="{MAIN}">{"<si><t>a</t></si>" * 1_000_000}</sst>'),
        {"file_too_large"},
    ),
    "one string in a million cells": (lambda: _repeated(2_000, 1_000_000), {"file_too_large"}),
    "merged ranges": (
        lambda: changed(sheet=sheet_of(PEOPLE, f"<mergeCells>{MERGED}</mergeCells>")), {None},
    ),
    "formulas": (
        lambda: changed(sheet=sheet_of(PEOPLE + cells(90, FORMULA) * 1_000)), {None},
    ),
    "links to elsewhere": (
        lambda: changed(**{
            "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{MAIN}"/>',
            "xl/externalLinks/_rels/externalLink1.xml.rels": LINK,
        }), {None},
    ),
    "locked by a password": (_locked, {"file_locked"}),
    "an old or locked workbook": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096, {"encoding_unknown"},
    ),
    "cut off": (lambda: plain()[:-200], {"file_unreadable"}),
    "5,000 columns": (lambda: changed(sheet=sheet_of(cells(5_000))), {"too_many_columns"}),
    "four million cells in a row": (
        lambda: changed(sheet=sheet_of(cells(4_000_000))), {"file_too_large"},
    ),
    "deep elements": (
        lambda: changed(sheet=sheet_of("<a>" * 500_000 + "</a>" * 500_000)), {"column_missing"},
    ),
    "a NUL in a cell": (
        lambda: changed(sheet=sheet_of(PEOPLE + cells(1, NUL))), {"file_unreadable"},
    ),
    "15 MiB of empty lines": (lambda: b"\n" * (15 << 20), {"column_missing"}),
    "15 MiB of commas": (lambda: b"," * (15 << 20), {"too_many_columns", "column_missing"}),
    "15 MiB of quotes": (lambda: b'"' * (15 << 20), {"file_unreadable", "column_missing"}),
}  # fmt: skip


# Which take more than a second or two to make or to read.
SLOW: Final = {
    "a bomb under another name", "a million strings", "a million strings under another name",
    "deep elements", "15 MiB of empty lines", "15 MiB of commas",
}  # fmt: skip


@cache
def content_of(name: str) -> bytes:
    """A file of the corpus."""
    return CORPUS[name][0]()
