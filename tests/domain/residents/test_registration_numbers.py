"""Which registration numbers are valid, and for whom. Every one here is invented."""

from __future__ import annotations

from datetime import date

import pytest

from casework.domain.errors import Invalid
from casework.domain.residents.registration_numbers import (
    has_checksum,
    names_one,
    read_number,
    written,
)

BORN = date(1941, 3, 5)


def is_about_the_number(error: Invalid, code: str) -> None:
    """It names the field, with that code."""
    assert error.code == code
    assert [one["field"] for one in error.facts["errors"]] == ["rrn"]


@pytest.mark.parametrize("given", ["410305-2000001", "4103052000001", " 410305 2000001 "])
def test_thirteen_digits_are_taken_however_they_are_parted(given: str) -> None:
    assert read_number(given, birth_date=BORN, sex="female") == "4103052000001"


@pytest.mark.parametrize(
    ("digit", "year", "sex"),
    [
        ("9", 1899, "male"), ("0", 1899, "female"), ("1", 1999, "male"), ("2", 1999, "female"),
        ("3", 2019, "male"), ("4", 2019, "female"), ("5", 1999, "male"), ("6", 1999, "female"),
        ("7", 2019, "male"), ("8", 2019, "female"),
    ],
)  # fmt: skip
def test_the_seventh_digit_says_century_and_sex(digit: str, year: int, sex: str) -> None:
    given = f"{year % 100:02}0101{digit}000001"
    born = date(year, 1, 1)
    assert read_number(given, birth_date=born, sex=sex) == given
    assert read_number(given, birth_date=born, sex="other") == given
    other = "female" if sex == "male" else "male"
    with pytest.raises(Invalid) as refused:
        read_number(given, birth_date=born, sex=other)
    is_about_the_number(refused.value, "rrn_sex_mismatch")
    with pytest.raises(Invalid) as refused:
        read_number(given, birth_date=born.replace(day=2), sex=sex)
    is_about_the_number(refused.value, "rrn_birth_date_mismatch")


@pytest.mark.parametrize(
    "given",
    [
        "", "410305", "410305-200000", "410305-20000012", "41030-52000001", "410305--2000001",
        "410305-200000x", "４１０３０５-2000001", "410230-2000001", "411305-2000001",
        "410300-2000001", "410305-2000001\n1",
    ],
)  # fmt: skip
def test_what_is_nobodys_number_is_refused_without_being_repeated(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_number(given, birth_date=BORN, sex="female")
    is_about_the_number(refused.value, "rrn_invalid")
    assert not given or given not in f"{refused.value} {refused.value.facts}"


def test_a_day_that_only_one_century_had_is_of_that_century() -> None:
    assert read_number("000229-4000001", birth_date=date(2000, 2, 29), sex="female")
    with pytest.raises(Invalid):
        read_number("000229-2000001", birth_date=date(2000, 2, 29), sex="female")


def test_the_old_checksum_holds_for_one_last_digit_of_ten() -> None:
    numbers = [f"410305200000{last}" for last in range(10)]
    assert [has_checksum(one) for one in numbers].count(True) == 1
    # 4·2+1·3+0·4+3·5+0·6+5·7+2·8 = 77; 77 mod 11 = 0; 11 - 0 = 11; the digit is 1.
    assert has_checksum("4103052000001")
    # A foreigner's adds two: 4·2+1·3+3·5+5·7+6·8 = 109; 109 mod 11 = 10; 1 + 2 = 3.
    assert has_checksum("4103056000003")
    for number in numbers:
        assert read_number(number, birth_date=BORN, sex="female") == number


def test_it_is_written_with_its_dash() -> None:
    assert written("4103052000001") == "410305-2000001"


@pytest.mark.parametrize(
    "words",
    ["담당 900101-1234567", "９００１０１－１２３４５６７", "900101–1234567", "900101 — 1234567",
     "9001011234567"],
)  # fmt: skip
def test_a_number_among_words_is_found_however_it_is_typed(words: str) -> None:
    assert names_one(words)


@pytest.mark.parametrize(
    "words", ["조례 제5조", "051-000-5017", "901301-1234567", "12345678901234", "2026-03-10"]
)
def test_other_numbers_among_words_are_none(words: str) -> None:
    assert not names_one(words)
