"""Days of checks, of telling, of decisions and of meetings are put right; the clocks follow."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.api.asking import Ask, check_nobody_and_wrong_roles, check_strangers, everything, refusal
from tests.api.cases.test_correcting import WHY, events
from tests.api.cases.test_late_entry import (
    SECOND,
    a_supported_case,
    an_assessed_case,
    clock,
    conference,
    decide,
    typed_plan,
)
from tests.api.conftest import ASSESSOR, FAR_SUPERVISOR, SUPERVISOR, WORKER, Api

ELSEWHERE = ("assessor.26350", "provider.alpha", "city", "auditor", "admin")


def checked(api: Api, case: UUID, on: str, **more: Any) -> dict[str, Any]:
    """A check of a day, recorded now."""
    body = {"checked_on": on, "findings": "as before"} | more
    answer = api.as_(WORKER).post(f"/cases/{case}/checks", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def correct_check(api: Api, check: str, **changes: Any) -> Any:
    return api.as_(WORKER).post(f"/checks/{check}/correct", {"reason": WHY} | changes)


def of_case(api: Api, case: UUID) -> dict[str, Any]:
    return dict(api.as_(WORKER).get(f"/cases/{case}").json())


def asks(api: Api) -> list[Ask]:
    case = a_supported_case(api, "2026-03-11").case
    api.clock.set("2026-06-15T10:00")
    check = UUID(checked(api, case, "2026-06-12")["id"])
    body = {"checked_on": "2026-06-11", "reason": WHY}
    return [Ask("POST", "/checks/{id}/correct", check, body, ELSEWHERE)]


def test_nobody_and_no_role_without_a_row_corrects_a_check(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_a_check_out_of_scope_looks_like_one_that_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


@pytest.mark.both_stores
def test_the_day_of_a_check_is_put_right_and_its_clocks_follow(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path = f"/cases/{case}"
    api.clock.set("2026-06-15T10:00")
    check = checked(api, case, "2026-06-15")
    assert clock(api, path, "first_check")["met_at"] == "2026-06-15T10:00:00+09:00"
    assert clock(api, path, "check")["due_at"] == f"2026-12-15{SECOND}"
    api.clock.set("2026-06-17T10:00")
    answer = correct_check(api, check["id"], checked_on="2026-06-10", findings="weaker")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["checked_on"], shown["findings"]) == ("2026-06-10", "weaker")
    assert shown["recorded_at"] == "2026-06-15T10:00:00+09:00"
    first, following = clock(api, path, "first_check"), clock(api, path, "check")
    assert (first["met_at"], first["acted_on"]) == (f"2026-06-10{SECOND}", "2026-06-10")
    assert following["due_at"] == f"2026-12-10{SECOND}"
    assert {one["deadline_id"] for one in shown["recounted"]} == {first["id"], following["id"]}
    found = of_case(api, case)
    assert found["last_checked_on"] == "2026-06-10"
    (kept,) = found["corrections"]
    assert kept["subject"] == {"type": "check", "id": check["id"]}
    assert kept["before"] == {"checked_on": "2026-06-15", "findings": "as before"}
    assert (kept["reason"], events(api, found)[2]) == (WHY, "DeadlineRecounted")
    assert events(api, found)[0] == "CheckCorrected"


def test_the_day_of_the_next_check_is_set_otherwise_and_left_to_the_law(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path = f"/cases/{case}"
    api.clock.set("2026-06-10T10:00")
    check = checked(api, case, "2026-06-10", next_check_on="2026-08-03")["id"]
    assert clock(api, path, "check")["due_at"] == f"2026-08-03{SECOND}"
    before = everything(api)
    late = correct_check(api, check, next_check_on="2026-12-11")
    assert refusal(late) == (422, "statutory_limit")
    early = correct_check(api, check, next_check_on="2026-06-09")
    assert refusal(early) == (422, "date_too_early")
    assert everything(api) == before
    correct_check(api, check, next_check_on="2026-09-01")
    assert clock(api, path, "check")["due_at"] == f"2026-09-01{SECOND}"
    correct_check(api, check, next_check_on=None)
    assert clock(api, path, "check")["due_at"] == f"2026-12-10{SECOND}"


def test_a_check_stays_between_those_before_and_after_it(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path = f"/cases/{case}"
    api.clock.set("2026-06-10T10:00")
    first = checked(api, case, "2026-06-09")["id"]
    api.clock.set("2026-09-10T10:00")
    second = checked(api, case, "2026-09-09")["id"]
    before = everything(api)
    for check, on, code in (
        (first, "2026-03-11", "date_too_early"),  # the approval's own day
        (first, "2026-09-10", "date_too_late"),
        (second, "2026-06-08", "date_too_early"),
        (second, "2026-09-11", "date_in_future"),
    ):
        assert refusal(correct_check(api, check, checked_on=on)) == (422, code), on
    assert refusal(correct_check(api, second, checked_on="2026-09-08", reason=" ")) == (
        422, "invalid",
    )  # fmt: skip
    assert everything(api) == before
    for on in ("2026-03-12", "2026-09-09"):
        assert correct_check(api, first, checked_on=on).status_code == 200
    # It met nothing that follows, and the clock that it began was met by the second.
    began = [one for one in of_case(api, case)["deadlines"] if one["kind"] == "check"]
    assert [one["status"] for one in began] == ["met", "running"]
    assert began[0]["due_at"] == f"2027-03-09{SECOND}"
    assert clock(api, path, "check")["due_at"] == f"2027-03-09{SECOND}"
    assert of_case(api, case)["last_checked_on"] == "2026-09-09"


@pytest.mark.both_stores
def test_telling_the_resident_is_put_right(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path, worker = f"/cases/{case}", api.as_(WORKER)
    told = {"on": "2026-03-16", "to": "the resident"}
    none = worker.post(f"{path}/plan/notified", told | {"correction": {"reason": WHY}})
    assert refusal(none) == (422, "date_in_future") or refusal(none) == (422, "nothing_to_correct")
    api.clock.set("2026-03-20T10:00")
    worker.post(f"{path}/plan/notified", told | {"on": "2026-03-20"})
    assert clock(api, path, "notify_plan")["met_at"] == "2026-03-20T10:00:00+09:00"
    before = everything(api)
    for on, code in (("2026-03-10", "date_too_early"), ("2026-03-21", "date_in_future")):
        wrong = told | {"on": on, "correction": {"reason": WHY}}
        assert refusal(worker.post(f"{path}/plan/notified", wrong)) == (422, code)
    assert everything(api) == before
    right = told | {"to": "the daughter", "correction": {"reason": WHY}}
    answer = worker.post(f"{path}/plan/notified", right)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["notified_on"], answer.json()["notified_to"]) == (
        "2026-03-16", "the daughter",
    )  # fmt: skip
    assert clock(api, path, "notify_plan")["met_at"] == f"2026-03-16{SECOND}"
    (kept,) = answer.json()["corrections"]
    assert kept["before"] == {"notified_on": "2026-03-20", "notified_to": "the resident"}
    assert events(api, answer.json())[0] == "NotificationCorrected"


@pytest.mark.both_stores
def test_of_one_plan_the_resident_is_told_once(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path, worker = f"/cases/{case}", api.as_(WORKER)
    api.clock.set("2026-03-20T10:00")
    told = {"on": "2026-03-16", "to": "the resident"}
    assert worker.post(f"{path}/plan/notified", told).status_code == 200
    before = everything(api)
    for on in ("2026-03-15", "2026-03-16", "2026-03-17"):
        again = worker.post(f"{path}/plan/notified", {"on": on, "to": "the daughter"})
        assert refusal(again) == (409, "already_notified"), on
    assert everything(api) == before
    right = {"on": "2026-03-17", "to": "the daughter", "correction": {"reason": WHY}}
    assert worker.post(f"{path}/plan/notified", right).json()["notified_on"] == "2026-03-17"


def test_of_another_plan_the_resident_is_told_again(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    path, worker = f"/cases/{case}", api.as_(WORKER)
    told = {"on": "2026-03-11", "to": "the resident"}
    assert worker.post(f"{path}/plan/notified", told).status_code == 200
    how = {"without_meeting_reason": "it was urgent", "decided_on": "2026-03-11"}
    assert decide(api, case, typed_plan(api, case), **how).status_code == 200
    assert worker.post(f"{path}/plan/notified", told).status_code == 200
    assert refusal(worker.post(f"{path}/plan/notified", told)) == (409, "already_notified")


def a_decided_meeting(api: Api, held_on: str = "2026-03-13") -> tuple[UUID, str]:
    """A case that a meeting approved, entered on the Monday after; and the meeting."""
    case = an_assessed_case(api, "2026-03-05")
    api.clock.set("2026-03-16T10:00")
    answer = decide(api, case, typed_plan(api, case), conference=conference(held_on))
    assert answer.status_code == 200, answer.text
    return case, answer.json()["in_force"]["decision"]["conference"]["id"]


def move_meeting(api: Api, meeting: str, on: str, reason: str = WHY) -> Any:
    body = {"held_on": on, "reason": reason}
    return api.as_(SUPERVISOR).post(f"/conferences/{meeting}/correct", body)


@pytest.mark.both_stores
def test_the_day_of_a_meeting_is_put_right_for_all_that_it_decided(api: Api) -> None:
    case, meeting = a_decided_meeting(api)
    path = f"/cases/{case}"
    answer = move_meeting(api, meeting, "2026-03-12")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["held_on"] == "2026-03-12"
    assert shown["corrections"] == [
        {"held_on": "2026-03-13", "reason": WHY, "corrected_at": "2026-03-16T10:00:00+09:00",
         "corrected_by": str(api.id_of(SUPERVISOR))}
    ]  # fmt: skip
    assert {one["kind"] for one in shown["recounted"]} == {
        "decision", "first_check", "notify_plan", "link",
    }  # fmt: skip
    assert api.as_(SUPERVISOR).get(f"/conferences/{meeting}").json()["held_on"] == "2026-03-12"
    found = of_case(api, case)
    assert found["first_approved_on"] == "2026-03-12"
    assert clock(api, path, "decision")["met_at"] == f"2026-03-12{SECOND}"
    assert clock(api, path, "first_check")["due_at"] == f"2026-06-12{SECOND}"
    assert clock(api, path, "notify_plan")["due_at"] == f"2026-03-19{SECOND}"
    decision = api.as_(WORKER).get(f"{path}/plan").json()["in_force"]["decision"]
    assert decision["decided_on"] == "2026-03-12"
    assert decision["conference"]["held_on"] == "2026-03-12"
    (kept,) = found["corrections"]
    assert (kept["subject"]["type"], kept["before"]) == (
        "plan_version", {"decided_on": "2026-03-13"},
    )  # fmt: skip
    assert events(api, found)[0] == "DecisionCorrected"
    again = move_meeting(api, meeting, "2026-03-12").json()
    assert (again["recounted"], len(again["corrections"])) == ([], 1)


def test_a_meeting_lies_between_what_it_followed_and_what_followed_it(api: Api) -> None:
    case, meeting = a_decided_meeting(api)
    told = {"on": "2026-03-14", "to": "the resident"}
    assert api.as_(WORKER).post(f"/cases/{case}/plan/notified", told).status_code == 200
    before = everything(api)
    for on, code in (
        ("2026-03-04", "date_too_early"),
        ("2026-03-15", "date_too_late"),
        ("2026-03-17", "date_in_future"),
    ):
        assert refusal(move_meeting(api, meeting, on)) == (422, code), on
    assert move_meeting(api, meeting, "2026-03-12", " ").status_code == 422
    assert everything(api) == before
    for on in ("2026-03-05", "2026-03-14"):
        assert move_meeting(api, meeting, on).status_code == 200
    assert clock(api, f"/cases/{case}", "notify_plan")["met_at"] == f"2026-03-14{SECOND}"


def test_a_meeting_that_has_decided_nothing_is_put_on_another_day(api: Api) -> None:
    case = an_assessed_case(api, "2026-03-05")
    typed_plan(api, case)
    supervisor = api.as_(SUPERVISOR)
    meeting = supervisor.post("/conferences", conference("2026-03-10")).json()["id"]
    supervisor.post(f"/conferences/{meeting}/agenda", {"case_ids": [str(case)]})
    assert refusal(move_meeting(api, meeting, "2026-03-04")) == (422, "date_too_early")
    assert refusal(move_meeting(api, meeting, "2027-03-06")) == (422, "date_too_far")
    assert move_meeting(api, meeting, "2026-03-12").json()["held_on"] == "2026-03-12"
    worker = api.as_(WORKER).post(f"/conferences/{meeting}/correct", {})
    assert worker.status_code == 403
    far = api.as_(FAR_SUPERVISOR).post(
        f"/conferences/{meeting}/correct", {"held_on": "2026-03-12", "reason": WHY}
    )
    assert far.status_code == 404


def test_the_day_of_a_decision_without_a_meeting_is_put_right(api: Api) -> None:
    case = an_assessed_case(api, "2026-03-05")
    api.clock.set("2026-03-16T10:00")
    decide(api, case, typed_plan(api, case), without_meeting_reason="urgent")
    path = f"/cases/{case}/plan/decision/correct"
    right = {"version": 1, "decided_on": "2026-03-12", "reason": WHY}
    supervisor = api.as_(SUPERVISOR)
    assert refusal(supervisor.post(path, right | {"version": 2})) == (422, "unknown_version")
    answer = supervisor.post(path, right)
    assert answer.status_code == 200, answer.text
    assert answer.json()["in_force"]["decision"]["decided_on"] == "2026-03-12"
    assert clock(api, f"/cases/{case}", "first_check")["due_at"] == f"2026-06-12{SECOND}"
    assert api.as_(ASSESSOR).post(path, right).status_code == 403
    other, _meeting = a_decided_meeting(api)
    held = supervisor.post(f"/cases/{other}/plan/decision/correct", right)
    assert refusal(held) == (422, "how_decided")
