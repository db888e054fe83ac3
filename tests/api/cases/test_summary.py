"""One call for what a worker is asked for on the telephone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import acts
from tests.api.asking import OUTSIDERS, Ask, check_nobody_and_wrong_roles, check_strangers
from tests.api.conftest import ASSESSOR, PROVIDER, SUPERVISOR, WORKER, Api

NEVER = (PROVIDER, *OUTSIDERS)


def asks(api: Api) -> list[Ask]:
    return [Ask("GET", "/cases/{id}/summary", acts.a_case(api), None, NEVER)]


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


def summary(api: Api, case: Any, by: str = WORKER) -> dict[str, Any]:
    answer = api.as_(by).get(f"/cases/{case}/summary")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_case_is_told_on_one_page(api: Api) -> None:
    supported = acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    worker, path = api.as_(WORKER), f"/residents/{supported.resident}"
    seen = worker.get(path)
    daughter = {"name": "가상딸", "relation": "daughter", "phone": "051-777-0001",
                "may_be_told": False}  # fmt: skip
    headers = {"If-Match": seen.headers["etag"]}
    assert worker.patch(path, {"contacts": [daughter]}, headers=headers).status_code == 200
    for n in range(7):
        api.clock.set(f"2026-03-03T1{n}:00")
        note = {"kind": "call", "text": f"통화 {n}\n둘째 줄", "come_back_on": "2026-03-09"}
        assert worker.post(f"{path}/notes", note).status_code == 201
    found = summary(api, supported.case)
    assert found["number"] == acts.number_of(api, supported.case)
    assert (found["status"], found["hold"]) == ("supported", None)
    assert found["worker"]["id"] == str(api.actor(WORKER).id)
    assert found["resident"]["id"] == str(supported.resident)
    assert found["resident"]["phone"] == "010-0000-0000"
    assert found["contacts"] == [daughter]
    (service,) = found["services"]
    alpha = api.providers["alpha"]
    assert (service["id"], service["settled"]) == (str(supported.service), False)
    assert service["referrals"] == [
        {"id": str(referral), "status": "requested", "priority": "routine",
         "expected_start_on": None, "started_on": None, "hold_until": None,
         "provider": {"id": str(alpha.id), "name": alpha.name, "phone": alpha.phone}}
    ]  # fmt: skip
    assert [one["text"] for one in found["call_backs"]] == [f"통화 {n}" for n in range(7)]
    assert [one["text"][:4] for one in found["notes"]] == [f"통화 {n}" for n in (6, 5, 4, 3, 2)]
    assert {one["status"] for one in found["deadlines"]} == {"running"}
    due = [one["due_at"] for one in found["deadlines"]]
    assert due == sorted(due) != []
    assert summary(api, supported.case, SUPERVISOR) == found
    held = {"reason": "hospitalised", "until": "2026-03-20"}
    assert worker.post(f"/cases/{supported.case}/hold", held).status_code == 200
    shown = worker.get(f"/cases/{supported.case}").json()["hold"]
    assert summary(api, supported.case)["hold"] == shown
    assert held.items() <= shown.items()


def test_an_assessor_gets_whom_to_visit_and_nothing_that_was_said(api: Api) -> None:
    case = acts.a_case(api)
    acts.surveyed(api, case)
    resident = api.as_(WORKER).get(f"/cases/{case}").json()["resident_id"]
    note = {"kind": "call", "text": "가상", "come_back_on": "2026-03-09"}
    assert api.as_(WORKER).post(f"/residents/{resident}/notes", note).status_code == 201
    found = summary(api, case, ASSESSOR)
    assert found["resident"]["id"] == resident
    assert found["number"] == acts.number_of(api, case)
    assert found["notes"] == found["call_backs"] == found["services"] == []
    assert found["hold"] is None


@pytest.mark.both_stores
def test_of_a_note_that_was_put_right_only_the_right_one_is_among_the_last(api: Api) -> None:
    supported = acts.a_supported_case(api)
    path, worker = f"/residents/{supported.resident}/notes", api.as_(WORKER)
    made = []
    for n in range(6):
        api.clock.set(f"2026-03-03T1{n}:00")
        note = {"kind": "call", "text": f"통화 {n}", "come_back_on": "2026-03-09"}
        made.append(worker.post(path, note).json()["id"])
    api.clock.set("2026-03-03T16:00")
    right = {"text": "통화 4, 아들과", "reason": "딸이 아니었음"}
    corrected = worker.post(f"/notes/{made[4]}/correct", right)
    assert corrected.status_code == 200, corrected.text
    found = summary(api, supported.case)
    assert [one["text"] for one in found["notes"]] == [
        "통화 4, 아들과", "통화 5", "통화 3", "통화 2", "통화 1",
    ]  # fmt: skip
    shown = found["notes"][0]
    assert (shown["corrects_note_id"], shown["correction_reason"]) == (made[4], right["reason"])
    again = worker.post(f"/notes/{shown['id']}/correct", right | {"text": "통화 4, 며느리와"})
    assert again.status_code == 200, again.text
    texts = [one["text"] for one in summary(api, supported.case)["notes"]]
    assert texts == ["통화 4, 며느리와", "통화 5", "통화 3", "통화 2", "통화 1"]
    assert len(worker.items(path)) == 8  # the list has them all
