"""Bulk confirmation, publication or withdrawal of directory entries, each by its single step."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.directory.entries import MAX_AT_ONCE
from tests.api.asking import ABSENT, everything, fields_of, refusal
from tests.api.conftest import FAR, FAR_SUPERVISOR, OTHER_DISTRICT, SUPERVISOR, Api
from tests.api.directory.test_editing import agency, listed, proposed

PATH = "/directory/entries/steps"


def drafts(api: Api, count: int = 3) -> list[str]:
    """Entries that the supervisor proposed for an agency each."""
    return [proposed(api, agency(api, slug=f"draft-{n}"))["id"] for n in range(count)]


def take(api: Api, who: str, step: str, *ids: Any, key: str | None = None) -> Any:
    """One step for some entries."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {"step": step, "offering_ids": [str(id) for id in ids]}
    return api.as_(who).post(PATH, body, headers=headers)


def results(answer: Any) -> list[tuple[int, str | None, str | None]]:
    """Status, code and state of each."""
    assert answer.status_code == 200, answer.text
    return [(one["status"], one.get("code"), one["state"]) for one in answer.json()["results"]]


def test_many_entries_are_confirmed_published_and_withdrawn_at_once(api: Api) -> None:
    ids = drafts(api)
    answer = take(api, "city", "confirm", *ids)
    assert [one["offering_id"] for one in answer.json()["results"]] == ids
    assert results(answer) == [(200, None, "confirmed")] * 3
    assert answer.json()["results"][0]["steps"] == ["publish", "withdraw"]
    assert not set(ids) & set(listed(api))
    assert results(take(api, "admin", "publish", *ids)) == [(200, None, "published")] * 3
    assert set(ids) <= set(listed(api))
    assert results(take(api, "city", "withdraw", *ids[:2])) == [(200, None, "proposed")] * 2
    assert set(ids) & set(listed(api)) == {ids[2]}
    history = api.as_(SUPERVISOR).items(f"/offerings/{ids[0]}/history")
    assert [one["did"] for one in history] == ["withdrawn", "published", "confirmed", "proposed"]
    assert history[0]["by"]["id"] == str(api.id_of("city"))


def test_one_that_is_refused_stops_none_of_the_others(api: Api) -> None:
    first, done, last = drafts(api)
    assert results(take(api, "city", "confirm", done))[0][0] == 200
    assert results(take(api, "city", "confirm", first, done, ABSENT, last)) == [
        (200, None, "confirmed"), (409, "not_allowed_in_state", "confirmed"),
        (404, "not_found", None), (200, None, "confirmed"),
    ]  # fmt: skip


def test_whoever_proposed_entries_does_not_confirm_them_together_either(api: Api) -> None:
    mine = drafts(api, 2)
    before = everything(api)
    assert results(take(api, SUPERVISOR, "confirm", *mine)) == [(409, "own_entry", "proposed")] * 2
    assert everything(api) == before


def test_entries_of_another_district_are_as_if_there_were_none(api: Api) -> None:
    (mine,) = drafts(api, 1)
    far = {"district_code": OTHER_DISTRICT, "slug": "far", "phone": "051-000-0003"}
    made = api.as_(FAR_SUPERVISOR).post("/providers", FAR_AGENCY | far).json()["id"]
    theirs = api.as_(FAR_SUPERVISOR).post("/offerings", FAR_ENTRY | {"provider_id": made})
    id = theirs.json()["id"]
    absent = uuid4()
    answer = take(api, SUPERVISOR, "confirm", id, absent, mine)
    assert results(answer)[:2] == [(404, "not_found", None)] * 2
    elsewhere, nowhere = answer.json()["results"][:2]
    assert elsewhere | {"offering_id": str(absent)} == nowhere
    assert api.as_("city").get(f"/offerings/{id}").json()["state"] == "proposed"


FAR_AGENCY = {
    "slug": "far", "name": "가상 먼곳", "kind": "clinic", "phone": "051-000-0001",
    "district_code": OTHER_DISTRICT, "lat": 35.1, "lon": 129.0,
}  # fmt: skip
FAR_ENTRY = {
    "service_code": "CARE-MEALS", "centres": [FAR], "unit": "meal",
    "capacity": {"maximum": 3, "available": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    ("who", "step"), [(SUPERVISOR, "publish"), (SUPERVISOR, "withdraw"), ("admin", "confirm")]
)
def test_whoever_never_takes_a_step_is_told_so_once(api: Api, who: str, step: str) -> None:
    ids = drafts(api, 1)
    before = everything(api)
    assert refusal(take(api, who, step, *ids)) == (403, "step_not_yours")
    assert everything(api) == before


def test_a_step_is_for_one_to_a_hundred_entries_each_named_once(api: Api) -> None:
    (id,) = drafts(api, 1)
    assert fields_of(take(api, "city", "confirm")) == ["offering_ids"]
    assert fields_of(take(api, "city", "confirm", id, ABSENT, id)) == ["offering_ids.2"]
    many = [uuid4() for _ in range(MAX_AT_ONCE)]
    assert fields_of(take(api, "city", "confirm", id, *many)) == ["offering_ids"]
    assert fields_of(take(api, "city", "shred", id)) == ["step"]
    assert results(take(api, "city", "confirm", id, *many[1:]))[0] == (200, None, "confirmed")


def test_the_same_request_again_does_what_is_missing_and_nothing_twice(api: Api) -> None:
    first, second = drafts(api, 2)
    assert results(take(api, "city", "confirm", second))[0][0] == 200
    once = take(api, "city", "publish", first, second, key="k")
    assert results(once) == [
        (409, "not_allowed_in_state", "proposed"), (200, None, "published"),
    ]  # fmt: skip
    assert results(take(api, "city", "confirm", first))[0][0] == 200
    assert (
        results(take(api, "city", "publish", first, second, key="k"))
        == [(200, None, "published")] * 2
    )
    for id in (first, second):
        history = api.as_("city").items(f"/offerings/{id}/history")
        assert [one["did"] for one in history].count("published") == 1
    assert refusal(take(api, "city", "withdraw", first, second, key="k")) == (
        422, "idempotency_key_reused",
    )  # fmt: skip


def test_each_step_has_an_entry_of_its_own_in_the_audit(api: Api) -> None:
    (id,) = drafts(api, 1)
    take(api, "city", "confirm", id, ABSENT)
    one = t.audit_entry.c
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(one.action, one.outcome, one.code, one.asked_for)
            .where(one.actor_id == api.id_of("city"))
            .order_by(one.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("directory.step", "ok", None, None),
        ("directory.confirm", "ok", None, id),
        ("directory.confirm", "refused", "not_found", str(ABSENT)),
        ("directory.entries", "ok", None, None),
    ]
