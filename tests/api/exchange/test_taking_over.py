"""Cases that ran before the system came in are taken over from files at their true days."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_resident
from tests.api.conftest import SUPERVISOR, WORKER, Api
from tests.api.exchange.test_imports import rows_of, sent, told

SECOND: Final = "T23:59:59+09:00"
AT: Final = "2026-09-01T10:00"
OUT_OF: Final = {
    "성명": "가상주민갑", "생년월일": "1941.5.6.", "담당자": WORKER, "신청경로": "본인",
    "신청일": "2026.3.27.", "계획승인일": "2026.4.17.", "계획통지일": "2026.4.20.",
    "서비스코드": "CARE-MEALS", "서비스내용": "점심", "수량": "3", "단위": "meal", "주기": "주",
    "시작일": "2026.4.20.", "종료일": "2027.4.19.", "기관코드": "alpha", "의뢰상태": "제공 중",
    "의뢰일": "2026.4.20.", "회신일": "2026.4.21.", "개시일": "2026.4.27.",
}  # fmt: skip


def csv_of(*rows: dict[str, str]) -> str:
    """A file of rows, each the usual one with its changes."""
    full = [OUT_OF | row for row in rows]
    headings = list(dict.fromkeys(name for row in full for name in row))
    lines = [[row.get(name, "") for name in headings] for row in full]
    return "\n".join(",".join(line) for line in (headings, *lines))


def known(api: Api, name: str = "가상주민갑", at: str = AT) -> None:
    """A registered resident; it is the day of taking over."""
    a_resident(api, name=name, birth_date=date(1941, 5, 6))
    api.clock.set(at)


def taken(api: Api, *rows: dict[str, str], **parts: str) -> list[dict[str, Any]]:
    """The results of the rows of a file that a supervisor sent."""
    return rows_of(api, SUPERVISOR, sent(api, SUPERVISOR, "running_cases", csv_of(*rows), **parts))


def the_case(api: Api) -> dict[str, Any]:
    """The one case, as its worker sees it."""
    (found,) = api.as_(WORKER).items("/cases")
    shown: dict[str, Any] = api.as_(WORKER).get(f"/cases/{found['id']}").json()
    return shown


def clocks(shown: dict[str, Any]) -> dict[str, str]:
    """When each clock of a case is due, by its kind."""
    return {one["kind"]: one["due_at"] for one in shown["deadlines"]}


def count(api: Api, table: Any) -> int:
    """How many rows a table has."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.both_stores
def test_a_row_becomes_an_approved_case_whose_clock_counts_from_the_approval(api: Api) -> None:
    known(api)
    (row,) = taken(api, {})
    assert (row["outcome"], told(row)) == ("accepted", [])
    shown = the_case(api)
    assert (shown["status"], shown["applied_on"], shown["first_approved_on"]) == (
        "supported", "2026-03-27", "2026-04-17",
    )  # fmt: skip
    assert shown["taken_over_at"] == f"{AT}:00+09:00"
    # Approved on 17 April: three months end on 17 July, a holiday, before a weekend.
    assert clocks(shown) == {"first_check": f"2026-07-20{SECOND}"}
    (referral,) = shown["referrals"]
    assert referral["status"] == "in_progress"
    assert count(api, t.notice) == 0
    run = api.as_(SUPERVISOR).post("/jobs/overdue/run").json()
    assert (run["found"], run["changed"], count(api, t.notice)) == (0, 0, 0)
