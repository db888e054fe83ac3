"""Typed text is composed, without what cannot be seen, with single blanks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.domain.text import clean_line, clean_text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  김 영숙  ", "김 영숙"),
        (unicodedata.normalize("NFD", "김영숙"), "김영숙"),
        ("김\u200b영\u200d숙\ufeff", "김영숙"),
        ("\u202e김영숙\u202c", "김영숙"),
        ("김\u3164영\u115f숙\uffa0\u2800", "김영숙"),
        ("김\u00a0\u3000\t영숙", "김 영숙"),
        ("김 \u200b 영숙", "김 영숙"),
        ("김\x07영\x1b숙\x85", "김영숙"),
        ("\u1100\u200b\u1175\u11b7", "김"),
        ("Kim\nYoung\u2028Sook", "Kim Young Sook"),
        ("Kim  Young-Sook", "Kim Young-Sook"),
    ],
)
def test_a_line_keeps_what_is_seen_of_it(typed: str, kept: str) -> None:
    assert clean_line(typed) == kept


@pytest.mark.parametrize("typed", ["", " ", "\u3164", "\u200b\u00ad", "\u3000\ufeff\t\n", "\u202e"])
def test_text_that_nobody_sees_is_no_text(typed: str) -> None:
    assert clean_line(typed) == clean_text(typed) == ""


def test_lines_stay_and_no_more_than_one_empty_one_between_them() -> None:
    assert clean_text("  첫째  줄 \r\n\r\n\n\n\u3164\n둘째\t줄\u200b\n") == "첫째 줄\n\n둘째 줄"


@pytest.mark.parametrize("typed", ["a \u200b b\n\n\nc", "\u1100\u200b\u1161", " \u3164 x \u3164 "])
def test_cleaning_again_changes_nothing(typed: str) -> None:
    assert clean_text(clean_text(typed)) == clean_text(typed)
    assert clean_line(clean_line(typed)) == clean_line(typed)


@given(st.text(max_size=20))
def test_a_line_is_cleaned_as_text_of_several_is(typed: str) -> None:
    assert clean_text(typed) == clean_text(typed + "\n")
