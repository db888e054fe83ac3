"""A case that was taken over goes on by the usual acts, as if it had begun here."""

from __future__ import annotations

from typing import Any, Final

import pytest

from casework.adapters.persistence import tables as t
from tests.api.asking import refusal
from tests.api.conftest import SUPERVISOR, WORKER, Api
from tests.api.exchange.test_imports import told
from tests.api.exchange.test_taking_over import (
    SECOND,
    SECOND_SERVICE,
    clocks,
    count,
    known,
    relayed,
    swept,
    taken,
    the_case,
)

BY_PHONE: Final = {"on_behalf": {"channel": "phone", "person": "센터장"}}
TODAY: Final = "2026-09-01"


def done(answer: Any) -> Any:
    """The body of an answer that was not refused."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_a_check_meets_the_statutory_clock_and_starts_the_next(api: Api) -> None:
    known(api)
    taken(api, {})
    shown = the_case(api)
    check = {"checked_on": TODAY, "findings": "잘 지내심"}
    done(api.as_(WORKER).post(f"/cases/{shown['id']}/checks", check))
    first, following = the_case(api)["deadlines"]
    assert (first["kind"], first["status"], first["breached_at"]) == (
        "first_check", "met", f"2026-07-20{SECOND}",
    )  # fmt: skip
    assert (following["kind"], following["due_at"]) == ("check", f"2027-03-02{SECOND}")


@pytest.mark.both_stores
def test_a_check_that_was_taken_over_in_error_met_none_and_one_counts_anew(api: Api) -> None:
    known(api)
    said = {"최초점검일": "2026.7.10.", "최근점검일": "2026.8.31."}
    taken(api, said)
    boss, case = api.as_(SUPERVISOR), the_case(api)
    first, last = sorted(case["checks"], key=lambda one: one["checked_on"])
    path, why = "/checks/{}/enter-in-error", {"reason": "다른 분의 점검"}
    assert refusal(boss.post(path.format(first["id"]), why)) == (409, "check_followed")
    for check, last_on, due in (
        (last, "2026-07-10", {"check": f"2027-01-11{SECOND}"}),
        (first, None, {"first_check": f"2026-07-20{SECOND}"}),
    ):
        done(boss.post(path.format(check["id"]), why))
        shown = the_case(api)
        running = [one for one in shown["deadlines"] if one["status"] == "running"]
        assert shown["last_checked_on"] == last_on
        assert {one["kind"]: one["due_at"] for one in running if "check" in one["kind"]} == due
        (row,) = taken(api, said | SECOND_SERVICE)  # the file still says what never was
        column = "first_checked_on" if last_on is None else "last_checked_on"
        assert told(row) == [(column, "taken_over_otherwise")]


def test_its_date_explains_itself_from_the_day_of_the_approval(api: Api) -> None:
    known(api)
    taken(api, {})
    (clock,) = the_case(api)["deadlines"]
    why = done(api.as_(WORKER).get(f"/deadlines/{clock['id']}/explanation"))
    assert (why["start"], why["due_at"]) == (f"2026-04-17{SECOND}", f"2026-07-20{SECOND}")


def test_its_referral_and_its_plan_go_on(api: Api) -> None:
    known(api)
    taken(api, {})
    shown = the_case(api)
    worker, boss, case = api.as_(WORKER), api.as_(SUPERVISOR), shown["id"]
    referral = f"/referrals/{shown['referrals'][0]['id']}"
    right = {"started_on": "2026-04-28", "reason": "오타"}
    assert done(worker.post(f"{referral}/correct", right))["started_on"] == "2026-04-28"
    report = {"reported_on": TODAY, "note": "잘 드심"} | BY_PHONE
    done(worker.post(f"{referral}/report", report))
    (asked,) = done(worker.get(f"/cases/{case}/plan"))["in_force"]["services"]
    kept = ("id", "service_code", "content", "quantity", "unit", "per", "starts_on", "ends_on")
    draft = {"goals": ["집에서"], "heard": {"on": TODAY, "from": "본인"},
             "services": [{name: asked[name] for name in kept} | {"quantity": 5}]}  # fmt: skip
    done(worker.put(f"/cases/{case}/plan/draft", draft))
    named = done(worker.post(f"/cases/{case}/plan/submit"))
    decision = {"version": named["version"], "hash": named["hash"], "decision": "approve",
                "without_meeting_reason": "급한 변경"}  # fmt: skip
    plan = done(boss.post(f"/cases/{case}/plan/decision", decision))
    assert [(one["version"], one["status"]) for one in plan["versions"]] == [
        (1, "superseded"), (2, "approved"),
    ]  # fmt: skip
    # The first check counts from the first approval all the same.
    assert clocks(the_case(api))["first_check"] == f"2026-07-20{SECOND}"


def test_it_is_held_corrected_moved_closed_and_reopened(api: Api) -> None:
    known(api)
    taken(api, {"기존사례번호": "2025-0417"})
    worker, boss, case = api.as_(WORKER), api.as_(SUPERVISOR), f"/cases/{the_case(api)['id']}"
    etag = worker.get(case).headers["etag"]
    right = worker.patch(
        case, {"applied_on": "2026-03-26", "reason": "잘못 적음"}, headers={"If-Match": etag}
    )
    assert done(right)["recounted"] == []
    done(worker.post(f"{case}/hold", {"reason": "hospitalised", "until": "2026-09-20"}))
    done(worker.post(f"{case}/resume"))
    done(worker.post(f"{case}/signals", {"kind": "fall"}))
    assert done(worker.get(f"{case}/summary"))["number"]
    closing = {"reason": "moved_away", "end_open_referrals": True}
    assert done(worker.post(f"{case}/close", closing))["deadlines"]
    shown = done(boss.post(f"{case}/reopen", {"note": "돌아오심"}))
    assert (shown["status"], shown["former_number"]) == ("supported", "2025-0417")
    running = [one for one in shown["deadlines"] if one["status"] == "running"]
    assert f"2026-07-20{SECOND}" in {one["due_at"] for one in running}
    moved = done(boss.post(f"{case}/transfer", {"centre_code": "2635052000", "reason": "이사"}))
    assert (moved["worker_id"], moved["taken_over_at"][:10]) == (None, TODAY)
    # Its row again, which names the worker and the days of before, changes nothing of that.
    (row,) = taken(api, {"기존사례번호": "2025-0417"})
    assert (row["outcome"], told(row)) == ("duplicate", [("", "already_taken_over")])


def test_what_lay_before_the_taking_over_is_not_told_once_a_clock_is_counted_anew(
    api: Api,
) -> None:
    """Due on 20 July; decided two days sooner, it was due on the 15th, long before as well."""
    known(api)
    taken(api, {})
    boss, case = api.as_(SUPERVISOR), f"/cases/{the_case(api)['id']}"
    right = {"version": 1, "decided_on": "2026-04-15", "reason": "잘못 적음"}
    done(boss.post(f"{case}/plan/decision/correct", right))
    assert clocks(the_case(api)) == {"first_check": f"2026-07-15{SECOND}"}
    assert swept(api) == (0, 0, 0)
    relayed(api)
    assert count(api, t.notice) == 0
    (late,) = boss.items("/overdue")
    ledger = boss.items(f"/deadlines/{late['deadline_id']}/escalations")
    assert {(one["passed_over"], one["quiet"]) for one in ledger} == {(True, True)}


def test_what_lay_before_the_taking_over_is_not_told_once_the_case_is_reopened(api: Api) -> None:
    known(api)
    taken(api, {})
    case = f"/cases/{the_case(api)['id']}"
    closing = {"reason": "moved_away", "end_open_referrals": True}
    done(api.as_(WORKER).post(f"{case}/close", closing))
    done(api.as_(SUPERVISOR).post(f"{case}/reopen", {"note": "돌아오심"}))
    assert clocks(the_case(api))["first_check"] == f"2026-07-20{SECOND}"
    before = count(api, t.notice)
    assert swept(api) == (0, 0, before)
    (late,) = api.as_(SUPERVISOR).items("/overdue")
    assert (late["kind"], late["tier"]) == ("first_check", None)


def test_the_last_day_of_what_came_to_nothing_is_kept_and_put_right(api: Api) -> None:
    known(api)
    taken(api, {"의뢰상태": "제공 실패", "종결일": "2026.8.20.", "사유": "제공불가"})
    path = f"/referrals/{the_case(api)['referrals'][0]['id']}"
    shown = done(api.as_(WORKER).get(path))
    assert (shown["status"], shown["ended_on"]) == ("failed", "2026-08-20")
    right = {"ended_on": "2026-08-21", "reason": "오타"}
    assert done(api.as_(WORKER).post(f"{path}/correct", right))["ended_on"] == "2026-08-21"
