"""Every open case has somebody: who leaves hands over, and what reopens goes to who is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.api import acts
from tests.api.asking import ABSENT, etag, everything, refusal
from tests.api.conftest import (
    COLLEAGUE,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)


def change(api: Api, username: str, **body: Any) -> Any:
    admin, id = api.as_("admin"), api.id_of(username)
    seen = etag(admin.get(f"/accounts/{id}"))
    return admin.patch(f"/accounts/{id}", body, headers=seen)


def case_of(api: Api, id: UUID, by: str = SUPERVISOR) -> dict[str, Any]:
    answer = api.as_(by).get(f"/cases/{id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def without_worker(api: Api, by: str = SUPERVISOR) -> list[str]:
    return [one["id"] for one in api.as_(by).items("/cases", worker="none")]


def closed(api: Api, case: UUID) -> None:
    body = {"reason": "long_stay", "end_open_referrals": True}
    assert api.as_(WORKER).post(f"/cases/{case}/close", body).status_code == 200


def reopened(api: Api, case: UUID) -> dict[str, Any]:
    answer = api.as_(SUPERVISOR).post(f"/cases/{case}/reopen", {"note": "home again"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_who_carries_open_cases_is_not_disabled(api: Api) -> None:
    acts.a_case(api)
    acts.a_supported_case(api)
    before = everything(api)
    answer = change(api, WORKER, is_active=False)
    assert refusal(answer) == (409, "carries_cases")
    assert answer.json()["cases"] == 2
    assert everything(api) == before


@pytest.mark.parametrize(
    "leaving",
    [{"is_active": False}, {"role": "worker", "centre": NEXT_DOOR}],
    ids=["disabled", "moved"],
)
def test_who_leaves_hands_the_cases_over_in_the_same_act(api: Api, leaving: dict[str, Any]) -> None:
    first, second = acts.a_supported_case(api), acts.a_case(api)
    acts.a_referral(api, first)
    colleague = str(api.id_of(COLLEAGUE))
    answer = change(api, WORKER, hand_over_to=colleague, **leaving)
    assert answer.status_code == 200, answer.text
    assert answer.json()["open_cases"] == 0
    for case in (first.case, second):
        shown = case_of(api, case)
        assert shown["worker_id"] == colleague
    listed = api.as_(COLLEAGUE).items("/worklist", due="all")
    assert {one["kind"] for one in listed} == {"survey", "first_check", "notify_plan"}
    assert without_worker(api) == []


def test_the_cases_go_to_nobody_who_could_not_open_them(api: Api) -> None:
    acts.a_case(api)
    assert change(api, COLLEAGUE, is_active=False).status_code == 200
    before = everything(api)
    for wrong in (api.id_of(NEIGHBOUR), api.id_of(STRANGER), api.id_of(COLLEAGUE),
                  api.id_of(WORKER), api.id_of(SUPERVISOR), ABSENT):  # fmt: skip
        answer = change(api, WORKER, is_active=False, hand_over_to=str(wrong))
        assert refusal(answer) == (422, "unknown_worker")
    alone = change(api, WORKER, hand_over_to=str(api.id_of(COLLEAGUE)))
    assert refusal(alone) == (422, "does_not_leave")
    assert everything(api) == before


def test_who_carries_nothing_is_disabled_at_once(api: Api) -> None:
    case = acts.a_case(api)
    closed(api, case)
    assert change(api, WORKER, is_active=False).status_code == 200


def test_a_case_reopens_for_the_worker_who_carried_it(api: Api) -> None:
    case = acts.a_case(api)
    closed(api, case)
    assert reopened(api, case)["worker_id"] == str(api.id_of(WORKER))
    assert without_worker(api) == []


@pytest.mark.parametrize(
    "leaving",
    [{"is_active": False}, {"role": "worker", "centre": NEXT_DOOR}],
    ids=["disabled", "moved"],
)
def test_a_case_that_reopens_to_somebody_who_cannot_open_it_waits_for_a_worker(
    api: Api, leaving: dict[str, Any]
) -> None:
    supported = acts.a_supported_case(api)
    closed(api, supported.case)
    assert change(api, WORKER, **leaving).status_code == 200
    shown = reopened(api, supported.case)
    assert shown["worker_id"] is None
    running = [one for one in shown["deadlines"] if one["status"] == "running"]
    assert {one["kind"] for one in running} == {"first_check", "notify_plan", "link"}
    assert {one["held_by"] for one in running} == {"supervisor"}
    kinds = {one["kind"] for one in api.as_(SUPERVISOR).items("/worklist", due="all")}
    assert kinds == {"first_check", "notify_plan", "link"}
    assert without_worker(api) == [str(supported.case)]
    body = {"worker_id": str(api.id_of(COLLEAGUE))}
    assert api.as_(SUPERVISOR).post(f"/cases/{supported.case}/assign", body).status_code == 200
    assert without_worker(api) == []
    assert api.as_(COLLEAGUE).items("/worklist", due="all")


def test_the_cases_that_nobody_carries_are_a_list(api: Api) -> None:
    taken_in = acts.a_case(api, SUPERVISOR, acts.a_resident(api))
    carried = acts.a_case(api)
    gone = acts.a_case(api, SUPERVISOR, acts.a_resident(api))
    assert api.as_(SUPERVISOR).post(f"/cases/{gone}/close", {"reason": "refused"}).is_success
    assert without_worker(api) == [str(taken_in)]
    assert without_worker(api, WORKER) == [str(taken_in)]
    assert without_worker(api, NEIGHBOUR) == without_worker(api, FAR_SUPERVISOR) == []
    counted = api.as_(SUPERVISOR).get("/overdue/summary", params={"by": "centre"}).json()
    assert counted["cases_without_worker"] == 1
    listed = api.as_(SUPERVISOR).items("/cases", worker="none", centre=HERE, status="applied")
    assert [one["id"] for one in listed] == [str(taken_in)]
    listed = api.as_(SUPERVISOR).items("/cases", worker=str(api.id_of(WORKER)))
    assert [one["id"] for one in listed] == [str(carried)]
    answer = api.as_(SUPERVISOR).get("/cases", params={"worker": "nobody"})
    assert answer.status_code == 422
