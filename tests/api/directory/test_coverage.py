"""Gaps in coverage: where no agency accepts, where all are full, and where it is too far."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from casework.bench.statements import statements
from tests.api.asking import refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    OTHER_DISTRICT,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

MEALS = {"service": "CARE-MEALS"}


def holes(api: Api, username: str = "city", **params: Any) -> dict[str, dict[str, Any]]:
    items = api.as_(username).items("/coverage", **params)
    found = {one["centre_code"]: one for one in items}
    assert list(found) == sorted(found)
    assert len(found) == len(items)
    return found


def set_(api: Api, table: Any, *which: Any, **values: Any) -> None:
    with api.engine.begin() as connection:
        connection.execute(update(table).where(*which).values(values))


def offering(api: Api, slug: str, **values: Any) -> None:
    set_(api, t.offering, t.offering.c.id == api.offerings[slug, "CARE-MEALS"].id, **values)


def centres(api: Api, district: str) -> set[str]:
    return {one["code"] for one in api.as_(WORKER).items("/centres", district=district)}


def test_only_worker_supervisor_and_city_see_the_holes(api: Api) -> None:
    assert refusal(api.client.get(f"{BASE}/coverage")) == (401, "unauthenticated")
    for username in (ASSESSOR, PROVIDER, "auditor", "admin"):
        assert refusal(api.as_(username).get("/coverage")) == (403, "forbidden"), username


def test_the_city_sees_every_district_and_a_supervisor_the_own(api: Api) -> None:
    everywhere = holes(api, **MEALS)
    served = centres(api, DISTRICT) | centres(api, OTHER_DISTRICT)
    nobody = {code for code, one in everywhere.items() if one["hole"] == "nobody"}
    assert len(nobody) == 205 - len(served)
    assert not nobody & served
    offering(api, "alpha", is_open=False)
    offering(api, "beta", is_open=False)
    offering(api, "gamma", is_open=False)
    assert set(holes(api, SUPERVISOR, **MEALS)) == centres(api, DISTRICT)
    assert set(holes(api, FAR_SUPERVISOR, **MEALS)) == centres(api, OTHER_DISTRICT)
    assert set(holes(api, WORKER, **MEALS)) == {HERE}
    assert len(holes(api, **MEALS)) == 205


def test_open_without_a_free_place_is_full_and_closed_is_nobody(api: Api) -> None:
    assert FAR not in holes(api, **MEALS)
    for values, hole, open_ in (
        ({"stated_available": 0}, "full", 1),
        ({"is_open": False}, "nobody", 0),
    ):
        offering(api, "gamma", **values)
        found = holes(api, **MEALS)[FAR]
        assert (found["hole"], found["open"], found["accepting"]) == (hole, open_, 0)
        assert (found["nearest"], found["minutes"]) == (None, None)
    offering(api, "gamma", is_open=True, stated_available=1)
    assert FAR not in holes(api, **MEALS)
    set_(api, t.provider, t.provider.c.slug == "gamma", is_active=False)
    assert holes(api, **MEALS)[FAR]["hole"] == "nobody"


def test_more_than_fifteen_minutes_to_the_nearest_is_far(api: Api) -> None:
    with api.engine.connect() as connection:
        point = connection.execute(select(t.centre).where(t.centre.c.code == FAR)).one()
    kilometre = 180 / (3.141592653589793 * 6371)
    for away, is_hole in ((4.285, False), (4.287, True)):
        place = {"lat": point.lat + away * kilometre, "lon": point.lon}
        set_(api, t.provider, t.provider.c.slug == "gamma", **place)
        found = holes(api, **MEALS)
        assert (FAR in found) is is_hole, away
    gamma = api.providers["gamma"]
    assert found[FAR] == {
        "centre_code": FAR, "name": "중앙동", "district_code": OTHER_DISTRICT, "hole": "far",
        "open": 1, "accepting": 1, "nearest": {"id": str(gamma.id), "name": gamma.name},
        "distance_km": 4.287, "minutes": 16,
    }  # fmt: skip


def test_a_designation_asks_for_those_who_hold_it(api: Api) -> None:
    made = api.as_("city").post(
        f"/providers/{api.providers['gamma'].id}/designations",
        {"code": "home_visit_15", "valid_from": "2026-03-03", "designated_by": "부산광역시"},
    )
    assert made.status_code == 201, made.text
    assert FAR in holes(api, designation="home_visit_15")  # from tomorrow on
    api.clock.forward(days=1)
    assert FAR not in holes(api, designation="home_visit_15")
    assert FAR not in holes(api, designation="home_visit_15", **MEALS)
    assert HERE in holes(api, designation="home_visit_15")
    assert FAR in holes(api, designation="home_visit_15", service="MED-REHAB")
    wrong = api.as_("city").get("/coverage", params={"designation": "home_visit"})
    assert refusal(wrong) == (422, "invalid")  # and not a city full of gaps


def test_of_a_service_that_is_not_published_nothing_is_said(api: Api) -> None:
    """Neither that the whole city lacks it, nor that nobody near a resident has it."""
    body = {
        "code": "CARE-NEW", "field": "care", "name_ko": "가상", "name_en": "new",
        "run_by": "city", "unit": "visit", "basis": "Act 18", "certainty": "L",
    }  # fmt: skip
    assert api.as_("admin").post("/services", body).status_code == 201
    asked = {"service_code": "CARE-NEW", "centre_code": HERE}
    for answer in (
        api.as_("city").get("/coverage", params={"service": "CARE-NEW"}),
        api.as_(WORKER).post("/offerings/match", asked),
    ):
        assert refusal(answer) == (422, "unknown_service")


def test_with_no_question_whoever_accepts_for_anything_counts(api: Api) -> None:
    offering(api, "gamma", stated_available=0)
    assert FAR in holes(api, **MEALS)
    assert FAR not in holes(api)


def test_an_unknown_service_is_refused(api: Api) -> None:
    answer = api.as_("city").get("/coverage?service=NO-SUCH")
    assert refusal(answer) == (422, "unknown_service")
    assert refusal(api.as_("city").get("/coverage?nonsense=1")) == (422, "invalid")


def test_the_holes_are_paged_without_a_gap(api: Api) -> None:
    whole = holes(api, **MEALS)
    assert holes(api, limit=7, **MEALS) == whole
    page = api.as_("city").get("/coverage", params={"limit": 200} | MEALS).json()
    assert len(page["items"]) == min(len(whole), 200)
    exactly = api.as_("city").get("/coverage", params={"limit": len(whole)} | MEALS).json()
    assert exactly["next_cursor"] is None


def test_coverage_is_two_statements(api: Api) -> None:
    city = api.as_("city")
    api.application.clockwork()
    api.application.catalogue()
    for params in (MEALS, MEALS | {"designation": "home_visit_15"}):
        with statements(api.application.engine) as sent:
            assert city.get("/coverage", params=params).status_code == 200
        # Beside who asks and the audit entry.
        own = [one for one in sent if "audit_" not in one and "FROM account" not in one]
        own = [one for one in own if not one.startswith("SELECT set_config")]
        assert len(own) == 2, "\n".join(sent)
