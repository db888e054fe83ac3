"""Holds, reopening, transfers and handovers over HTTP, each read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from casework.domain.duplicates.merged_facts import FACTS
from casework.workflows.cases import running
from tests.api import acts
from tests.api.asking import Ask, check_nobody_and_wrong_roles, check_strangers
from tests.api.conftest import (
    COLLEAGUE,
    FAR,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    NEXT_DOOR,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

NEVER_WRITES = ("provider.alpha", "assessor.26350", "city", "auditor", "admin")


def case_of(api: Api, id: UUID, by: str = WORKER) -> dict[str, Any]:
    answer = api.as_(by).get(f"/cases/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def clocks(case: dict[str, Any], status: str = "running") -> dict[str, str]:
    return {one["kind"]: one["due_at"][:10] for one in case["deadlines"] if one["status"] == status}


def post(api: Api, by: str, path: str, body: Any, status: int = 200) -> Any:
    answer = api.as_(by).post(path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_strangers_and_wrong_roles_hold_reopen_and_move_nothing(api: Api) -> None:
    case = acts.a_case(api)
    asks = [
        Ask("POST", "/cases/{id}/hold", case, {"reason": "away", "until": "2026-03-09"},
            NEVER_WRITES),
        Ask("POST", "/cases/{id}/resume", case, {}, NEVER_WRITES),
        Ask("POST", "/cases/{id}/reopen", case, {"note": "back"}, (WORKER, *NEVER_WRITES)),
        Ask("POST", "/cases/{id}/transfer", case, {"centre_code": NEXT_DOOR, "reason": "moved"},
            (WORKER, *NEVER_WRITES)),
    ]  # fmt: skip
    check_nobody_and_wrong_roles(api, asks)
    check_strangers(api, asks)


def test_a_hold_of_the_case_pauses_what_waits_and_nothing_else(api: Api) -> None:
    supported = acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    api.clock.set("2026-03-04T10:00")
    held = post(api, WORKER, f"/cases/{supported.case}/hold",
                {"reason": "hospitalised", "until": "2026-03-10"})  # fmt: skip
    # Due on the 5th: the 4th to the 10th are left out, so the 3rd and the 11th and 12th count.
    assert clocks(held, "paused") == {"response": "2026-03-12"}
    assert set(clocks(held)) == {"notify_plan", "first_check"}
    assert "resume" in held["allowed_actions"]
    assert "hold" not in held["allowed_actions"]
    answer = api.as_(WORKER).get(f"/deadlines/{clock_id(held, 'response')}/explanation").json()
    assert [day["on"] for day in answer["left_out"]][:2] == ["2026-03-04", "2026-03-05"]
    provider = api.as_("provider.alpha").post(f"/referrals/{referral}/accept", {})
    assert provider.status_code == 200, "a hold blocks no move"
    assert clocks(case_of(api, supported.case))["start"] == "2026-03-18", "started during the hold"


def clock_id(case: dict[str, Any], kind: str) -> str:
    found: str = next(one["id"] for one in case["deadlines"] if one["kind"] == kind)
    return found


def test_resuming_early_counts_anew(api: Api) -> None:
    case = acts.a_case(api)
    assert clocks(case_of(api, case)) == {"survey": "2026-03-09"}
    api.clock.set("2026-03-04T10:00")
    post(api, WORKER, f"/cases/{case}/hold", {"reason": "away", "until": "2026-03-20"})
    api.clock.set("2026-03-06T10:00")
    resumed = post(api, WORKER, f"/cases/{case}/resume", {})
    assert clocks(resumed) == {"survey": "2026-03-11"}, "the 4th and the 5th are left out"
    again = api.as_(WORKER).post(f"/cases/{case}/resume", {})
    assert again.json()["code"] == "not_allowed_in_state"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "tired", "until": "2026-03-09"}, "reason_unknown"),
        ({"reason": "other", "until": "2026-03-09"}, "note_required"),
        ({"reason": "away", "until": "2026-03-01"}, "until_in_past"),
        ({"reason": "away", "until": "2026-02-30"}, "invalid"),
    ],
)
def test_a_hold_that_cannot_be_right_changes_nothing(
    api: Api, body: dict[str, str], code: str
) -> None:
    case = acts.a_case(api)
    before = case_of(api, case)
    answer = api.as_(WORKER).post(f"/cases/{case}/hold", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert case_of(api, case) == before


@pytest.mark.parametrize(
    ("moment", "moved"),
    [("2026-03-06T23:59", 0), ("2026-03-07T00:00", 1), ("2026-03-08T09:00", 1)],
)
def test_a_hold_ends_by_itself_the_day_after_its_last_day(
    api: Api, moment: str, moved: int
) -> None:
    case = acts.a_case(api)
    post(api, WORKER, f"/cases/{case}/hold", {"reason": "away", "until": "2026-03-06"})
    due = clocks(case_of(api, case), "paused")
    now = api.clock.set(moment)
    result = api.application.sweep(api.application.context(), now)
    assert result is not None
    assert result.changed == moved
    shown = case_of(api, case)
    assert clocks(shown, "running" if moved else "paused") == due, "only the record changes"
    assert ("resume" in shown["allowed_actions"]) is not bool(moved)
    events = api.as_(WORKER).items(f"/residents/{shown['resident']['id']}/timeline")
    resumed = [one["data"] for one in events if one["event"] == "CaseResumed"]
    assert [one["resumed_on"] for one in resumed] == ["2026-03-07"] * moved


def test_a_reopened_case_goes_on_where_it_was_with_clocks_of_its_own(api: Api) -> None:
    supported = acts.a_supported_case(api)
    acts.a_referral(api, supported)
    before = clocks(case_of(api, supported.case))
    api.clock.set("2026-03-05T10:00")
    post(api, WORKER, f"/cases/{supported.case}/close",
         {"reason": "long_stay", "end_open_referrals": True})  # fmt: skip
    api.clock.set("2026-03-23T10:00")
    reopened = post(api, SUPERVISOR, f"/cases/{supported.case}/reopen", {"note": "home again"})
    assert reopened["status"] == "supported"
    assert reopened["closed_reason"] is None
    assert clocks(reopened) == {
        "first_check": before["first_check"],  # the law's, with its old start
        "notify_plan": "2026-03-30",
        "link": "2026-03-26",  # what closing ended leaves its service unsettled
    }


def test_a_case_is_not_reopened_beside_another_nor_while_open(api: Api) -> None:
    resident = acts.a_resident(api)
    first = acts.a_case(api, resident=resident)
    post(api, WORKER, f"/cases/{first}/close", {"reason": "refused"})
    second = acts.a_case(api, resident=resident)
    answer = api.as_(SUPERVISOR).post(f"/cases/{first}/reopen", {"note": "back"})
    assert (answer.status_code, answer.json()["code"]) == (409, "open_case_exists")
    assert case_of(api, first)["status"] == "closed"
    answer = api.as_(SUPERVISOR).post(f"/cases/{second}/reopen", {"note": "back"})
    assert answer.json()["code"] == "not_allowed_in_state"


def test_a_case_moves_with_its_resident_and_waits_for_a_worker(api: Api) -> None:
    supported = acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    moved = post(api, SUPERVISOR, f"/cases/{supported.case}/transfer",
                 {"centre_code": NEXT_DOOR, "reason": "lives with her daughter"})  # fmt: skip
    assert (moved["centre_code"], moved["worker_id"]) == (NEXT_DOOR, None)
    assert moved["stops_at_border"] == [], "the agency serves the whole district"
    assert api.as_(WORKER).get(f"/cases/{supported.case}").status_code == 404
    assert api.as_(WORKER).get(f"/referrals/{referral}").status_code == 404
    assert api.as_(WORKER).get(f"/residents/{supported.resident}").status_code == 404
    seen = case_of(api, supported.case, NEIGHBOUR)
    held = {one["kind"]: one["held_by"] for one in seen["deadlines"] if one["status"] == "running"}
    assert held == {"notify_plan": "supervisor", "first_check": "supervisor",
                    "response": "provider"}  # fmt: skip
    queue = [one["kind"] for one in api.as_(SUPERVISOR).items("/worklist")]
    assert set(queue) == {"notify_plan", "first_check"}
    newcomer = str(api.id_of(NEIGHBOUR))
    taken = post(api, SUPERVISOR, f"/cases/{supported.case}/assign", {"worker_id": newcomer})
    assert {one["held_by"] for one in taken["deadlines"] if one["kind"] == "first_check"} == {
        "worker"
    }
    assert {one["kind"] for one in api.as_(NEIGHBOUR).items("/worklist")} == {
        "notify_plan", "first_check",
    }  # fmt: skip


def test_what_does_not_reach_the_other_district_is_named(api: Api) -> None:
    supported = acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    moved = post(api, SUPERVISOR, f"/cases/{supported.case}/transfer",
                 {"centre_code": FAR, "reason": "moved"})  # fmt: skip
    assert [one["id"] for one in moved["stops_at_border"]] == [str(referral)]
    assert api.as_(SUPERVISOR).get(f"/cases/{supported.case}").status_code == 404
    assert case_of(api, supported.case, FAR_SUPERVISOR)["district_code"] == "26110"
    assert case_of(api, supported.case, STRANGER)["centre_code"] == FAR
    assert api.as_(FAR_SUPERVISOR).get(f"/referrals/{referral}").status_code == 200


def move_by_transfer(api: Api, supported: acts.Supported) -> None:
    post(api, SUPERVISOR, f"/cases/{supported.case}/transfer",
         {"centre_code": FAR, "reason": "moved"})  # fmt: skip


def move_without_a_case(api: Api, supported: acts.Supported) -> None:
    post(api, WORKER, f"/cases/{supported.case}/close", {"reason": "refused"})
    path = f"/residents/{supported.resident}"
    version = api.as_(SUPERVISOR).get(path).headers["etag"]
    moved = api.as_(SUPERVISOR).patch(path, {"centre_code": FAR}, headers={"If-Match": version})
    assert moved.status_code == 200, moved.text


@pytest.mark.both_stores
@pytest.mark.parametrize("move", [move_by_transfer, move_without_a_case])
def test_who_was_merged_into_a_resident_moves_with_them_out_of_the_district(
    api: Api, move: Callable[[Api, acts.Supported], None]
) -> None:
    supported = acts.a_supported_case(api)
    former = acts.a_resident(api, name="가상동명")
    keep = dict.fromkeys((*FACTS, "rrn"), "survivor")
    post(api, SUPERVISOR, f"/residents/{supported.resident}/merge",
         {"duplicate_id": str(former), "reason": "방문하여 확인", "keep": keep}, 201)  # fmt: skip
    move(api, supported)
    for one in (supported.resident, former):
        assert api.as_(SUPERVISOR).get(f"/residents/{one}").status_code == 404
        assert api.as_(FAR_SUPERVISOR).get(f"/residents/{one}").json()["centre_code"] == FAR


def test_a_transfer_to_nowhere_or_to_where_it_is_changes_nothing(api: Api) -> None:
    case = acts.a_case(api)
    before = case_of(api, case)
    for centre, code in (("9999999999", "unknown_centre"), (before["centre_code"],
                                                            "already_there")):  # fmt: skip
        answer = api.as_(SUPERVISOR).post(
            f"/cases/{case}/transfer", {"centre_code": centre, "reason": "moved"}
        )
        assert answer.json()["code"] == code
    assert case_of(api, case) == before


def test_a_leavers_cases_go_to_colleagues_of_the_centre_or_not_at_all(api: Api) -> None:
    cases = [acts.a_case(api) for _ in range(3)]
    leaver, colleague = str(api.id_of(WORKER)), str(api.id_of(COLLEAGUE))
    body = {"from_worker_id": leaver, "to_worker_id": str(api.id_of(NEIGHBOUR)), "reason": "left"}
    answer = api.as_(SUPERVISOR).post("/caseloads/handover", body)
    assert answer.json()["code"] == "worker_of_other_centre"
    assert {case_of(api, case)["worker_id"] for case in cases} == {leaver}
    body["to_worker_id"] = str(api.id_of(STRANGER))
    answer = api.as_(SUPERVISOR).post("/caseloads/handover", body)
    assert answer.json()["code"] == "unknown_worker", "one of another district does not exist"
    body["to_worker_id"] = colleague
    moved = post(api, SUPERVISOR, "/caseloads/handover", body)["moved"]
    assert set(moved) == set(map(str, cases))
    assert {case_of(api, case)["worker_id"] for case in cases} == {colleague}
    assert len(api.as_(COLLEAGUE).items("/worklist")) == 3
    assert api.as_(WORKER).items("/worklist") == []


def test_a_new_case_of_an_arrived_resident_starts_with_the_worker_again(api: Api) -> None:
    case = acts.a_case(api)
    running.assign_case(api.context(SUPERVISOR), case, api.id_of(COLLEAGUE))
    assert {one["held_by"] for one in case_of(api, case)["deadlines"]} == {"worker"}
