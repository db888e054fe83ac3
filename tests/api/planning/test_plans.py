"""Plans from draft to decision, the services they plan, and a case until it is closed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    check_wrong,
    course,
    etag,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

TODAY = "2026-03-02"
HEAD = SUPERVISOR.replace("supervisor", "head")
MEALS = {
    "service_code": "CARE-MEALS", "content": "점심", "quantity": 2.5, "unit": "회", "per": "week",
    "starts_on": "2026-03-09", "ends_on": "2026-09-08",
}  # fmt: skip
VISIT = MEALS | {"service_code": "MED-VISIT", "quantity": 1, "per": "month"}
DRAFT: dict[str, Any] = {
    "goals": ["집에서 지낸다"],
    "services": [MEALS],
    "heard": {"on": TODAY, "from": "딸"},
}
MEMBER = {"name": "가상의사", "agency": "보건소"}
MEETING = {"held_on": TODAY, "members": [MEMBER]}
CHECK = {"checked_on": TODAY, "findings": "잘 지낸다", "goals": [{"goal": "식사", "met": "partly"}]}
NOT_WRITERS = (ASSESSOR, PROVIDER, *OUTSIDERS)
NOT_READERS = (PROVIDER, *OUTSIDERS)
NOT_SUPERVISORS = (WORKER, *NOT_WRITERS)


def planning(api: Api) -> UUID:
    """A case of HERE whose plan is next."""
    case = acts.a_case(api)
    acts.surveyed(api, case)
    acts.assessed(api, case)
    return case


def submitted(api: Api, case: UUID, draft: dict[str, Any] | None = None) -> dict[str, Any]:
    """Draft and submit; what a decision on it must name."""
    worker = api.as_(WORKER)
    drafted = worker.put(f"/cases/{case}/plan/draft", draft or DRAFT)
    assert drafted.status_code == 200, drafted.text
    found: dict[str, Any] = worker.post(f"/cases/{case}/plan/submit").json()
    return found


def approval(named: dict[str, Any]) -> dict[str, Any]:
    return named | {"decision": "approve", "conference": MEETING}


def clocks(api: Api, case: UUID) -> dict[str, str]:
    """The state of the newest clock of each kind."""
    shown = api.as_(WORKER).get(f"/cases/{case}").json()
    return {one["kind"]: one["status"] for one in shown["deadlines"]}


def asks(api: Api) -> list[Ask]:
    """Every operation tested here, on records of HERE."""
    supported = acts.a_supported_case(api)
    case = supported.case
    signal = api.as_(WORKER).post(f"/cases/{case}/signals", {"kind": "fall"}).json()["id"]
    colleague = {"worker_id": str(api.id_of(COLLEAGUE))}
    decision = approval({"version": 1, "hash": "0" * 64})
    return [
        Ask("GET", "/cases/{id}/plan", case, None, NOT_READERS),
        Ask("PUT", "/cases/{id}/plan/draft", case, DRAFT, NOT_WRITERS),
        Ask("POST", "/cases/{id}/plan/submit", case, {}, NOT_WRITERS),
        Ask("POST", "/cases/{id}/plan/decision", case, decision, NOT_SUPERVISORS),
        Ask("POST", "/cases/{id}/plan/notified", case, {"on": TODAY, "to": "딸"}, NOT_WRITERS),
        Ask("POST", "/cases/{id}/checks", case, CHECK, NOT_WRITERS),
        Ask("POST", "/cases/{id}/signals", case, {"kind": "fall"}, NOT_WRITERS),
        Ask("POST", "/signals/{id}/answer", signal, {"note": "갔다"}, NOT_WRITERS),
        Ask("POST", "/cases/{id}/assign", case, colleague, NOT_SUPERVISORS),
        Ask("POST", "/cases/{id}/close", case, {"reason": "refused"}, NOT_WRITERS),
        Ask("POST", "/planned-services/{id}/settle", supported.service,
            {"disposition": "refused"}, NOT_WRITERS),
    ]  # fmt: skip


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


# Drafting


def test_the_first_draft_needs_no_version_and_the_next_names_the_one_it_saw(api: Api) -> None:
    worker, case = api.as_(WORKER), planning(api)
    path = f"/cases/{case}/plan"
    assert worker.get(path).json() == {
        "case_id": str(case), "case_number": worker.get(f"/cases/{case}").json()["number"],
        "in_force": None, "draft": None, "versions": [], "warnings": [],
        "allowed_actions": ["draft"],
    }  # fmt: skip
    first = worker.put(f"{path}/draft", DRAFT)
    assert first.status_code == 200, first.text
    assert first.json() == worker.get(path).json()
    assert first.headers["etag"] == worker.get(path).headers["etag"]
    before = everything(api)
    assert refusal(worker.put(f"{path}/draft", DRAFT)) == (428, "precondition_required")
    stale = worker.put(f"{path}/draft", DRAFT, headers={"If-Match": '"0"'})
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before
    (service,) = first.json()["draft"]["services"]
    both = DRAFT | {"services": [MEALS | {"id": service["id"], "quantity": 3}, VISIT]}
    second = worker.put(f"{path}/draft", both, headers=etag(first))
    assert second.status_code == 200, second.text
    kept, new = second.json()["draft"]["services"]
    assert (kept["id"], kept["quantity"]) == (service["id"], 3)
    assert (new["service_code"], new["field"]) == ("MED-VISIT", "medical")
    assert [one["version"] for one in second.json()["versions"]] == [1]
    assert second.headers["etag"] != first.headers["etag"]


def test_a_draft_shows_what_was_planned_and_heard(api: Api) -> None:
    alpha = api.providers["alpha"]
    wanted = DRAFT | {"services": [MEALS | {"provider_id": str(alpha.id)}]}
    drafted = api.as_(WORKER).put(f"/cases/{planning(api)}/plan/draft", wanted).json()
    version = drafted["draft"]
    assert (version["version"], version["status"], version["hash"]) == (1, "draft", None)
    assert (version["goals"], version["heard"]) == (DRAFT["goals"], DRAFT["heard"])
    assert version["decision"] is None
    (service,) = version["services"]
    assert service | MEALS == service
    assert isinstance(service["quantity"], float)
    assert service["provider"] == {"id": str(alpha.id), "name": alpha.name, "phone": alpha.phone}
    assert (service["status"], service["settled"]) == ("drafted", False)
    assert (service["settlement"], service["referrals"]) == (None, [])


def test_a_draft_that_cannot_be_right_is_not_kept(api: Api) -> None:
    path = f"/cases/{planning(api)}/plan/draft"

    def of(**wrong: Any) -> dict[str, Any]:
        return {"services": [MEALS | wrong]}

    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).put(path, DRAFT | wrong),
        [
            (of(service_code="NONE"), "services.0.service_code"),
            (of(quantity=0), "services.0.quantity"),
            (of(quantity="2"), "services.0.quantity"),
            (of(quantity=True), "services.0.quantity"),
            (of(quantity=1.0001), "services.0.quantity"),
            (of(per="year"), "services.0.per"),
            (of(ends_on="2026-03-08"), "services.0.ends_on"),
            (of(starts_on="soon"), "services.0.starts_on"),
            (of(provider_id=str(ABSENT)), "services.0.provider_id"),
            (of(id=str(ABSENT)), "services.0.id"),
            ({"heard": {"on": "2026-03-03", "from": "딸"}}, "heard.on"),
            ({"heard": {"on": TODAY}}, "heard.from"),
            ({"goals": [""]}, "goals.0"),
            ({"goals": "집"}, "goals"),
        ],
    )


def test_a_draft_waits_for_the_determination_unless_the_case_is_urgent(api: Api) -> None:
    worker = api.as_(WORKER)
    case = acts.a_case(api)
    early = worker.put(f"/cases/{case}/plan/draft", DRAFT)
    assert refusal(early) == (409, "not_allowed_in_state")
    assert early.json()["state"] == "applied"
    assert course(early.json()) == ["pre-survey", "signals", "close"]
    urgent = acts.a_case(api, urgent=True, urgent_reason="혼자 쓰러짐")
    drafted = worker.put(f"/cases/{urgent}/plan/draft", DRAFT)
    assert drafted.status_code == 200, drafted.text
    assert clocks(api, urgent)["link"] == "running", "its help need not wait for approval"
    submit = worker.post(f"/cases/{urgent}/plan/submit")
    assert refusal(submit) == (409, "not_allowed_in_state")
    assert course(submit.json()) == ["pre-survey", "draft", "signals", "close"]


def test_a_service_with_an_open_referral_stays_in_the_plan(api: Api) -> None:
    supported = acts.a_supported_case(api)
    acts.a_referral(api, supported)
    before = everything(api)
    refused = api.as_(WORKER).put(
        f"/cases/{supported.case}/plan/draft", DRAFT | {"services": [VISIT]}
    )
    assert refusal(refused) == (409, "service_in_use")
    assert refused.json()["planned_service_id"] == str(supported.service)
    assert "draft" in refused.json()["allowed_actions"]
    assert everything(api) == before


# Submitting and deciding


def test_a_submitted_plan_is_frozen_under_its_hash(api: Api) -> None:
    worker, case = api.as_(WORKER), planning(api)
    path = f"/cases/{case}/plan"
    empty = worker.post(f"{path}/submit")
    assert refusal(empty) == (409, "not_allowed_in_state")
    assert empty.json()["state"] == "planning"
    assert course(empty.json()) == ["assessments", "draft", "signals", "close"]
    drafted = worker.put(f"{path}/draft", DRAFT)
    assert refusal(worker.post(f"{path}/submit", headers={"If-Match": '"7"'})) == (412, "stale")
    # Without a request body: none is required.
    named = worker.request("POST", f"{path}/submit", headers=etag(drafted))
    assert named.status_code == 200, named.text
    assert set(named.json()) == {"version", "hash", "warnings"}
    shown = worker.get(path)
    assert shown.headers["etag"] == named.headers["etag"]
    assert shown.json()["draft"]["status"] == "submitted"
    assert shown.json()["draft"]["hash"] == named.json()["hash"]
    assert shown.json()["allowed_actions"] == [], "a worker does not decide"
    assert api.as_(SUPERVISOR).get(path).json()["allowed_actions"] == ["decision"]
    before = everything(api)
    frozen = worker.put(f"{path}/draft", DRAFT, headers=etag(shown))
    assert refusal(frozen) == (409, "not_allowed_in_state")
    assert frozen.json()["state"] == "submitted"
    assert course(frozen.json()) == ["assessments", "signals", "close"]
    assert everything(api) == before
    assert clocks(api, case) | {"plan": "met", "decision": "running"} == clocks(api, case)


def test_an_approval_in_a_meeting_puts_the_plan_in_force(api: Api) -> None:
    case, supervisor = planning(api), api.as_(SUPERVISOR)
    named = submitted(api, case)
    decided = supervisor.post(f"/cases/{case}/plan/decision", approval(named))
    assert decided.status_code == 200, decided.text
    plan = decided.json()
    assert plan == supervisor.get(f"/cases/{case}/plan").json()
    assert (plan["draft"], plan["in_force"]) == (None, plan["versions"][0])
    version = plan["in_force"]
    assert (version["status"], version["hash"]) == ("approved", named["hash"])
    decision = version["decision"]
    assert decision["decision"] == "approve"
    assert decision["decided_by"] == str(api.id_of(SUPERVISOR))
    assert decision["decided_at"] == "2026-03-02T10:00:00+09:00"
    assert decision["conference"] | MEETING == decision["conference"]
    assert decision["without_meeting_reason"] is None
    assert api.as_(WORKER).get(f"/cases/{case}").json()["status"] == "supported"
    ran = {"decision": "met", "notify_plan": "running", "first_check": "running", "link": "running"}
    assert clocks(api, case) | ran == clocks(api, case)


def test_a_decision_is_bound_to_the_version_and_hash_that_were_submitted(api: Api) -> None:
    case = planning(api)
    named, path = submitted(api, case), f"/cases/{case}/plan/decision"
    before = everything(api)
    for other in ({"version": 2}, {"hash": "0" * 64}):
        refused = api.as_(SUPERVISOR).post(path, approval(named) | other)
        assert refusal(refused) == (409, "version_changed")
        assert refused.json()["state"] == "planning"
        assert "decision" in refused.json()["allowed_actions"]
    assert everything(api) == before
    assert api.as_(SUPERVISOR).post(path, approval(named)).status_code == 200
    again = api.as_(SUPERVISOR).post(path, approval(named))
    assert refusal(again) == (409, "not_allowed_in_state")
    assert again.json()["state"] == "supported"


def test_exactly_one_of_three_says_how_it_was_decided(api: Api) -> None:
    case, supervisor = planning(api), api.as_(SUPERVISOR)
    named = submitted(api, case) | {"decision": "approve"}
    meeting = supervisor.post("/conferences", MEETING).json()["id"]
    far = api.as_(FAR_SUPERVISOR).post("/conferences", MEETING).json()["id"]
    alone = {"without_meeting_reason": "급하다"}
    check_wrong(
        api,
        lambda wrong: supervisor.post(f"/cases/{case}/plan/decision", named | wrong),
        [
            ({}, "conference"),
            ({"conference": MEETING} | alone, "conference"),
            ({"conference_id": meeting} | alone, "conference"),
            ({"conference_id": far}, "conference_id"),
            ({"conference_id": str(ABSENT)}, "conference_id"),
            ({"without_meeting_reason": " "}, "without_meeting_reason"),
            ({"conference": MEETING | {"held_on": "2026-03-03"}}, "conference.held_on"),
            ({"conference": MEETING | {"held_on": "2026-03-01"}}, "conference.held_on"),
            ({"conference": MEETING | {"members": []}}, "conference.members"),
            ({"conference": MEETING | {"members": [MEMBER, MEMBER]}}, "conference.members"),
            (alone | {"decision": "maybe"}, "decision"),
            (alone | {"version": True}, "version"),
        ],
    )
    supervisor.post(f"/conferences/{meeting}/agenda", {"case_ids": [str(case)]})
    known = supervisor.post(f"/cases/{case}/plan/decision", named | {"conference_id": meeting})
    assert known.status_code == 200, known.text
    assert known.json()["in_force"]["decision"]["conference"]["id"] == meeting


def test_nobody_decides_on_their_own_draft(api: Api) -> None:
    case, supervisor = planning(api), api.as_(SUPERVISOR)
    supervisor.put(f"/cases/{case}/plan/draft", DRAFT)
    named = supervisor.post(f"/cases/{case}/plan/submit").json()
    assert "decision" not in supervisor.get(f"/cases/{case}").json()["allowed_actions"]
    before = everything(api)
    own = supervisor.post(f"/cases/{case}/plan/decision", approval(named))
    assert refusal(own) == (403, "own_draft")
    assert everything(api) == before
    assert "decision" in api.as_(HEAD).get(f"/cases/{case}").json()["allowed_actions"]
    assert api.as_(HEAD).post(f"/cases/{case}/plan/decision", approval(named)).status_code == 200


def test_a_returned_plan_is_drafted_anew_and_a_new_approval_supersedes_the_old(api: Api) -> None:
    worker, supervisor, case = api.as_(WORKER), api.as_(SUPERVISOR), planning(api)
    path = f"/cases/{case}/plan"
    back = {"decision": "return", "without_meeting_reason": "빠르다", "reason": "목표가 없다"}
    returned = supervisor.post(f"{path}/decision", submitted(api, case) | back).json()
    assert (returned["draft"], returned["in_force"]) == (None, None)
    assert [one["status"] for one in returned["versions"]] == ["returned"]
    assert returned["versions"][0]["decision"]["reason"] == "목표가 없다"
    assert clocks(api, case)["plan"] == "running"
    (service,) = returned["versions"][0]["services"]
    again = DRAFT | {"services": [MEALS | {"id": service["id"]}]}
    approved = supervisor.post(f"{path}/decision", approval(submitted(api, case, again)))
    assert approved.json()["in_force"]["version"] == 2
    assert [one["id"] for one in approved.json()["in_force"]["services"]] == [service["id"]]
    other = DRAFT | {"services": [VISIT]}
    replaced = supervisor.post(f"{path}/decision", approval(submitted(api, case, other))).json()
    states = [(one["version"], one["status"]) for one in replaced["versions"]]
    assert states == [(1, "returned"), (2, "superseded"), (3, "approved")]
    assert replaced["versions"][1]["services"][0]["status"] == "dropped"
    assert replaced["versions"][1]["services"][0]["allowed_actions"] == []
    assert worker.get(path).json()["in_force"] == replaced["in_force"]


# After the approval


def test_telling_the_resident_meets_its_clock(api: Api) -> None:
    worker, case = api.as_(WORKER), planning(api)
    path, told = f"/cases/{case}/plan/notified", {"on": TODAY, "to": "딸"}
    early = worker.post(path, told)
    assert refusal(early) == (409, "not_allowed_in_state")
    assert course(early.json()) == ["assessments", "draft", "signals", "close"]
    supported = acts.a_supported_case(api).case
    path = f"/cases/{supported}/plan/notified"
    check_wrong(
        api,
        lambda wrong: worker.post(path, told | wrong),
        [({"on": "2026-03-03"}, "on"), ({"on": "2026-03-01"}, "on"), ({"to": ""}, "to")],
    )
    assert refusal(worker.post(path, told, headers={"If-Match": '"1"'})) == (412, "stale")
    done = worker.post(path, told)
    assert done.status_code == 200, done.text
    assert (done.json()["notified_on"], done.json()["notified_to"]) == (TODAY, "딸")
    assert clocks(api, supported)["notify_plan"] == "met"


def test_a_check_starts_the_next_clock_within_six_months(api: Api) -> None:
    worker, case = api.as_(WORKER), acts.a_supported_case(api).case
    path = f"/cases/{case}/checks"
    api.clock.forward(days=1)
    found = CHECK | {"checked_on": "2026-03-03"}
    check_wrong(
        api,
        lambda wrong: worker.post(path, found | wrong),
        [
            ({"checked_on": "2026-03-02"}, "checked_on"),
            ({"checked_on": "2026-03-04"}, "checked_on"),
            # Six months after 3 March: 3 September, a Thursday; a day later is too late.
            ({"next_check_on": "2026-09-04"}, "next_check_on"),
            ({"next_check_on": "2026-03-02"}, "next_check_on"),
            ({"goals": [{"goal": "식사", "met": "maybe"}]}, "goals.0.met"),
            ({"findings": ""}, "findings"),
        ],
    )
    made = worker.post(path, found | {"next_check_on": "2026-09-03"})
    assert made.status_code == 201, made.text
    assert made.json()["goals"] == CHECK["goals"]
    shown = worker.get(f"/cases/{case}").json()
    assert shown["checks"] == [made.json()]
    assert shown["last_checked_on"] == "2026-03-03"
    due = {one["kind"]: one["due_at"] for one in shown["deadlines"] if one["status"] == "running"}
    assert due["check"] == "2026-09-03T23:59:59+09:00"
    assert "first_check" not in due
    early = worker.post(f"/cases/{planning(api)}/checks", CHECK)
    assert refusal(early) == (409, "not_allowed_in_state")


def test_a_signal_is_raised_and_answered_once(api: Api) -> None:
    worker, case = api.as_(WORKER), acts.a_case(api)
    check_wrong(
        api,
        lambda wrong: worker.post(f"/cases/{case}/signals", wrong),
        [({"kind": "rain"}, "kind"), ({"kind": "other"}, "note"), ({}, "kind")],
    )
    made = worker.post(f"/cases/{case}/signals", {"kind": "fall", "note": "욕실에서"})
    assert made.status_code == 201, made.text
    assert clocks(api, case)["signal"] == "running"
    (shown,) = worker.get(f"/cases/{case}").json()["signals"]
    assert shown == made.json()
    assert shown["allowed_actions"] == ["answer"]
    path = f"/signals/{made.json()['id']}/answer"
    assert fields_of(worker.post(path, {"note": ""})) == ["note"]
    assert refusal(worker.post(path, {"note": "갔다"}, headers={"If-Match": '"5"'}))[0] == 412
    answered = api.as_(COLLEAGUE).post(path, {"note": "갔다"}, headers=etag(made))
    assert answered.status_code == 200, answered.text
    assert answered.json()["answer"] == "갔다"
    assert answered.json()["answered_by"] == str(api.id_of(COLLEAGUE))
    assert clocks(api, case)["signal"] == "met"
    again = worker.post(path, {"note": "또"})
    assert refusal(again) == (409, "already_answered")
    assert again.json()["state"] == "applied"
    assert course(again.json()) == ["pre-survey", "signals", "close"]


def test_a_case_is_given_to_a_worker_of_its_centre_with_its_clocks(api: Api) -> None:
    supervisor, case = api.as_(SUPERVISOR), acts.a_case(api)
    path = f"/cases/{case}/assign"
    check_wrong(
        api,
        lambda wrong: supervisor.post(path, wrong),
        [
            ({"worker_id": str(api.id_of(NEIGHBOUR))}, "worker_id"),
            ({"worker_id": str(api.id_of(ASSESSOR))}, "worker_id"),
            ({"worker_id": str(ABSENT)}, "worker_id"),
            ({"worker_id": "nobody"}, "worker_id"),
        ],
    )
    colleague = str(api.id_of(COLLEAGUE))
    stale = supervisor.post(path, {"worker_id": colleague}, headers={"If-Match": '"9"'})
    assert refusal(stale) == (412, "stale")
    given = supervisor.post(path, {"worker_id": colleague})
    assert given.status_code == 200, given.text
    assert given.json()["worker_id"] == colleague
    assert [one["id"] for one in supervisor.items("/cases", worker=colleague)] == [str(case)]
    with api.engine.connect() as connection:
        assert list(connection.scalars(select(t.deadline.c.worker_id))) == [api.id_of(COLLEAGUE)]
    api.as_(WORKER).post(f"/cases/{case}/close", {"reason": "refused"})
    closed = supervisor.post(path, {"worker_id": colleague})
    assert refusal(closed) == (409, "not_allowed_in_state")
    assert (closed.json()["state"], course(closed.json())) == ("closed", [])


def test_a_case_with_open_referrals_is_closed_only_if_they_end_with_it(api: Api) -> None:
    worker, supported = api.as_(WORKER), acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    path, why = f"/cases/{supported.case}/close", {"reason": "long_stay"}
    before = everything(api)
    refused = worker.post(path, why)
    assert refusal(refused) == (409, "referrals_open")
    assert refused.json()["referrals"] == [str(referral)]
    assert refused.json()["state"] == "supported"
    assert "close" in refused.json()["allowed_actions"]
    assert everything(api) == before
    check_wrong(
        api,
        lambda wrong: worker.post(path, why | wrong),
        [
            ({"reason": "tired"}, "reason"),
            ({"effective_on": "2026-03-03"}, "effective_on"),
            ({"effective_on": "2026-03-01"}, "effective_on"),
            ({"end_open_referrals": "yes"}, "end_open_referrals"),
        ],
    )
    closed = worker.post(path, why | {"end_open_referrals": True, "note": "요양병원"})
    assert closed.status_code == 200, closed.text
    shown = closed.json()
    assert (shown["status"], shown["closed_reason"]) == ("closed", "long_stay")
    assert (shown["effective_on"], shown["closing_note"]) == (TODAY, "요양병원")
    assert course(shown) == []
    assert [one["status"] for one in shown["referrals"]] == ["cancelled"]
    assert {one["status"] for one in shown["deadlines"]} == {"met", "cancelled"}
    again = worker.post(path, why)
    assert refusal(again) == (409, "not_allowed_in_state")
    assert (again.json()["state"], course(again.json())) == ("closed", [])


def test_a_planned_service_is_settled_without_a_referral_once(api: Api) -> None:
    worker, supported = api.as_(WORKER), acts.a_supported_case(api)
    path = f"/planned-services/{supported.service}/settle"
    check_wrong(
        api,
        lambda wrong: worker.post(path, wrong),
        [({"disposition": "re_refer"}, "disposition"), ({"disposition": "lost"}, "disposition")],
    )
    settled = worker.post(path, {"disposition": "unmet_need", "note": "제공기관 없음"})
    assert settled.status_code == 200, settled.text
    shown = settled.json()
    assert shown["case_id"] == str(supported.case)
    assert (shown["settled"], shown["settlement"]) == (True, "unmet_need")
    (planned,) = worker.get(f"/cases/{supported.case}/plan").json()["in_force"]["services"]
    assert (planned["settled"], planned["settlement"]) == (True, "unmet_need")
    assert clocks(api, supported.case)["link"] == "met"
    again = worker.post(path, {"disposition": "refused"})
    assert refusal(again) == (409, "already_settled")
    assert (again.json()["state"], again.json()["allowed_actions"]) == ("in_force", [])


def test_a_service_with_an_open_referral_is_not_settled_and_names_it_in_the_plan(api: Api) -> None:
    worker, supported = api.as_(WORKER), acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    settle = {"disposition": "refused"}
    refused = worker.post(f"/planned-services/{supported.service}/settle", settle)
    assert refusal(refused) == (409, "referral_open")
    alpha = api.providers["alpha"]
    plan_path, case_path = f"/cases/{supported.case}/plan", f"/cases/{supported.case}"
    (planned,) = worker.get(plan_path).json()["in_force"]["services"]
    assert planned["referrals"] == [
        {"id": str(referral), "status": "requested",
         "provider": {"id": str(alpha.id), "name": alpha.name}}
    ]  # fmt: skip
    assert (planned["settled"], planned["allowed_actions"]) == (False, [])
    (listed,) = worker.get(case_path).json()["referrals"]
    assert (listed["id"], listed["provider"]["phone"]) == (str(referral), alpha.phone)
    assert clocks(api, supported.case)["response"] == "running", "a referral's clock shows too"
    assessor = api.as_(ASSESSOR)
    assert assessor.get(case_path).json()["referrals"] == []
    assert assessor.get(plan_path).json()["in_force"]["services"][0]["referrals"] == []


# What may be done, by state and by role


def test_allowed_actions_follow_the_state_and_the_one_who_asks(api: Api) -> None:
    case = acts.a_case(api)

    def allowed() -> tuple[list[str], list[str]]:
        worker = course(api.as_(WORKER).get(f"/cases/{case}").json())
        supervisor = course(api.as_(SUPERVISOR).get(f"/cases/{case}").json())
        assert [one for one in supervisor if one not in ("assign", "decision")] == worker
        return worker, supervisor

    assert allowed()[1] == ["pre-survey", "signals", "assign", "close"]
    acts.surveyed(api, case)
    assert allowed()[0] == ["assessments", "signals", "close"]
    acts.assessed(api, case)
    assert allowed()[0] == ["assessments", "draft", "signals", "close"]
    named = submitted(api, case)
    assert allowed()[1] == ["assessments", "decision", "signals", "assign", "close"]
    api.as_(SUPERVISOR).post(f"/cases/{case}/plan/decision", approval(named))
    supported = ["assessments", "draft", "notified", "checks", "signals", "close"]
    assert allowed()[0] == supported
    api.as_(WORKER).put(f"/cases/{case}/plan/draft", DRAFT)
    assert allowed()[0] == ["assessments", "draft", "submit", *supported[2:]]
    api.as_(WORKER).post(f"/cases/{case}/close", {"reason": "death"})
    assert allowed()[1] == []


def test_a_repeated_submission_under_one_key_is_one_submission(api: Api) -> None:
    worker, case = api.as_(WORKER), planning(api)
    worker.put(f"/cases/{case}/plan/draft", DRAFT)
    key = {"Idempotency-Key": "once"}
    first = worker.post(f"/cases/{case}/plan/submit", headers=key)
    again = worker.post(f"/cases/{case}/plan/submit", headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content


@pytest.mark.both_stores
def test_a_plan_whose_services_lie_in_the_past_is_refused(api: Api) -> None:
    worker, case = api.as_(WORKER), planning(api)
    yesterday = {"starts_on": "2026-02-01", "ends_on": "2026-03-01"}
    past = DRAFT | {"services": [MEALS | yesterday]}
    before = everything(api)
    refused = worker.put(f"/cases/{case}/plan/draft", past)
    assert (refusal(refused), fields_of(refused)) == ((422, "service_over"), ["services.0.ends_on"])
    assert everything(api) == before
    today = DRAFT | {"services": [MEALS | yesterday | {"ends_on": TODAY}]}
    assert worker.put(f"/cases/{case}/plan/draft", today).status_code == 200
    api.clock.forward(days=1)
    assert refusal(worker.post(f"/cases/{case}/plan/submit")) == (422, "service_over")


@pytest.mark.both_stores
def test_a_plan_goes_back_with_a_reason(api: Api) -> None:
    case = planning(api)
    named = submitted(api, case)
    path = f"/cases/{case}/plan/decision"
    back = approval(named) | {"decision": "return"}
    for reason in ({}, {"reason": " "}):
        refused = api.as_(SUPERVISOR).post(path, back | reason)
        assert refusal(refused)[0] == 422
        assert fields_of(refused) == ["reason"]
    assert api.as_(SUPERVISOR).post(path, back | {"reason": "횟수 부족"}).status_code == 200


@pytest.mark.both_stores
def test_the_first_check_is_of_another_day_than_the_approval(api: Api) -> None:
    worker, supported = api.as_(WORKER), acts.a_supported_case(api)
    path, found = f"/cases/{supported.case}/checks", {"findings": "잘 지내심", "goals": []}
    same_day = worker.post(path, found | {"checked_on": TODAY})
    assert (refusal(same_day), fields_of(same_day)) == ((422, "date_too_early"), ["checked_on"])
    api.clock.forward(days=1)
    assert worker.post(path, found | {"checked_on": "2026-03-03"}).status_code == 201
