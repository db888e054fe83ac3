"""Editing agencies and offerings: who may change what, publication, and history."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_referral, a_supported_case, moved
from tests.api.asking import fields_of, refusal
from tests.api.conftest import (
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEXT_DOOR,
    OTHER_DISTRICT,
    OTHER_PROVIDER,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

AGENCY = {
    "slug": "delta", "name": "가상 델타", "kind": "clinic", "phone": "051-000-0001",
    "district_code": DISTRICT, "lat": 35.17, "lon": 129.16,
    "opening_hours": [{"day": "mon", "opens": "09:00", "closes": "18:00"}],
    "contacts": [{"name": "접수", "phone": "051-000-0002", "email": "office@agency.example"}],
}  # fmt: skip


def agency(api: Api, **facts: Any) -> str:
    """A new agency of the district."""
    answer = api.as_(SUPERVISOR).post("/providers", AGENCY | facts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def proposed(api: Api, provider: str, **facts: Any) -> dict[str, Any]:
    """An entry that the supervisor proposes."""
    body = {
        "provider_id": provider, "service_code": "CARE-MEALS", "centres": [HERE, NEXT_DOOR],
        "unit": "meal", "capacity": {"maximum": 10, "available": 4},
    }  # fmt: skip
    answer = api.as_(SUPERVISOR).post("/offerings", body | facts)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(api: Api, **filters: str) -> list[str]:
    """The ids of what a worker is shown."""
    return [one["id"] for one in api.as_(WORKER).items("/offerings", **filters)]


def step(api: Api, username: str, id: str, what: str) -> Any:
    return api.as_(username).post(f"/offerings/{id}/{what}")


def ask(api: Api, offering: str) -> Any:
    """A request to an offering for a new case here."""
    body = {
        "planned_service_id": str(a_supported_case(api).service), "offering_id": offering,
        "priority": "routine", "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    return api.as_(WORKER).post("/referrals", body)


def patched(api: Api, username: str, path: str, body: Any, version: int = 1) -> Any:
    return api.as_(username).patch(path, body, headers={"If-Match": f'"{version}"'})


def test_an_entry_is_proposed_confirmed_by_another_and_published_before_anyone_is_asked(
    api: Api,
) -> None:
    entry = proposed(api, agency(api))
    assert (entry["state"], entry["steps"]) == ("proposed", ["confirm"])
    assert entry["id"] not in listed(api)
    assert refusal(ask(api, entry["id"])) == (422, "offering_not_published")
    assert refusal(step(api, SUPERVISOR, entry["id"], "confirm")) == (409, "own_entry")
    assert refusal(step(api, "city", entry["id"], "publish")) == (409, "not_allowed_in_state")
    assert step(api, "city", entry["id"], "confirm").json()["state"] == "confirmed"
    assert entry["id"] not in listed(api)
    assert refusal(ask(api, entry["id"])) == (422, "offering_not_published")
    assert refusal(step(api, SUPERVISOR, entry["id"], "publish")) == (403, "forbidden")
    assert step(api, "admin", entry["id"], "publish").json()["state"] == "published"
    assert entry["id"] in listed(api, centre=HERE)
    assert ask(api, entry["id"]).status_code == 201
    assert step(api, "city", entry["id"], "withdraw").json()["state"] == "proposed"
    assert entry["id"] not in listed(api)


def test_what_is_changed_in_a_draft_is_confirmed_by_somebody_else_again(api: Api) -> None:
    """What is published was read by two people, also where it changed after its confirmation."""
    entry = proposed(api, agency(api))
    path = f"/offerings/{entry['id']}"
    assert step(api, "city", entry["id"], "confirm").status_code == 200
    same = patched(api, SUPERVISOR, path, {"open": True}, version=2)
    assert same.json()["state"] == "confirmed"
    changed = patched(api, SUPERVISOR, path, {"centres": [HERE]}, version=2)
    assert (changed.json()["state"], changed.json()["version"]) == ("proposed", 3)
    assert refusal(step(api, "city", entry["id"], "publish")) == (409, "not_allowed_in_state")
    assert refusal(step(api, SUPERVISOR, entry["id"], "confirm")) == (409, "own_entry")
    assert step(api, "city", entry["id"], "confirm").status_code == 200
    assert step(api, "city", entry["id"], "publish").status_code == 200
    kept = patched(api, SUPERVISOR, path, {"centres": [NEXT_DOOR]}, version=5)
    assert kept.json()["state"] == "published"
    told = api.as_("city").items(f"{path}/history")[3]
    fields = {one["field"]: (one["before"], one["after"]) for one in told["fields"]}
    assert (told["did"], fields["state"]) == ("changed", ("confirmed", "proposed"))
    assert told["by"]["id"] == str(api.id_of(SUPERVISOR))


def test_a_draft_is_confirmed_by_somebody_else_than_whoever_wrote_it_last(api: Api) -> None:
    entry = proposed(api, agency(api))
    path = f"/offerings/{entry['id']}"
    assert patched(api, "admin", path, {"centres": [HERE]}).status_code == 200
    assert step(api, SUPERVISOR, entry["id"], "confirm").json()["state"] == "confirmed"


def test_the_history_says_who_changed_what_when_and_what_it_was_before(api: Api) -> None:
    entry = proposed(api, agency(api))
    path = f"/offerings/{entry['id']}"
    api.clock.forward(hours=1)
    assert patched(api, "admin", path, {"centres": [HERE]}).status_code == 200
    assert patched(api, "admin", f"{path}/capacity", {"available": 3}).status_code == 200
    assert step(api, "city", entry["id"], "confirm").status_code == 200
    confirmed, stated, changed, made = api.as_(SUPERVISOR).items(f"{path}/history")
    assert (made["did"], changed["did"], confirmed["did"]) == ("proposed", "changed", "confirmed")
    assert made["by"]["id"] == str(api.id_of(SUPERVISOR))
    assert {one["field"] for one in made["fields"]} >= {"service_code", "centres", "state"}
    assert all(one["before"] is None for one in made["fields"])
    assert changed["by"] == {
        "id": str(api.id_of("admin")), "name": api.actor("admin").name, "role": "admin",
    }  # fmt: skip
    assert changed["at"] == "2026-03-02T11:00:00+09:00"
    told = {one["field"]: (one["before"], one["after"]) for one in changed["fields"]}
    assert told == {"centres": ([HERE, NEXT_DOOR], [HERE])}
    said = {one["field"]: (one["before"], one["after"]) for one in stated["fields"]}
    assert (stated["did"], set(said)) == ("stated", {"available", "as_of"})
    assert said["available"] == (4, 3)
    assert confirmed["fields"] == [{"field": "state", "before": "proposed", "after": "confirmed"}]


def test_whoever_does_not_keep_an_agency_does_not_find_it(api: Api) -> None:
    entry = proposed(api, agency(api))
    provider = f"/providers/{entry['provider_id']}"
    for path in (provider, f"{provider}/history", f"/offerings/{entry['id']}",
                 f"/offerings/{entry['id']}/history"):  # fmt: skip
        for username in (FAR_SUPERVISOR, PROVIDER):
            assert refusal(api.as_(username).get(path)) == (404, "not_found"), (username, path)
        for username in (SUPERVISOR, "city", "admin"):
            assert api.as_(username).get(path).status_code == 200, (username, path)
    for username in (FAR_SUPERVISOR, PROVIDER):
        assert refusal(patched(api, username, provider, {"phone": "051-000-0009"}))[0] == 404
        places = f"/offerings/{entry['id']}/capacity"
        assert refusal(patched(api, username, places, {"available": 1}))[0] == 404
        assert api.as_(username).items("/directory/entries", state="proposed") == []
    assert refusal(step(api, FAR_SUPERVISOR, entry["id"], "confirm"))[0] == 404
    for name in ("service", "district"):
        wrong = api.as_("city").get("/directory/entries", params={name: "nothing"})
        assert refusal(wrong) == (422, f"unknown_{name}")
    (own,) = api.as_(SUPERVISOR).items("/directory/entries", state="proposed", field="care")
    assert (own["id"], own["answered_by"]) == (entry["id"], None)


def test_a_supervisor_adds_agencies_of_the_own_district_only(api: Api) -> None:
    elsewhere = AGENCY | {"district_code": OTHER_DISTRICT}
    assert refusal(api.as_(SUPERVISOR).post("/providers", elsewhere)) == (
        403,
        "district_out_of_scope",
    )
    assert api.as_("admin").post("/providers", elsewhere).status_code == 201
    assert refusal(api.as_("admin").post("/providers", elsewhere)) == (409, "slug_taken")
    for wrong, field in (
        ({"district_code": "99999"}, "district_code"),
        ({"kind": "palace"}, "kind"),
        ({"lat": 37.5}, "lat"),
        ({"opening_hours": [{"day": "mon", "opens": "18:00", "closes": "09:00"}]},
         "opening_hours.0.closes"),
        ({"anything": 1}, "anything"),
    ):  # fmt: skip
        answer = api.as_("admin").post("/providers", AGENCY | {"slug": "e"} | wrong)
        assert fields_of(answer) == [field], answer.text


def test_an_agency_changes_its_figures_and_how_it_is_reached_and_nothing_else(api: Api) -> None:
    offering = f"/offerings/{api.offerings['alpha', 'CARE-MEALS'].id}"
    agency = f"/providers/{api.providers['alpha'].id}"
    places = f"{offering}/capacity"
    answer = patched(api, PROVIDER, places, {"available": 2, "waiting": 1})
    assert (answer.json()["available"], answer.json()["waiting"]) == (2, 1)
    assert answer.json()["stated_by"] == str(api.id_of(PROVIDER))
    assert answer.headers["etag"] == '"2"'
    (shown,) = [
        one for one in api.as_(WORKER).items("/offerings", service="CARE-MEALS")
        if offering.endswith(one["id"])
    ]  # fmt: skip
    assert shown["capacity"]["available"] == 2
    api.clock.forward(days=1)
    again = patched(api, PROVIDER, places, {"available": 2}, version=2)
    assert again.json()["as_of"] == "2026-03-03T10:00:00+09:00"
    assert patched(api, PROVIDER, agency, {"phone": "051-000-0077"}).status_code == 200
    (alpha,) = [one for one in api.as_(WORKER).items("/providers") if one["slug"] == "alpha"]
    assert alpha["phone"] == "051-000-0077"
    for body in ({"name": "가상"}, {"lat": 35.1}):
        assert refusal(patched(api, PROVIDER, agency, body, 2)) == (403, "field_not_yours")
    assert refusal(patched(api, PROVIDER, offering, {"open": False})) == (403, "forbidden")
    for path in (f"{agency}/end", "/offerings"):
        assert refusal(api.as_(PROVIDER).post(path)) == (403, "forbidden")


def test_a_change_says_which_version_was_seen(api: Api) -> None:
    path = f"/offerings/{api.offerings['alpha', 'CARE-MEALS'].id}"
    body = {"open": False}
    assert refusal(api.as_("admin").patch(path, body)) == (428, "precondition_required")
    assert refusal(patched(api, "admin", path, body, version=2)) == (412, "stale")
    assert patched(api, "admin", path, body).status_code == 200
    assert refusal(patched(api, "admin", path, {"open": True})) == (412, "stale")


@pytest.mark.parametrize("available", [-1, 21])
def test_there_are_no_more_free_places_than_places(api: Api, available: int) -> None:
    path = f"/offerings/{api.offerings['alpha', 'CARE-MEALS'].id}/capacity"
    assert fields_of(patched(api, PROVIDER, path, {"available": available})) == ["available"]
    for right in (0, 20):
        version = api.as_("admin").get(path).json()["version"]
        assert patched(api, PROVIDER, path, {"available": right}, version).status_code == 200


def test_an_entry_is_of_something_that_is_known_and_stands_once(api: Api) -> None:
    id = agency(api)
    body = {
        "provider_id": id, "service_code": "CARE-MEALS", "centres": [HERE, HERE], "unit": "meal",
        "capacity": {"maximum": 1, "available": 1},
    }  # fmt: skip
    supervisor = api.as_(SUPERVISOR)
    for wrong, field in (
        ({"service_code": "NO-SUCH"}, "service_code"), ({"centres": ["9999999999"]}, "centres"),
        ({"centres": []}, "centres"), ({"capacity": {"maximum": 1, "available": 2}},
                                       "capacity.available"),
    ):  # fmt: skip
        assert fields_of(supervisor.post("/offerings", body | wrong)) == [field]
    made = supervisor.post("/offerings", body)
    assert made.json()["centres"] == [HERE]
    assert refusal(supervisor.post("/offerings", body)) == (409, "offering_exists")


def test_an_agency_that_ends_is_asked_until_its_last_day_and_what_runs_goes_on(api: Api) -> None:
    alpha, offering = api.providers["alpha"].id, str(api.offerings["alpha", "CARE-MEALS"].id)
    running = a_referral(api)
    moved(api, running, "accept", PROVIDER)
    path = f"/providers/{alpha}/end"
    body = {"last_day": "2026-03-05"}
    assert fields_of(api.as_(SUPERVISOR).post(path, body)) == ["reason"]
    told = api.as_(SUPERVISOR).post(path, body | {"reason": "폐업"}).json()
    assert (told["requests"], told["running"]) == (1, 0)
    assert [one["id"] for one in told["referrals"]] == [str(running)]
    api.clock.set("2026-03-05T23:59")
    assert offering in listed(api)
    assert ask(api, offering).status_code == 201
    api.clock.set("2026-03-06T00:00")
    assert offering not in listed(api)
    assert "alpha" not in [one["slug"] for one in api.as_(WORKER).items("/providers")]
    assert refusal(ask(api, offering)) == (422, "provider_ended")
    started = api.as_(PROVIDER).post(f"/referrals/{running}/start", {"started_on": "2026-03-06"})
    assert started.status_code == 200, started.text
    assert api.as_(SUPERVISOR).post(path, {"last_day": None}).json()["running"] == 1
    assert offering in listed(api)
    ended, taken_up = reversed(api.as_(SUPERVISOR).items(f"/providers/{alpha}/history"))
    assert (ended["did"], taken_up["did"]) == ("ended", "taken_up")
    assert {"field": "ended_on", "before": None, "after": "2026-03-05"} in ended["fields"]


def test_what_is_open_is_a_number_to_whoever_sees_no_case(api: Api) -> None:
    path = f"/providers/{api.providers['alpha'].id}/open-work"
    mine = a_referral(api)
    a_referral(api, provider="beta")
    moved(api, mine, "accept", PROVIDER)
    moved(api, mine, "start", PROVIDER, started_on=api.context(WORKER).act.today)
    waiting = a_referral(api)
    for username in ("admin", PROVIDER):
        told = api.as_(username).get(path).json()
        assert (told["requests"], told["running"], told["referrals"]) == (1, 1, None), username
    told = api.as_(SUPERVISOR).get(path).json()
    assert (told["requests"], told["running"]) == (1, 1)
    assert {one["id"] for one in told["referrals"]} == {str(mine), str(waiting)}
    for username in (OTHER_PROVIDER, FAR_SUPERVISOR):
        assert refusal(api.as_(username).get(path)) == (404, "not_found")
    for username in (WORKER, "city"):
        assert refusal(api.as_(username).get(path)) == (403, "forbidden")
    under = api.as_("admin").get(path, params={"designation": "home_visit_15"}).json()
    assert (under["requests"], under["running"]) == (0, 0)


def test_a_designation_holds_from_its_first_to_its_last_day(api: Api) -> None:
    path = f"/providers/{api.providers['alpha'].id}/designations"
    body = {
        "code": "home_visit_15", "valid_from": "2026-03-04", "designated_by": "부산광역시",
    }  # fmt: skip
    made = api.as_("city").post(path, body)
    assert made.status_code == 201, made.text
    assert made.json()["in_force"] is False
    assert refusal(api.as_("admin").post(path, body)) == (409, "designation_exists")
    assert refusal(api.as_(PROVIDER).post(path, body)) == (403, "forbidden")
    assert refusal(api.as_(FAR_SUPERVISOR).post(path, body)) == (404, "not_found")
    end = f"/designations/{made.json()['id']}/end"
    assert fields_of(api.as_("city").post(end, {"last_day": "2026-03-03"})) == ["last_day"]
    assert api.as_("city").post(end, {"last_day": "2026-03-06"}).status_code == 200

    def held(moment: str) -> list[str]:
        api.clock.set(moment)
        found = {one["slug"]: one for one in api.as_(WORKER).items("/providers")}
        return list(found["alpha"]["designations"])

    assert held("2026-03-03T23:59") == []
    assert held("2026-03-04T00:00") == ["home_visit_15"]
    assert held("2026-03-06T23:59") == ["home_visit_15"]
    assert held("2026-03-07T00:00") == []
    again = api.as_("admin").post(path, body | {"valid_from": "2026-03-07"})
    assert again.status_code == 201, again.text
    assert refusal(api.as_("city").post(end, {"last_day": None})) == (409, "designation_exists")
    shown = api.as_(SUPERVISOR).get(f"/providers/{api.providers['alpha'].id}").json()
    assert [one["valid_to"] for one in shown["designations"]] == ["2026-03-06", None]
    history = api.as_(SUPERVISOR).items(f"/providers/{api.providers['alpha'].id}/history")
    assert [(one["of"], one["did"]) for one in history] == [
        ("designation", "added"), ("designation", "ended"), ("designation", "added"),
    ]  # fmt: skip


def test_ending_a_designation_shows_what_is_given_under_it(api: Api) -> None:
    path = f"/providers/{api.providers['alpha'].id}/designations"
    body = {"code": "home_visit_15", "valid_from": "2026-03-01", "designated_by": "부산광역시"}
    id = api.as_("admin").post(path, body).json()["id"]
    visit = a_supported_case(api, code="MED-VISIT")
    asked = {
        "planned_service_id": str(visit.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "MED-VISIT"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    given = api.as_(WORKER).post("/referrals", asked).json()["id"]
    a_referral(api)
    end = f"/designations/{id}/end"
    told = api.as_(SUPERVISOR).post(end, {"last_day": "2026-03-31"}).json()["open"]
    assert (told["requests"], told["running"]) == (1, 0)
    assert [one["id"] for one in told["referrals"]] == [given]
    with api.engine.connect() as connection:
        entry = connection.execute(
            select(t.audit_entry)
            .where(t.audit_entry.c.action == "directory.designate")
            .order_by(t.audit_entry.c.id.desc())
        ).first()
    assert entry is not None
    assert entry.subjects == [str(visit.resident)]
    for username, expected in (("admin", (1, 0, None)), ("city", None)):
        answer = api.as_(username).post(end, {"last_day": "2026-04-01"}).json()["open"]
        found = answer and (answer["requests"], answer["running"], answer["referrals"])
        assert found == expected, username


def test_the_overview_tells_open_full_stale_and_none_apart(api: Api) -> None:
    def standing(service: str = "CARE-MEALS", district: str = DISTRICT) -> str:
        cells = api.as_(WORKER).items("/directory/overview", district=district, service=service)
        (cell,) = cells
        assert (cell["district_code"], cell["service_code"]) == (district, service)
        return str(cell["standing"])

    def say(slug: str, **figures: int) -> None:
        path = f"/offerings/{api.offerings[slug, 'CARE-MEALS'].id}/capacity"
        version = api.as_("admin").get(path).json()["version"]
        answer = patched(api, "admin", path, figures, version)
        assert answer.status_code == 200, answer.text

    assert standing("NUR-DAY") == "no_entry"
    assert standing() == "open"  # as of 27 February at nine
    api.clock.set("2026-03-06T09:00")
    assert standing() == "open"
    api.clock.set("2026-03-06T09:01")
    assert standing() == "stale"
    say("alpha", available=0)
    assert standing() == "stale"
    say("beta", available=0)
    assert standing() == "full"
    say("beta", available=1)
    assert standing() == "open"
    for slug in ("alpha", "beta"):
        path = f"/offerings/{api.offerings[slug, 'CARE-MEALS'].id}"
        version = api.as_("admin").get(path).json()["version"]
        assert patched(api, "admin", path, {"open": False}, version).status_code == 200
    assert standing() == "none"
    assert standing(district=OTHER_DISTRICT) == "stale"


def test_the_overview_has_a_cell_for_each_district_and_service(api: Api) -> None:
    cells = api.as_(WORKER).items("/directory/overview", limit=200)
    keys = [(one["district_code"], one["service_code"]) for one in cells]
    assert len(keys) == 16 * 38
    assert keys == sorted(set(keys))
    offered = {key for key, one in zip(keys, cells, strict=True) if one["standing"] != "no_entry"}
    assert offered == {
        (district, service)
        for district in (DISTRICT, OTHER_DISTRICT)
        for service in ("CARE-MEALS", "MED-VISIT")
    }
    assert refusal(api.as_(WORKER).get("/directory/overview?district=9")) == (
        422, "unknown_district",
    )  # fmt: skip
    assert FAR.startswith(OTHER_DISTRICT)
