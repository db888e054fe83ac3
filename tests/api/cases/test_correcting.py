"""What was typed wrongly is put right: with a reason, the former value, and clocks anew."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from casework.domain.cases.intake import ACTIVITIES
from tests.api import acts
from tests.api.asking import etag, everything, fields_of, refusal
from tests.api.cases.test_late_entry import BY_PHONE, SECOND, a_supported_case, clock
from tests.api.conftest import ASSESSOR, PROVIDER, SUPERVISOR, WORKER, Api

WHY = "typed wrongly"


def put_right(api: Api, case: UUID, by: str = WORKER, **changes: Any) -> Any:
    """Correct an application, as it was last seen."""
    person = api.as_(by)
    seen = person.get(f"/cases/{case}")
    return person.patch(f"/cases/{case}", {"reason": WHY} | changes, headers=etag(seen))


def events(api: Api, case: dict[str, Any]) -> list[str]:
    """What happened on the resident's timeline, newest first."""
    items = api.as_(WORKER).items(f"/residents/{case['resident_id']}/timeline")
    return [one["event"] for one in items]


@pytest.mark.both_stores
def test_a_day_of_application_is_put_right_and_its_clock_counted_anew(api: Api) -> None:
    api.clock.set("2026-03-12T10:00")
    case = acts.a_case(api)
    assert clock(api, f"/cases/{case}", "survey")["due_at"] == f"2026-03-19{SECOND}"
    api.clock.set("2026-03-13T10:00")
    answer = put_right(api, case, applied_on="2026-03-03")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    survey = clock(api, f"/cases/{case}", "survey")
    assert shown["applied_on"] == "2026-03-03"
    assert survey["started_at"] == f"2026-03-03{SECOND}"
    assert survey["due_at"] == f"2026-03-10{SECOND}"
    assert survey["breached_at"] == f"2026-03-10{SECOND}", "a change breaches at the change"
    assert shown["recounted"] == [
        {"deadline_id": survey["id"], "kind": "survey", "due_at_before": f"2026-03-19{SECOND}",
         "due_at": f"2026-03-10{SECOND}"}
    ]  # fmt: skip
    (kept,) = shown["corrections"]
    assert (kept["before"], kept["fields"]) == ({"applied_on": "2026-03-12"}, ["applied_on"])
    assert (kept["reason"], kept["corrected_at"]) == (WHY, "2026-03-13T10:00:00+09:00")
    assert kept["subject"] == {"type": "case", "id": str(case)}
    assert events(api, shown)[:2] == ["CaseCorrected", "DeadlineRecounted"]
    why = api.as_(WORKER).get(f"/deadlines/{survey['id']}/explanation").json()
    assert why["recounts"][-1]["because"] == "correction"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"applied_on": "2026-03-14"}, "date_in_future", "applied_on"),
        ({"applied_on": "2026-03-13"}, "date_too_late", "applied_on"),
        ({"applied_on": "1940-01-01"}, "date_too_early", "applied_on"),
        ({"discharge_on": "2026-03-11"}, "date_too_early", "discharge_on"),
        ({"channel": "nhis"}, "consent_required", "consent_id"),
        ({"channel": "ex_officio"}, "ex_officio_ground", "ex_officio_ground"),
        ({"urgent": True}, "urgent_reason_required", "urgent_reason"),
    ],
)
def test_an_application_is_not_put_wrong(
    api: Api, changes: dict[str, Any], code: str, field: str
) -> None:
    api.clock.set("2026-03-12T10:00")
    case = acts.a_case(api)
    api.clock.set("2026-03-13T10:00")
    before = everything(api)
    answer = put_right(api, case, **changes)
    assert refusal(answer) == (422, code)
    assert fields_of(answer) == [field]
    assert everything(api) == before


@pytest.mark.both_stores
def test_a_discharge_that_was_put_right_in_a_closed_case_is_awaited_when_it_reopens(
    api: Api,
) -> None:
    api.clock.set("2026-03-12T10:00")
    case = acts.a_case(api, discharge_on=date(2026, 3, 16))
    worker, path = api.as_(WORKER), f"/cases/{case}"
    closed = worker.post(f"{path}/close", {"reason": "refused"}, headers=etag(worker.get(path)))
    assert closed.status_code == 200, closed.text
    assert put_right(api, case, discharge_on="2026-03-18").status_code == 200
    supervisor = api.as_(SUPERVISOR)
    again = supervisor.post(f"{path}/reopen", {"note": "back"}, headers=etag(worker.get(path)))
    assert again.status_code == 200, again.text
    awaited = clock(api, path, "discharge")
    assert (awaited["status"], awaited["due_at"]) == ("running", f"2026-03-18{SECOND}")


def test_a_correction_needs_its_reason_and_the_version_it_saw(api: Api) -> None:
    case = acts.a_case(api)
    worker, path = api.as_(WORKER), f"/cases/{case}"
    seen = worker.get(path)
    assert refusal(worker.patch(path, {"reason": WHY, "urgent": False})) == (
        428, "precondition_required",
    )  # fmt: skip
    bare = worker.patch(path, {"urgent": False}, headers=etag(seen))
    assert (bare.status_code, fields_of(bare)) == (422, ["reason"])
    same = put_right(api, case, channel="self")
    assert (same.status_code, same.json()["recounted"], same.json()["corrections"]) == (200, [], [])
    put_right(api, case, channel="family")
    stale = worker.patch(path, {"reason": WHY, "channel": "self"}, headers=etag(seen))
    assert stale.status_code == 412


def test_a_day_of_discharge_is_set_moved_and_taken_away(api: Api) -> None:
    api.clock.set("2026-03-12T10:00")
    case = acts.a_case(api)
    path = f"/cases/{case}"
    put_right(api, case, discharge_on="2026-03-21")
    assert clock(api, path, "discharge")["due_at"] == f"2026-03-21{SECOND}"
    moved = put_right(api, case, discharge_on="2026-03-18").json()["recounted"]
    assert [(one["kind"], one["due_at"]) for one in moved] == [("discharge", f"2026-03-18{SECOND}")]
    put_right(api, case, discharge_on=None)
    assert clock(api, path, "discharge")["status"] == "cancelled"


def test_urgency_is_raised_and_lowered_and_the_clocks_follow(api: Api) -> None:
    api.clock.set("2026-03-12T10:00")
    case = acts.a_case(api)
    path = f"/cases/{case}"
    raised = put_right(api, case, urgent=True, urgent_reason="alone and ill").json()
    assert (raised["urgent"], raised["urgent_reason"]) == (True, "alone and ill")
    assert clock(api, path, "survey")["due_at"] == f"2026-03-13{SECOND}"
    lowered = put_right(api, case, urgent=False).json()
    assert (lowered["urgent"], lowered["urgent_reason"]) == (False, None)
    assert clock(api, path, "survey")["due_at"] == f"2026-03-19{SECOND}"
    assert [one["before"] for one in lowered["corrections"]] == [
        {"urgent": False, "urgent_reason": None},
        {"urgent": True, "urgent_reason": "alone and ill"},
    ]


def survey(**more: Any) -> dict[str, Any]:
    """A pre-survey with a score of seven, or what is given instead."""
    return {"dementia_medicine": False, "activities": dict.fromkeys(ACTIVITIES, 1)} | more


def test_a_wrong_tick_is_put_right_until_the_determination(api: Api) -> None:
    case = acts.a_case(api)
    acts.surveyed(api, case)
    worker, path = api.as_(WORKER), f"/cases/{case}"
    two = dict.fromkeys(ACTIVITIES, 0) | {"wash": 2}
    answer = worker.post(f"{path}/pre-survey", survey(activities=two, correction={"reason": WHY}))
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["score"], shown["route"]) == (2, "local_survey")
    assert shown["case"]["status"] == "surveying"
    (kept,) = shown["case"]["corrections"]
    assert (kept["before"]["score"], kept["before"]["route"]) == (7, "nhis_assessment")
    assert kept["before"]["activities"] == dict.fromkeys(ACTIVITIES, 1)
    assert events(api, shown["case"])[0] == "PreSurveyCorrected"
    acts.assessed(api, case)
    late = worker.post(f"{path}/pre-survey", survey(correction={"reason": WHY}))
    assert refusal(late) == (409, "too_late_to_correct")


def test_a_pre_survey_that_leads_to_guidance_after_all_closes_the_case(api: Api) -> None:
    case = acts.a_case(api)
    acts.surveyed(api, case)
    able = dict.fromkeys(ACTIVITIES, 0)
    path = f"/cases/{case}/pre-survey"
    asked = survey(activities=able, correction={"reason": WHY})
    assert refusal(api.as_(WORKER).post(path, asked)) == (422, "guidance_required")
    closed = api.as_(WORKER).post(path, asked | {"guidance": "the health centre"})
    assert closed.json()["case"]["status"] == "closed"
    assert clock(api, f"/cases/{case}", "assessment")["status"] == "cancelled"


@pytest.mark.both_stores
def test_a_determination_is_put_right_until_a_plan_is_submitted(api: Api) -> None:
    api.clock.set("2026-03-10T10:00")
    case = acts.a_case(api, applied_on=api.context(WORKER).act.today.replace(day=2))
    acts.surveyed(api, case)
    acts.assessed(api, case)
    api.clock.set("2026-03-11T10:00")
    assessor, path = api.as_(ASSESSOR), f"/cases/{case}"
    (found,) = assessor.get(path).json()["assessments"]
    right = {
        "assessed_on": "2026-03-04", "received_on": "2026-03-05", "assessor": "an assessor",
        "determination": "long_term_care", "needs": [], "corrects": found["id"], "reason": WHY,
    }  # fmt: skip
    answer = assessor.post(f"{path}/assessments", right)
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == found["id"]
    shown = api.as_(WORKER).get(path).json()
    assert (shown["determination"], shown["determined_on"]) == ("long_term_care", "2026-03-05")
    assert clock(api, path, "plan")["due_at"] == f"2026-03-12{SECOND}"
    assert clock(api, path, "assessment")["met_at"] == f"2026-03-05{SECOND}"
    assert shown["corrections"][0]["before"]["determination"] == "community_care"
    for wrong, refused in (
        ({"corrects": None, "reason": WHY}, (422, "corrects_required")),
        ({"corrects": str(case)}, (422, "unknown_assessment")),
        ({"reason": None}, (422, "reason_required")),
    ):
        assert refusal(assessor.post(f"{path}/assessments", right | wrong)) == refused


def test_a_submitted_plan_makes_it_too_late(api: Api) -> None:
    case, _ = acts.a_submitted_plan(api)
    path = f"/cases/{case}"
    (found,) = api.as_(WORKER).get(path).json()["assessments"]
    answer = api.as_(WORKER).post(f"{path}/assessments", {
        "assessed_on": "2026-03-02", "assessor": "an assessor", "needs": [],
        "determination": "long_term_care", "corrects": found["id"], "reason": WHY,
    })  # fmt: skip
    assert refusal(answer) == (409, "too_late_to_correct")


def a_running_service(api: Api) -> str:
    """Asked on Wednesday 11 March, accepted on the 13th, started on the 16th."""
    referral = acts.a_referral(api, a_supported_case(api, "2026-03-11"))
    path = f"/referrals/{referral}"
    for day, action, facts in (("13", "accept", {}), ("16", "start", {"started_on": "2026-03-16"})):
        api.clock.set(f"2026-03-{day}T10:00")
        answer = api.as_(WORKER).post(f"{path}/{action}", facts | {"on_behalf": BY_PHONE})
        assert answer.status_code == 200, answer.text
    return path


@pytest.mark.both_stores
def test_the_days_of_a_referral_are_put_right_and_its_clocks_with_them(api: Api) -> None:
    path = a_running_service(api)
    api.clock.set("2026-03-18T10:00")
    answer = api.as_(WORKER).post(
        f"{path}/correct", {"answered_on": "2026-03-12", "started_on": "2026-03-13", "reason": WHY}
    )
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["answered_on"], shown["started_on"]) == ("2026-03-12", "2026-03-13")
    assert clock(api, path, "response")["met_at"] == f"2026-03-12{SECOND}"
    start = clock(api, path, "start")
    assert (start["started_at"], start["due_at"], start["met_at"]) == (
        f"2026-03-12{SECOND}", f"2026-03-26{SECOND}", f"2026-03-13{SECOND}",
    )  # fmt: skip
    assert {one["kind"] for one in shown["recounted"]} == {"response", "start"}
    case = api.as_(WORKER).get(f"/cases/{shown['case_id']}").json()
    (kept,) = case["corrections"]
    assert kept["before"] == {"answered_on": "2026-03-13", "started_on": "2026-03-16"}
    assert shown["history"][-1]["event"] == "ReferralCorrected"
    told = api.as_(PROVIDER).get(path).json()
    assert told["history"][-1]["data"]["started_on"] == "2026-03-13"


@pytest.mark.parametrize(
    ("days", "code", "field"),
    [
        ({"started_on": "2026-03-12"}, "date_too_early", "started_on"),
        ({"answered_on": "2026-03-17"}, "date_too_early", "answered_on"),
        ({"answered_on": "2026-03-10"}, "date_too_early", "answered_on"),
        ({"started_on": "2026-03-19"}, "date_in_future", "started_on"),
        ({"ended_on": "2026-03-17"}, "nothing_to_correct", "ended_on"),
    ],
)
def test_days_of_a_referral_stay_in_order(
    api: Api, days: dict[str, str], code: str, field: str
) -> None:
    path = a_running_service(api)
    api.clock.set("2026-03-18T10:00")
    before = everything(api)
    answer = api.as_(WORKER).post(f"{path}/correct", days | {"reason": WHY})
    assert refusal(answer) == (422, code)
    assert fields_of(answer) == [field]
    assert everything(api) == before


def test_an_end_on_the_last_day_after_all_owes_nothing(api: Api) -> None:
    supported = a_supported_case(api, "2026-03-11")
    path = f"/referrals/{acts.a_referral(api, supported)}"
    last = str(api.context(WORKER).act.today.replace(year=2027))
    api.clock.set(f"{last}T10:00")
    for action, facts in (
        ("accept", {}), ("start", {"started_on": last}),
    ):  # fmt: skip
        api.as_(PROVIDER).post(f"{path}/{action}", facts)
    api.clock.forward(days=2)
    ended = api.as_(PROVIDER).post(f"{path}/complete", {"outcome": "ended_early", "ended_on": last})
    assert ended.status_code == 200, ended.text
    api.as_(WORKER).post(f"{path}/correct", {"ended_on": last, "reason": WHY})
    plan = api.as_(WORKER).get(f"/cases/{supported.case}/plan").json()
    assert plan["in_force"]["services"][0]["settled"] is True


def test_the_priority_of_a_request_is_raised_and_lowered(api: Api) -> None:
    path = f"/referrals/{acts.a_referral(api, a_supported_case(api, '2026-03-11'))}"
    assert clock(api, path, "response")["due_at"] == f"2026-03-16{SECOND}"
    worker = api.as_(WORKER)
    answer = worker.post(f"{path}/priority", {"priority": "emergency", "reason": WHY})
    assert answer.status_code == 200, answer.text
    assert answer.json()["priority"] == "emergency"
    (moved,) = answer.json()["recounted"]
    assert (moved["kind"], moved["due_at"]) == ("response", "2026-03-11T14:00:00+09:00")
    worker.post(f"{path}/priority", {"priority": "routine", "reason": WHY})
    assert clock(api, path, "response")["due_at"] == f"2026-03-16{SECOND}"
    api.as_(PROVIDER).post(f"{path}/decline", {"reason": "at_capacity"})
    late = worker.post(f"{path}/priority", {"priority": "urgent", "reason": WHY})
    assert refusal(late) == (409, "not_allowed_in_state")


def test_an_agency_puts_nothing_right(api: Api) -> None:
    path = f"/referrals/{acts.a_referral(api, a_supported_case(api, '2026-03-11'))}"
    for action, body in (("priority", {"priority": "urgent"}), ("correct", {})):
        answer = api.as_(PROVIDER).post(f"{path}/{action}", body | {"reason": WHY})
        assert refusal(answer) == (403, "forbidden")
    assert api.as_(SUPERVISOR).post(f"{path}/correct", {"reason": WHY}).status_code == 200


def test_the_days_of_a_consent_are_put_right(api: Api) -> None:
    api.clock.set("2026-03-12T10:00")
    resident = acts.a_resident(api)
    worker, path = api.as_(WORKER), f"/residents/{resident}"
    given = worker.post(f"{path}/consents", {
        "purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-12",
        "expires_on": "2026-06-30",
    }).json()  # fmt: skip
    wrong = {"given_on": "2026-03-13", "reason": WHY}
    before = everything(api)
    refused = worker.post(f"/consents/{given['id']}/correct", wrong)
    assert (refusal(refused), fields_of(refused)) == ((422, "date_in_future"), ["given_on"])
    assert everything(api) == before
    right = {"given_on": "2026-03-02", "expires_on": None, "reason": WHY}
    answer = worker.post(f"/consents/{given['id']}/correct", right)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["given_on"], answer.json()["expires_on"]) == ("2026-03-02", None)
    timeline = worker.items(f"{path}/timeline")
    told = next(one for one in timeline if one["event"] == "ConsentCorrected")
    assert told["data"]["fields"] == ["given_on", "expires_on"]
    assert told["data"]["given_on_before"] == "2026-03-12"
    assert told["data"]["expires_on_before"] == "2026-06-30"
