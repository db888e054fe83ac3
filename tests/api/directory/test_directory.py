"""The directory: districts, centres, the catalogue, agencies, offerings, and accounts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from casework.adapters.persistence import tables as t
from casework.domain.directory.directory import distance_km
from tests.api.asking import fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    DISTRICT,
    FAR,
    HERE,
    OTHER_PROVIDER,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

LISTS = ("/districts", "/centres", "/services", "/providers", "/offerings", "/accounts")
EVERYONE = (WORKER, SUPERVISOR, ASSESSOR, PROVIDER, "city", "auditor", "admin")


def test_nobody_reads_it_anonymously(api: Api) -> None:
    for path in LISTS:
        assert refusal(api.client.get(BASE + path)) == (401, "unauthenticated"), path


def test_every_role_reads_the_directory_and_leaves_no_audit_entry(api: Api) -> None:
    for username in EVERYONE:
        for path in LISTS[:-1]:
            assert api.as_(username).get(path).status_code == 200, (username, path)
    with api.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(t.audit_entry)) == 0


def test_districts_have_codes_and_names_in_two_languages(api: Api) -> None:
    districts = api.as_(WORKER).items("/districts")
    assert len(districts) == 16
    assert {"code": "26350", "name": "해운대구", "name_en": "Haeundae-gu"} | {
        "retention_years": 5,
        "retention_basis": None,
    } in districts


def test_centres_are_those_of_one_district_or_all(api: Api) -> None:
    worker = api.as_(WORKER)
    assert len(worker.items("/centres", limit=200)) == 205
    here = worker.items("/centres", district=DISTRICT)
    assert {one["district_code"] for one in here} == {DISTRICT}
    assert here[0] == {
        "code": HERE, "name": "우1동", "district_code": DISTRICT, "lat": 35.1777, "lon": 129.1595,
        "phone": None,
    }  # fmt: skip


def test_a_long_list_is_read_page_by_page_in_the_order_of_its_codes(api: Api) -> None:
    codes = [one["code"] for one in api.as_(WORKER).items("/centres", limit=17)]
    assert len(codes) == 205
    assert codes == sorted(set(codes))


def test_without_a_limit_a_page_has_fifty_rows(api: Api) -> None:
    page = api.as_(WORKER).get("/centres").json()
    assert len(page["items"]) == 50
    assert page["next_cursor"]


def test_a_limit_out_of_bounds_is_refused(api: Api) -> None:
    for limit in ("0", "201", "-1", "many"):
        answer = api.as_(WORKER).get("/centres", params={"limit": limit})
        assert fields_of(answer) == ["limit"]


def test_a_cursor_that_was_altered_or_belongs_to_another_list_is_refused(api: Api) -> None:
    worker = api.as_(WORKER)
    cursor = worker.get("/centres?limit=1").json()["next_cursor"]
    for path, altered in (
        ("/centres", ("A" if cursor[0] != "A" else "B") + cursor[1:]),
        ("/centres", cursor[:-2]),
        ("/centres", "…"),
        ("/districts", cursor),
        (f"/centres?district={DISTRICT}", cursor),
    ):
        answer = worker.get(path + ("&" if "?" in path else "?") + f"cursor={altered}")
        assert refusal(answer) == (422, "cursor_invalid")
    assert api.as_(SUPERVISOR).get("/centres", params={"cursor": cursor}).status_code == 422


def test_what_nobody_has_is_refused_by_name(api: Api) -> None:
    for path, code in (
        ("/centres?district=99999", "unknown_district"),
        ("/offerings?service=NO-SUCH", "unknown_service"),
        ("/offerings?centre=9999999999", "unknown_centre"),
        ("/offerings?service=CARE-MEALS&centre=9999999999", "unknown_centre"),
        ("/districts?nonsense=1", "invalid"),
        ("/offerings?open=perhaps", "invalid"),
        ("/accounts?role=queen", "invalid"),
    ):
        assert refusal(api.as_(WORKER).get(path)) == (422, code), path
    assert refusal(api.as_(WORKER).get("/centres?district=%00")) == (400, "malformed")


def test_the_catalogue_says_field_unit_and_basis(api: Api) -> None:
    services = {one["code"]: one for one in api.as_(WORKER).items("/services")}
    assert len(services) == 38
    assert services["CARE-MEALS"]["field"] == "care"
    assert services["CARE-MEALS"]["unit"] == "meal"
    assert services["CARE-MEALS"]["name_en"]


def test_agencies_are_listed_until_they_end(api: Api) -> None:
    worker = api.as_(WORKER)
    alpha, *_ = worker.items("/providers")
    assert alpha["slug"] == "alpha"
    assert {"id", "slug", "name", "phone", "designations", "lat", "lon"} < set(alpha)
    with api.engine.begin() as connection:
        connection.execute(
            update(t.provider).where(t.provider.c.slug == "alpha").values(is_active=False)
        )
    assert [one["slug"] for one in worker.items("/providers")] == ["beta", "gamma"]
    assert all(one["provider_id"] != alpha["id"] for one in worker.items("/offerings"))


def test_offerings_for_a_centre_come_nearest_first(api: Api) -> None:
    found = api.as_(WORKER).items("/offerings", service="CARE-MEALS", centre=HERE)
    assert [one["provider"]["name"] for one in found] == ["alpha 돌봄", "beta 돌봄"]
    beta = api.providers["beta"]
    expected = distance_km((35.1777, 129.1595), (beta.lat, beta.lon))
    assert found[1]["distance_km"] == pytest.approx(expected, abs=0.001)
    assert all(HERE in one["centres"] for one in found)


def test_the_nearest_offerings_are_paged_without_a_gap(api: Api) -> None:
    worker = api.as_(WORKER)
    whole = worker.items("/offerings", centre=HERE)
    assert worker.items("/offerings", centre=HERE, limit=1) == whole
    assert len(whole) == 4


def test_an_offering_shows_its_capacity_and_how_old_the_figure_is(api: Api) -> None:
    found = api.as_(WORKER).items("/offerings", service="MED-VISIT", centre=FAR)
    assert [one["service_code"] for one in found] == ["MED-VISIT"]
    assert found[0]["capacity"] == {
        "maximum": 20, "available": 5, "free": 5, "full": False, "full_until": None,
        "waiting": 0, "for_waiting": 0, "unit": "visit",
        "as_of": "2026-02-27T09:00:00+09:00", "age_days": 3, "is_stale": False, "version": 1,
    }  # fmt: skip
    assert found[0]["provider"] == {
        "id": found[0]["provider_id"], "name": "gamma 돌봄", "phone": "051-000-0000",
    }  # fmt: skip


def test_open_and_closed_offerings_are_told_apart(api: Api) -> None:
    closed = api.offerings["beta", "CARE-MEALS"].id
    with api.engine.begin() as connection:
        connection.execute(
            update(t.offering).where(t.offering.c.id == closed).values(is_open=False)
        )
    worker = api.as_(WORKER)
    assert [one["id"] for one in worker.items("/offerings", open="false")] == [str(closed)]
    assert len(worker.items("/offerings", open="true")) == 5
    whole = worker.items("/offerings", limit=4)
    assert len(whole) == 6
    assert {one["distance_km"] for one in whole} == {None}


def test_accounts_are_shown_as_far_as_one_can_assign(api: Api) -> None:
    def names(username: str, **filters: str) -> list[str]:
        return [one["username"] for one in api.as_(username).items("/accounts", **filters)]

    assert names(WORKER) == [WORKER, f"worker2.{HERE}"]
    assert len(names(SUPERVISOR)) == 7
    assert names(SUPERVISOR, role="worker", centre=HERE) == [WORKER, f"worker2.{HERE}"]
    assert names(SUPERVISOR, centre=FAR) == []
    assert names(PROVIDER) == [PROVIDER]
    assert len(names("admin", limit="3")) == 18
    assert OTHER_PROVIDER in names("admin", role="provider")


def test_who_assigns_nothing_sees_no_accounts(api: Api) -> None:
    for username in (ASSESSOR, "city", "auditor"):
        answer = api.as_(username).get("/accounts")
        assert refusal(answer) == (403, "forbidden")


def test_an_account_shows_nothing_of_its_password_and_only_while_it_is_active(api: Api) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            update(t.account).where(t.account.c.username == f"worker2.{HERE}")
            .values(is_active=False)
        )  # fmt: skip
    (only,) = api.as_(WORKER).items("/accounts")
    assert set(only) == {
        "id", "username", "name", "role", "centre_code", "district_code", "provider_id",
    }  # fmt: skip
