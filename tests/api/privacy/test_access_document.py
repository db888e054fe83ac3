"""The answer to an access request contains all data held on a resident, table by table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import event

from casework.adapters.persistence import tables as t
from casework.domain.agencies.rosters import DeliveryReport
from tests.api import acts
from tests.api.cases.test_correcting import WHY
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.duplicates.test_merging import merge, undo
from tests.api.duplicates.test_merging_tables import (
    OTHER_WAY,
    WAY,
    a_full_life,
    says,
    tables_with,
    writes_way_in,
)
from tests.api.privacy.test_access_requests import CHECKED, RECEIVED

LEFT_OUT: Final = {
    "deadline": "when an office has to act, worked out from what is told of the case",
    "break_glass": "who opened the file from elsewhere stands under who looked",
    "duplicate_check": "that a record is still to be compared with others; nothing about anybody",
    "duplicate_suspicion": "a guess that two records are of one person, and so about another",
    "figure_change": "that numbers are to be counted again; nothing about anybody",
    "import_row": "what a file brought stands where it was written; the row tells how that went",
}


def page_of(api: Api, resident: UUID, language: str = "ko", by: str = WORKER) -> str:
    """The printed answer to a resident's access request."""
    worker = api.as_(by)
    made = worker.post(f"/residents/{resident}/access-requests", RECEIVED | CHECKED)
    path = f"/access-requests/{made.json()['id']}/document"
    answer = worker.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def section(page: str, title: str) -> str:
    """The content under a heading, up to the next one."""
    return page.split(f"<h2>{title}</h2>")[1].split("<h2>")[0]


@contextmanager
def looked_into(api: Api) -> Iterator[set[str]]:
    """The tables read inside the block."""
    found: set[str] = set()

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        found.update(re.findall(r"(?:FROM|JOIN) (\w+)", statement))

    event.listen(api.application.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(api.application.engine, "before_cursor_execute", note)


def test_every_table_of_a_resident_is_in_the_answer_or_left_out_for_a_reason(api: Api) -> None:
    life = a_full_life(api)
    of_residents = {table.name for table in t.metadata.sorted_tables if "resident_id" in table.c}
    assert set(LEFT_OUT) <= of_residents
    in_it = of_residents - set(LEFT_OUT)
    assert tables_with(api, life.resident) >= in_it, "a table of which nothing is shown here"
    with api.context(WORKER).reading("resident.export") as reading, looked_into(api) as found:
        reading.held(life.resident)
    assert found >= in_it


def test_what_was_delivered_and_how_to_get_in_is_told_in_both_languages(api: Api) -> None:
    life = a_full_life(api)
    said = DeliveryReport(delivered=Decimal(9), reason="hospitalised", note="20일부터 <가상병원>")
    says(api, life.referral, said)
    korean, english = (page_of(api, life.resident, language) for language in ("ko", "en"))
    assert WAY in section(korean, "출입 방법")
    assert WAY in section(english, "How to get into your home")
    asked = section(korean, "의뢰와 제공 항목")
    told = asked[asked.index("<h3>월별 제공 실적</h3>") :]
    assert told.index("2026-03") > 0
    rows = dict(re.findall(r"<th>([^<]*)</th><td>([^<]*)</td>", told))
    assert {"해당 월": "2026-03", "계획 수량": "13", "제공 수량": "9", "사유": "입원",
            "설명": "20일부터 &lt;가상병원&gt;"}.items() <= rows.items()  # fmt: skip
    told = english[english.index("<h3>What was delivered, by month</h3>") :]
    rows = dict(re.findall(r"<th>([^<]*)</th><td>([^<]*)</td>", told))
    assert {"month": "2026-03", "planned": "13", "delivered": "9", "reason": "in hospital"
            }.items() <= rows.items()  # fmt: skip
    assert "2026-03-03 10:00" in section(korean, "가구")


def test_what_was_corrected_is_told_with_what_it_was_before(api: Api) -> None:
    life = a_full_life(api)
    told = section(page_of(api, life.resident), "정정 이력")
    rows = dict(re.findall(r"<th>([^<]*)</th><td>([^<]*)</td>", told))
    assert {"정정 대상": "사례", "정정 전": "신청 경로: 본인", "사유": WHY}.items() <= rows.items()
    told = section(page_of(api, life.resident, "en"), "What was corrected")
    rows = dict(re.findall(r"<th>([^<]*)</th><td>([^<]*)</td>", told))
    assert (rows["what it said before"], rows["reason"]) == ("channel: resident", WHY)


@pytest.mark.both_stores
def test_what_was_entered_in_error_or_taken_back_is_told_as_that(api: Api) -> None:
    life = a_full_life(api)
    case = api.as_(SUPERVISOR).get(f"/referrals/{life.referral}").json()["case_id"]
    shown = api.as_(SUPERVISOR).get(f"/cases/{case}").json()
    check = f"/checks/{shown['checks'][-1]['id']}/enter-in-error"
    assert api.as_(SUPERVISOR).post(check, {"reason": "다른 분의 점검"}).status_code == 200
    note = {"kind": "call", "text": "손잡이", "come_back_on": "2026-12-31"}
    path = f"/residents/{life.resident}/notes"
    made = api.as_(WORKER).post(path, note).json()["id"]
    assert api.as_(WORKER).post(f"/notes/{made}/answer", {"text": "달았음"}).status_code == 200
    back = api.as_(WORKER).post(f"/notes/{made}/answer/undo", {"reason": "다른 댁이었음"})
    assert back.status_code == 200, back.text
    korean, english = (page_of(api, life.resident, language) for language in ("ko", "en"))
    told = section(korean, "점검")
    assert "<th>오류 입력 처리 일시</th>" in told
    assert "<th>오류 입력 사유</th><td>다른 분의 점검</td>" in told
    assert "<th>why entered in error</th><td>다른 분의 점검</td>" in section(english, "Checks")
    for page, label in ((korean, "취소된 응답"), (english, "answers taken back")):
        (told,) = re.findall(f"<th>{label}</th><td>(.*?)</td>", page)
        assert "달았음" in told
        assert "다른 댁이었음" in told
        assert str(api.id_of(WORKER)) not in told  # who of the staff stands by office elsewhere


def test_nothing_delivered_and_no_way_in_is_said_to_be_nothing(api: Api) -> None:
    supported = acts.a_supported_case(api)
    acts.a_referral(api, supported)
    page = page_of(api, supported.resident)
    for title in ("출입 방법", "가구", "병합된 이전 기록", "그 밖의 열람 요구"):
        assert "보유한 내용이 없습니다." in section(page, title), title
    assert "월별 제공 실적" not in page


def test_after_a_merge_the_answer_has_what_both_records_held(api: Api) -> None:
    survivor, life = acts.a_resident(api, name="가상본인"), a_full_life(api)
    api.as_(PROVIDER).get(f"/referrals/{life.referral}")
    other = str(api.as_(WORKER).get(f"/residents/{life.resident}").json()["name"])
    writes_way_in(api, survivor, OTHER_WAY)
    merge_id = merge(api, survivor, life.resident)
    for asked in (survivor, life.resident):
        page = page_of(api, asked)
        assert "가상본인" in section(page, "기본 정보")
        assert other in section(page, "병합된 이전 기록")
        assert {WAY in page, OTHER_WAY in page} == {True}
        assert "월별 제공 실적" in page
        assert "ResidentRegistered" in section(page, "처리 이력")
        assert section(page, "처리 이력").count("ResidentRegistered") == 2
        assert "제공기관" in section(page, "접속기록")
    undo(api, merge_id)
    page = page_of(api, survivor, by=SUPERVISOR)
    for theirs in (other, WAY, "월별 제공 실적"):
        assert theirs not in page
    assert OTHER_WAY in page
