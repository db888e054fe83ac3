"""Whom referrals do not concern is told of places what agencies stated, and nothing that moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.api.acts import a_referral, moved
from tests.api.conftest import ASSESSOR, BASE, DISTRICT, OTHER_PROVIDER, PROVIDER, SUPERVISOR, Api

MOVE: Final = ("maximum", "waiting", "for_waiting", "held", "waitlisted", "full_until", "version")
LISTS: Final = (
    "/offerings",
    "/offerings?free=true",
    "/offerings?free=false",
    f"/directory/overview?service=CARE-MEALS&district={DISTRICT}",
    "/directory/entries",
    "/coverage",
)


def meals(api: Api) -> str:
    return str(api.offerings["alpha", "CARE-MEALS"].id)


def stated(api: Api, **figures: int) -> None:
    path = f"/offerings/{meals(api)}/capacity"
    version = api.as_(PROVIDER).get(path).headers["ETag"]
    answer = api.as_(PROVIDER).request("PATCH", path, json=figures, headers={"If-Match": version})
    assert answer.status_code == 200, answer.text


def some_referrals(api: Api) -> None:
    """Three hold a place, two wait, and one is declined for want of places."""
    for move in ("accept", "accept", "accept", "waitlist", "waitlist"):
        moved(api, a_referral(api), move, PROVIDER)
    moved(api, a_referral(api), "decline", PROVIDER, reason="at_capacity")


def everything(api: Api, who: str) -> dict[str, Any]:
    """All that an account is told of places, however it asks."""
    told: dict[str, Any] = {}
    for path in LISTS:
        answer = api.as_(who).get(path)
        told[path] = answer.json() if answer.status_code == 200 else answer.status_code
    for path in ("", "/capacity", "/history"):
        answer = api.as_(who).get(f"/offerings/{meals(api)}{path}")
        told[path] = answer.headers.get("ETag"), answer.json()
    wanted = {"what": "offerings", "purpose": "supervision", "format": "csv"}
    file = api.as_(who).post("/exports", wanted)
    told["export"] = file.text if file.status_code == 200 else file.status_code
    return told


@pytest.mark.parametrize("who", ["city", OTHER_PROVIDER, ASSESSOR, "auditor"])
def test_no_answer_about_places_changes_with_referrals(api: Api, who: str) -> None:
    before, of_staff = everything(api, who), everything(api, SUPERVISOR)
    some_referrals(api)
    assert everything(api, who) == before
    changed = {path for path, told in everything(api, SUPERVISOR).items() if told != of_staff[path]}
    assert changed >= {"/offerings", LISTS[3], "/directory/entries", "/capacity"}


def test_the_last_free_place_that_is_taken_is_no_news_for_the_city(api: Api) -> None:
    stated(api, available=1)
    before = everything(api, "city")
    moved(api, a_referral(api), "accept", PROVIDER)
    assert everything(api, "city") == before
    assert meals(api) in {one["id"] for one in api.as_(SUPERVISOR).items("/offerings", free=False)}


def test_the_city_is_told_what_an_agency_states_anew_but_not_what_it_was_before(api: Api) -> None:
    some_referrals(api)
    stated(api, available=1, maximum=30, waiting=4)
    told = api.as_("city").get(f"/offerings/{meals(api)}/capacity")
    assert (told.json()["available"], told.json()["free"]) == (1, 1)
    assert {name: told.json()[name] for name in MOVE} == dict.fromkeys(MOVE)
    assert "ETag" not in told.headers
    (change,) = api.as_("city").items(f"/offerings/{meals(api)}/history")
    assert change["did"] == "stated"
    assert {one["field"] for one in change["fields"]} <= {"as_of"}
    (seen,) = api.as_(SUPERVISOR).items(f"/offerings/{meals(api)}/history")
    assert {"available", "capacity", "waiting"} <= {one["field"] for one in seen["fields"]}


@pytest.mark.parametrize("who", [PROVIDER, SUPERVISOR, "admin"])
def test_who_states_them_or_asks_the_agency_is_told_them_as_they_are(api: Api, who: str) -> None:
    some_referrals(api)
    told = api.as_(who).get(f"/offerings/{meals(api)}/capacity")
    assert (told.json()["held"], told.json()["waitlisted"], told.json()["available"]) == (3, 2, 2)
    assert told.headers["ETag"] == f'"{told.json()["version"]}"'


def test_the_city_is_told_of_a_district_only_free_places_that_were_stated(api: Api) -> None:
    some_referrals(api)
    asked = {"district": DISTRICT, "service": "CARE-MEALS"}
    (told,) = api.as_("city").items("/directory/overview", **asked)
    (seen,) = api.as_(SUPERVISOR).items("/directory/overview", **asked)
    assert (told["available"], told["free"], told["waiting"]) == (10, 10, None)
    assert (seen["available"], seen["waiting"]) == (7, 2)


def schemas_with(document: dict[str, Any], fields: set[str]) -> set[str]:
    return {
        name
        for name, schema in document["components"]["schemas"].items()
        if fields & set(schema.get("properties", ()))
    }


def paths_that_answer(document: dict[str, Any], is_one: Callable[[str], bool]) -> set[str]:
    """The paths of questions whose answers hold such a schema, however deep."""
    schemas = document["components"]["schemas"]

    def named(thing: Any) -> set[str]:
        if isinstance(thing, dict):
            own = {thing["$ref"].rsplit("/", 1)[-1]} if "$ref" in thing else set()
            return own.union(*map(named, thing.values()))
        return set().union(*map(named, thing)) if isinstance(thing, list) else set()

    def holds(thing: Any, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            is_one(name) or holds(schemas[name], seen | {name}) for name in named(thing) - seen
        )

    return {
        path
        for path, of in document["paths"].items()
        if "get" in of and holds(of["get"]["responses"].get("200", {}))
    }


def test_every_question_that_answers_with_places_is_asked_here(api: Api) -> None:
    document = api.client.get(f"{BASE}/openapi.json").json()
    found = schemas_with(document, {"for_waiting", "waitlisted", "available"})
    paths = {path.removeprefix(BASE) for path in paths_that_answer(document, found.__contains__)}
    own = {one for one in paths if one.startswith(("/agency", "/inbox"))}
    asked = {path.partition("?")[0] for path in LISTS}
    asked |= {"/offerings/{id}", "/offerings/{id}/capacity"}
    assert paths - own == asked - {"/coverage"}, paths
