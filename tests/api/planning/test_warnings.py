"""Limits, units, eligibility and doubled services warn at draft, submit, decision and referral."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from tests.api.acts import (
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    assessed,
    moved,
    surveyed,
)
from tests.api.conftest import ASSESSOR, PROVIDER, SUPERVISOR, WORKER, Api

OLD = {"fact": "age", "comparison": "at_least", "values": ["90"], "basis": "Act 2"}
GRADED = {"fact": "ltc_grade", "comparison": "known", "values": [], "basis": "Act 17"}
EATS: dict[str, Any] = {
    "service_code": "CARE-MEALS", "content": "lunch", "quantity": 2, "unit": "meal", "per": "day",
    "starts_on": "2026-03-02", "ends_on": "2026-12-31",
}  # fmt: skip


def catalogue(api: Api, **values: Any) -> None:
    with api.engine.begin() as connection:
        which = t.service.c.code == "CARE-MEALS"
        connection.execute(update(t.service).where(which).values(**values))
    api.application.catalogue.forget()


def limited(api: Api) -> None:
    catalogue(
        api, limits=[{"quantity": 60, "unit": "meal", "per": "month"}], eligibility=[OLD, GRADED]
    )


def planning_case(api: Api) -> UUID:
    case = a_case(api, WORKER, a_resident(api))
    surveyed(api, case)
    assessed(api, case)
    return case


def draft(api: Api, case: UUID, *services: dict[str, Any]) -> dict[str, Any]:
    body = {"goals": ["eats"], "services": list(services),
            "heard": {"on": "2026-03-02", "from": "her"}}  # fmt: skip
    answer = api.as_(WORKER).put(f"/cases/{case}/plan/draft", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(body: dict[str, Any]) -> list[str]:
    return [one["code"] for one in body["warnings"]]


ALL = ["over_limit", "not_eligible", "eligibility_unknown"]


def test_what_the_catalogue_says_is_told_at_every_step_and_refuses_none(api: Api) -> None:
    limited(api)
    case = planning_case(api)
    drafted = draft(api, case, EATS)
    assert codes(drafted) == ALL
    over, unfit, unknown = drafted["warnings"]
    (planned,) = drafted["draft"]["services"]
    assert (over["planned_service_id"], over["service_code"]) == (planned["id"], "CARE-MEALS")
    assert over["fact"] == {"quantity": 62, "unit": "meal", "per": "month"}
    assert over["limit"] == {"quantity": 60, "unit": "meal", "per": "month"}
    assert unfit["fact"] == {"name": "age", "value": "84"}
    assert unfit["limit"] == {"comparison": "at_least", "values": ["90"], "basis": "Act 2"}
    assert unknown["fact"] == {"name": "ltc_grade", "value": None}
    submitted = api.as_(WORKER).post(f"/cases/{case}/plan/submit").json()
    assert codes(submitted) == ALL
    # What a submission answers can be sent back as it is.
    decision = submitted | {"decision": "approve", "without_meeting_reason": "none this week"}
    assert codes(api.as_(SUPERVISOR).get(f"/cases/{case}/plan").json()) == ALL
    decided = api.as_(SUPERVISOR).post(f"/cases/{case}/plan/decision", decision)
    assert (decided.status_code, codes(decided.json())) == (200, ALL)
    request = {
        "planned_service_id": planned["id"], "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    sent = api.as_(WORKER).post("/referrals", request)
    assert (sent.status_code, codes(sent.json())) == (201, ALL)
    for by, expected in ((WORKER, ALL), (SUPERVISOR, ALL), (PROVIDER, [])):
        seen = api.as_(by).get(f"/referrals/{sent.json()['id']}").json()
        assert codes(seen) == expected, by


def test_a_plan_within_the_catalogue_warns_of_nothing(api: Api) -> None:
    limited(api)
    catalogue(api, eligibility=[])
    assert codes(draft(api, planning_case(api), EATS | {"quantity": 1})) == []


@pytest.mark.parametrize(("quantity", "warns"), [(59, False), (60, False), (61, True)])
def test_a_limit_warns_of_more_only(api: Api, quantity: int, warns: bool) -> None:
    limited(api)
    catalogue(api, eligibility=[])
    planned = EATS | {"quantity": quantity, "per": "month"}
    assert codes(draft(api, planning_case(api), planned)) == (["over_limit"] if warns else [])


def test_a_unit_that_is_not_the_catalogues_is_said(api: Api) -> None:
    drafted = draft(api, planning_case(api), EATS | {"unit": "visit"})
    (warning,) = drafted["warnings"]
    assert (warning["code"], warning["fact"], warning["limit"]) == (
        "unit_differs", {"unit": "visit"}, {"unit": "meal"},
    )  # fmt: skip


def test_the_same_service_twice_on_the_same_days_is_said_of_both(api: Api) -> None:
    case = planning_case(api)
    later = {"starts_on": "2026-12-31", "ends_on": "2027-03-01"}
    drafted = draft(api, case, EATS, EATS | later)
    ids = [one["id"] for one in drafted["draft"]["services"]]
    found = [(one["planned_service_id"], one["fact"]["planned_services"])
             for one in drafted["warnings"]]  # fmt: skip
    assert codes(drafted) == ["already_given"] * 2
    assert found == [(ids[0], [ids[1]]), (ids[1], [ids[0]])]
    api.clock.forward(seconds=1)
    other = planning_case(api)
    drafted = draft(api, other, EATS, EATS | later | {"starts_on": "2027-01-01"})
    assert codes(drafted) == []


def test_a_service_that_another_agency_has_been_asked_for_is_said_of_both_referrals(
    api: Api,
) -> None:
    supported = a_supported_case(api)
    first = a_referral(api, supported)
    assert codes(api.as_(WORKER).get(f"/referrals/{first}").json()) == []
    second = a_referral(api, supported, "beta")
    for one, other in ((first, second), (second, first)):
        (warning,) = api.as_(WORKER).get(f"/referrals/{one}").json()["warnings"]
        assert (warning["code"], warning["limit"]) == ("already_given", None)
        assert warning["fact"] == {"referrals": [str(other)], "planned_services": []}
    moved(api, second, "cancel", WORKER, reason="no_longer_needed")
    for one in (first, second):
        assert codes(api.as_(WORKER).get(f"/referrals/{one}").json()) == []


def test_two_lines_that_only_together_pass_a_limit_are_said_of_both(api: Api) -> None:
    catalogue(api, limits=[{"quantity": 60, "unit": "meal", "per": "month"}], eligibility=[])
    case = planning_case(api)
    half = EATS | {"quantity": 31, "per": "month"}
    drafted = draft(api, case, half, half)
    ids = [one["id"] for one in drafted["draft"]["services"]]
    together = [one for one in drafted["warnings"] if one["code"] == "over_limit_together"]
    assert [one["planned_service_id"] for one in together] == ids
    assert together[0]["fact"] == {
        "quantity": 62, "unit": "meal", "per": "month", "planned_services": [ids[1]],
    }  # fmt: skip
    assert together[0]["limit"] == {"quantity": 60, "unit": "meal", "per": "month"}
    decision = api.as_(WORKER).post(f"/cases/{case}/plan/submit").json()
    assert codes(decision).count("over_limit_together") == 2
    decision |= {"decision": "approve", "without_meeting_reason": "none this week"}
    assert api.as_(SUPERVISOR).post(f"/cases/{case}/plan/decision", decision).is_success
    request = {
        "planned_service_id": ids[0], "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    sent = api.as_(WORKER).post("/referrals", request).json()
    assert codes(sent) == ["over_limit_together"]


def test_a_warning_is_a_sentence_in_the_language_that_was_asked_for(api: Api) -> None:
    limited(api)
    case = planning_case(api)
    draft(api, case, EATS, EATS | {"quantity": 1, "unit": "visit"})
    path, said = f"/cases/{case}/plan", {}
    for language in ("ko", "en"):
        shown = api.as_(WORKER).get(path, headers={"Accept-Language": language}).json()
        said[language] = {one["code"]: one["says"] for one in shown["warnings"]}
    assert said["ko"] == {
        "over_limit": "1개월 최대 62식 계획: 서비스 목록의 한도 60식 초과.",
        "not_eligible": "연령 84: 기준은 90 이상 (Act 2).",
        "eligibility_unknown": "장기요양등급 미확인: 기준은 확인되어야 함 (Act 17).",
        "already_given": "같은 서비스가 이미 있음: 다른 의뢰 0건, 같은 기간의 다른 계획 1건.",
        "unit_differs": "계획 단위 방문: 서비스 목록의 단위는 식.",
    }
    assert said["en"] == {
        "over_limit": "Up to 62 meals planned a month: the catalogue allows 60 meals.",
        "not_eligible": "age is 84: the rule says at least 90 (Act 2).",
        "eligibility_unknown": (
            "long-term-care grade is not known: the rule says it is to be known (Act 17)."
        ),
        "already_given": (
            "There is this service already. Other referrals: 0."
            " Other lines of the plan on the same days: 1."
        ),
        "unit_differs": "Planned by visit: the catalogue counts by meals.",
    }


def test_a_meeting_sees_the_warnings_of_each_plan_it_is_to_decide_on(api: Api) -> None:
    limited(api)
    warned, plain = planning_case(api), planning_case(api)
    draft(api, warned, EATS)
    draft(api, plain, EATS | {"service_code": "MED-VISIT", "unit": "visit", "quantity": 1})
    named = {}
    for case in (warned, plain):
        named[case] = api.as_(WORKER).post(f"/cases/{case}/plan/submit").json()
    boss = api.as_(SUPERVISOR)
    meeting = boss.post("/conferences", {
        "held_on": "2026-03-02", "members": [{"name": "가상의사", "agency": "보건소"}],
    }).json()  # fmt: skip
    path = f"/conferences/{meeting['id']}"
    put = boss.post(f"{path}/agenda", {"case_ids": [str(warned), str(plain)]})
    assert [codes(one) for one in put.json()["agenda"]] == [ALL, []]
    shown = boss.get(path, headers={"Accept-Language": "ko"}).json()["agenda"]
    assert [codes(one) for one in shown] == [ALL, []]
    assert shown[0]["warnings"][0]["says"].startswith("1개월 최대 62식")
    decision = {"version": 1, "hash": named[warned]["hash"], "decision": "approve"}
    body = {"decisions": [decision | {"case_id": str(warned)}]}
    assert boss.post(f"{path}/decisions", body).json()["results"][0]["status"] == 200
    assert [codes(one) for one in boss.get(path).json()["agenda"]] == [[], []]


def test_an_assessor_is_told_of_no_fact_that_is_masked(api: Api) -> None:
    limited(api)
    case = planning_case(api)
    assert codes(draft(api, case, EATS)) == ALL
    seen = api.as_(ASSESSOR).get(f"/cases/{case}/plan")
    assert (seen.status_code, codes(seen.json())) == (200, [])
