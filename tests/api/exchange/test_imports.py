"""Imports: every row has its result, by the rules of the single operations."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, update

from casework import operations
from casework.adapters.http.limits import MAX_BODY, MAX_UPLOAD
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.exchange import import_file, import_row
from casework.domain.exchange.importing import FileKind
from casework.workflows.exchange import importing
from casework.workflows.exchange.importing import NewImport
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
    """A file uploaded by an account."""
    content = text.encode() if isinstance(text, str) else text
    return api.as_(by).request(
        "POST", "/imports", data={"kind": kind} | parts, files={"file": ("x.csv", content)},
        headers=headers or {},
    )  # fmt: skip


def rows_of(api: Api, by: str, answer: Any) -> list[dict[str, Any]]:
    """The results of its rows."""
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
    assert told(rows[1]) == [("lat", "place_out_of_range")]
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
        (SUPERVISOR, "residents"): 201, (SUPERVISOR, "providers"): 201,
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
    # Each with another multipart boundary.
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

    event.listen(api.application.engine, "before_cursor_execute", look)
    try:
        sent(api, WORKER, "residents", text)
    finally:
        event.remove(api.application.engine, "before_cursor_execute", look)
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


TWO: Final = RESIDENTS + "가상주민갑,1941.5.6.,여,우1동,\n가상주민을,1942.5.6.,남,우1동,\n"


def staged(api: Api, by: str = WORKER, text: str = TWO) -> UUID:
    """A received file that is not yet processed."""
    wanted = NewImport(kind=FileKind.RESIDENTS)
    return importing.receive(
        api.context(by), api.application.import_tools(), wanted, BytesIO(text.encode())
    )


def cells_left(api: Api) -> int:
    """How many rows still hold their cells."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).where(import_row.c.cells.is_not(None))) or 0


def test_the_scheduler_goes_on_with_a_file_as_whoever_sent_it(api: Api) -> None:
    id = staged(api)
    assert cells_left(api) == 2
    assert operations.process_imports(api.application) == 1
    assert api.as_(WORKER).get(f"/imports/{id}").json()["state"] == "done"
    with api.engine.connect() as connection:
        assert set(connection.scalars(select(t.resident.c.registered_by))) == {api.id_of(WORKER)}
    assert operations.process_imports(api.application) == 0


def test_a_file_that_cannot_go_on_keeps_nobody_elses_from_it(api: Api) -> None:
    broken, other = staged(api), staged(api, COLLEAGUE, TWO.replace("194", "195"))
    assert broken < other
    with api.engine.begin() as connection:
        spoilt = update(import_row).where(import_row.c.import_id == broken)
        connection.execute(spoilt.values(cells="v1.00000000.spoilt"))
    operations.process_imports(api.application)
    assert api.as_(WORKER).get(f"/imports/{broken}").json()["position"] == 0
    assert api.as_(COLLEAGUE).get(f"/imports/{other}").json()["state"] == "done"


def test_a_file_of_somebody_who_may_no_longer_act_is_stopped(api: Api) -> None:
    staged(api)
    with api.engine.begin() as connection:
        gone = update(t.account).where(t.account.c.username == WORKER)
        connection.execute(gone.values(is_active=False))
    operations.process_imports(api.application)
    with api.engine.connect() as connection:
        assert connection.scalars(select(import_file.c.state)).all() == ["stopped"]
    assert (cells_left(api), count(api, t.resident)) == (0, 0)


def test_whoever_sent_a_file_stops_it_and_what_was_to_come_is_forgotten(api: Api) -> None:
    id = staged(api)
    importing.step(api.context(WORKER), api.application.import_tools(), id, batch=1)
    path = f"/imports/{id}/stop"
    assert api.as_(COLLEAGUE).post(path).status_code == 404
    answer = api.as_(WORKER).post(path)
    assert (answer.json()["state"], answer.json()["position"]) == ("stopped", 1)
    assert (cells_left(api), count(api, t.resident)) == (0, 1)
    again = api.as_(WORKER).post(path)
    assert (again.status_code, again.json()["code"]) == (409, "import_ended")


def test_a_file_that_was_broken_off_goes_on_where_it_stood(api: Api) -> None:
    ctx, import_tools, wanted = (
        api.context(WORKER),
        api.application.import_tools(),
        NewImport(kind=FileKind.RESIDENTS),
    )
    id = staged(api)
    assert importing.step(ctx, import_tools, id, batch=1).position == 1
    assert importing.find_unfinished(ctx, import_tools, wanted, BytesIO(TWO.encode())) == id
    assert (
        importing.find_unfinished(ctx, import_tools, wanted, BytesIO(TWO.encode() + b"\n")) is None
    )
    assert (
        importing.find_unfinished(
            api.context(COLLEAGUE), import_tools, wanted, BytesIO(TWO.encode())
        )
        is None
    )
    *_, file = importing.process_import(ctx, import_tools, id)
    assert (file.state, file.accepted, file.duplicate) == ("done", 2, 0)
    assert count(api, t.resident) == 2
    assert importing.find_unfinished(ctx, import_tools, wanted, BytesIO(TWO.encode())) is None


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_template_comes_back_as_it_went_out(api: Api, format: str) -> None:
    params = {"kind": "providers", "format": format}
    template = api.as_("admin").get("/imports/template", params=params)
    assert f"casework-providers.{format}" in template.headers["content-disposition"]
    (row,) = rows_of(api, "admin", sent(api, "admin", "providers", template.content))
    assert row["outcome"] == "accepted"


def test_what_was_found_leaves_as_a_file_in_the_language_that_is_asked_for(api: Api) -> None:
    answer = sent(api, WORKER, "residents", TWO + "가상주민병,x,여,우1동,\n")
    path = f"/imports/{answer.json()['id']}"
    heard = {"Accept-Language": "ko"}
    report = api.as_(WORKER).get(f"{path}/report?outcome=refused", headers=heard)
    assert report.content.decode("utf-8-sig").splitlines() == [
        "행,결과,항목,코드,사유",
        "4,거부,birth_date,date_unreadable,날짜를 읽을 수 없습니다",
    ]
    (row,) = api.as_(WORKER).items(f"{path}/rows", outcome="refused")
    assert row["errors"][0]["reason"] == "a day such as 2026-03-27 or 2026.3.27."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("성명,생년월일\n가상주민,1941.5.6.\n", "column_missing"),
        (RESIDENTS, "file_empty"),
        ("", "column_missing"),
        (RESIDENTS.replace("전화번호", "이름"), "column_twice"),
        (b"\xef\xbb\xbf\xff\xff", "encoding_unknown"),
        (b"PK\x03\x04", "file_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing(api: Api, text: str | bytes, code: str) -> None:
    answer = sent(api, WORKER, "residents", text)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (count(api, import_file), count(api, import_row)) == (0, 0)


def test_a_form_has_its_parts_and_no_others(api: Api) -> None:
    worker = api.as_(WORKER)
    assert worker.post("/imports", {"kind": "residents"}).json()["code"] == "type_not_taken"
    alone = worker.request(
        "POST", "/imports", data={"file": "x"}, files={"kind": (None, "residents")}
    )
    assert alone.json()["code"] == "file_required"
    assert sent(api, WORKER, "people", TWO).json()["code"] == "invalid"
    for parts in ({"mode": "some"}, {"dry_run": "1"}, {"note": "x"}):
        answer = sent(api, WORKER, "residents", TWO, **parts)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), parts
    twice = worker.request("POST", "/imports", data={"kind": "residents"},
                           files=[("file", ("a", b"x")), ("file", ("b", b"x"))])  # fmt: skip
    assert twice.status_code == 400
    assert count(api, import_file) == 0


def test_a_file_may_be_larger_than_a_body_and_has_its_bound(api: Api) -> None:
    line = ("가상주민병,1943.5.6.,여,우1동,\n").encode()
    padding = b"\n" * (2 * MAX_BODY)
    assert sent(api, WORKER, "residents", RESIDENTS.encode() + padding + line).status_code == 201
    answer = sent(api, WORKER, "residents", b"\n" * MAX_UPLOAD)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
