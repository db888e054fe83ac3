"""Editing the catalogue: co-payments, limits, validity, and what continues when a service ends."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from casework.adapters.api.directory import bodies as s
from casework.domain.directory.directory import INCOME_TIERS
from casework.domain.directory.editing import DAYS, PERS
from tests.api.acts import a_case, a_referral, a_supported_case, assessed, moved, surveyed
from tests.api.asking import fields_of, refusal
from tests.api.conftest import DISTRICT, PROVIDER, SUPERVISOR, WORKER, Api

CODE = "CARE-LAUNDRY"
NEW: dict[str, Any] = {
    "code": CODE, "field": "care", "name_ko": "가상 세탁", "name_en": "Laundry",
    "run_by": "city", "unit": "visit", "basis": "Act 18", "certainty": "L",
    "limits": [{"quantity": 4, "unit": "visit", "per": "month"}],
    "co_payments": [
        {"income_tier": "median_70", "won_per_unit": 2000},
        {"income_tier": "median_70", "district_code": DISTRICT, "share_percent": 0},
        {"income_tier": "above_100", "share_percent": 100},
    ],
}  # fmt: skip
MEALS = "/services/CARE-MEALS"


def changed(api: Api, path: str, **changes: Any) -> Any:
    admin = api.as_("admin")
    seen = admin.get(path).headers["etag"]
    return admin.patch(path, changes, headers={"If-Match": seen})


def draft(api: Api, case: object, code: str, starts_on: str = "2026-03-02") -> Any:
    service = {
        "service_code": code, "content": "as needed", "quantity": 1, "unit": "visit",
        "per": "week", "starts_on": starts_on, "ends_on": "2027-03-01",
    }  # fmt: skip
    body = {
        "goals": ["stay at home"], "services": [service],
        "heard": {"on": "2026-03-02", "from": "the resident"},
    }  # fmt: skip
    return api.as_(WORKER).put(f"/cases/{case}/plan/draft", body)


def planning_case(api: Api) -> object:
    """A case that is being planned."""
    case = a_case(api)
    surveyed(api, case)
    assessed(api, case)
    return case


def test_what_may_be_sent_is_what_the_domain_knows() -> None:
    assert get_args(s.IncomeTier) == INCOME_TIERS
    assert get_args(s.LimitInput.model_fields["per"].annotation) == PERS
    assert get_args(s.OpeningHours.model_fields["day"].annotation) == DAYS


def test_the_shipped_catalogue_says_its_limits_and_what_each_income_pays(api: Api) -> None:
    services = {one["code"]: one for one in api.as_(WORKER).items("/services")}
    assert services["CARE-ESCORT"]["limits"] == [{"quantity": 24, "unit": "trip", "per": "year"}]
    assert services["MED-VISIT"]["limits"] == services["MED-VISIT"]["co_payments"] == []
    escort = {one["income_tier"]: one for one in services["CARE-ESCORT"]["co_payments"]}
    assert set(escort) == {"basic", "near_poor", "median_70"}
    assert escort["median_70"]["won_per_unit"] == 2000
    meals = {one["income_tier"]: one for one in services["CARE-MEALS"]["co_payments"]}
    assert [meals[tier]["share_percent"] for tier in INCOME_TIERS] == [0, 0, 0, 0, 100]


def test_a_service_is_planned_once_it_is_proposed_confirmed_and_published(api: Api) -> None:
    made = api.as_("admin").post("/services", NEW)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["state"], told["answered_by"], told["in_force"]) == ("proposed", None, False)
    path = f"/services/{CODE}"
    case = planning_case(api)
    refused = draft(api, case, CODE)
    assert refusal(refused) == (422, "service_not_in_force")
    assert fields_of(refused) == ["services.0.service_code"]
    assert CODE not in [one["code"] for one in api.as_(WORKER).items("/services")]
    assert refusal(api.as_("city").post(f"{path}/publish")) == (409, "not_allowed_in_state")
    assert refusal(api.as_("admin").post(f"{path}/confirm")) == (403, "forbidden")
    assert api.as_("city").post(f"{path}/confirm").json()["state"] == "confirmed"
    assert refusal(draft(api, case, CODE)) == (422, "service_not_in_force")
    version = api.as_("admin").get(path).headers["etag"]
    again = api.as_("admin").patch(path, {"basis": "Act 19"}, headers={"If-Match": version})
    assert again.json()["state"] == "proposed"
    assert api.as_("city").post(f"{path}/confirm").json()["state"] == "confirmed"
    assert api.as_("admin").post(f"{path}/publish").json()["in_force"] is True
    assert draft(api, case, CODE).status_code == 200
    (shown,) = [one for one in api.as_(WORKER).items("/services") if one["code"] == CODE]
    assert shown["limits"] == NEW["limits"]
    assert shown["co_payments"][1] == {
        "income_tier": "median_70", "district_code": DISTRICT, "share_percent": 0,
        "won_per_unit": None,
    }  # fmt: skip
    history = api.as_(SUPERVISOR).items(f"{path}/history")
    assert [one["did"] for one in history] == [
        "published", "confirmed", "changed", "confirmed", "proposed",
    ]  # fmt: skip
    assert refusal(api.as_("admin").post("/services", NEW)) == (409, "service_exists")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"income_tier": "poor", "share_percent": 0}, "co_payments.0.income_tier"),
        ({"income_tier": "basic"}, "co_payments.0"),
        ({"income_tier": "basic", "share_percent": 0, "won_per_unit": 0}, "co_payments.0"),
        ({"income_tier": "basic", "share_percent": 101}, "co_payments.0.share_percent"),
        ({"income_tier": "basic", "share_percent": 0, "district_code": "9"}, "co_payments"),
    ],
)
def test_a_co_payment_that_cannot_be_is_refused(api: Api, wrong: Any, field: str) -> None:
    before = api.as_("admin").get(MEALS).json()
    answer = changed(api, MEALS, co_payments=[wrong])
    assert fields_of(answer) == [field]
    assert api.as_("admin").get(MEALS).json() == before


def test_a_service_ends_before_it_begins_nowhere(api: Api) -> None:
    answer = changed(api, MEALS, valid_from="2026-03-02", valid_to="2026-03-01")
    assert fields_of(answer) == ["valid_to"]
    one_day = changed(api, MEALS, valid_from="2026-03-02", valid_to="2026-03-02")
    assert one_day.json()["in_force"] is True
    twice = [{"income_tier": "basic", "share_percent": 0}] * 2
    assert fields_of(changed(api, MEALS, co_payments=twice)) == ["co_payments.1"]


def test_a_service_is_asked_for_from_its_first_to_its_last_day(api: Api) -> None:
    assert changed(api, MEALS, valid_to="2026-03-05").status_code == 200
    before, later = a_supported_case(api), a_supported_case(api)
    unsent = a_referral(api, a_supported_case(api), send=False)
    api.clock.set("2026-03-05T23:59")
    assert len(api.as_(WORKER).items("/offerings", service="CARE-MEALS")) == 3
    running = a_referral(api, before)
    api.clock.set("2026-03-06T00:00")
    body = {
        "planned_service_id": str(later.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    worker = api.as_(WORKER)
    assert worker.items("/offerings", service="CARE-MEALS") == []
    assert refusal(worker.post("/referrals", body)) == (422, "service_not_in_force")
    assert refusal(worker.post(f"/referrals/{unsent}/send")) == (422, "service_not_in_force")
    moved(api, running, "accept", PROVIDER)
    moved(api, running, "start", PROVIDER, started_on=api.context(WORKER).act.today)
    assert worker.get(f"/referrals/{running}").json()["status"] == "in_progress"
    assert changed(api, MEALS, valid_from="2026-03-07", valid_to=None).status_code == 200
    assert refusal(worker.post("/referrals", body)) == (422, "service_not_in_force")
    api.clock.set("2026-03-07T00:00")
    assert worker.post("/referrals", body).status_code == 201


def test_a_service_is_planned_for_days_on_which_it_is_in_force(api: Api) -> None:
    case = planning_case(api)
    assert changed(api, MEALS, valid_from="2026-03-10", valid_to="2026-03-20").status_code == 200
    for day, status in (
        ("2026-03-09", 422), ("2026-03-10", 200), ("2026-03-20", 200), ("2026-03-21", 422),
    ):  # fmt: skip
        answer = draft(api, planning_case(api), "CARE-MEALS", day)
        assert answer.status_code == status, (day, answer.text)
    kept = draft(api, case, "CARE-MEALS", "2026-03-10").json()["versions"][-1]["services"][0]["id"]
    api.clock.set("2026-03-21T09:00")
    service = {
        "id": kept, "service_code": "CARE-MEALS", "content": "less", "quantity": 1,
        "unit": "visit", "per": "week", "starts_on": "2026-03-10", "ends_on": "2027-03-01",
    }  # fmt: skip
    body = {
        "goals": ["stay at home"], "services": [service],
        "heard": {"on": "2026-03-02", "from": "the resident"},
    }  # fmt: skip
    worker = api.as_(WORKER)
    seen = worker.get(f"/cases/{case}/plan").headers["etag"]
    answer = worker.put(f"/cases/{case}/plan/draft", body, headers={"If-Match": seen})
    assert answer.status_code == 200, answer.text
