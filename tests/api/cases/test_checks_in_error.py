"""A check that never was: what it met runs again, what it began never ran, and it stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_resident
from tests.api.asking import (
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    etag,
    everything,
    refusal,
)
from tests.api.cases.test_correcting import WHY, events
from tests.api.cases.test_correcting_days import checked, of_case
from tests.api.cases.test_late_entry import SECOND, a_supported_case, clock
from tests.api.conftest import COLLEAGUE, SUPERVISOR, WORKER, Api
from tests.api.duplicates.test_merging import merge, undo

ELSEWHERE = ("worker.2635051000", "assessor.26350", "provider.alpha", "city", "auditor", "admin")


def in_error(api: Api, check: str, reason: str = WHY, **more: Any) -> Any:
    return api.as_(SUPERVISOR).post(f"/checks/{check}/enter-in-error", {"reason": reason}, **more)


def a_checked_case(api: Api, on: str = "2026-06-15") -> tuple[UUID, dict[str, Any]]:
    """A case that was approved on the 11th of March and checked first on a day in June."""
    case = a_supported_case(api, "2026-03-11").case
    api.clock.set(f"{on}T10:00")
    return case, checked(api, case, on)


def running(api: Api, case: UUID) -> dict[str, str]:
    """When the running clocks are due, by their kinds."""
    shown = of_case(api, case)["deadlines"]
    return {one["kind"]: one["due_at"] for one in shown if one["status"] == "running"}


def ledger(api: Api, clock_id: str) -> list[Any]:
    """The steps of a clock that were raised."""
    of = t.escalation.c
    query = select(of.id, of.tier, of.raised_at, of.quiet).where(
        of.deadline_id == UUID(clock_id), of.raised_at.is_not(None)
    )
    with api.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(of.tier))]


def overdue(api: Api) -> list[str]:
    return [one["kind"] for one in api.as_(WORKER).items("/worklist", due="overdue")]


def ended(api: Api) -> dict[str, int]:
    """How the clocks of checks ended, as the figures count them."""
    params = {"from": "2026-01-01", "to": "2026-12-31"}
    shown = api.as_(SUPERVISOR).get("/figures", params=params).json()
    return {
        f"{one['kind']}: {how}": one[how]
        for one in shown["clocks"]
        if one["kind"] in ("first_check", "check")
        for how in ("on_time", "late", "cancelled_late", "running", "overdue")
        if one.get(how)
    }


def asks(api: Api) -> list[Ask]:
    check = UUID(a_checked_case(api)[1]["id"])
    return [Ask("POST", "/checks/{id}/enter-in-error", check, {"reason": WHY}, ELSEWHERE)]


def test_nobody_and_no_role_but_a_supervisor_enters_a_check_in_error(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_a_check_out_of_scope_looks_like_one_that_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


def test_what_the_first_check_met_runs_again_and_what_it_began_never_ran(api: Api) -> None:
    case, check = a_checked_case(api)
    met, begun = (clock(api, f"/cases/{case}", kind) for kind in ("first_check", "check"))
    assert (met["met_at"], begun["status"]) == ("2026-06-15T10:00:00+09:00", "running")
    api.clock.set("2026-06-16T10:00")
    answer = in_error(api, check["id"])
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["entered_in_error_at"], shown["entered_in_error_reason"]) == (
        "2026-06-16T10:00:00+09:00", WHY,
    )  # fmt: skip
    assert shown["entered_in_error_by"] == str(api.id_of(SUPERVISOR))
    assert [one["deadline_id"] for one in shown["recounted"]] == [met["id"]]
    again, ended_one = (clock(api, f"/cases/{case}", kind) for kind in ("first_check", "check"))
    for name in ("id", "started_at", "due_at"):
        assert again[name] == met[name], name
    assert (again["met_at"], again["acted_on"], again["status"]) == (None, None, "running")
    assert (ended_one["status"], ended_one["id"]) == ("cancelled", begun["id"])
    found = of_case(api, case)
    assert found["last_checked_on"] is None
    (kept,) = found["checks"]
    assert kept == {name: value for name, value in shown.items() if name != "recounted"}
    (correction,) = found["corrections"]
    assert correction["subject"] == {"type": "check", "id": check["id"]}
    assert (correction["before"], correction["reason"]) == ({"entered_in_error_at": None}, WHY)
    told = events(api, found)
    assert (told[0], "DeadlineRecounted" in told[:3]) == ("CheckEnteredInError", True)
    newest = api.as_(WORKER).items(f"/residents/{found['resident_id']}/timeline")[0]
    assert newest["data"] == {
        "correction_id": correction["id"], "check_id": check["id"], "checked_on": "2026-06-15",
    }  # fmt: skip


def test_of_the_second_check_the_first_is_the_last_again(api: Api) -> None:
    case, first = a_checked_case(api)
    api.clock.set("2026-09-01T10:00")
    second = checked(api, case, "2026-08-31", next_check_on="2026-10-01")
    assert running(api, case)["check"] == f"2026-10-01{SECOND}"
    before = everything(api)
    assert refusal(in_error(api, first["id"])) == (409, "check_followed")
    assert refusal(in_error(api, second["id"], " ")) in ((422, "invalid"), (422, "reason_required"))
    assert everything(api) == before
    assert in_error(api, second["id"]).status_code == 200
    found = of_case(api, case)
    assert found["last_checked_on"] == "2026-06-15"
    clocks = running(api, case)
    assert (clocks["check"], "first_check" in clocks) == (f"2026-12-15{SECOND}", False)
    for again in (in_error(api, second["id"]), api.as_(WORKER).post(
        f"/checks/{second['id']}/correct", {"findings": "weaker", "reason": WHY}
    )):  # fmt: skip
        assert refusal(again) == (409, "entered_in_error")
    assert in_error(api, first["id"]).status_code == 200  # now the newest
    assert of_case(api, case)["last_checked_on"] is None
    assert [one["entered_in_error_at"] is None for one in found["checks"]] == [True, False]


def test_a_check_is_recorded_for_the_days_that_one_in_error_took(api: Api) -> None:
    case, first = a_checked_case(api)
    body = {"checked_on": "2026-06-12", "findings": "well"}
    path = f"/cases/{case}/checks"
    assert refusal(api.as_(WORKER).post(path, body)) == (422, "date_too_early")
    assert in_error(api, first["id"]).status_code == 200
    right = checked(api, case, "2026-06-12")
    found = of_case(api, case)
    assert found["last_checked_on"] == "2026-06-12"
    met = [one for one in found["deadlines"] if one["kind"] == "first_check"]
    assert [one["acted_on"] for one in met] == ["2026-06-12"]
    assert running(api, case)["check"] == f"2026-12-14{SECOND}"  # the 12th is a Saturday
    # What never was stands in nobody's way: neither of a correction nor of a decision.
    for on in ("2026-03-12", "2026-06-15"):
        corrected = {"checked_on": on, "reason": WHY}
        answer = api.as_(WORKER).post(f"/checks/{right['id']}/correct", corrected)
        assert answer.status_code == 200, answer.text
        assert of_case(api, case)["last_checked_on"] == on


@pytest.mark.parametrize(
    ("now", "is_late"),
    [("2026-06-10T10:00", False), ("2026-06-11T23:59:59", False), ("2026-06-12T00:00:01", True)],
)
def test_what_runs_again_is_overdue_from_the_day_after_its_own(
    api: Api, now: str, is_late: bool
) -> None:
    case, check = a_checked_case(api, "2026-06-10")
    assert clock(api, f"/cases/{case}", "first_check")["due_at"] == f"2026-06-11{SECOND}"
    api.clock.set(now)
    assert in_error(api, check["id"]).status_code == 200
    assert running(api, case)["first_check"] == f"2026-06-11{SECOND}"
    assert ("first_check" in overdue(api)) is is_late
    assert (clock(api, f"/cases/{case}", "first_check")["breached_at"] is not None) is is_late


def test_a_breach_stays_and_its_step_is_not_raised_twice(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    api.clock.set("2026-06-12T10:00")
    supervisor = api.as_(SUPERVISOR)
    assert supervisor.post("/jobs/overdue/run", {}).json()["changed"] > 0
    late = clock(api, f"/cases/{case}", "first_check")
    raised = ledger(api, late["id"])
    assert late["breached_at"]
    assert raised
    check = checked(api, case, "2026-06-12")
    assert in_error(api, check["id"]).status_code == 200
    supervisor.post("/jobs/overdue/run", {})
    again = clock(api, f"/cases/{case}", "first_check")
    assert again["breached_at"] == late["breached_at"]
    assert ledger(api, late["id"]) == raised


def test_it_counts_in_no_figure_even_where_what_it_began_was_late(api: Api) -> None:
    _, check = a_checked_case(api, "2026-06-10")
    assert ended(api) == {"first_check: on_time": 1, "check: running": 1}
    api.clock.set("2026-12-11T10:00")  # a day after the next was due
    assert ended(api) == {"first_check: on_time": 1, "check: running": 1, "check: overdue": 1}
    assert in_error(api, check["id"]).status_code == 200
    assert ended(api) == {"first_check: running": 1, "first_check: overdue": 1}


def test_what_runs_again_is_held_by_whoever_carries_the_case_now(api: Api) -> None:
    case, check = a_checked_case(api)
    to = {"worker_id": str(api.id_of(COLLEAGUE))}
    assert api.as_(SUPERVISOR).post(f"/cases/{case}/assign", to).status_code == 200
    assert in_error(api, check["id"]).status_code == 200
    due_to = {"kind": "first_check", "due": "all"}
    assert api.as_(WORKER).items("/worklist", **due_to) == []
    (item,) = api.as_(COLLEAGUE).items("/worklist", **due_to)
    assert item["case_id"] == str(case)


def test_of_a_closed_case_it_waits_until_the_case_goes_on(api: Api) -> None:
    case, check = a_checked_case(api)
    api.clock.set("2026-06-16T10:00")
    closing = {"reason": "moved_away", "end_open_referrals": True}
    assert api.as_(WORKER).post(f"/cases/{case}/close", closing).status_code == 200
    assert in_error(api, check["id"]).status_code == 200
    assert running(api, case) == {}
    reopened = api.as_(SUPERVISOR).post(f"/cases/{case}/reopen", {"note": "stays"})
    assert reopened.status_code == 200, reopened.text
    clocks = running(api, case)
    assert (clocks["first_check"], "check" in clocks) == (f"2026-06-11{SECOND}", False)


def test_it_names_the_version_of_the_case_that_was_seen(api: Api) -> None:
    case, check = a_checked_case(api)
    seen = api.as_(SUPERVISOR).get(f"/cases/{case}")
    signal = {"kind": "fall", "note": "in the kitchen"}
    assert api.as_(WORKER).post(f"/cases/{case}/signals", signal).status_code == 201
    assert refusal(in_error(api, check["id"], headers=etag(seen))) == (412, "stale")
    fresh = api.as_(SUPERVISOR).get(f"/cases/{case}")
    assert in_error(api, check["id"], headers=etag(fresh)).status_code == 200


def test_the_same_key_twice_is_one_effect(api: Api) -> None:
    case, check = a_checked_case(api)
    key = {"Idempotency-Key": "once"}
    first, second = (in_error(api, check["id"], headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(of_case(api, case)["corrections"]) == 1


def test_a_second_check_of_one_day_is_recorded_only_where_somebody_says_so(api: Api) -> None:
    case, first = a_checked_case(api)
    api.clock.set("2026-06-17T10:00")
    path, body = f"/cases/{case}/checks", {"checked_on": "2026-06-15", "findings": "again"}
    before, worker = everything(api), api.as_(WORKER)
    day_before = worker.post(path, body | {"checked_on": "2026-06-14", "confirm": True})
    assert refusal(day_before) == (422, "date_too_early")
    assert refusal(worker.post(path, body)) == (409, "checked_already")
    said = worker.post(path, body, headers={"Accept-Language": "ko"}).json()
    assert said["title"] == "같은 날의 점검이 이미 있습니다"
    assert everything(api) == before
    second = checked(api, case, "2026-06-15", confirm=True)
    assert {one["id"] for one in of_case(api, case)["checks"]} == {first["id"], second["id"]}
    assert in_error(api, second["id"]).status_code == 200
    assert refusal(worker.post(path, body)) == (409, "checked_already")  # the first still stands
    assert in_error(api, first["id"]).status_code == 200
    checked(api, case, "2026-06-15")  # nothing of that day is left
    checked(api, case, "2026-06-16")


def test_it_goes_with_its_case_through_a_merge_and_back(api: Api) -> None:
    case, check = a_checked_case(api)
    resident = UUID(of_case(api, case)["resident_id"])
    assert in_error(api, check["id"]).status_code == 200
    before = of_case(api, case)
    made = merge(api, a_resident(api), resident)
    shown = of_case(api, case)
    assert (shown["checks"], shown["last_checked_on"]) == (before["checks"], None)
    right = checked(api, case, "2026-06-15")
    assert in_error(api, right["id"]).status_code == 200
    undo(api, made)
    found = of_case(api, case)
    assert [one["id"] for one in found["checks"]] == [check["id"], right["id"]]
    assert (found["resident_id"], found["last_checked_on"]) == (str(resident), None)
    assert "first_check" in running(api, case)
