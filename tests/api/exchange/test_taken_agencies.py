"""Taking over keeps to the rules of sending: no stranger is told, no agency is gone."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from tests.api.asking import everything
from tests.api.conftest import WORKER, Api
from tests.api.directory.test_ending_agencies import designated, ends
from tests.api.exchange.test_imports import told
from tests.api.exchange.test_taking_over import known, taken, the_case

FAR: Final = {"기관코드": "gamma"}
COMPLETED: Final = {"의뢰상태": "완료", "종결구분": "계획대로", "종결일": "2026.8.15."}
WAITING: Final = {"의뢰상태": "의뢰됨", "회신일": "", "개시일": "", "의뢰일": "2026.8.15."}
VISITS: Final = {"서비스코드": "MED-VISIT", "단위": "visit"}


def test_an_agency_of_elsewhere_is_taken_over_only_with_the_reason_why(api: Api) -> None:
    known(api)
    before = everything(api)
    (row,) = taken(api, FAR, dry_run="true")
    assert (row["outcome"], told(row)) == ("refused", [("outside_area_reason", "outside_area")])
    assert told(taken(api, FAR | {"지역밖사유": " "})[0]) == told(row)
    # Nor is an ended request one that it might read.
    assert told(taken(api, FAR | COMPLETED)[0]) == told(row)
    assert everything(api)["care_case"] == before["care_case"] == []
    (row,) = taken(api, FAR | {"지역밖사유": "가까운 기관이 없음"})
    assert (row["outcome"], told(row)) == ("accepted", [])
    (referral,) = the_case(api)["referrals"]
    shown = api.as_(WORKER).get(f"/referrals/{referral['id']}").json()
    assert shown["outside_area_reason"] == "가까운 기관이 없음"


@pytest.mark.parametrize(
    ("row", "last_day", "is_refused"),
    [
        # It runs today, 1 September.
        ({}, date(2026, 8, 31), True),
        ({}, date(2026, 9, 1), False),
        # It begins on 2 September.
        ({"시작일": "2026.9.2."}, date(2026, 9, 1), True),
        ({"시작일": "2026.9.2."}, date(2026, 9, 2), False),
        # It was asked on 15 August, and is still to answer.
        (WAITING, date(2026, 8, 31), True),
        # It served until 15 August.
        (COMPLETED, date(2026, 8, 14), True),
        (COMPLETED, date(2026, 8, 15), False),
        # It declined what it was asked on 20 April.
        ({"의뢰상태": "거절", "사유": "정원초과", "개시일": ""}, date(2026, 4, 19), True),
        ({"의뢰상태": "거절", "사유": "정원초과", "개시일": ""}, date(2026, 4, 20), False),
    ],
)
def test_an_agency_that_ended_is_not_taken_over_for_days_after_its_last(
    api: Api, row: dict[str, str], last_day: date, is_refused: bool
) -> None:
    known(api)
    of = t.provider
    with api.engine.begin() as connection:
        connection.execute(update(of).where(of.c.slug == "alpha").values(ended_on=last_day))
    (found,) = taken(api, row)
    assert told(found) == ([("agency", "provider_ended")] if is_refused else [])


def test_an_end_that_lies_ahead_lets_it_run_until_then(api: Api) -> None:
    known(api)
    assert ends(api, date(2026, 9, 30)).status_code == 200
    assert told(taken(api, {})[0]) == []


@pytest.mark.parametrize(("last_day", "is_refused"), [("08-31", True), ("09-01", False)])
def test_a_designation_that_ended_is_not_taken_over(
    api: Api, last_day: str, is_refused: bool
) -> None:
    known(api)
    designated(api, "home_visit_15", date.fromisoformat(f"2026-{last_day}"))
    (found,) = taken(api, VISITS)
    assert told(found) == ([("agency", "designation_ended")] if is_refused else [])
