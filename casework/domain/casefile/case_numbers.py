"""The number of a case, which is said on the telephone: ``26350-26-00417-8``.

District, year of opening, running number within both, and a check digit (Damm's, 2004) that finds
any single wrong digit and any two neighbours that were exchanged. It stays when the case moves.
"""

from __future__ import annotations

import re
from typing import Final

from casework.domain.errors import require

_FORM: Final = re.compile(r"(\d{5})[- ]?(\d{2})[- ]?(\d{5,7})[- ]?(\d)", re.ASCII)
# A quasigroup without symmetry: the digit in the row of what was read so far.
_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def case_number(district_code: str, year: int, running: int) -> str:
    """The number of the ``running``-th case that a district opened in a year."""
    parts = (district_code, f"{year % 100:02}", f"{running:05}")
    return "-".join((*parts, _check_digit("".join(parts))))


def read_case_number(given: str, field: str = "case_number") -> str:
    """A number as it is stored, however its parts were divided. Refuses one that cannot be."""
    found = _FORM.fullmatch(given)
    parts = found.groups() if found else ()
    require(
        parts and _check_digit("".join(parts[:-1])) == parts[-1],
        "no number of a case; a digit may be wrong",
        code="case_number_invalid",
        field=field,
    )
    return "-".join(parts)


def _check_digit(digits: str) -> str:
    interim = "0"
    for digit in digits:
        interim = _DAMM[int(interim)][int(digit)]
    return interim
