"""What happened is entered after the fact: with both days, and judged by the day of the act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.api import acts
from tests.api.asking import everything, fields_of, refusal
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api

MEMBERS = [{"name": "가상간호사", "agency": "보건소"}]
BY_PHONE = {"channel": "phone", "person": "센터장"}
SECOND = "T23:59:59+09:00"


def clock(api: Api, path: str, kind: str) -> dict[str, Any]:
    """The newest clock of a kind, as the worker sees it."""
    shown = api.as_(WORKER).get(path).json()["deadlines"]
    found: dict[str, Any] = [one for one in shown if one["kind"] == kind][-1]
    return found


def an_assessed_case(api: Api, determined: str) -> UUID:
    """A case whose determination came on a day, and is recorded on it."""
    api.clock.set(f"{determined}T10:00")
    case = acts.a_case(api)
    acts.surveyed(api, case)
    acts.assessed(api, case)
    return case


def typed_plan(api: Api, case: UUID, ends_on: str = "2027-12-31") -> Any:
    """A plan that is drafted and submitted now; what a decision names."""
    worker, today = api.as_(WORKER), str(api.context(WORKER).act.today)
    drafted = worker.put(f"/cases/{case}/plan/draft", {
        "goals": ["stay at home"], "heard": {"on": today, "from": "the resident"},
        "services": [{"service_code": "CARE-MEALS", "content": "lunch", "quantity": 3,
                      "unit": "meal", "per": "week", "starts_on": today, "ends_on": ends_on}],
    })  # fmt: skip
    assert drafted.status_code == 200, drafted.text
    return worker.post(f"/cases/{case}/plan/submit").json()


def decide(api: Api, case: UUID, named: dict[str, Any], **how: Any) -> Any:
    """Approve the submitted plan, as the supervisor."""
    return api.as_(SUPERVISOR).post(
        f"/cases/{case}/plan/decision", named | {"decision": "approve"} | how
    )


def conference(held_on: str) -> dict[str, Any]:
    """A meeting of a day."""
    return {"held_on": held_on, "members": MEMBERS}


@pytest.mark.both_stores
def test_a_conference_of_last_friday_decides_a_plan_that_is_typed_today(api: Api) -> None:
    case = an_assessed_case(api, "2026-03-05")
    api.clock.set("2026-03-16T10:00")
    named = typed_plan(api, case)
    answer = decide(api, case, named, conference=conference("2026-03-13"))
    assert answer.status_code == 200, answer.text
    decision = answer.json()["in_force"]["decision"]
    assert decision["decided_on"] == "2026-03-13"
    assert decision["conference"]["recorded_at"] == "2026-03-16T10:00:00+09:00"
    shown = api.as_(WORKER).get(f"/cases/{case}").json()
    assert shown["first_approved_on"] == "2026-03-13"
    decided = clock(api, f"/cases/{case}", "decision")
    assert (decided["met_at"], decided["acted_on"]) == (f"2026-03-13{SECOND}", "2026-03-13")
    assert decided["recorded_at"] == "2026-03-16T10:00:00+09:00"
    # Counted from the meeting: three months end on a Saturday, five and three working days.
    assert clock(api, f"/cases/{case}", "first_check")["due_at"] == f"2026-06-15{SECOND}"
    assert clock(api, f"/cases/{case}", "notify_plan")["due_at"] == f"2026-03-20{SECOND}"
    timeline = api.as_(WORKER).get(f"/residents/{shown['resident_id']}/timeline").json()["items"]
    approved = next(one for one in timeline if one["event"] == "PlanApproved")
    assert approved["data"]["decided_on"] == "2026-03-13"
    assert approved["recorded_at"] == "2026-03-16T10:00:00+09:00"


def test_a_known_meeting_of_last_friday_takes_the_plan_on_its_agenda(api: Api) -> None:
    case = an_assessed_case(api, "2026-03-05")
    api.clock.set("2026-03-16T10:00")
    named = typed_plan(api, case)
    supervisor = api.as_(SUPERVISOR)
    meeting = supervisor.post("/conferences", conference("2026-03-13")).json()["id"]
    assert supervisor.post(
        f"/conferences/{meeting}/agenda", {"case_ids": [str(case)]}
    ).status_code == 200  # fmt: skip
    answer = decide(api, case, named, conference_id=meeting)
    assert answer.status_code == 200, answer.text
    assert answer.json()["in_force"]["decision"]["decided_on"] == "2026-03-13"


@pytest.mark.parametrize(
    ("held_on", "code"),
    [
        ("2026-04-01", "date_in_future"),
        ("2026-03-31", None),
        ("2026-03-05", None),
        ("2026-03-04", "date_too_early"),
    ],
)
@pytest.mark.parametrize("in_a_meeting", [True, False])
def test_a_decision_follows_the_determination_and_not_the_typing(
    api: Api, held_on: str, code: str | None, in_a_meeting: bool
) -> None:
    case = an_assessed_case(api, "2026-03-05")
    api.clock.set("2026-03-31T10:00")
    named = typed_plan(api, case)
    how: dict[str, Any] = {"without_meeting_reason": "it was urgent", "decided_on": held_on}
    if in_a_meeting:
        how = {"conference": conference(held_on)}
    before = everything(api)
    answer = decide(api, case, named, **how)
    if code is None:
        assert answer.json()["in_force"]["decision"]["decided_on"] == held_on
        return
    assert refusal(answer) == (422, code)
    assert fields_of(answer) == ["conference.held_on" if in_a_meeting else "decided_on"]
    assert everything(api) == before


def test_a_meeting_has_one_day_only(api: Api) -> None:
    case = an_assessed_case(api, "2026-03-05")
    named = typed_plan(api, case)
    how = {"conference": conference("2026-03-05"), "decided_on": "2026-03-05"}
    assert refusal(decide(api, case, named, **how)) == (422, "how_decided")


def a_supported_case(api: Api, on: str) -> acts.Supported:
    """A case whose plan was approved on a day."""
    api.clock.set(f"{on}T10:00")
    return acts.a_supported_case(api)


@pytest.mark.both_stores
def test_a_check_of_two_weeks_ago_is_entered_today(api: Api) -> None:
    case = a_supported_case(api, "2026-03-03").case
    api.clock.set("2026-06-15T10:00")
    path = f"/cases/{case}"
    answer = api.as_(WORKER).post(
        f"{path}/checks", {"checked_on": "2026-06-01", "findings": "all well"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["recorded_at"] == "2026-06-15T10:00:00+09:00"
    first = clock(api, path, "first_check")
    assert first["due_at"] == f"2026-06-04{SECOND}", "3 June 2026 is a holiday"
    # Ten working days later is more than five: met when it was recorded, which is late.
    assert (first["met_at"], first["acted_on"]) == ("2026-06-15T10:00:00+09:00", "2026-06-01")
    assert first["breached_at"] == f"2026-06-04{SECOND}"
    assert clock(api, path, "check")["started_at"] == f"2026-06-01{SECOND}"
    assert clock(api, path, "check")["due_at"] == f"2026-12-01{SECOND}"


@pytest.mark.parametrize(
    ("recorded_on", "on_its_day"),
    [("2026-06-10", True), ("2026-06-11", True), ("2026-06-12", False)],
)
def test_within_five_working_days_a_clock_is_met_on_the_day_of_the_act(
    api: Api, recorded_on: str, on_its_day: bool
) -> None:
    case = a_supported_case(api, "2026-03-03").case
    api.clock.set(f"{recorded_on}T10:00")
    api.application.sweep(api.application.context())
    api.as_(WORKER).post(
        f"/cases/{case}/checks", {"checked_on": "2026-06-04", "findings": "all well"}
    )
    first = clock(api, f"/cases/{case}", "first_check")
    recorded = f"{recorded_on}T10:00:00+09:00"
    assert first["met_at"] == (f"2026-06-04{SECOND}" if on_its_day else recorded)
    assert first["recorded_at"] == recorded
    # The sweep had seen the breach: that stays, and so does what it raised.
    assert first["breached_at"] == f"2026-06-04{SECOND}"
    raised = api.as_(WORKER).items(f"/deadlines/{first['id']}/escalations")
    assert raised
    assert not any(step["quiet"] for step in raised if step["raised_at"] < recorded)


@pytest.mark.parametrize(
    ("checked_on", "code"),
    [("2026-06-16", "date_in_future"), ("2026-06-15", None), ("2026-05-16", None),
     ("2026-05-15", "too_late_to_enter")],
)  # fmt: skip
def test_a_day_can_be_entered_for_thirty_days(api: Api, checked_on: str, code: str | None) -> None:
    case = a_supported_case(api, "2026-03-03").case
    api.clock.set("2026-06-15T10:00")
    before = everything(api)
    answer = api.as_(WORKER).post(
        f"/cases/{case}/checks", {"checked_on": checked_on, "findings": "all well"}
    )
    if code is None:
        assert answer.status_code == 201, answer.text
    else:
        assert refusal(answer) == (422, code)
        assert fields_of(answer) == ["checked_on"]
        assert everything(api) == before


@pytest.mark.both_stores
def test_an_answer_of_last_friday_and_a_start_are_entered_for_an_agency(api: Api) -> None:
    supported = a_supported_case(api, "2026-03-11")
    referral = acts.a_referral(api, supported)
    api.clock.set("2026-03-18T15:00")
    path, worker = f"/referrals/{referral}", api.as_(WORKER)
    answer = worker.post(f"{path}/accept", {"answered_on": "2026-03-13", "on_behalf": BY_PHONE})
    assert answer.status_code == 200, answer.text
    assert answer.json()["answered_on"] == "2026-03-13"
    assert answer.json()["answered_at"] == "2026-03-18T15:00:00+09:00"
    response = clock(api, path, "response")
    assert response["met_at"] == f"2026-03-13{SECOND}"
    assert (response["due_at"], response["breached_at"]) == (f"2026-03-16{SECOND}", None)
    assert clock(api, path, "start")["started_at"] == f"2026-03-13{SECOND}"
    assert clock(api, path, "start")["due_at"] == f"2026-03-27{SECOND}"
    answer = worker.post(f"{path}/start", {"started_on": "2026-03-16", "on_behalf": BY_PHONE})
    assert answer.status_code == 200, answer.text
    assert clock(api, path, "start")["met_at"] == f"2026-03-16{SECOND}"
    history = {one["event"]: one for one in api.as_(PROVIDER).get(path).json()["history"]}
    assert history["ReferralAccepted"]["data"]["answered_on"] == "2026-03-13"
    assert history["ReferralAccepted"]["recorded_at"] == "2026-03-18T15:00:00+09:00"


def test_a_decline_of_last_week_owes_its_disposition_since_then(api: Api) -> None:
    supported = a_supported_case(api, "2026-03-11")
    referral = acts.a_referral(api, supported)
    api.clock.set("2026-03-18T15:00")
    answer = api.as_(WORKER).post(
        f"/referrals/{referral}/decline",
        {"answered_on": "2026-03-13", "reason": "at_capacity", "on_behalf": BY_PHONE},
    )
    assert answer.status_code == 200, answer.text
    assert clock(api, f"/referrals/{referral}", "disposition")["due_at"] == f"2026-03-18{SECOND}"


@pytest.mark.parametrize(
    ("action", "day", "code"),
    [
        ("accept", {"answered_on": "2026-03-10"}, "date_too_early"),
        ("waitlist", {"answered_on": "2026-03-10"}, "date_too_early"),
        ("decline", {"answered_on": "2026-03-10", "reason": "at_capacity"}, "date_too_early"),
        ("accept", {"answered_on": "2026-03-19"}, "date_in_future"),
    ],
)
def test_an_answer_follows_the_request(
    api: Api, action: str, day: dict[str, str], code: str
) -> None:
    referral = acts.a_referral(api, a_supported_case(api, "2026-03-11"))
    api.clock.set("2026-03-18T15:00")
    before = everything(api)
    answer = api.as_(WORKER).post(f"/referrals/{referral}/{action}", day | {"on_behalf": BY_PHONE})
    assert refusal(answer) == (422, code)
    assert fields_of(answer) == ["answered_on"]
    assert everything(api) == before


def test_what_was_settled_by_telephone_last_month_is_typed_today(api: Api) -> None:
    """Request, answer and start of February, for a plan that was approved then."""
    supported = a_supported_case(api, "2026-03-03")
    api.clock.set("2026-04-01T10:00")
    worker = api.as_(WORKER)
    asked = worker.post("/referrals", {
        "planned_service_id": str(supported.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"}, "requested_on": "2026-03-04",
    })  # fmt: skip
    assert asked.status_code == 201, asked.text
    path = f"/referrals/{asked.json()['id']}"
    assert asked.json()["requested_on"] == "2026-03-04"
    assert clock(api, path, "response")["due_at"] == f"2026-03-09{SECOND}"
    for action, day in (("accept", {"answered_on": "2026-03-05"}),
                        ("start", {"started_on": "2026-03-09"})):  # fmt: skip
        answer = worker.post(f"{path}/{action}", day | {"on_behalf": BY_PHONE})
        assert answer.status_code == 200, answer.text
    ended = worker.post(f"{path}/complete", {
        "outcome": "ended_as_planned", "ended_on": "2026-03-31", "on_behalf": BY_PHONE,
    })  # fmt: skip
    assert (ended.json()["started_on"], ended.json()["ended_on"]) == ("2026-03-09", "2026-03-31")


def test_a_service_that_failed_last_week_is_entered_with_its_day(api: Api) -> None:
    referral = acts.a_referral(api, a_supported_case(api, "2026-03-11"))
    path, worker = f"/referrals/{referral}", api.as_(WORKER)
    worker.post(f"{path}/accept", {"answered_on": "2026-03-11", "on_behalf": BY_PHONE})
    api.clock.set("2026-03-13T09:00")
    worker.post(f"{path}/start", {"started_on": "2026-03-12", "on_behalf": BY_PHONE})
    api.clock.set("2026-03-18T15:00")
    failed = {"reason": "provider_unable", "on_behalf": BY_PHONE}
    before = everything(api)
    for day, code in (("2026-03-11", "date_too_early"), ("2026-03-19", "date_in_future")):
        refused = worker.post(f"{path}/fail", failed | {"ended_on": day})
        assert (refusal(refused), fields_of(refused)) == ((422, code), ["ended_on"])
    assert everything(api) == before
    answer = worker.post(f"{path}/fail", failed | {"ended_on": "2026-03-12"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["ended_on"]) == ("failed", "2026-03-12")
    # The worker could not know before: the disposition counts from the recording.
    assert clock(api, path, "disposition")["due_at"] == f"2026-03-23{SECOND}"
    (said,) = (one for one in answer.json()["history"] if one["event"] == "ReferralFailed")
    assert said["data"]["ended_on"] == "2026-03-12"
    right = worker.post(f"{path}/correct", {"ended_on": "2026-03-16", "reason": "misheard"})
    assert right.json()["ended_on"] == "2026-03-16"


def test_what_failed_before_it_began_failed_after_its_answer(api: Api) -> None:
    referral = acts.a_referral(api, a_supported_case(api, "2026-03-11"))
    path, worker = f"/referrals/{referral}", api.as_(WORKER)
    api.clock.set("2026-03-13T15:00")
    worker.post(f"{path}/accept", {"answered_on": "2026-03-12", "on_behalf": BY_PHONE})
    failed = {"reason": "provider_unable", "on_behalf": BY_PHONE}
    early = worker.post(f"{path}/fail", failed | {"ended_on": "2026-03-11"})
    assert refusal(early) == (422, "date_too_early")
    assert worker.post(f"{path}/fail", failed).json()["ended_on"] == "2026-03-13"


def test_a_request_follows_the_approval_and_a_draft_has_no_day(api: Api) -> None:
    supported = a_supported_case(api, "2026-03-11")
    api.clock.set("2026-03-18T10:00")
    usual = {
        "planned_service_id": str(supported.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    before = everything(api)
    early = api.as_(WORKER).post("/referrals", usual | {"requested_on": "2026-03-10"})
    assert refusal(early) == (422, "date_too_early")
    draft = usual | {"requested_on": "2026-03-12", "send": False}
    assert refusal(api.as_(WORKER).post("/referrals", draft)) == (422, "requested_on_of_a_draft")
    assert everything(api) == before
    drafted = api.as_(WORKER).post("/referrals", usual | {"send": False}).json()["id"]
    sent = api.as_(WORKER).post(f"/referrals/{drafted}/send", {"requested_on": "2026-03-12"})
    assert sent.json()["requested_on"] == "2026-03-12"


def test_telling_the_resident_is_entered_after_the_fact(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    api.clock.set("2026-03-20T10:00")
    told = api.as_(WORKER).post(
        f"/cases/{case}/plan/notified", {"on": "2026-03-13", "to": "the resident"}
    )
    assert told.json()["notified_on"] == "2026-03-13"
    notified = clock(api, f"/cases/{case}", "notify_plan")
    assert (notified["due_at"], notified["met_at"]) == (
        f"2026-03-18{SECOND}",
        f"2026-03-13{SECOND}",
    )
    assert notified["breached_at"] is None


@pytest.mark.both_stores
def test_figures_count_late_entries_apart(api: Api) -> None:
    case = a_supported_case(api, "2026-03-11").case
    api.clock.set("2026-03-20T10:00")
    api.as_(WORKER).post(f"/cases/{case}/plan/notified", {"on": "2026-03-13", "to": "the resident"})
    answer = api.as_(SUPERVISOR).get("/figures", params={"from": "2026-03-01", "to": "2026-03-31"})
    counted = answer.json()
    assert counted["entered_late"] == [{"kind": "notify_plan", "held_by": "worker", "count": 1}]
    (told,) = (one for one in counted["clocks"] if one["kind"] == "notify_plan")
    assert (told["on_time"], told["late"]) == (1, 0)
    behind = {"figure": "entered_late", "from": "2026-03-01", "to": "2026-03-31"}
    listed = api.as_(SUPERVISOR).get("/figures/cases", params=behind)
    assert [one["case_id"] for one in listed.json()["items"]] == [str(case)]
