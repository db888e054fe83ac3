"""A hold has a longest length, shows on the case, is told, and takes the referrals along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.casefile.states import HoldReason
from tests.api.acts import Supported, a_case, a_referral, a_resident, a_supported_case, moved
from tests.api.asking import everything, fields_of, refusal
from tests.api.conftest import OTHER_PROVIDER, PROVIDER, SUPERVISOR, WORKER, Api


def ahead(api: Api, days: int) -> str:
    return (api.clock.now.date() + timedelta(days=days)).isoformat()


def hold(api: Api, case: UUID, days: int = 30, **more: Any) -> Any:
    body = {"reason": "hospitalised", "until": ahead(api, days)} | more
    return api.as_(WORKER).post(f"/cases/{case}/hold", body)


def resume(api: Api, case: UUID) -> Any:
    return api.as_(WORKER).post(f"/cases/{case}/resume", {})


def shown(api: Api, referral: UUID, by: str = WORKER) -> dict[str, Any]:
    return dict(api.as_(by).get(f"/referrals/{referral}").json())


def held_of(api: Api, case: UUID) -> Any:
    return api.as_(WORKER).get(f"/cases/{case}").json()["hold"]


def told_of(api: Api, referral: UUID, kind: str = "referral_held") -> list[Any]:
    of = t.notice
    query = select(of.c.tell, of.c.about, of.c.at_once).where(
        of.c.subject_id == referral, of.c.kind == kind
    )
    with api.engine.connect() as connection:
        found = connection.execute(query.order_by(of.c.since, of.c.id))
        return [(list(tell), about, at_once) for tell, about, at_once in found]


def a_running_referral(api: Api) -> tuple[Supported, UUID]:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "start", PROVIDER)
    return supported, referral


@pytest.mark.parametrize(("days", "status"), [(89, 200), (90, 200), (91, 422)])
def test_a_hold_lasts_at_most_ninety_days_ahead(api: Api, days: int, status: int) -> None:
    supported, referral = a_running_referral(api)
    before = everything(api)
    body = {"reason": "hospitalised", "until": ahead(api, days)}
    answers = [
        api.as_(PROVIDER).post(f"/referrals/{referral}/hold", body),
        hold(api, supported.case, days),
    ]
    assert [one.status_code for one in answers] == [status, status]
    if status == 422:
        assert {refusal(one)[1] for one in answers} == {"hold_too_long"}
        assert {tuple(fields_of(one)) for one in answers} == {("until",)}
        assert everything(api) == before


def test_how_long_a_hold_lasts_is_said_by_reason_and_in_the_refusal(api: Api) -> None:
    for username in (WORKER, PROVIDER, "city"):
        found = api.as_(username).items("/standards/holds")
        assert [one["reason"] for one in found] == list(HoldReason)
        limits = {one["reason"]: one["limit"] for one in found}
    for reason, limit in limits.items():
        answer = hold(api, a_case(api), limit["amount"] + 1, reason=reason, note="said so")
        assert (refusal(answer), answer.json()["limit"]) == ((422, "hold_too_long"), limit)
        assert f"for {reason} lasts {limit['amount']} days" in answer.json()["detail"]


def test_a_hold_until_the_next_century_is_refused(api: Api) -> None:
    case = a_case(api)
    assert refusal(hold(api, case, until="2126-03-02")) == (422, "hold_too_long")
    assert held_of(api, case) is None


def test_a_hold_is_renewed_by_another_act(api: Api) -> None:
    case = a_case(api)
    assert hold(api, case, 90).status_code == 200
    api.clock.forward(days=91)
    assert held_of(api, case) is None
    assert hold(api, case, 90).status_code == 200
    assert held_of(api, case)["until"] == ahead(api, 90)


def test_the_case_shows_its_hold_to_the_end_of_its_last_day(api: Api) -> None:
    case = a_case(api)
    assert held_of(api, case) is None
    answer = hold(api, case, 10)
    expected = {
        "reason": "hospitalised",
        "from": ahead(api, 0),
        "until": ahead(api, 10),
        "by": str(api.id_of(WORKER)),
    }
    assert answer.json()["hold"] == expected == held_of(api, case)
    last = ahead(api, 10)
    after = ahead(api, 11)
    api.clock.set(f"{last}T23:59:59")
    assert held_of(api, case) == expected
    api.clock.set(f"{after}T00:00:00")
    assert held_of(api, case) is None


def test_the_running_referrals_rest_in_the_same_act_as_the_workers_word(api: Api) -> None:
    supported, running = a_running_referral(api)
    requested = a_referral(api, supported, "beta")
    answer = hold(api, supported.case)
    assert answer.status_code == 200, answer.text
    agencys = shown(api, running, PROVIDER)
    assert (agencys["status"], agencys["hold_until"]) == ("on_hold", ahead(api, 30))
    assert (agencys["held_with_case"], agencys["on_behalf"], agencys["reason"]) == (
        True, None, None,
    )  # fmt: skip
    assert "hospitalised" not in str(agencys)  # the case alone says why
    last = shown(api, running)["history"][-1]
    assert (last["event"], last["by"]["role"]) == ("ReferralHeld", "worker")
    assert last["data"]["with_case"] is True
    assert told_of(api, running) == [(["provider"], "case", True)]
    assert shown(api, requested)["status"] == "requested"
    assert told_of(api, requested) == [(["provider"], "case", True)]
    assert "hospitalised" not in str(shown(api, requested, OTHER_PROVIDER))


def test_resuming_the_case_resumes_what_was_held_with_it(api: Api) -> None:
    supported, running = a_running_referral(api)
    hold(api, supported.case)
    api.clock.forward(days=3)
    assert resume(api, supported.case).status_code == 200
    agencys = shown(api, running, PROVIDER)
    assert (agencys["status"], agencys["held_with_case"]) == ("in_progress", False)
    assert told_of(api, running)[1:] == [(["provider"], "case_resumed", False)]
    assert held_of(api, supported.case) is None


def test_what_the_agency_holds_itself_is_the_agencys_to_resume(api: Api) -> None:
    supported, running = a_running_referral(api)
    until = {"reason": "provider_paused", "until": ahead(api, 5)}
    assert api.as_(PROVIDER).post(f"/referrals/{running}/hold", until).status_code == 200
    assert told_of(api, running) == [(["worker"], "on_hold", False)]
    hold(api, supported.case)
    assert shown(api, running)["reason"] == "provider_paused"
    api.clock.forward(days=1)
    resume(api, supported.case)
    assert shown(api, running)["status"] == "on_hold"


def test_a_hold_can_leave_the_referrals_as_they_are(api: Api) -> None:
    supported, running = a_running_referral(api)
    assert hold(api, supported.case, hold_referrals=False).status_code == 200
    assert shown(api, running)["status"] == "in_progress"
    assert told_of(api, running) == [(["provider"], "case", True)]


def test_both_holds_run_out_on_the_same_day_and_nothing_waits_without_a_clock(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    hold(api, supported.case, 4)
    after = ahead(api, 5)
    api.clock.set(f"{after}T00:05")
    api.application.sweep(api.application.context())
    found = shown(api, referral)
    assert (found["status"], found["held_with_case"]) == ("accepted", False)
    (start,) = [one for one in found["deadlines"] if one["kind"] == "start"]
    assert start["status"] == "running"
    assert held_of(api, supported.case) is None


@pytest.mark.parametrize(("days", "status"), [(364, 200), (365, 200), (366, 422)])
def test_a_day_ahead_lies_within_a_year(api: Api, days: int, status: int) -> None:
    resident, on = a_resident(api), ahead(api, days)
    accepted, waiting = a_referral(api), a_referral(api)
    alpha, worker = api.as_(PROVIDER), api.as_(WORKER)
    asked = [
        (alpha, f"/referrals/{accepted}/accept", {}, "expected_start_on"),
        (alpha, f"/referrals/{waiting}/waitlist", {}, "expected_on"),
        (worker, f"/residents/{resident}/notes", {"kind": "call", "text": "x"}, "come_back_on"),
        (worker, "/cases", {"resident_id": str(a_resident(api)), "channel": "self",
                            "applied_on": ahead(api, 0)}, "discharge_on"),
    ]  # fmt: skip
    before = everything(api)
    for caller, path, body, field in asked:
        answer = caller.post(path, body | {field: on})
        assert answer.status_code in (status, status + 1), (path, answer.text)
        if status == 422:
            assert (refusal(answer)[1], fields_of(answer)) == ("date_too_far", [field])
    if status == 422:
        assert everything(api) == before


def test_a_deadline_is_not_put_off_into_the_next_century(api: Api) -> None:
    a_case(api)
    api.clock.forward(days=30)
    (item, *_) = api.as_(SUPERVISOR).items("/overdue")
    path = f"/overdue/{item['deadline_id']}/review"
    for action in ("chase", "extend"):
        body = {"action": action, "cause": "staff_absent", "until": ahead(api, 366)}
        assert refusal(api.as_(SUPERVISOR).post(path, body)) == (422, "date_too_far"), action
    body = {"action": "extend", "cause": "staff_absent", "until": ahead(api, 365)}
    assert api.as_(SUPERVISOR).post(path, body).status_code == 200
