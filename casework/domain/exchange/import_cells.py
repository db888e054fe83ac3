"""What stands in the cells of a sheet, read as it was meant: dates, telephones, words, numbers.

A cell that cannot be parsed keeps its text, so that the field's validation states what it must be;
it is refused here only where that would hide the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from casework.domain.errors import Invalid
from casework.domain.text import clean_line, clean_text

# Excel counts days from here; its own slip, a 29 February 1900, is over before anybody was born.
EXCEL_EPOCH: Final = date(1899, 12, 30)
FIRST_SERIAL, LAST_SERIAL = 3_000, 80_000
MAX_CELL_LENGTH: Final = 4_000
_DATE: Final = re.compile(
    r"(\d{4})\s*(?:[./-]|년)\s*(\d{1,2})\s*(?:[./-]|월)\s*(\d{1,2})\s*(?:[.]|일)?"
    r"(?:[T\s]+0{1,2}:00(?::00(?:\.0+)?)?)?"
)
_EIGHT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
# Numbers of Korea without their leading zero: Seoul, the other areas, mobiles, internet, safe ones.
_LOST_ZERO: Final = re.compile(
    r"(2)(\d{3,4})(\d{4})|([3-6][1-5])(\d{3,4})(\d{4})|(1[016789])(\d{3,4})(\d{4})"
    r"|(70|80)(\d{3,4})(\d{4})|(50\d)(\d{3,4})(\d{4})"
)


def plain(text: str) -> str | None:
    """A cell's text, cleaned; None where nothing is left."""
    return clean_text(text) or None


def day(text: str) -> str:
    """``YYYY-MM-DD`` of a day however a sheet writes it, Excel's count of days among them."""
    match = _DATE.fullmatch(text) or _EIGHT.fullmatch(text)
    if match is not None:
        year, month, of_month = map(int, match.groups())
        return _checked(year, month, of_month)
    if text.isdecimal() and text.isascii() and FIRST_SERIAL <= int(text) <= LAST_SERIAL:
        return (EXCEL_EPOCH + timedelta(days=int(text))).isoformat()
    raise _unreadable()


def _checked(year: int, month: int, of_month: int) -> str:
    try:
        return date(year, month, of_month).isoformat()
    except ValueError:
        raise _unreadable() from None


def _unreadable() -> Invalid:
    return Invalid("a day such as 2026-03-27 or 2026.3.27.", code="date_unreadable")


def phone(text: str) -> str:
    """A telephone number; one that a sheet took for a number gets its zero back."""
    digits = re.sub(r"[\s().-]", "", text)
    match = _LOST_ZERO.fullmatch(digits.removeprefix("82"))
    if match is None:
        return text
    area, middle, last = (part for part in match.groups() if part is not None)
    return f"0{area}-{middle}-{last}"


YES: Final = frozenset({"y", "yes", "true", "1", "o", "ㅇ", "○", "예", "네", "유", "있음", "해당"})
NO: Final = frozenset({"n", "no", "false", "0", "x", "×", "아니오", "아니요", "무", "없음"})


def yes_or_no(text: str) -> bool | str:
    """Whether a cell says yes."""
    word = text.casefold()
    return True if word in YES else False if word in NO else text


def whole(text: str) -> int | str:
    """A whole number, thousands separated or not."""
    bare = text.replace(",", "")
    return int(bare) if re.fullmatch(r"-?\d{1,9}", bare, re.ASCII) else text


def amount(text: str) -> Decimal | str:
    """A quantity, thousands separated or not."""
    bare = text.replace(",", "")
    return Decimal(bare) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", bare, re.ASCII) else text


def lines(text: str) -> list[str]:
    """The lines of a cell that holds more than one, or what stands between semicolons."""
    return [part for one in re.split(r"[;\n]", text) if (part := one.strip())]


def degrees(text: str) -> float | str:
    """A number with a decimal point."""
    return float(text) if re.fullmatch(r"-?\d{1,3}(\.\d{1,20})?", text, re.ASCII) else text


def several(text: str) -> list[str]:
    """The parts of a cell that holds more than one."""
    return [part for one in re.split(r"[,;/|\n]", text) if (part := one.strip())]


def text(given: str) -> str:
    """As it stands."""
    return given


def code(given: str) -> str:
    """A code: a number that a sheet padded or a text, without blanks."""
    return "".join(given.split())


def word(meanings: Mapping[str, str]) -> Callable[[str], str]:
    """What reads one of the words for a code, or the code itself."""
    known = {squeezed(said): meant for said, meant in meanings.items()}

    def read(given: str) -> str:
        return known.get(squeezed(given), given.strip().casefold())

    return read


def squeezed(said: str) -> str:
    """Words as they are compared: composed, small, no blanks, no signs, nothing in brackets."""
    bare = re.sub(r"[(\[（［].*?[)\]）］]", "", clean_line(said))
    return re.sub(r"[\s_*·./:-]", "", bare).casefold()


Reader = Callable[[str], Any]
