"""The resident registration number 주민등록번호: what can be one, and whose it can be.

Thirteen digits: the birth date, a digit for century, sex and nationality, and six more. Numbers
given out since October 2020 end in random digits, so the old checksum proves nothing against one.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

from casework.domain.errors import Invalid, require


class NumberPurpose(StrEnum):
    """What a number may be looked at for: the law wants a reason (PIPA, article 24-2)."""

    BENEFIT_APPLICATION = "benefit_application"
    INSTITUTION_APPLICATION = "institution_application"
    IDENTITY_CHECK = "identity_check"
    CORRECTION = "correction"
    ACCESS_REQUEST = "access_request"


PURPOSES: Final = tuple(NumberPurpose)
_FORM: Final = re.compile(r"(\d{6})[- ]?(\d{7})", re.ASCII)
_WITHIN: Final = re.compile(r"(?<!\d)(\d{6})\s?[-\u2010-\u2015\u2212~]?\s?(\d{7})(?!\d)", re.ASCII)
# By the seventh digit: 5 to 8 are foreigners' numbers, odd ones are men's.
_CENTURIES: Final = {
    "9": 1800, "0": 1800, "1": 1900, "2": 1900, "3": 2000, "4": 2000,
    "5": 1900, "6": 1900, "7": 2000, "8": 2000,
}  # fmt: skip
_WEIGHTS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def read_number(given: str, *, birth_date: date, sex: str) -> str:
    """The thirteen digits. Refuses what can be nobody's number, or not this person's."""
    found = _FORM.fullmatch(given.strip())
    if found is None:
        raise Invalid("thirteen digits are needed", code="rrn_invalid", field="rrn")
    number = "".join(found.groups())
    born = _born(number)
    require(born is not None, "no such birth date", code="rrn_invalid", field="rrn")
    require(
        born == birth_date,
        "not of this birth date",
        code="rrn_birth_date_mismatch",
        field="rrn",
    )
    require(
        sex not in ("female", "male") or sex == _sex(number),
        "not of this sex",
        code="rrn_sex_mismatch",
        field="rrn",
    )
    return number


def names_one(words: str) -> bool:
    """Whether words hold what looks like a number: six digits of a birth date, and seven more.

    Digits of full width, and dashes of any length, are read as well.
    """
    plain = unicodedata.normalize("NFKC", words)
    return any(_born("".join(found)) is not None for found in _WITHIN.findall(plain))


def has_checksum(number: str) -> bool:
    """Whether the last digit checks the others, as it does in numbers from before October 2020.

    Foreigners' numbers add two.
    """
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    extra = 2 if number[6] in "5678" else 0
    return ((11 - total % 11) + extra) % 10 == int(number[12])


def written(number: str) -> str:
    """As it is written: six digits, a dash, seven."""
    return f"{number[:6]}-{number[6:]}"


def _born(number: str) -> date | None:
    year, month, day = int(number[:2]), int(number[2:4]), int(number[4:6])
    try:
        return date(_CENTURIES[number[6]] + year, month, day)
    except ValueError:
        return None


def _sex(number: str) -> str:
    return "male" if int(number[6]) % 2 else "female"
