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


def test_an_assessor_is_told_of_no_fact_that_is_masked(api: Api) -> None:
    limited(api)
    case = planning_case(api)
    assert codes(draft(api, case, EATS)) == ALL
    seen = api.as_(ASSESSOR).get(f"/cases/{case}/plan")
    assert (seen.status_code, codes(seen.json())) == (200, [])
