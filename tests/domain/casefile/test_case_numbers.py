"""The number of a case is said on the telephone, so its check digit finds what was misheard."""

from __future__ import annotations

from itertools import pairwise

import pytest

from casework.domain.casefile.case_numbers import case_number, read_case_number
from casework.domain.errors import Invalid

NUMBER = "26350-26-00417-8"


def test_a_number_is_district_year_running_number_and_check_digit() -> None:
    assert case_number("26350", 2026, 417) == NUMBER
    assert case_number("26350", 2026, 123456).startswith("26350-26-123456-")


@pytest.mark.parametrize("given", [NUMBER, NUMBER.replace("-", ""), NUMBER.replace("-", " ")])
def test_a_number_is_read_however_it_is_divided(given: str) -> None:
    assert read_case_number(given) == NUMBER


def test_any_wrong_digit_and_any_exchanged_neighbours_are_found() -> None:
    digits = NUMBER.replace("-", "")
    slips = {
        digits[:at] + wrong + digits[at + 1 :]
        for at in range(len(digits))
        for wrong in "0123456789"
    }
    slips |= {
        digits[:at] + two + one + digits[at + 2 :] for at, (one, two) in enumerate(pairwise(digits))
    }
    for slip in slips - {digits}:
        with pytest.raises(Invalid, match="digit may be wrong"):
            read_case_number(slip)


@pytest.mark.parametrize("given", ["", "26350", "26350-26-417-8", "2635A-26-00417-8", f"{NUMBER}1"])
def test_what_has_another_form_is_no_number(given: str) -> None:
    with pytest.raises(Invalid):
        read_case_number(given)
