"""Names and telephones are found however they are written."""

from __future__ import annotations

import re
import unicodedata

import pytest

from casework.domain.residents.names import (
    digits_of,
    initials_of,
    last_digits_of,
    name_key,
    wanted_initials,
    wanted_mixture,
)


@pytest.mark.parametrize(
    "written",
    ["김영숙", " 김 영숙 ", unicodedata.normalize("NFD", "김영숙"), "김\u200b영\u3164숙"],
)
def test_a_name_is_the_same_in_every_normal_form_and_with_any_blanks(written: str) -> None:
    assert name_key(written) == "김영숙"


def test_a_name_is_the_same_in_capitals_and_in_full_width() -> None:
    assert name_key("Kim Young-Sook") == name_key("ＫＩＭ　YOUNG-SOOK") == "kimyoung-sook"


def test_syllables_have_the_consonants_they_begin_with() -> None:
    assert initials_of("김영숙") == "ㄱㅇㅅ"
    assert initials_of("깡뚱 빼쌍쯔") == "ㄲㄸㅃㅆㅉ"
    assert initials_of("가힣 kim") == "ㄱㅎkim"


@pytest.mark.parametrize(
    ("given", "initials"),
    [
        ("ㄱㅇㅅ", "ㄱㅇㅅ"),
        ("ㄱ ㅇ ㅅ", "ㄱㅇㅅ"),
        ("\u1100\u110b\u1109", "ㄱㅇㅅ"),  # as one keyboard writes them
        ("ㄳ", "ㄱㅅ"),  # as another joins them
        ("ㅄ", "ㅂㅅ"),
        ("ㄸ", "ㄸ"),
        ("김ㅇㅅ", None),
        ("ㅏㅣ", None),
        ("", None),
    ],
)
def test_initial_consonants_are_known_however_they_are_typed(
    given: str, initials: str | None
) -> None:
    assert wanted_initials(given) == initials


@pytest.mark.parametrize(
    ("given", "fits", "not_"),
    [
        ("김ㅇㅅ", ["김영수", "강김인식"], ["김수영", "박영수", "김강일수"]),
        ("ㄱ영ㅅ", ["김영수", "강영숙"], ["김용수", "영수김"]),
        ("영ㅅ", ["김영수"], ["김수영", "영가수"]),
        ("김 ㅇ ㅅ", ["김영수"], ["김수영"]),
        ("김\u110b\u1109", ["김영수"], ["김수영"]),
        ("기ㄳ", ["기감산"], ["긳", "기산감"]),
        ("김ㅎ", ["김힣"], ["김나"]),
        ("kim ㅇ", ["kim영"], ["kim"]),
        ("김.ㅇ", ["김.영"], ["김가영"]),
    ],
)
def test_syllables_and_initial_consonants_are_found_in_their_places(
    given: str, fits: list[str], not_: list[str]
) -> None:
    mixture = wanted_mixture(given)
    assert mixture is not None
    initials, pattern = mixture
    for name in fits:
        assert initials in initials_of(name)
        assert re.search(pattern, name_key(name)), name
    assert [name for name in not_ if re.search(pattern, name_key(name))] == []


@pytest.mark.parametrize("given", ["김영수", "ㄱㅇㅅ", "ㄱ", "", "kim [a-z]", "ㅏ김"])
def test_what_is_no_mixture_is_none(given: str) -> None:
    assert wanted_mixture(given) is None


@pytest.mark.parametrize(
    ("phone", "last"),
    [("010-1234-5678", "5678"), ("+82 10 1234 5678", "5678"), ("119", None), (None, None)],
)
def test_a_telephone_is_known_by_its_last_four_digits(phone: str | None, last: str | None) -> None:
    assert last_digits_of(phone) == last


def test_korea_s_code_is_a_zero_with_or_without_the_zero_in_brackets() -> None:
    assert digits_of("+82 (0)51 123 4567") == digits_of("+82 51-123-4567") == "0511234567"
