"""A further row of a case that says something else is refused, and no word of it is dropped."""

from __future__ import annotations

from typing import Final

import pytest

from casework.adapters.persistence import tables as t
from tests.api.conftest import COLLEAGUE, Api
from tests.api.exchange.test_imports import told
from tests.api.exchange.test_taking_over import (
    CHECKED,
    OUT_OF,
    SECOND_SERVICE,
    count,
    known,
    taken,
    the_case,
)

NOBODY_ASKED: Final = dict.fromkeys(("기관코드", "의뢰상태", "의뢰일", "회신일", "개시일"), "")
FULL: Final = CHECKED | {
    "신청경로": "기관", "동의일": "2026.3.26.", "동의자": "가상가족", "긴급여부": "예",
    "긴급사유": "혼자 쓰러짐", "사전조사일": "2026.3.30.", "종합판정일": "2026.4.10.",
    "판정": "통합돌봄", "목표": "집에서", "의견청취일": "2026.4.1.", "의견청취대상": "본인",
    "통지받은사람": "본인", "다음점검일": "2026.11.30.", "점검내용": "잘 지내심",
    "기존사례번호": "2025-0417",
}  # fmt: skip
OTHER_WORDS: Final = {
    "channel": {"신청경로": "공단"},
    "applied_on": {"신청일": "2026.3.28."},
    "consent_given_on": {"동의일": "2026.3.25."},
    "consent_given_by": {"동의자": "다른가족"},
    "urgent_reason": {"긴급사유": "다른 사유"},
    "surveyed_on": {"사전조사일": "2026.3.31."},
    "determined_on": {"종합판정일": "2026.4.11."},
    "determination": {"판정": "장기요양"},
    "approved_on": {"계획승인일": "2026.4.16."},
    "goals": {"목표": "다른 목표"},
    "heard_on": {"의견청취일": "2026.4.2."},
    "heard_from": {"의견청취대상": "가족"},
    "notified_on": {"계획통지일": "2026.4.21."},
    "notified_to": {"통지받은사람": "가족"},
    "first_checked_on": {"최초점검일": "2026.7.9."},
    "last_checked_on": {"최근점검일": "2026.8.30."},
    "next_check_on": {"다음점검일": "2026.12.1."},
    "findings": {"점검내용": "다른 내용"},
    "former_number": {"기존사례번호": "2025-0418"},
    "worker": {"담당자": COLLEAGUE},
}
LEFT_OUT: Final = dict.fromkeys(
    (
        "동의일", "동의자", "사전조사일", "종합판정일", "판정", "목표", "의견청취일",
        "의견청취대상", "계획통지일", "통지받은사람", "최초점검일", "최근점검일", "다음점검일",
        "점검내용", "기존사례번호", "담당자",
    ),
    "",
)  # fmt: skip


def test_each_column_of_the_case_that_says_otherwise_is_named(api: Api) -> None:
    known(api)
    again = FULL | SECOND_SERVICE
    first, *others = taken(api, FULL, *(again | words for words in OTHER_WORDS.values()))
    assert (first["outcome"], told(first)) == ("accepted", [])
    assert [told(row) for row in others] == [
        [(field, "taken_over_otherwise")] for field in OTHER_WORDS
    ]
    assert {row["outcome"] for row in others} == {"refused"}
    assert count(api, t.planned_service) == 1
    # The same words, or none at all, go with it.
    assert told(taken(api, again | LEFT_OUT)[0]) == []
    assert len(the_case(api)["referrals"]) == 2


def test_a_word_where_the_first_row_had_none_is_refused_too(api: Api) -> None:
    known(api)
    taken(api, {"계획통지일": "", "담당자": ""})
    for field, word in (
        ("surveyed_on", {"사전조사일": "2026.3.30."}),
        ("goals", {"목표": "집에서"}),
        ("notified_on", {"계획통지일": "2026.4.20."}),
        ("first_checked_on", {"최초점검일": "2026.7.10."}),
        ("former_number", {"기존사례번호": "2025-0417"}),
        ("worker", {"담당자": OUT_OF["담당자"]}),
    ):
        row = SECOND_SERVICE | {"계획통지일": "", "담당자": ""} | word
        assert told(taken(api, row)[0]) == [(field, "taken_over_otherwise")]


@pytest.mark.parametrize(
    ("first", "put_right", "field"),
    [
        ({}, {"시작일": "2026.4.21."}, "starts_on"),
        (NOBODY_ASKED, {}, "agency"),
        ({"기관코드": "beta"}, {}, "agency"),
        ({}, NOBODY_ASKED, "agency"),
        # The last day of the one is the first of the other, or the day before it.
        ({"종료일": "2026.9.30."}, {"시작일": "2026.9.30."}, "starts_on"),
        ({"종료일": "2026.9.30."}, {"시작일": "2026.10.1."}, None),
        # Lunch of one agency, supper of another.
        ({}, {"기관코드": "beta", "서비스내용": "저녁"}, None),
        ({}, {"기관코드": "beta", "서비스내용": ""}, "agency"),
    ],
)
def test_a_row_put_right_and_sent_again_is_no_second_service(
    api: Api, first: dict[str, str], put_right: dict[str, str], field: str | None
) -> None:
    known(api)
    assert told(taken(api, first)[0]) == []
    (row,) = taken(api, put_right)
    assert told(row) == ([(field, "taken_over_otherwise")] if field else [])
    assert count(api, t.planned_service) == (1 if field else 2)
