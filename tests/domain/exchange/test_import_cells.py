"""Cells as Korean sheets hold them, and the headings above them."""

from __future__ import annotations

import unicodedata

import pytest

from casework.domain.errors import Invalid
from casework.domain.exchange import import_cells as cells
from casework.domain.exchange.import_columns import (
    COLUMNS,
    WHO,
    column_missing,
    find_headings,
    read_cells,
)
from casework.domain.exchange.importing import ACTION, FileKind


@pytest.mark.parametrize(
    "written",
    [
        "2026.3.27.", "2026.03.27", "2026. 3. 27.", "2026-03-27", "2026-3-27", "2026/3/27",
        "20260327", "2026년 3월 27일", "2026-03-27 00:00:00", "2026-03-27T00:00:00", "46108",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert cells.day(written) == "2026-03-27"


@pytest.mark.parametrize(
    "written",
    ["", "내일", "2026.13.1.", "2026.2.29.", "260327", "2026-03-27 10:00", "2999", "80001", "1e5"],
)
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        cells.day(written)
    assert refused.value.code == "date_unreadable"


@pytest.mark.parametrize(
    ("serial", "day"),
    [("3000", "1908-03-18"), ("15102", "1941-05-06"), ("80000", "2119-01-11")],
)
def test_excels_count_of_days_is_a_day_within_lives(serial: str, day: str) -> None:
    assert cells.day(serial) == day


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1000000000", "010-0000-0000"), ("10-0000-0000", "010-0000-0000"),
        ("510000000", "051-000-0000"), ("5100000000", "051-0000-0000"),
        ("20000000", "02-000-0000"), ("200000000", "02-0000-0000"),
        ("7000000000", "070-0000-0000"), ("50500000000", "0505-0000-0000"),
        ("010-0000-0000", "010-0000-0000"), ("051-000-0000", "051-000-0000"),
        ("15880000", "15880000"), ("+82 10 0000 0000", "+82 10 0000 0000"), ("없음", "없음"),
    ],
)  # fmt: skip
def test_a_telephone_gets_back_the_zero_that_a_sheet_took(written: str, number: str) -> None:
    assert cells.phone(written) == number


def test_letters_are_composed_and_what_cannot_be_seen_goes() -> None:
    apart = unicodedata.normalize("NFD", "가상주민")
    assert apart != "가상주민"
    assert cells.plain(f"\ufeff {apart}\u200b\u00a0") == "가상주민"
    assert cells.plain("\u00a0 \u200b") is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [("예", True), ("Y", True), ("○", True), ("아니오", False), ("N", False), ("가끔", "가끔")],
)
def test_yes_and_no_are_known_words_and_nothing_else(said: str, meant: object) -> None:
    assert cells.yes_or_no(said) == meant


@pytest.mark.parametrize("kind", FileKind)
def test_a_template_is_a_file_that_can_be_sent(kind: FileKind) -> None:
    found = find_headings(kind, [one.ko for one in COLUMNS[kind]])
    assert found is not None
    assert list(found.fields.values()) == [one.name for one in COLUMNS[kind]]
    assert found.unknown == 0
    values, errors = read_cells(kind, {one.name: one.example for one in COLUMNS[kind]})
    assert errors == []
    assert {one.name for one in COLUMNS[kind] if one.required} <= values.keys()
    assert kind in ACTION


@pytest.mark.parametrize("kind", FileKind)
def test_the_fields_own_names_are_headings_too(kind: FileKind) -> None:
    found = find_headings(kind, [one.name.upper().replace("_", " ") for one in COLUMNS[kind]])
    assert found is not None
    assert list(found.fields.values()) == [one.name for one in COLUMNS[kind]]


def test_no_word_is_the_heading_of_two_columns() -> None:
    for kind, columns in COLUMNS.items():
        owners: dict[str, set[str]] = {}
        for one in columns:
            for said in (one.name, one.ko, *one.also):
                owners.setdefault(cells.squeezed(said), set()).add(one.name)
        assert {said: of for said, of in owners.items() if len(of) > 1} == {}, kind


def test_headings_are_known_with_signs_brackets_and_letters_apart() -> None:
    row = ["연번", "성 명*", unicodedata.normalize("NFD", "생년월일"), "성별(남/여)", "읍·면·동"]
    found = find_headings(FileKind.RESIDENTS, row)
    assert found is not None
    assert found.fields == {1: "name", 2: "birth_date", 3: "sex", 4: "centre_code"}
    assert found.unknown == 1


def test_a_heading_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        find_headings(FileKind.RESIDENTS, ["성명", "이름", "생년월일", "성별", "읍면동"])
    assert (refused.value.code, refused.value.facts["errors"][0]["field"]) == (
        "column_twice", "name",
    )  # fmt: skip


def test_what_is_missing_is_named_without_what_stands_there() -> None:
    rows = [
        ["2026년 대상자 명단"],
        ["성명", "생년월일", "주소"],
        ["가상주민", "1941.5.6.", "가상로"],
    ]
    assert find_headings(FileKind.RESIDENTS, rows[1]) is None
    refused = column_missing(FileKind.RESIDENTS, rows)
    assert [one["field"] for one in refused.facts["errors"]] == ["sex", "centre_code"]
    assert "가상" not in str(refused.facts)


@pytest.mark.parametrize("kind", WHO)
def test_whom_a_row_is_about_is_told_by_one_of_several_ways(kind: FileKind) -> None:
    needed = [one.name for one in COLUMNS[kind] if one.required]
    for way in WHO[kind]:
        assert find_headings(kind, [*needed, *way]) is not None
    assert find_headings(kind, [*needed, "name"]) is None
    assert find_headings(kind, needed) is None
