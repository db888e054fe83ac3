"""Residents are found by part of a name, initial consonants, last digits and number of a case."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from casework.domain.casefile.case_numbers import read_case_number
from tests.api import acts
from tests.api.asking import refusal
from tests.api.conftest import (
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)


def found(api: Api, by: str = WORKER, **wanted: str) -> list[dict[str, Any]]:
    answer = api.as_(by).post("/residents/search", wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def ids(api: Api, by: str = WORKER, **wanted: str) -> list[str]:
    return [one["id"] for one in found(api, by, **wanted)]


def test_a_name_is_found_by_any_part_and_by_its_initial_consonants(api: Api) -> None:
    sook = str(acts.a_resident(api, name=unicodedata.normalize("NFD", "강 가상숙")))
    latin = str(acts.a_resident(api, name="Nguyen Thi Gasang", birth_date=date(1950, 1, 2)))
    acts.a_resident(api, NEIGHBOUR, name="강가상숙", birth_date=date(1951, 1, 2))
    for given in ("강가상숙", "가상숙", "상숙", "강가", unicodedata.normalize("NFD", "가상"),
                  "강\u200b가상 숙", "ㄱㄱㅅㅅ", "ㄱㅅㅅ", "ㄳ", "\u1100\u1109\u1109"):  # fmt: skip
        assert ids(api, name=given) == [sook], given
        assert ids(api, STRANGER, name=given) == []
    for given in ("gasang", "THI ga", "ＮＧＵＹＥＮ"):
        assert ids(api, name=given) == [latin], given
    for given in ("숙", "ㅅ", "강_상", "강%", "숙가"):
        assert ids(api, name=given) == [], given
    assert len(ids(api, SUPERVISOR, name="ㄱㄱㅅㅅ")) == 2
    assert ids(api, SUPERVISOR, name="상숙", birth_date="1951-01-02", centre_code=HERE) == []


def test_a_name_is_found_by_syllables_and_initial_consonants_mixed(api: Api) -> None:
    young = str(acts.a_resident(api, name="김영수"))
    other = str(acts.a_resident(api, name="김 인식", birth_date=date(1950, 1, 2)))
    acts.a_resident(api, name="김강일수", birth_date=date(1951, 1, 2))
    acts.a_resident(api, name="박영수", birth_date=date(1952, 1, 2))
    assert sorted(ids(api, name="김ㅇㅅ")) == sorted([young, other])
    for given in ("김영ㅅ", "ㄱ영수", "김 영 ㅅ", unicodedata.normalize("NFD", "김영ㅅ"),
                  "ㄱ영\u1109"):  # fmt: skip
        assert ids(api, name=given) == [young], given
    for given in ("박ㅇㅇ", "김ㅇ.", "김[ㅇ", "김ㅇ(", "ㅇ*김", "김%ㅅ", "수ㄱ"):
        assert ids(api, name=given) == [], given
    assert ids(api, STRANGER, name="김ㅇㅅ") == []


def test_cases_are_listed_by_their_number(api: Api) -> None:
    case, other = acts.a_case(api), acts.a_case(api)
    number = acts.number_of(api, case)
    worker = api.as_(WORKER)

    def listed(by: str = WORKER, **wanted: str) -> list[str]:
        return [one["id"] for one in api.as_(by).items("/cases", **wanted)]

    assert listed() == [str(other), str(case)]
    for written in (number, number.replace("-", ""), number.replace("-", " ")):
        assert listed(number=written) == [str(case)]
    assert listed(number=number, status="closed") == []
    assert listed(NEIGHBOUR, number=number) == []
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    for given in (wrong, "", "김영수", "0" * 40):
        answer = worker.get("/cases", params={"number": given})
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["errors"]] == ["number"]
    assert worker.get("/cases", params={"number": wrong}).json()["code"] == "case_number_invalid"


def test_a_telephone_is_found_by_its_last_four_digits(api: Api) -> None:
    own = str(acts.a_resident(api, phone="+82 10-1234-5678"))
    given = {"name": "가상이", "birth_date": "1940-05-09", "sex": "female", "centre_code": HERE,
             "contacts": [{"name": "가상딸", "relation": "daughter",
                           "phone": "051-999-5678"}]}  # fmt: skip
    daughter = api.as_(WORKER).post("/residents", given).json()["id"]
    assert sorted(ids(api, phone="5678")) == sorted([own, daughter])
    assert ids(api, phone="010 1234 5678") == [own]
    assert ids(api, phone="1234") == []
    assert ids(api, STRANGER, phone="5678") == []
    short = api.as_(WORKER).post("/residents/search", {"phone": "678"})
    assert short.status_code == 422


def test_a_case_is_known_by_a_number_that_stays_when_it_moves(api: Api) -> None:
    resident = acts.a_resident(api)
    case = acts.a_case(api, resident=resident)
    worker = api.as_(WORKER)
    number = worker.get(f"/cases/{case}").json()["number"]
    assert number == read_case_number(number)
    district, year, running, _ = number.split("-")
    assert (district, year, running) == (api.actor(SUPERVISOR).district_code, "26", "00001")
    (row,) = worker.items("/cases")
    (listed,) = found(api, case_number=number.replace("-", " "))
    assert row["number"] == listed["open_case"]["number"] == number
    assert worker.get(f"/residents/{resident}").json()["cases"][0]["number"] == number
    assert {item["case_number"] for item in worker.items("/worklist")} == {number}
    assert ids(api, STRANGER, case_number=number) == []
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    answer = worker.post("/residents/search", {"case_number": wrong})
    assert refusal(answer) == (422, "case_number_invalid")
    there = {"centre_code": NEXT_DOOR, "reason": "이사"}
    moved = api.as_(SUPERVISOR).post(f"/cases/{case}/transfer", there)
    assert moved.status_code == 200, moved.text
    assert moved.json()["number"] == number
    assert ids(api, NEIGHBOUR, case_number=number) == [str(resident)]
    assert ids(api, case_number=number) == []


def test_cases_that_are_opened_at_once_have_one_number_each(api: Api) -> None:
    residents = [
        acts.a_resident(api, name=f"가상{n}", birth_date=date(1940, 1, 1 + n)) for n in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        cases = list(pool.map(lambda one: acts.a_case(api, resident=one), residents))
    worker = api.as_(WORKER)
    numbers = [worker.get(f"/cases/{case}").json()["number"] for case in cases]
    assert sorted(int(one.split("-")[2]) for one in numbers) == list(range(1, 9))
