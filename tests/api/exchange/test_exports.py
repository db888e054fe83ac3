"""Exports: the rows and fields of the plain list, and the recorded reason."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.sheets import SheetFiles
from casework.domain.exchange import exporting
from tests.api.acts import a_case, a_referral, a_resident, moved, number_of
from tests.api.conftest import ASSESSOR, NEIGHBOUR, PROVIDER, SUPERVISOR, WORKER, Api

OF_PEOPLE = ("cases", "residents")
ALL = ("worklist", "overdue", *OF_PEOPLE, "referrals", "figures", "providers", "offerings")


def taken(api: Api, who: str, what: str, **more: Any) -> Any:
    """An export of a list by an account."""
    body = {"what": what, "purpose": "supervision"} | more
    return api.as_(who).post("/exports", body)


def lines(answer: Any) -> list[dict[str, str]]:
    """The lines of a CSV file by their headings."""
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_a_worklist_leaves_with_the_rows_of_the_plain_list(api: Api) -> None:
    for _ in range(3):
        a_case(api)
    plain = api.as_(WORKER).items("/worklist")
    found = lines(taken(api, WORKER, "worklist"))
    assert [one["deadline_id"] for one in found] == [one["deadline_id"] for one in plain]
    assert [one["resident.name"] for one in found] == [one["resident"]["name"] for one in plain]
    assert lines(taken(api, NEIGHBOUR, "worklist")) == []


def test_an_agency_takes_away_only_the_fields_that_it_sees(api: Api) -> None:
    a_referral(api)
    (plain,) = api.as_(PROVIDER).items("/worklist")
    (found,) = lines(taken(api, PROVIDER, "worklist"))
    assert "working_days_late" in plain
    assert plain["worker_id"] is None
    for name in found:
        value: Any = plain
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        said = {True: "Y", False: "N"}.get(value) if isinstance(value, bool) else value
        assert found[name] == ("" if said is None else str(said)), name


def test_the_directory_leaves_with_what_is_free_and_how_old_that_is(api: Api) -> None:
    """Not only what an agency stated: readers of the file choose by free places."""
    asked = a_referral(api)
    moved(api, asked, "decline", PROVIDER, reason="at_capacity")
    plain = {one["id"]: one for one in api.as_(WORKER).items("/offerings", service="CARE-MEALS")}
    found = lines(taken(api, WORKER, "offerings", filters={"service": "CARE-MEALS"}))
    assert [(one["capacity.free"], one["capacity.full_until"], one["capacity.is_stale"])
            for one in found] == [
        (str(one["capacity"]["free"]), one["capacity"]["full_until"] or "", "N")
        for one in plain.values()
    ]  # fmt: skip
    assert "2026-03-16" in {one["capacity.full_until"] for one in found}


def test_the_audit_says_who_was_on_the_list_and_what_for(api: Api) -> None:
    resident = a_resident(api)
    a_case(api, resident=resident)
    taken(api, WORKER, "worklist", purpose="visit_planning", format="xlsx")
    taken(api, WORKER, "providers", purpose="contacting_providers")
    with api.engine.connect() as connection:
        first, second = connection.execute(
            select(t.audit_entry)
            .where(t.audit_entry.c.task == "POST /exports")
            .order_by(t.audit_entry.c.id)
        ).all()
    assert (first.action, first.asked_for) == ("deadline.read", "worklist xlsx visit_planning")
    assert first.subjects == [str(resident)]
    assert (second.action, second.asked_for) == (
        "export.write", "providers csv contacting_providers",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (WORKER, set(ALL)),
        (SUPERVISOR, set(ALL)),
        (ASSESSOR, {"worklist", *OF_PEOPLE, "providers", "offerings"}),
        (PROVIDER, {"worklist", "referrals", "figures", "providers", "offerings"}),
        ("city", {"worklist", "overdue", "figures", "providers", "offerings"}),
        ("admin", {"providers", "offerings"}),
        ("auditor", set()),
    ],
)
def test_whoever_may_not_read_a_list_may_not_take_it_away(
    api: Api, who: str, allowed: set[str]
) -> None:
    found = {what for what in ALL if taken(api, who, what).status_code == 200}
    refused = {taken(api, who, what).status_code for what in set(ALL) - allowed}
    assert found == allowed
    assert refused <= {403}


@pytest.mark.parametrize(
    "body",
    [
        {"what": "worklist"},
        {"what": "worklist", "purpose": "because"},
        {"what": "notes", "purpose": "supervision"},
        {"what": "cases", "purpose": "supervision", "filters": {"status": "accepted"}},
        {"what": "referrals", "purpose": "supervision", "filters": {"status": "applied"}},
        {"what": "residents", "purpose": "supervision", "filters": {"status": "applied"}},
        {"what": "worklist", "purpose": "supervision", "format": "pdf"},
        {"what": "worklist", "purpose": "supervision", "filters": {"month": "2026-03"}},
        {"what": "overdue", "purpose": "supervision", "filters": {"kind": "come_back"}},
        {"what": "worklist", "purpose": "supervision", "rows": 5},
    ],
)
def test_a_list_leaves_with_a_purpose_and_with_its_own_filters(
    api: Api, body: dict[str, Any]
) -> None:
    answer = api.as_(SUPERVISOR).post("/exports", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_no_cell_of_a_file_is_a_formula(api: Api) -> None:
    for name in ("=1+1", "+82", "-1", "@SUM(A1)"):
        a_case(api, resident=a_resident(api, name=name))
    found = lines(taken(api, WORKER, "worklist"))
    assert {one["resident.name"] for one in found} == {"'=1+1", "'+82", "'-1", "'@SUM(A1)"}
    answer = taken(api, WORKER, "worklist", format="xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert {cell.value for cell in cells} >= {"'=1+1", "'+82", "'-1", "'@SUM(A1)"}


def test_figures_leave_number_by_number(api: Api) -> None:
    a_case(api)
    plain = api.as_(SUPERVISOR).get("/figures", params={"by": "centre"}).json()
    found = lines(taken(api, SUPERVISOR, "figures", filters={"by": "centre"}))
    (one,) = [row for row in found if row["part"] == "applications" and row["group"] == ""]
    assert one["value"] == str(plain["applications"]) == "1"
    groups = {row["group"] for row in found} - {""}
    assert groups == {group["key"] for group in plain["groups"]}


@pytest.mark.parametrize(("most", "status"), [(1, 422), (2, 200), (3, 200)])
def test_a_list_longer_than_a_file_may_be_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch, most: int, status: int
) -> None:
    monkeypatch.setattr("casework.workflows.exchange.exporting.MAX_ROWS", most)
    assert exporting.MAX_ROWS == 20_000
    for _ in range(2):
        a_case(api)
    assert len(api.as_(WORKER).items("/worklist")) == 2
    answer = taken(api, WORKER, "worklist")
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "export_too_large"


def test_headings_are_in_the_language_that_is_asked_for(api: Api) -> None:
    body = {"what": "providers", "purpose": "reporting"}
    heard = {"Accept-Language": "ko"}
    answer = api.as_("city").post("/exports", body, headers=heard)
    assert next(iter(lines(answer)[0])) == "기관코드"


def test_cases_residents_and_referrals_leave_as_far_as_they_are_seen(api: Api) -> None:
    referral = a_referral(api)
    case = api.as_(WORKER).get(f"/referrals/{referral}").json()
    number, resident = case["case_number"], case["resident_id"]
    (found,) = lines(taken(api, WORKER, "cases", filters={"status": "supported"}))
    assert (found["number"], found["resident_id"]) == (number, resident)
    assert lines(taken(api, WORKER, "cases", filters={"status": "closed"})) == []
    (found,) = lines(taken(api, WORKER, "residents"))
    assert (found["id"], found["open_case.number"]) == (resident, number)
    for who in (WORKER, PROVIDER):
        (found,) = lines(taken(api, who, "referrals", filters={"status": "requested"}))
        assert (found["id"], found["case_number"]) == (str(referral), number)
    for what in ("cases", "residents", "referrals"):
        assert lines(taken(api, NEIGHBOUR, what)) == []


def test_the_visits_of_today_carry_the_address_for_those_who_read_residents(api: Api) -> None:
    resident = a_resident(api, address="가상로 17")
    case = a_case(api, resident=resident)
    api.clock.set("2026-03-09T10:00")
    today = {"due": "today"}
    (visit,) = lines(taken(api, WORKER, "worklist", purpose="visit_planning", filters=today))
    assert visit["resident.address"] == "가상로 17"
    assert visit["case_number"] == number_of(api, case)
    api.clock.set("2026-03-02T10:00")
    a_referral(api)
    (found,) = lines(taken(api, PROVIDER, "worklist"))
    assert found["resident.address"] == ""


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_telephone_with_its_country_survives_leaving_and_coming_in(api: Api, format: str) -> None:
    phone, name = "+82 10-1234-5678", "'=가상"
    a_resident(api, name=name, phone=phone)
    headers = {"Accept-Language": "ko"}
    body = {"what": "residents", "purpose": "data_correction", "format": format}
    file = api.as_(WORKER).post("/exports", body, headers=headers).content
    (line,) = rows_of(file)
    assert (line["전화번호"], line["성명"]) == (phone, name)
    answer = api.as_(WORKER).request(
        "POST", "/imports", data={"kind": "residents", "dry_run": "true"},
        files={"file": (f"a.{format}", file)},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    (result,) = api.as_(WORKER).items(f"/imports/{answer.json()['id']}/rows")
    assert [one["code"] for one in result["errors"]] == ["possible_duplicate"], result


def rows_of(file: bytes) -> list[dict[str, str]]:
    """The rows of a file by their headings, as an import reads them."""
    headings, *rows = SheetFiles().read(io.BytesIO(file))
    return [dict(zip(headings, row, strict=False)) for row in rows]
