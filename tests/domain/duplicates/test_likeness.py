"""When two records may be of one person."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from casework.adapters.names import similarity
from casework.domain.duplicates.likeness import (
    NEAR,
    REFUSES,
    SUSPICIOUS,
    DuplicateCandidate,
    Likeness,
    LikenessReason,
    equal,
    is_near,
    likely,
    near_dates,
    ordered,
    reasons,
)
from casework.domain.residents.names import name_key
from casework.domain.residents.resident import Resident
from tests.factories.town import seoul

BORN = date(1941, 3, 5)
ONE = Likeness(name="김영숙", birth_date=BORN, phone=None, district_code="26350")


def why(*, similarity=similarity, mine=ONE, **other) -> set[str]:
    return {str(reason) for reason in reasons(mine, replace(mine, **other), similarity)}


@pytest.mark.parametrize("name", ["김영순", "김명숙", "감영숙", "김영수", "김연숙"])
def test_a_letter_tells_near_names_apart(name):
    assert why(name=name) == {"near_name"}


@pytest.mark.parametrize("name", ["김순자", "이영숙자", "박영순", "김영", "숙영김"])
def test_two_letters_or_more_are_another_name(name):
    assert why(name=name) == set()


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("이미자", "이미지", True),  # five letters of six
        ("남궁옥분", "남궁옥본", True),
        ("이오", "이아", False),  # three of four
        ("김훈", "김흔", True),
        ("김영숙", "김 영숙", True),
        ("김영숙", "KIM YOUNGSOOK", False),
        ("KIM YOUNGSOOK", "KIM YOUNGSOOL", False),
        ("金英淑", "金英順", False),
        ("", "", False),
    ],
)
def test_names_in_hangul_are_near_by_the_share_of_their_letters(one, other, near):
    assert is_near(one, other, similarity) is near
    assert is_near(other, one, similarity) is near


def test_a_letter_at_the_head_is_not_the_same_at_the_foot():
    assert not is_near("각나", "가간", similarity)


def test_how_near_is_near_has_its_bound():
    assert is_near("가나", "다라", lambda *_: NEAR)
    assert not is_near("가나", "다라", lambda *_: NEAR - 0.001)


@pytest.mark.parametrize("name", ["김 영숙", " 김영숙 ", "김\u3000영숙", "김영숙"])
def test_blanks_and_composition_make_no_other_name(name):
    assert why(name=name) == {"same_name_and_birth_date"}


def test_capitals_make_no_other_name():
    assert name_key("Kim  Young-Sook") == name_key("KIM YOUNG-SOOK")
    latin = replace(ONE, name="Kim Young-Sook")
    assert why(mine=latin, name="KIM YOUNG-SOOK") == {"same_name_and_birth_date"}


@pytest.mark.parametrize(
    "born",
    [
        date(1941, 5, 3),  # month and day exchanged
        date(1941, 3, 6), date(1941, 3, 15), date(1941, 2, 5), date(1931, 3, 5), date(1940, 3, 5),
        date(1914, 3, 5),  # neighbours exchanged
    ],
)  # fmt: skip
def test_a_slip_in_the_birth_date_is_near_where_the_name_is_the_same(born):
    assert why(birth_date=born) == {"near_birth_date"}
    assert why(birth_date=born, name="김영순") == set()


@pytest.mark.parametrize("born", [date(1941, 4, 6), date(1952, 3, 5), date(1941, 12, 5)])
def test_two_slips_are_another_day(born):
    assert why(birth_date=born) == set()


def test_near_dates_are_real_near_both_ways_and_never_the_day_itself():
    for day in (BORN, date(1940, 2, 29), date(1999, 12, 31), date(1890, 1, 1), date(2011, 11, 11)):
        near = near_dates(day)
        assert day not in near
        assert len(near) < 60
        assert all(day in near_dates(other) for other in near)
        assert all(1890 <= other.year <= 2100 for other in near)


def test_a_telephone_is_a_reason_with_the_name_and_else_a_hint():
    mine = replace(ONE, phone="010-1234-5678")
    there = {"birth_date": date(1960, 1, 1), "phone": "+82 10 1234 5678"}
    assert why(mine=mine, **there) == {"same_name_and_phone"}
    assert why(mine=mine, **there, name="박철수") == {"same_phone"}
    assert why(mine=mine, name="김영순") == {"near_name", "same_phone"}
    for empty in (None, ""):
        assert why(mine=replace(ONE, phone=empty), birth_date=date(1960, 1, 1)) == set()


def test_the_same_number_is_the_same_person_whatever_else_is_written():
    other = replace(ONE, name="다른이", birth_date=date(1960, 1, 1))
    assert reasons(ONE, other, similarity, same_number=True) == (LikenessReason.SAME_NUMBER,)
    assert reasons(ONE, other, similarity) == ()
    assert reasons(ONE, ONE, similarity, same_number=True) == (
        LikenessReason.SAME_NUMBER, LikenessReason.SAME_NAME_AND_BIRTH_DATE,
    )  # fmt: skip


def test_without_a_measure_only_the_same_name_is_near():
    assert why(similarity=equal, name="김영순") == set()
    assert equal("가", "가") == 1.0


def test_what_refuses_is_strict_and_a_telephone_alone_is_nobodys_suspicion():
    assert {LikenessReason.SAME_NUMBER, LikenessReason.SAME_NAME_AND_BIRTH_DATE} == REFUSES
    assert set(LikenessReason) - SUSPICIOUS == {LikenessReason.SAME_PHONE}


def test_the_strictest_comes_first_and_strangers_are_left_out():
    def resident(id, **facts):
        usual: dict[str, Any] = {
            "name": "김영숙", "birth_date": BORN, "sex": "female", "centre_code": "1",
            "district_code": "2", "registered_at": seoul("2026-03-02"), "registered_by": None,
        }  # fmt: skip
        return Resident(id=UUID(int=id), **(usual | facts))

    near, same = resident(1, name="김영순"), resident(2)
    stranger, day = resident(3, name="박철수"), resident(4, birth_date=date(1941, 5, 3))
    others = [DuplicateCandidate(one) for one in (stranger, day, near, same)]
    found = likely(ONE, [*others, DuplicateCandidate(resident(9, name="다른이"), True)], similarity)
    assert [alike.resident.id.int for alike in found] == [9, 2, 1, 4]
    assert [alike.refuses for alike in found] == [True, True, False, False]
    assert all(alike.is_suspicious for alike in found)


def test_a_pair_is_written_with_the_lower_id_first():
    low, high = UUID(int=1), UUID(int=2)
    assert ordered(high, low) == ordered(low, high) == (low, high)
