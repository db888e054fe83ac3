"""Households: one visit for a couple, and no access to each other's file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from casework.adapters.api.residents import bodies as resident_bodies
from casework.adapters.persistence import tables as t
from casework.domain.residents.households import KINDS
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    check_wrong,
    everything,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    NEXT_DOOR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

NEVER = (ASSESSOR, PROVIDER, *OUTSIDERS)


def make(api: Api, *residents: UUID, by: str = WORKER, **more: Any) -> Any:
    body = {"resident_ids": [str(one) for one in residents], "kind": "couple"} | more
    return api.as_(by).post("/households", body)


def a_couple(api: Api) -> tuple[UUID, UUID, str]:
    """Two residents of HERE and their household."""
    one, other = acts.a_resident(api, name="가상남편"), acts.a_resident(api, name="가상아내")
    made = make(api, one, other)
    assert made.status_code == 201, made.text
    return one, other, made.json()["id"]


def move(api: Api, resident: UUID, centre: str, by: str = WORKER) -> None:
    path = f"/residents/{resident}"
    seen = api.as_(by).get(path).headers["etag"]
    done = api.as_(by).patch(path, {"centre_code": centre}, headers={"If-Match": seen})
    assert done.status_code == 200


def asks(api: Api) -> list[Ask]:
    one, _, household = a_couple(api)
    third = {"resident_id": str(acts.a_resident(api))}
    return [
        Ask("GET", "/households/{id}", UUID(household), None, NEVER),
        Ask("POST", "/households/{id}/members", UUID(household), third, NEVER),
        Ask("POST", f"/households/{{id}}/members/{one}/leave", UUID(household), {}, NEVER),
        Ask("POST", f"/households/{household}/members/{{id}}/leave", one, {}, NEVER),
    ]


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


def test_a_couple_is_linked_and_each_shows_the_other(api: Api) -> None:
    one, other, household = a_couple(api)
    shown = {
        "id": household,
        "kind": "couple",
        "members": [
            {"id": str(one), "name": "가상남편", "died_on": None},
            {"id": str(other), "name": "가상아내", "died_on": None},
        ],
        "others": 0,
    }
    for by in (WORKER, COLLEAGUE, SUPERVISOR):
        for id in (one, other):
            assert api.as_(by).get(f"/residents/{id}").json()["household"] == shown
        read = api.as_(by).get(f"/households/{household}")
        assert (read.json(), read.headers["etag"]) == (shown, '"1"')
    timeline = api.as_(WORKER).items(f"/residents/{one}/timeline")
    assert timeline[0]["event"] == "HouseholdJoined"
    assert timeline[0]["data"] == {"household_id": household}
    alone = acts.a_resident(api)
    assert api.as_(WORKER).get(f"/residents/{alone}").json()["household"] is None


def test_a_third_joins_and_one_leaves(api: Api) -> None:
    one, other, household = a_couple(api)
    third = acts.a_resident(api, name="가상딸")
    worker = api.as_(WORKER)
    joined = worker.post(f"/households/{household}/members", {"resident_id": str(third)},
                         headers={"If-Match": '"1"'})  # fmt: skip
    assert joined.status_code == 200, joined.text
    assert [who["name"] for who in joined.json()["members"]] == ["가상남편", "가상아내", "가상딸"]
    left = worker.post(f"/households/{household}/members/{one}/leave")
    assert [who["id"] for who in left.json()["members"]] == [str(other), str(third)]
    assert left.headers["etag"] == '"3"'
    assert worker.get(f"/residents/{one}").json()["household"] is None
    assert worker.items(f"/residents/{one}/timeline")[0]["event"] == "HouseholdLeft"
    before = everything(api)
    again = worker.post(f"/households/{household}/members/{one}/leave")
    assert refusal(again) == (409, "not_a_member")
    stale = worker.post(f"/households/{household}/members", {"resident_id": str(one)},
                        headers={"If-Match": '"2"'})  # fmt: skip
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before
    assert make(api, one, acts.a_resident(api)).status_code == 201


def test_nobody_is_of_two_households(api: Api) -> None:
    one, other, household = a_couple(api)
    third, fourth = acts.a_resident(api), acts.a_resident(api)
    before = everything(api)
    assert refusal(make(api, third, one)) == (409, "in_household")
    members = f"/households/{household}/members"
    again = api.as_(WORKER).post(members, {"resident_id": str(other)})
    assert refusal(again) == (409, "in_household")
    assert everything(api) == before
    assert make(api, third, fourth).status_code == 201
    across = api.as_(WORKER).post(members, {"resident_id": str(third)})
    assert refusal(across) == (409, "in_household")


def test_a_household_that_cannot_be_right_is_refused(api: Api) -> None:
    one, other = acts.a_resident(api), acts.a_resident(api)
    right = {"resident_ids": [str(one), str(other)], "kind": "couple"}
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).post("/households", right | wrong),
        [
            ({"resident_ids": [str(one)]}, "resident_ids"),
            ({"resident_ids": [str(one), str(one)]}, "resident_ids"),
            ({"resident_ids": [str(ABSENT)] * 21}, "resident_ids"),
            ({"kind": "friends"}, "kind"),
            ({"x": 1}, "x"),
        ],
    )
    assert set(resident_bodies.HouseholdKind.__args__) == set(KINDS)  # type: ignore[attr-defined]


def test_it_is_made_by_somebody_who_sees_them_all(api: Api) -> None:
    here, there = acts.a_resident(api), acts.a_resident(api, NEIGHBOUR)
    hidden, absent = make(api, here, there), make(api, here, ABSENT)
    assert refusal(hidden) == (404, "not_found")
    assert hidden.content == absent.content
    for by in (NEIGHBOUR, STRANGER, FAR_SUPERVISOR):
        assert make(api, here, there, by=by).status_code == 404
    assert make(api, here, there, by=SUPERVISOR).status_code == 201


def test_who_lives_with_somebody_of_another_centre_is_told_a_number_and_no_more(api: Api) -> None:
    here = acts.a_resident(api, name="가상남편")
    there = acts.a_resident(api, NEIGHBOUR, name="가상아내")
    household = make(api, here, there, by=SUPERVISOR).json()["id"]
    for by, own, name in ((WORKER, here, "가상남편"), (NEIGHBOUR, there, "가상아내")):
        shown = api.as_(by).get(f"/residents/{own}").json()["household"]
        assert shown == {"id": household, "kind": "couple", "others": 1,
                         "members": [{"id": str(own), "name": name, "died_on": None}]}  # fmt: skip
        assert api.as_(by).get(f"/households/{household}").json() == shown
        hidden = there if own == here else here
        assert api.as_(by).get(f"/residents/{hidden}").status_code == 404
        leave = f"/households/{household}/members/{hidden}/leave"
        assert api.as_(by).post(leave).status_code == 404


def test_the_link_survives_a_move_and_then_hides_who_went(api: Api) -> None:
    one, other, household = a_couple(api)
    move(api, other, FAR)
    shown = api.as_(WORKER).get(f"/residents/{one}").json()["household"]
    assert (shown["others"], [who["id"] for who in shown["members"]]) == (1, [str(one)])
    there = api.as_(STRANGER).get(f"/households/{household}").json()
    assert (there["others"], [who["id"] for who in there["members"]]) == (1, [str(other)])
    assert "가상남편" not in api.as_(STRANGER).get(f"/residents/{other}").text


def test_what_is_told_does_not_depend_on_the_file_of_who_is_hidden(api: Api) -> None:
    """Twin worlds that differ in everything about the one who cannot be seen."""
    one, other, household = a_couple(api)
    move(api, other, NEXT_DOOR)
    paths = (f"/residents/{one}", f"/households/{household}")
    told = [api.as_(WORKER).get(path).content for path in paths]
    acts.a_case(api, NEIGHBOUR, resident=other)
    with api.engine.begin() as connection:
        connection.execute(
            update(t.resident)
            .where(t.resident.c.id == other)
            .values(name="다른이", phone=None, address=None, sex="other")
        )
    assert [api.as_(WORKER).get(path).content for path in paths] == told


def test_an_assessor_is_not_told_who_lives_with_whom(api: Api) -> None:
    one, _, _ = a_couple(api)
    case = acts.a_case(api, resident=one)
    acts.surveyed(api, case)
    shown = api.as_(ASSESSOR).get(f"/residents/{one}")
    assert shown.status_code == 200
    assert "household" not in shown.json()


def test_each_of_them_stands_in_the_record(api: Api) -> None:
    one, other, household = a_couple(api)
    api.as_(WORKER).get(f"/households/{household}")
    api.as_(WORKER).post(f"/households/{household}/members/{one}/leave")
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id)).all()
    made, looked, left, shown = (set(row.subjects) for row in rows[-4:])
    assert made == looked == {str(one), str(other)}
    assert (left, shown) == ({str(one)}, {str(other)}), "the answer shows who stays"


@pytest.mark.both_stores
def test_of_two_households_made_at_once_with_the_same_person_one_is(api: Api) -> None:
    shared = acts.a_resident(api)
    others = [acts.a_resident(api) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: make(api, one, shared), others))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert api.as_(WORKER).get(f"/residents/{shared}").json()["household"]["others"] == 0


def test_the_same_key_makes_one_household(api: Api) -> None:
    body = {"resident_ids": [str(acts.a_resident(api)) for _ in range(2)]}
    key = {"Idempotency-Key": "home-1"}
    answers = [api.as_(WORKER).post("/households", body, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["kind"] == "other"
