"""The body that answers for a service: who confirms its entries, its queue, and who is shown it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from tests.api.asking import refusal
from tests.api.bodies.acts import entered, seated
from tests.api.conftest import (
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.directory.test_editing import agency, proposed, step

ABSENT = "01900000-0000-7000-8000-000000000000"
OFFICER = "city.elderly"


def officer(api: Api, username: str = OFFICER, **facts: Any) -> str:
    """Another account of the city; returns its id."""
    known = {
        "id": new_id(), "username": username, "name": "가상담당", "role": "city",
        "password_hash": "", "created_at": api.clock.now, "is_head": False, "is_active": True,
    }  # fmt: skip
    with api.engine.begin() as connection:
        connection.execute(insert(t.account), [known | facts])
    return str(known["id"])


def queue(api: Api, by: str, body: str) -> set[str]:
    return {one["id"] for one in api.as_(by).items("/directory/entries", body=body)}


def test_a_service_named_by_a_body_wins_over_its_field(api: Api) -> None:
    welfare = entered(api, name_ko="복지정책과", name_en="Welfare Policy", fields=["care"])
    disability = entered(api, name_ko="장애인복지과", services=["CARE-DISABILITY"])
    told = api.as_("admin").get("/services/CARE-MEALS").json()["answered_by"]
    assert told == {"id": welfare["id"], "name": "복지정책과", "name_en": "Welfare Policy"}
    told = api.as_("admin").get("/services/CARE-DISABILITY").json()["answered_by"]
    assert told == {"id": disability["id"], "name": "장애인복지과", "name_en": None}
    assert api.as_("admin").get("/services/MED-VISIT").json()["answered_by"] is None


@pytest.mark.both_stores
def test_an_officer_with_a_seat_in_the_body_confirms_and_another_does_not(api: Api) -> None:
    body = entered(api, fields=["care"])["id"]
    entry = proposed(api, agency(api))
    seated(api, body, {"account_id": officer(api)})
    assert refusal(step(api, "city", entry["id"], "confirm")) == (403, "not_your_body")
    bulk = {"step": "confirm", "offering_ids": [entry["id"]]}
    (part,) = api.as_("city").post("/directory/entries/steps", bulk).json()["results"]
    assert (part["status"], part["code"], part["state"]) == (403, "not_your_body", "proposed")
    assert step(api, OFFICER, entry["id"], "confirm").json()["state"] == "confirmed"
    assert step(api, "city", entry["id"], "publish").status_code == 200


def test_a_body_without_an_account_leaves_it_to_any_city_officer(api: Api) -> None:
    body = entered(api, fields=["care"])["id"]
    seated(api, body, {"name": "복지정책과장"})
    entry = proposed(api, agency(api))
    assert step(api, "city", entry["id"], "confirm").status_code == 200


def test_no_body_leaves_it_to_any_city_officer(api: Api) -> None:
    entered(api, fields=["medical"])
    entry = proposed(api, agency(api))
    assert step(api, "city", entry["id"], "confirm").status_code == 200


def test_only_seats_of_active_city_officers_that_are_held_today_count(api: Api) -> None:
    body = entered(api, kind="forum", fields=["care"], valid_from="2026-01-01")["id"]
    seated(
        api, body,
        {"account_id": officer(api, "city.past"), "from": "2026-01-01", "to": "2026-03-01"},
        {"account_id": officer(api, "city.future"), "from": "2026-03-03"},
        {"account_id": str(api.id_of(SUPERVISOR))},
    )  # fmt: skip
    entry = proposed(api, agency(api))
    assert step(api, "city", entry["id"], "confirm").status_code == 200
    second = proposed(api, agency(api, slug="epsilon"))
    api.clock.set("2026-03-03T10:00")
    assert refusal(step(api, "city", second["id"], "confirm")) == (403, "not_your_body")
    assert step(api, "city.future", second["id"], "confirm").status_code == 200


def test_a_supervisor_still_confirms_what_agencies_of_the_district_give(api: Api) -> None:
    body = entered(api, fields=["care"])["id"]
    seated(api, body, {"account_id": officer(api)})
    entry = proposed(api, agency(api))
    changed = api.as_("admin").patch(
        f"/offerings/{entry['id']}", {"open": False}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    assert step(api, SUPERVISOR, entry["id"], "confirm").status_code == 200


def test_a_proposed_service_is_confirmed_by_the_body_that_answers_for_it(api: Api) -> None:
    body = entered(api, fields=["housing"])["id"]
    seated(api, body, {"account_id": officer(api)})
    service = {
        "code": "HOU-RAMPS", "field": "housing", "name_ko": "경사로", "name_en": "Ramps",
        "run_by": "city", "unit": "case", "basis": "Act 18(6)", "certainty": "C",
    }  # fmt: skip
    assert api.as_("admin").post("/services", service).json()["answered_by"]["id"] == body
    path = "/services/HOU-RAMPS/confirm"
    assert refusal(api.as_("city").post(path)) == (403, "not_your_body")
    assert api.as_(OFFICER).post(path).json()["state"] == "confirmed"


def test_a_body_answers_from_its_first_day_until_its_last(api: Api) -> None:
    body = entered(api, fields=["care"], valid_from="2026-03-03")["id"]
    api.as_("city").post(f"/bodies/{body}/end", {"on": "2026-03-05", "reason": "개편"})
    for now, expected in (
        ("2026-03-02", None), ("2026-03-03", body), ("2026-03-05", body), ("2026-03-06", None),
    ):  # fmt: skip
        api.clock.set(f"{now}T09:00")
        told = api.as_("admin").get("/services/CARE-MEALS").json()["answered_by"]
        assert (told and told["id"]) == expected, now


@pytest.mark.both_stores
def test_the_queue_of_a_body_is_what_it_answers_for(api: Api) -> None:
    care = entered(api, fields=["care"])["id"]
    special = entered(api, services=["CARE-DISABILITY"])["id"]
    unit = entered(api, SUPERVISOR, kind="unit", area=DISTRICT, fields=["care"])["id"]
    nothing = entered(api)["id"]
    delta = agency(api)
    meals = proposed(api, delta)["id"]
    disability = proposed(api, delta, service_code="CARE-DISABILITY", unit="hour")["id"]
    visits = {str(api.offerings[slug, "MED-VISIT"].id) for slug in ("alpha", "beta", "gamma")}
    published = {slug: str(api.offerings[slug, "CARE-MEALS"].id) for slug in
                 ("alpha", "beta", "gamma")}  # fmt: skip
    assert queue(api, "city", care) == {meals, *published.values()}
    assert queue(api, "city", special) == {disability}
    here = {meals, published["alpha"], published["beta"]}
    assert queue(api, "city", unit) == {*here, disability}
    assert queue(api, SUPERVISOR, unit) == {*here, disability}
    assert queue(api, SUPERVISOR, care) == here
    assert queue(api, FAR_SUPERVISOR, care) == {published["gamma"]}
    assert queue(api, "city", nothing) == set()
    assert not visits & queue(api, "city", care)
    api.as_("city").post(f"/bodies/{special}/end", {"on": "2026-03-02", "reason": "개편"})
    api.clock.set("2026-03-03T09:00")
    assert queue(api, "city", care) == {meals, disability, *published.values()}
    assert queue(api, "city", special) == set()


@pytest.mark.both_stores
def test_who_answers_is_shown_with_each_entry_to_everybody_who_drafts(api: Api) -> None:
    care = entered(api, name_ko="복지정책과", fields=["care"])["id"]
    entered(api, FAR_SUPERVISOR, kind="unit", area=OTHER_DISTRICT, fields=["medical"])
    for username in ("city", "admin", SUPERVISOR, FAR_SUPERVISOR, PROVIDER):
        entries = api.as_(username).items("/directory/entries")
        told = {one["service_code"]: one["answered_by"] for one in entries}
        assert told == {
            "CARE-MEALS": {"id": care, "name": "복지정책과", "name_en": None}, "MED-VISIT": None,
        }, username  # fmt: skip


@pytest.mark.both_stores
def test_a_queue_of_a_body_out_of_sight_is_as_if_it_were_absent(api: Api) -> None:
    far = entered(api, FAR_SUPERVISOR, kind="unit", area=OTHER_DISTRICT, fields=["care"])["id"]
    for username in (SUPERVISOR, PROVIDER):
        absent = api.as_(username).get("/directory/entries", params={"body": ABSENT})
        answer = api.as_(username).get("/directory/entries", params={"body": far})
        assert refusal(answer) == (422, "unknown_body"), username
        assert answer.content == absent.content
    assert queue(api, FAR_SUPERVISOR, far) == {str(api.offerings["gamma", "CARE-MEALS"].id)}


def test_the_overview_tells_a_service_that_nobody_takes_on_from_one_that_is_not_listed(
    api: Api,
) -> None:
    def standing(service: str, district: str = DISTRICT) -> str:
        params = {"district": district, "service": service}
        (cell,) = api.as_(WORKER).items("/directory/overview", **params)
        return str(cell["standing"])

    assert standing("NUR-DAY") == "no_entry"
    entry = proposed(
        api, agency(api, slug="delta"), service_code="NUR-DAY", unit="day", open=False
    )["id"]
    assert standing("NUR-DAY") == "no_entry"  # proposed is not listed
    step(api, "city", entry, "confirm")
    step(api, "city", entry, "publish")
    assert standing("NUR-DAY") == "none"
    assert standing("NUR-DAY", OTHER_DISTRICT) == "no_entry"
    gamma = f"/providers/{api.providers['gamma'].id}/end"
    assert standing("CARE-MEALS", OTHER_DISTRICT) == "open"
    ended = api.as_("admin").post(gamma, {"last_day": "2026-03-02", "reason": "폐업"})
    assert ended.status_code == 200
    api.clock.set("2026-03-03T09:00")
    assert standing("CARE-MEALS", OTHER_DISTRICT) == "none"
    assert FAR.startswith(OTHER_DISTRICT)
