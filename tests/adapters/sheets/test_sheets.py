"""Reading and writing files of rows (CSV and workbooks)."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from random import Random

import openpyxl
import pytest

from casework.adapters.sheets import SheetFiles, csv_files, workbooks
from casework.adapters.sheets.csv_files import read_csv
from casework.domain.errors import Invalid

ROWS = [["성명", "생년월일"], ["가상주민", "1941.5.6."], ["가상, 주민", "둘\n줄"]]
TEXT = '성명,생년월일\r\n가상주민,1941.5.6.\r\n"가상, 주민","둘\n줄"\r\n'


def read(content: bytes) -> list[list[str]]:
    """The rows of a file."""
    return list(SheetFiles().read(io.BytesIO(content)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr", "utf-16"])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_csv_file_is_read_however_it_is_encoded(encoding: str, newline: str) -> None:
    assert read(TEXT.replace("\r\n", newline).encode(encoding)) == ROWS


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_what_stands_between_the_cells_is_guessed(delimiter: str) -> None:
    text = TEXT.replace("명,생", f"명{delimiter}생").replace("민,1", f"민{delimiter}1")
    assert read(text.replace('","', f'"{delimiter}"').encode("cp949")) == ROWS


def test_a_syllable_that_only_cp949_has_is_read() -> None:
    assert read("성명,주소\n뷁똠,샾\n".encode("cp949"))[1] == ["뷁똠", "샾"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xef\xbb\xbf\xff\xff,1\n", "encoding_unknown"),
        (b"name,\xff\xff\xff\n", "encoding_unknown"),
        (b"name,a\x00b\n", "file_unreadable"),
        (b"name," + b"x" * (csv_files.MAX_FIELD_LENGTH + 1) + b"\n", "file_unreadable"),
        (b"PK\x03\x04 and nothing more", "file_unreadable"),
    ],
)
def test_what_is_no_file_of_rows_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(content)
    assert refused.value.code == code


def test_the_source_stays_open() -> None:
    source = io.BytesIO(TEXT.encode())
    list(SheetFiles().read(source))
    assert not source.closed


def workbook(*rows: tuple[object, ...]) -> bytes:
    """A workbook with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_the_cells_of_a_workbook_are_read_as_one_would_type_them() -> None:
    content = workbook(
        (
            "성명",
            1000000000,
            35.5,
            datetime.combine(date(1941, 5, 6), time(0)),
            date(1941, 5, 6),
            None,
            True,
        ),
        (),
        (
            "가상주민",
            1e3,
            "2026.3.27.",
            datetime.combine(date(2026, 3, 27), time(10, 30)),
            None,
            "x",
            False,
        ),
    )
    rows = read(content)
    assert rows[0][:7] == ["성명", "1000000000", "35.5", "1941-05-06", "1941-05-06", "", "True"]
    assert not any(rows[1])
    assert rows[2][:6] == ["가상주민", "1000", "2026.3.27.", "2026-03-27 10:30:00", "", "x"]


def changed(content: bytes, name: str, part: bytes) -> bytes:
    """The same workbook with another part."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        new.writestr(name, part)
    return written.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>
<worksheet><sheetData><row><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""


@pytest.mark.parametrize(
    "part",
    [
        LAUGHS,
        b" " * (workbooks.CHUNK - 5) + LAUGHS,  # across two pieces
        LAUGHS.decode().encode("utf-16"),
        LAUGHS.decode().encode("utf-16-be"),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet/>',
        b"<worksheet",
    ],
)
def test_a_workbook_that_declares_entities_is_refused_unread(part: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read(changed(workbook(("a",)), SHEET, part))
    assert refused.value.code == "file_unreadable"


@pytest.mark.parametrize(("over", "code"), [(-1, None), (0, None), (1, "file_too_large")])
def test_a_workbook_unpacks_to_so_much_and_no_more(
    monkeypatch: pytest.MonkeyPatch, over: int, code: str | None
) -> None:
    content = workbook(("성명",), ("가상주민",))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(one.file_size for one in packed.infolist())
    monkeypatch.setattr(workbooks, "MAX_BYTES", size - over)
    if code is None:
        assert len(read(content)) == 2
    else:
        with pytest.raises(Invalid) as refused:
            read(content)
        assert refused.value.code == code


def test_a_workbook_of_a_million_empty_rows_ends() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "성명"
    book.worksheets[0]["A1048576"] = "x"
    written = io.BytesIO()
    book.save(written)
    rows = read(written.getvalue())
    assert rows[0][0] == "성명"
    assert len(rows) == 1 + workbooks.EMPTY_ROWS


HARMFUL = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_what_leaves_can_be_read_again_and_is_no_formula(format: str) -> None:
    rows = [[one, 1, 2.5, None, date(2026, 3, 27), True, ["a", "b"]] for one in HARMFUL]
    _, content = SheetFiles().write(format, ["성명", "수"], rows)
    there = read_csv if format == "csv" else workbooks.read_workbook
    assert [row[0] for row in there(io.BytesIO(content))][1:] == [f"'{one}" for one in HARMFUL]
    found = read(content)
    assert found[0][:2] == ["성명", "수"]
    assert [row[0] for row in found[1:]] == HARMFUL
    assert found[1][1:7] == ["1", "2.5", "", "2026-03-27", "Y", "a, b"]


def test_a_number_below_zero_is_no_formula() -> None:
    _, content = SheetFiles().write("csv", ["수"], [[-5]])
    assert content.decode("utf-8-sig") == "수\r\n-5\r\n"


def test_a_workbook_that_was_damaged_on_its_way_is_refused() -> None:
    """Whichever byte was damaged: a row may be read wrongly, but nothing crashes."""
    content, codes = workbook(("성명", 1.5), *(("가상주민", n) for n in range(40))), set()
    for seed in range(150):
        random, damaged = Random(seed), bytearray(content)
        for _ in range(random.choice((1, 5, 20))):
            damaged[random.randrange(4, len(damaged))] = random.randrange(256)
        try:
            read(bytes(damaged))
        except Invalid as refused:
            codes.add(refused.code)
    assert "file_unreadable" in codes


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_is_packed_as_workbooks_are(way: int) -> None:
    """Other ways of packing let a few bytes unpack to a hundred megabytes in one piece."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("a",)))) as old,
        zipfile.ZipFile(written, "w", way) as new,
    ):
        for one in old.namelist():
            new.writestr(one, old.read(one))
    with pytest.raises(Invalid) as refused:
        read(written.getvalue())
    assert refused.value.code == "file_unreadable"


@pytest.mark.parametrize("told", ["+82 10", "'+82 10", "''=1", "'quoted'", "=1", "-"])
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_cell_is_read_as_it_was_before_it_was_written(format: str, told: str) -> None:
    _, content = SheetFiles().write(format, ["a"], [[told]])
    assert read(content) == [["a"], [told]]


def book_of(*sheets: list[list[str]]) -> bytes:
    """A workbook with these sheets."""
    book, written = openpyxl.Workbook(), io.BytesIO()
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    book.save(written)
    return written.getvalue()


def test_rows_on_a_second_sheet_are_refused_and_an_empty_sheet_is_not() -> None:
    assert read(book_of(ROWS, [], [[""]])) == ROWS
    one: list[list[str]] = [["x"]]
    several = ([ROWS, one], [ROWS, [], [[], [], *one]], [[], ROWS])
    for sheets in several:
        with pytest.raises(Invalid) as refused:
            read(book_of(*sheets))
        assert refused.value.code == "several_sheets"
