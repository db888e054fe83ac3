"""Cases that ran before the system came in are taken over from files at their true days."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from casework import operations
from casework.adapters.persistence import tables as t
from casework.domain.access.policy import SYSTEM
from tests.api.acts import a_resident
from tests.api.conftest import FAR_SUPERVISOR, PROVIDER, SUPERVISOR, WORKER, Api
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


def swept(api: Api, at: str | None = None) -> tuple[int, int, int]:
    """What a sweep found and changed, and how many notices there are after it."""
    if at is not None:
        api.clock.set(at)
    run = api.as_(SUPERVISOR).post("/jobs/overdue/run").json()
    return run["found"], run["changed"], count(api, t.notice)


@pytest.mark.both_stores
def test_a_row_becomes_an_approved_case_whose_clock_counts_from_the_approval(api: Api) -> None:
    known(api)
    (row,) = taken(api, {"기존사례번호": "2025-0417"})
    assert (row["outcome"], told(row)) == ("accepted", [])
    shown = the_case(api)
    assert row["subject_id"] == shown["id"]
    assert (shown["status"], shown["applied_on"], shown["first_approved_on"]) == (
        "supported", "2026-03-27", "2026-04-17",
    )  # fmt: skip
    assert (shown["notified_on"], shown["worker_id"]) == ("2026-04-20", str(api.id_of(WORKER)))
    # Who wrote it down, and when, stands beside the days of the acts.
    assert (shown["taken_over_at"], shown["opened_at"]) == (f"{AT}:00+09:00",) * 2
    assert (shown["opened_by"], shown["former_number"]) == (
        str(api.id_of(SUPERVISOR)), "2025-0417",
    )  # fmt: skip
    (found,) = (
        api.as_(WORKER).post("/residents/search", {"former_number": "2025-0417"}).json()["items"]
    )
    assert (found["id"], found["open_case"]["id"]) == (shown["resident_id"], shown["id"])
    # Approved on 17 April: three months end on 17 July, a holiday, before a weekend.
    assert clocks(shown) == {"first_check": f"2026-07-20{SECOND}"}
    plan = api.as_(WORKER).get(f"/cases/{shown['id']}/plan").json()["in_force"]
    assert (plan["version"], plan["decision"]["decided_on"]) == (1, "2026-04-17")
    (service,) = plan["services"]
    assert (service["service_code"], service["quantity"], service["ends_on"]) == (
        "CARE-MEALS", 3, "2027-04-19",
    )  # fmt: skip
    (referral,) = shown["referrals"]
    referral = api.as_(WORKER).get(f"/referrals/{referral['id']}").json()
    assert [referral[name] for name in ("status", "requested_on", "answered_on", "started_on")] == [
        "in_progress", "2026-04-20", "2026-04-21", "2026-04-27",
    ]  # fmt: skip
    (happened,) = referral["history"]
    assert (happened["event"], happened["recorded_at"]) == ("ReferralTakenOver", f"{AT}:00+09:00")


@pytest.mark.both_stores
def test_nobody_is_told_of_the_past_and_what_is_overdue_today_is_in_the_list(api: Api) -> None:
    known(api)
    a_resident(api, name="가상주민을", birth_date=date(1941, 5, 6))
    rows = taken(api, {}, {"성명": "가상주민을", "의뢰상태": "의뢰됨", "회신일": "", "개시일": ""})
    assert [row["outcome"] for row in rows] == ["accepted", "accepted"]
    assert count(api, t.notice) == 0
    overdue = api.as_(SUPERVISOR).items("/overdue")
    assert [(one["kind"], one["due_at"][:10], one["tier"]) for one in overdue] == [
        ("response", "2026-04-23", None),
        ("first_check", "2026-07-20", None),
        ("first_check", "2026-07-20", None),
    ]
    assert swept(api) == (0, 0, 0)
    # What is unanswered still is told again after five working days, as everything overdue.
    assert swept(api, "2026-09-07T09:10") == (0, 0, 0)
    relayed(api)
    assert count(api, t.notice) == 0
    assert swept(api, "2026-09-09T09:10") == (0, 0, 0)
    relayed(api)
    assert count(api, t.notice) == 3


def relayed(api: Api) -> None:
    """Everything that a digest of now tells."""
    api.application.relay(api.application.context(SYSTEM))


def test_a_step_of_the_past_is_passed_over_and_one_to_come_is_raised(api: Api) -> None:
    """Due on Monday 20 July; the worker was told on the 21st, the supervisor is on the 23rd."""
    known(api, at="2026-07-22T10:00")
    taken(api, {})
    assert swept(api) == (0, 0, 0)
    assert swept(api, "2026-07-23T08:59") == (0, 0, 0)
    assert swept(api, "2026-07-23T09:00") == (1, 1, 1)
    (late,) = api.as_(SUPERVISOR).items("/overdue")
    ledger = api.as_(SUPERVISOR).items(f"/deadlines/{late['deadline_id']}/escalations")
    assert [(one["tier"], one["passed_over"], one["quiet"]) for one in ledger] == [
        (-1, True, True), (0, True, True), (1, True, True), (2, False, False),
    ]  # fmt: skip


CHECKED: Final = {"최초점검일": "2026.7.10.", "최근점검일": "2026.8.31."}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"최초점검일": "2026.7.10."}, {"check": "2027-01-11"}),
        (CHECKED, {"check": "2027-03-02"}),
        ({"최근점검일": "2026.8.31."}, {"check": "2027-03-02"}),
        (CHECKED | {"다음점검일": "2026.11.30."}, {"check": "2026-11-30"}),
        ({"계획통지일": ""}, {"first_check": "2026-07-20", "notify_plan": "2026-04-24"}),
    ],
)
def test_the_clock_that_runs_counts_from_the_last_of_the_days_before_it(
    api: Api, changes: dict[str, str], expected: dict[str, str]
) -> None:
    known(api)
    (row,) = taken(api, changes)
    assert (row["outcome"], told(row)) == ("accepted", [])
    shown = the_case(api)
    assert clocks(shown) == {kind: f"{on}{SECOND}" for kind, on in expected.items()}
    days = {changes[name] for name in CHECKED if name in changes}
    assert len(shown["checks"]) == len(days)
    assert {one["recorded_at"] for one in shown["checks"]} <= {f"{AT}:00+09:00"}


SECOND_SERVICE: Final = {
    "서비스코드": "MED-VISIT",
    "단위": "visit",
    "의뢰상태": "수락",
    "개시일": "",
}


@pytest.mark.both_stores
def test_each_row_brings_a_service_of_its_case_and_a_row_again_changes_nothing(api: Api) -> None:
    known(api)
    rows = taken(api, {}, SECOND_SERVICE, {})
    assert [(row["outcome"], told(row)) for row in rows] == [
        ("accepted", []), ("accepted", []), ("duplicate", [("", "duplicate_in_file")]),
    ]  # fmt: skip
    shown = the_case(api)
    assert {(one["service_code"], one["status"]) for one in shown["referrals"]} == {
        ("CARE-MEALS", "in_progress"), ("MED-VISIT", "accepted"),
    }  # fmt: skip
    before = {table: count(api, table) for table in (t.event, t.referral, t.deadline, t.care_case)}
    again = taken(api, {}, SECOND_SERVICE)
    assert [told(row) for row in again] == [[("", "already_taken_over")]] * 2
    assert {row["outcome"] for row in again} == {"duplicate"}
    assert {table: count(api, table) for table in before} == before
    assert swept(api) == (0, 0, 0)


def test_a_case_that_was_closed_since_is_not_taken_over_a_second_time(api: Api) -> None:
    known(api)
    taken(api, {})
    api.clock.set("2026-09-02T10:00")
    closing = {"reason": "moved_away", "end_open_referrals": True}
    assert api.as_(WORKER).post(f"/cases/{the_case(api)['id']}/close", closing).status_code == 200
    assert told(taken(api, {})[0]) == [("", "already_taken_over")]
    assert told(taken(api, SECOND_SERVICE)[0]) == [("", "plan_goes_on")]
    assert count(api, t.care_case) == 1


def test_a_further_row_agrees_with_the_case_and_comes_before_the_plan_is_changed_here(
    api: Api,
) -> None:
    known(api)
    taken(api, {})
    other = taken(api, SECOND_SERVICE | {"계획승인일": "2026.4.16."})
    assert told(other[0]) == [("approved_on", "taken_over_otherwise")]
    case = the_case(api)["id"]
    plan = api.as_(WORKER).get(f"/cases/{case}/plan").json()["in_force"]
    kept = ("id", "service_code", "content", "quantity", "unit", "per", "starts_on", "ends_on")
    services = [{name: one[name] for name in kept} for one in plan["services"]]
    draft = {"goals": ["집에서"], "heard": {"on": "2026-09-01", "from": "본인"}}
    answer = api.as_(WORKER).put(f"/cases/{case}/plan/draft", draft | {"services": services})
    assert answer.status_code == 200, answer.text
    assert told(taken(api, SECOND_SERVICE)[0]) == [("", "plan_goes_on")]


def test_a_case_that_began_here_is_not_taken_over(api: Api) -> None:
    known(api)
    resident = api.as_(WORKER).post("/residents/search", {"name": "가상주민갑"}).json()["items"][0]
    opened = {"resident_id": resident["id"], "channel": "self", "applied_on": "2026-08-31"}
    assert api.as_(WORKER).post("/cases", opened).status_code == 201
    (row,) = taken(api, {})
    assert (row["outcome"], told(row)) == ("duplicate", [("", "open_case_exists")])


BAD: Final[list[tuple[dict[str, str], tuple[str, str]]]] = [
    ({"성명": "모르는사람"}, ("name", "nobody_found")),
    ({"읍면동": "우2동"}, ("centre_code", "centre_differs")),
    ({"담당자": "worker.nobody"}, ("worker", "unknown_worker")),
    ({"신청경로": "기관"}, ("consent_given_on", "consent_required")),
    ({"신청경로": "직권"}, ("ex_officio_ground", "ex_officio_ground")),
    ({"긴급여부": "예"}, ("urgent_reason", "urgent_reason_required")),
    ({"신청일": "2014.12.31."}, ("applied_on", "date_too_early")),
    ({"신청일": "2026.4.18."}, ("approved_on", "date_too_early")),
    ({"계획승인일": ""}, ("approved_on", "required")),
    ({"계획승인일": "2026.13.1."}, ("approved_on", "date_unreadable")),
    ({"계획승인일": "2026.9.2."}, ("approved_on", "date_in_future")),
    ({"계획통지일": "2026.4.16."}, ("notified_on", "date_too_early")),
    ({"최초점검일": "2026.4.17."}, ("first_checked_on", "date_too_early")),
    (
        {"최초점검일": "2026.8.1.", "최근점검일": "2026.7.31."},
        ("last_checked_on", "date_too_early"),
    ),
    ({"다음점검일": "2026.9.30."}, ("next_check_on", "date_too_early")),
    (CHECKED | {"다음점검일": "2027.3.3."}, ("next_check_on", "statutory_limit")),
    (
        {
            "서비스코드": "NO-SUCH",
            "기관코드": "",
            "의뢰상태": "",
            "의뢰일": "",
            "회신일": "",
            "개시일": "",
        },
        ("service_code", "unknown_service"),
    ),
    ({"수량": ""}, ("quantity", "required")),
    ({"수량": "많이"}, ("quantity", "invalid")),
    ({"종료일": "2026.4.16."}, ("ends_on", "ends_before_start")),
    ({"시작일": "2026.4.1.", "종료일": "2026.4.16."}, ("ends_on", "service_over")),
    ({"기관코드": "nobody"}, ("agency", "unknown_offering")),
    ({"기관코드": ""}, ("agency", "required")),
    ({"의뢰상태": "모름"}, ("state", "invalid")),
    ({"의뢰일": ""}, ("requested_on", "required")),
    ({"의뢰일": "2026.4.16."}, ("requested_on", "date_too_early")),
    ({"회신일": "2026.4.19."}, ("answered_on", "date_too_early")),
    ({"개시일": "2026.9.2."}, ("started_on", "date_in_future")),
    ({"개시일": ""}, ("started_on", "required_in_state")),
    ({"종결일": "2026.8.1."}, ("ended_on", "not_in_state")),
    ({"의뢰상태": "완료", "종결일": "2026.8.1."}, ("outcome", "outcome_unknown")),
    ({"의뢰상태": "거절", "개시일": ""}, ("reason", "reason_unknown")),
    (
        {"의뢰상태": "보류", "사유": "입원", "보류기한": "2026.8.31."},
        ("hold_until", "until_in_past"),
    ),
    (
        {"의뢰상태": "보류", "사유": "입원", "보류기한": "2026.12.1."},
        ("hold_until", "hold_too_long"),
    ),
    ({"후속조치": "미충족"}, ("disposition", "not_in_state")),
]


def test_each_bad_row_is_refused_by_its_line_and_field_and_the_others_go_on(api: Api) -> None:
    known(api)
    before = count(api, t.event)
    rows = taken(api, *(changes for changes, _ in BAD))
    found = [told(row)[0] for row in rows]
    assert found == [expected for _, expected in BAD]
    assert {row["outcome"] for row in rows} == {"refused"}
    assert [row["line"] for row in rows] == list(range(2, len(BAD) + 2))
    assert (count(api, t.event), count(api, t.care_case)) == (before, 0)
    last, good = taken(api, BAD[0][0], {})
    assert (last["outcome"], good["outcome"]) == ("refused", "accepted")


def test_a_reason_reads_in_the_language_of_the_reader(api: Api) -> None:
    known(api)
    answer = sent(api, SUPERVISOR, "running_cases", csv_of({"개시일": ""}))
    path = f"/imports/{answer.json()['id']}/report"
    report = api.as_(SUPERVISOR).get(path, headers={"Accept-Language": "ko"}).content.decode()
    assert "2,거부,started_on,required_in_state,이 의뢰 상태에 필요한 항목입니다" in report


def test_a_dry_run_says_per_row_what_would_be_and_keeps_nothing(api: Api) -> None:
    known(api)
    before = count(api, t.event)
    rows: list[dict[str, str]] = [{}, SECOND_SERVICE, {"시작일": "2026.5.1.", "수량": ""}]
    tried = taken(api, *rows, dry_run="true")
    assert (count(api, t.event), count(api, t.care_case)) == (before, 0)
    done = taken(api, *rows)
    said = [[(row["outcome"], told(row)) for row in rows] for rows in (tried, done)]
    assert said[0] == said[1]
    assert [outcome for outcome, _ in said[1]] == ["accepted", "accepted", "refused"]


def test_all_or_nothing_ends_where_two_rows_of_a_case_differ(api: Api) -> None:
    """Each is right by itself: that they differ is seen when they are written together."""
    known(api)
    rows: list[dict[str, str]] = [{}, SECOND_SERVICE | {"계획승인일": "2026.4.16."}]
    answer = sent(api, SUPERVISOR, "running_cases", csv_of(*rows), mode="all_or_nothing")
    while api.as_(SUPERVISOR).get(f"/imports/{answer.json()['id']}").json()["ended_at"] is None:
        assert operations.process_imports(api.application) == 1
    body = api.as_(SUPERVISOR).get(f"/imports/{answer.json()['id']}").json()
    assert (body["state"], body["accepted"], body["refused"]) == ("refused", 1, 1)
    first, second = rows_of(api, SUPERVISOR, answer)
    assert (first["subject_id"], told(second)) == (None, [("approved_on", "taken_over_otherwise")])
    assert count(api, t.care_case) == 0


def test_only_a_supervisor_takes_over_and_only_within_the_district(api: Api) -> None:
    known(api)
    text = csv_of({})
    for who in (WORKER, "admin", PROVIDER, "city"):
        assert sent(api, who, "running_cases", text).status_code == 403, who
    (row,) = rows_of(api, FAR_SUPERVISOR, sent(api, FAR_SUPERVISOR, "running_cases", text))
    assert told(row) == [("name", "nobody_found")]


def test_a_service_that_ran_before_takes_no_free_place_of_its_agency(api: Api) -> None:
    known(api)
    offering = api.offerings["alpha", "CARE-MEALS"].id

    def places() -> tuple[int, int, int]:
        with api.engine.connect() as connection:
            row = connection.execute(select(t.offering).where(t.offering.c.id == offering)).one()
        return row.capacity, row.available, row.held

    capacity, available, _ = places()
    taken(api, {})
    assert places() == (max(capacity, 1), min(available, capacity - 1), 1)


def test_a_case_without_a_worker_waits_for_one_with_its_clocks(api: Api) -> None:
    known(api)
    taken(api, {"담당자": ""})
    (case,) = api.as_(SUPERVISOR).items("/cases", worker="none")
    shown = api.as_(SUPERVISOR).get(f"/cases/{case['id']}").json()
    assert [one["held_by"] for one in shown["deadlines"]] == ["supervisor"]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_template_is_taken_as_it_is_filled_in(api: Api, format: str) -> None:
    """Its invented row names nobody who is registered."""
    params = {"kind": "running_cases", "format": format}
    template = api.as_(SUPERVISOR).get("/imports/template", params=params)
    (row,) = rows_of(api, SUPERVISOR, sent(api, SUPERVISOR, "running_cases", template.content))
    assert told(row) == [("name", "nobody_found")]


def test_the_residents_of_an_earlier_file_are_found_by_the_number_of_the_old_system(
    api: Api,
) -> None:
    residents = "성명,생년월일,성별,읍면동,관리번호\n가상주민을,1942.5.6.,여,우1동,H-17\n"
    rows_of(api, WORKER, sent(api, WORKER, "residents", residents))
    api.clock.set(AT)
    (row,) = taken(api, {"성명": "", "생년월일": "", "관리번호": "H-17"})
    assert (row["outcome"], told(row)) == ("accepted", [])
    assert the_case(api)["resident"]["name"] == "가상주민을"
