"""Files that are sent in: every row has its result, by the rules of the single operations."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import event, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables_imports import import_file, import_row
from tests.api.acts import a_case, a_resident, surveyed
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    NEXT_DOOR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

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


def test_who_may_send_what(api: Api) -> None:
    text = RESIDENTS + "가상주민,1941.5.6.,여,우1동,\n"
    expected = {
        ("admin", "providers"): 201, ("admin", "residents"): 403, ("admin", "assessments"): 403,
        (WORKER, "providers"): 403, (WORKER, "residents"): 201, (WORKER, "assessments"): 403,
        (SUPERVISOR, "residents"): 201, (SUPERVISOR, "providers"): 403,
        (ASSESSOR, "residents"): 403, (ASSESSOR, "assessments"): 201,
        (PROVIDER, "residents"): 403, ("city", "residents"): 403, ("auditor", "residents"): 403,
    }  # fmt: skip
    files = {
        "residents": text,
        "providers": PROVIDERS + ALPHA,
        "assessments": ASSESSMENTS + "E-1,가상주민,1941.5.6.,2026.3.2.,가상조사자,통합돌봄\n",
    }
    found = {
        (who, kind): sent(api, who, kind, files[kind], dry_run="true").status_code
        for who, kind in expected
    }
    assert found == expected


def test_an_import_is_seen_by_whoever_sent_it_and_by_nobody_else(api: Api) -> None:
    answer = sent(api, WORKER, "residents", RESIDENTS + "가상주민,1941.5.6.,여,우1동,\n")
    id = answer.json()["id"]
    for path in (f"/imports/{id}", f"/imports/{id}/rows", f"/imports/{id}/report"):
        assert api.as_(WORKER).get(path).status_code == 200
        for other in (COLLEAGUE, SUPERVISOR, "admin"):
            assert api.as_(other).get(path).status_code == 404
    assert [one["id"] for one in api.as_(WORKER).items("/imports")] == [id]
    assert api.as_(COLLEAGUE).items("/imports") == []


def test_a_centre_that_is_not_ones_own_is_refused_as_in_the_single_operation(api: Api) -> None:
    lines = [
        "가상주민갑,1941.5.6.,여,우1동,", f"가상주민을,1941.5.7.,남,{NEXT_DOOR},",
        f"가상주민병,1941.5.8.,남,{FAR},", "가상주민정,1941.5.9.,남,없는동,",
    ]  # fmt: skip
    rows = rows_of(api, WORKER, sent(api, WORKER, "residents", RESIDENTS + "\n".join(lines)))
    assert [(one["outcome"], told(one)) for one in rows] == [
        ("accepted", []),
        ("refused", [("", "centre_out_of_scope")]),
        ("refused", [("", "centre_out_of_scope")]),
        ("refused", [("centre_code", "unknown_centre")]),
    ]
    lines = [line.replace("194", "195") for line in lines]
    rows = rows_of(
        api, SUPERVISOR, sent(api, SUPERVISOR, "residents", RESIDENTS + "\n".join(lines))
    )
    assert [one["outcome"] for one in rows] == ["accepted", "accepted", "refused", "refused"]


def test_all_or_nothing_keeps_nothing_where_one_row_is_refused(api: Api) -> None:
    good = "가상주민갑,1941.5.6.,여,우1동,\n가상주민을,1942.5.6.,남,우1동,\n"
    before = count(api, t.resident)
    answer = sent(
        api, WORKER, "residents", RESIDENTS + good + "가상주민병,3026.1.1.,여,우1동,\n",
        mode="all_or_nothing",
    )  # fmt: skip
    body = answer.json()
    assert (body["state"], body["code"], body["kept"]) == ("refused", "rows_refused", False)
    assert (body["accepted"], body["refused"]) == (2, 1)
    assert count(api, t.resident) == before
    answer = sent(api, WORKER, "residents", RESIDENTS + good, mode="all_or_nothing")
    assert (answer.json()["state"], answer.json()["kept"]) == ("done", True)
    assert count(api, t.resident) == before + 2
    assert [one["outcome"] for one in rows_of(api, WORKER, answer)] == ["accepted"] * 2


def test_the_same_key_takes_a_file_in_once(api: Api) -> None:
    text = RESIDENTS + "가상주민갑,1941.5.6.,여,우1동,\n"
    headers = {"Idempotency-Key": "k1"}
    # Each with another boundary between the parts of its form.
    first, again = (sent(api, WORKER, "residents", text, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert len(api.as_(WORKER).items("/imports")) == 1
    other = sent(api, WORKER, "residents", text.replace("갑", "을"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_what_stood_in_the_cells_is_sealed_and_gone_when_its_row_has_a_result(api: Api) -> None:
    text = RESIDENTS + "가상주민갑,1941.5.6.,여,우1동,010-0000-0000\n가상주민을,x,여,우1동,\n"
    seen: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "INSERT INTO import_row" in statement:
            seen.append(str(values))

    event.listen(api.house.engine, "before_cursor_execute", look)
    try:
        sent(api, WORKER, "residents", text)
    finally:
        event.remove(api.house.engine, "before_cursor_execute", look)
    assert seen
    assert "가상주민" not in "".join(seen)
    with api.engine.connect() as connection:
        assert connection.scalars(select(import_row.c.cells)).all() == [None, None]
        assert connection.scalars(select(import_file.c.salt)).all() == [None]


def test_the_audit_names_everyone_whom_a_file_was_about(api: Api) -> None:
    answer = sent(
        api, WORKER, "residents",
        RESIDENTS + "가상주민갑,1941.5.6.,여,우1동,\n가상주민을,1942.5.6.,여,우1동,\n",
    )  # fmt: skip
    residents = {row["subject_id"] for row in rows_of(api, WORKER, answer)}
    with api.engine.connect() as connection:
        entries = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "import.residents")
        ).all()
    assert {one for entry in entries for one in entry.subjects} == residents
    assert {entry.task for entry in entries} == {"POST /imports"}


ASSESSMENTS: Final = "관리번호,성명,생년월일,조사일,조사자,판정\n"


def test_results_of_assessments_find_their_residents_and_the_others_wait(api: Api) -> None:
    known = a_resident(api, name="가상주민갑", birth_date=date(1941, 5, 6))
    case = a_case(api, resident=known)
    surveyed(api, case)
    lines = [
        "N-1,가상 주민갑,1941.5.6.,2026.3.2.,가상조사자,통합돌봄",
        "N-2,모르는사람,1941.5.6.,2026.3.2.,가상조사자,통합돌봄",
        "N-1,가상주민갑,1941.5.6.,2026.3.2.,가상조사자,통합돌봄",
        "N-3,가상주민갑,1941.5.6.,2026.3.2.,가상조사자,모름",
    ]
    answer = sent(api, ASSESSOR, "assessments", ASSESSMENTS + "\n".join(lines))
    rows = rows_of(api, ASSESSOR, answer)
    assert [(one["outcome"], told(one)) for one in rows] == [
        ("accepted", []),
        ("unmatched", [("", "nobody_found")]),
        ("duplicate", [("", "duplicate_in_file")]),
        ("refused", [("determination", "invalid")]),
    ]
    assert api.as_(WORKER).get(f"/cases/{case}").json()["determination"] == "community_care"
    again = sent(api, ASSESSOR, "assessments", ASSESSMENTS + "N-1,,,2026.3.2.,가상조사자,통합돌봄")
    (row,) = rows_of(api, ASSESSOR, again)
    assert (row["outcome"], told(row)) == ("duplicate", [("", "assessment_exists")])


def test_a_supervisor_gives_a_result_to_whom_it_is_about_and_the_next_one_finds_them(
    api: Api,
) -> None:
    known = a_resident(api, name="가상주민갑", birth_date=date(1941, 5, 6))
    case = a_case(api, resident=known)
    surveyed(api, case)
    line = "N-7,가상주민값,1941.5.6.,{},가상조사자,통합돌봄"
    sent(api, ASSESSOR, "assessments", ASSESSMENTS + line.format("2026.3.2."))
    boss = api.as_(SUPERVISOR)
    (waits,) = boss.items("/imports/unmatched")
    assert (waits["why"], waits["result"]["name"]) == ("nobody_found", "가상주민값")
    assert api.as_(WORKER).items("/imports/unmatched") == []
    assert api.as_(FAR_SUPERVISOR).items("/imports/unmatched") == []
    path = f"/imports/unmatched/{waits['id']}"
    assert api.as_(FAR_SUPERVISOR).get(path).status_code == 404
    far = a_resident(api, f"worker.{FAR}")
    assert boss.post(f"{path}/assign", {"resident_id": str(far)}).status_code == 404
    done = boss.post(f"{path}/assign", {"resident_id": str(known)})
    assert (done.status_code, done.json()["resolution"]) == (200, "assigned")
    assert done.json()["result"] is None
    assert boss.items("/imports/unmatched") == []
    assert boss.post(f"{path}/assign", {"resident_id": str(known)}).json()["code"] == (
        "already_resolved"
    )
    assert api.as_(WORKER).get(f"/cases/{case}").json()["determination"] == "community_care"
    api.clock.set("2026-03-09T09:00")
    next_one = sent(api, ASSESSOR, "assessments", ASSESSMENTS + line.format("2026.3.6."))
    (row,) = rows_of(api, ASSESSOR, next_one)
    assert (row["outcome"], row["resident_id"]) == ("accepted", str(known))


def test_a_result_is_put_aside_with_a_reason_and_what_stood_in_it_goes(api: Api) -> None:
    head = ASSESSMENTS.replace("조사자,판정", "조사자,판정,읍면동")
    sent(api, ASSESSOR, "assessments",
         head + "N-8,모르는사람,1941.5.6.,2026.3.2.,가상조사자,통합돌봄,우1동")  # fmt: skip
    (waits,) = api.as_(WORKER).items("/imports/unmatched")
    assert api.as_(NEIGHBOUR).items("/imports/unmatched") == []
    path = f"/imports/unmatched/{waits['id']}"
    assert api.as_(NEIGHBOUR).post(f"{path}/dismiss", {"reason": "not_ours"}).status_code == 404
    done = api.as_(WORKER).post(f"{path}/dismiss", {"reason": "not_ours"})
    assert (done.json()["resolution"], done.json()["result"]) == ("not_ours", None)
    with api.engine.connect() as connection:
        assert connection.scalars(select(import_row.c.cells)).all() == [None]
