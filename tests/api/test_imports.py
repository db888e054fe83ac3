"""Files that are sent in: every row has its result, and nothing is written that one route refuses."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables_imports import import_row
from tests.api.conftest import HERE, NEXT_DOOR, SUPERVISOR, WORKER, Api

RESIDENTS: Final = "성명,생년월일,성별,읍면동,전화번호\n"
PROVIDERS: Final = "기관코드,기관명,기관유형,전화번호,구군,위도,경도\n"
ALPHA: Final = "new-visit,가상 의원,의원,51-000-0000,해운대구,35.16,129.16\n"


def sent(
    api: Api, by: str, kind: str, text: str | bytes, *, headers: Any = None, **parts: str
) -> Any:
    """A file, sent in by somebody."""
    content = text.encode() if isinstance(text, str) else text
    return api.as_(by).request(
        "POST", "/imports", data={"kind": kind} | parts, files={"file": ("x.csv", content)},
        headers=headers or {},
    )  # fmt: skip


def rows_of(api: Api, by: str, answer: Any) -> list[dict[str, Any]]:
    """What became of its rows."""
    assert answer.status_code == 201, answer.text
    return api.as_(by).items(f"/imports/{answer.json()['id']}/rows")


def told(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The field and the code of each error of a row."""
    return [(one["field"], one["code"]) for one in row["errors"]]


def count(api: Api, table: Any) -> int:
    """How many rows a table has."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_an_admin_takes_in_agencies_and_each_row_has_its_result(api: Api) -> None:
    far = "far-visit,가상 의원,의원,051-000-0000,해운대구,135.16,129.16\n"
    answer = sent(api, "admin", "providers", PROVIDERS + ALPHA + far + ALPHA)
    body = answer.json()
    assert (body["state"], body["accepted"], body["refused"], body["duplicate"]) == (
        "done", 1, 1, 1,
    )  # fmt: skip
    rows = rows_of(api, "admin", answer)
    assert [row["line"] for row in rows] == [2, 3, 4]
    assert [row["outcome"] for row in rows] == ["accepted", "refused", "duplicate"]
    assert told(rows[1]) == [("lat", "off_the_map")]
    assert told(rows[2]) == [("", "duplicate_in_file")]
    (found,) = [one for one in api.as_("admin").items("/providers") if one["slug"] == "new-visit"]
    assert (found["id"], found["phone"]) == (rows[0]["subject_id"], "051-000-0000")


def test_a_dry_run_says_the_same_and_keeps_nothing(api: Api) -> None:
    text = RESIDENTS + (
        "가상주민갑,1941.5.6.,여,우1동,1000000000\n"
        "가상주민을,1941-13-06,여,우1동,\n"
        "가상주민갑,1941-05-06,여,우1동,\n"
    )
    before = count(api, t.resident)
    tried = sent(api, WORKER, "residents", text, dry_run="true")
    assert count(api, t.resident) == before
    assert tried.json()["kept"] is False
    done = sent(api, WORKER, "residents", text)
    assert count(api, t.resident) == before + 1
    first, second = rows_of(api, WORKER, tried), rows_of(api, WORKER, done)
    assert [(one["outcome"], told(one)) for one in first] == [
        (one["outcome"], told(one)) for one in second
    ]
    assert [one["outcome"] for one in second] == ["accepted", "refused", "duplicate"]
    assert told(second[1]) == [("birth_date", "date_unreadable")]
    resident = api.as_(WORKER).get(f"/residents/{second[0]['subject_id']}").json()
    assert (resident["birth_date"], resident["phone"]) == ("1941-05-06", "010-0000-0000")
