"""Possible duplicates: shown on registration, or queued for the supervisor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.api.duplicates import bodies as duplicate_bodies
from casework.adapters.persistence import tables as t
from casework.domain.duplicates.suspicions import SuspicionState
from casework.workflows.duplicates import duplicates
from tests.api import acts
from tests.api.asking import (
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
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.duplicates.test_merging import KEEPS

NEVER = (WORKER, ASSESSOR, PROVIDER, *OUTSIDERS)
PERSON = {"name": "김영숙", "birth_date": "1941-03-05", "sex": "female", "centre_code": HERE}


def register(api: Api, by: str = WORKER, **facts: Any) -> Any:
    centre = api.actor(by).centre_code or HERE
    return api.as_(by).post("/residents", PERSON | {"centre_code": centre} | facts)


def registered(api: Api, by: str = WORKER, **facts: Any) -> UUID:
    answer = register(api, by, **facts)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def find(api: Api) -> int:
    """Run the search for duplicates; returns how many pairs were new."""
    return sum(found for _, found in api.application.find_duplicates())


def queue(api: Api, by: str = SUPERVISOR, **params: str) -> list[dict[str, Any]]:
    return api.as_(by).items("/duplicates", **params)


def pair_of(item: dict[str, Any]) -> set[str]:
    return {one["id"] for one in item["residents"]}


def a_pair(api: Api, by: str = NEIGHBOUR) -> dict[str, Any]:
    """The same person in HERE and at another centre; as the queue shows them."""
    registered(api)
    registered(api, by)
    assert find(api) == 1
    return queue(api)[0]


def asks(api: Api) -> list[Ask]:
    pair = UUID(a_pair(api)["id"])
    return [
        Ask("GET", "/duplicates", None, None, NEVER),
        Ask("POST", "/duplicates/{id}/decide", pair, {"decision": "same"}, NEVER),
    ]


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, [ask for ask in asks(api) if ask.id is not None])


# On registration, within scope


@pytest.mark.parametrize("name", ["김영숙", "김 영숙", "김영숙 "])
def test_the_same_name_and_birth_date_is_refused_with_the_reason(api: Api, name: str) -> None:
    first = registered(api)
    before = everything(api)
    refused = register(api, name=name)
    assert refusal(refused) == (409, "possible_duplicate")
    assert refused.json()["candidates"] == [
        {"id": str(first), "name": "김영숙", "birth_date": "1941-03-05", "centre_code": HERE,
         "died_on": None, "reasons": ["same_name_and_birth_date"]}
    ]  # fmt: skip
    with api.engine.connect() as connection:
        entry = t.audit_entry.c
        subjects = connection.scalars(select(entry.subjects).order_by(entry.id.desc()).limit(1))
        assert subjects.one() == [str(first)], "who was shown stands in the audit"
    assert everything(api) == before


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({"name": "김영순"}, ["near_name"]),
        ({"birth_date": "1941-05-03"}, ["near_birth_date"]),
        ({"birth_date": "1941-03-06"}, ["near_birth_date"]),
        ({"birth_date": "1931-03-05"}, ["near_birth_date"]),
        ({"birth_date": "1960-01-01", "phone": "01012345678"}, ["same_name_and_phone"]),
        ({"name": "박철수", "phone": "+82 10-1234-5678"}, ["same_phone"]),
        ({"name": "박철수", "birth_date": "1960-01-01", "phone": "010-1234-5678"}, ["same_phone"]),
    ],
)
def test_whoever_is_less_alike_is_a_hint_beside_the_one_registered(
    api: Api, facts: dict[str, Any], reasons: list[str]
) -> None:
    first = registered(api, phone="010-1234-5678")
    answer = register(api, **facts)
    assert answer.status_code == 201, answer.text
    assert answer.json()["hints"] == [
        {"id": str(first), "name": "김영숙", "birth_date": "1941-03-05", "centre_code": HERE,
         "died_on": None, "reasons": reasons}
    ]  # fmt: skip
    shown = api.as_(WORKER).get(f"/residents/{answer.json()['id']}").json()
    assert "hints" not in shown


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "박철수"}, {"name": "김순자"}, {"birth_date": "1952-03-05"},
        {"name": "김영순", "birth_date": "1941-03-06"}, {"phone": None, "birth_date": "1960-01-01"},
    ],
)  # fmt: skip
def test_a_stranger_is_no_hint(api: Api, facts: dict[str, Any]) -> None:
    registered(api)
    assert "hints" not in register(api, **facts).json()


def test_a_hint_repeated_under_its_key_is_shown_again_under_present_rights(api: Api) -> None:
    first, key = registered(api), {"Idempotency-Key": "hint-1"}
    body = PERSON | {"name": "김영순"}
    answers = [api.as_(WORKER).post("/residents", body, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["hints"][0]["id"] == str(first)
    moved = api.as_(WORKER).patch(
        f"/residents/{first}", {"centre_code": FAR}, headers={"If-Match": '"1"'}
    )
    assert moved.status_code == 200
    assert "hints" not in api.as_(WORKER).post("/residents", body, headers=key).json()


def test_who_is_shown_stands_in_the_record_and_who_is_not_does_not(api: Api) -> None:
    first = registered(api)
    hidden = registered(api, NEIGHBOUR)
    near = register(api, name="김영순")
    register(api)
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id)).all()
    assert set(rows[-2].subjects) == {str(first), near.json()["id"]}
    assert all(str(hidden) not in row.subjects for row in rows[-2:])


def test_an_answer_does_not_depend_on_whom_the_asker_cannot_see(api: Api) -> None:
    """Twin worlds: in one a matching resident exists at another centre, with the same telephone."""
    facts = {"phone": "010-1234-5678"}

    def answers() -> list[bytes]:
        made = register(api, COLLEAGUE, **facts)
        again = register(api, COLLEAGUE, **facts)
        id = made.json()["id"]
        told = made.text.replace(id, "ID"), again.text.replace(id, "ID")
        search = api.as_(COLLEAGUE).post("/residents/search", {"name": "김영숙"}).text
        end = api.as_(WORKER).patch(  # out of the way, for the other world
            f"/residents/{id}", {"name": "다른이", "phone": None, "birth_date": "1911-11-11"},
            headers={"If-Match": '"1"'},
        )  # fmt: skip
        assert end.status_code == 200
        return [one.encode() for one in (*told, search.replace(id, "ID"))]

    alone = answers()
    for by in (NEIGHBOUR, STRANGER):
        registered(api, by, **facts)
        registered(api, by, name="김영순", **facts)
    assert answers() == alone
    find(api)
    assert answers() == alone


# For the supervisor


def test_one_out_of_the_registrants_scope_stands_in_the_supervisors_queue(api: Api) -> None:
    here = registered(api)
    there = registered(api, NEIGHBOUR)
    assert queue(api) == []
    assert find(api) == 1
    assert find(api) == 0
    item = queue(api)[0]
    assert len(queue(api)) == 1
    assert (item["state"], item["reasons"]) == ("open", ["same_name_and_birth_date"])
    assert item["residents"] == [
        {"id": str(id), "name": "김영숙", "birth_date": "1941-03-05", "centre_code": centre,
         "died_on": None, "district_code": DISTRICT}
        for id, centre in ((here, HERE), (there, NEXT_DOOR))
    ]  # fmt: skip
    assert queue(api, FAR_SUPERVISOR) == []


def test_of_a_pair_across_districts_each_sees_their_own_by_name(api: Api) -> None:
    a_pair(api, STRANGER)
    for by, own, other in (
        (SUPERVISOR, DISTRICT, OTHER_DISTRICT),
        (FAR_SUPERVISOR, OTHER_DISTRICT, DISTRICT),
    ):
        (item,) = queue(api, by)
        sides = {one["district_code"]: one for one in item["residents"]}
        assert (sides[own]["name"], sides[own]["birth_date"]) == ("김영숙", "1941-03-05")
        assert (sides[other]["name"], sides[other]["birth_date"]) == (None, None)
        assert sides[other]["centre_code"] == (FAR if other == OTHER_DISTRICT else HERE)


@pytest.mark.parametrize(
    ("by", "facts", "reasons"),
    [
        (NEIGHBOUR, {"name": "김영순"}, ["near_name", "same_phone"]),
        (NEIGHBOUR, {"birth_date": "1941-05-03", "phone": None}, ["near_birth_date"]),
        (NEIGHBOUR, {"birth_date": "1960-01-01"}, ["same_name_and_phone"]),
        (STRANGER, {"birth_date": "1960-01-01"}, ["same_name_and_phone"]),
        (NEIGHBOUR, {"name": "박철수"}, None),  # the same telephone alone
        (STRANGER, {"name": "김영순", "phone": None}, None),  # near names within a district only
        (STRANGER, {"birth_date": "1941-05-03", "phone": None}, None),
    ],
)
def test_what_is_suspicious_is_found_by_its_reason(
    api: Api, by: str, facts: dict[str, Any], reasons: list[str] | None
) -> None:
    registered(api, phone="010-1234-5678")
    registered(api, by, **({"phone": "010-1234-5678"} | facts))
    find(api)
    assert [item["reasons"] for item in queue(api)] == ([reasons] if reasons else [])


def test_whom_a_worker_said_to_be_another_person_is_decided_so(api: Api) -> None:
    registered(api)
    assert register(api, confirm_new=True).status_code == 201
    assert find(api) == 0
    (item,) = queue(api)
    assert (item["state"], item["decided_by"]) == ("different", str(api.id_of(WORKER)))
    assert queue(api, state="open") == []


def test_a_change_of_name_birth_date_or_telephone_has_them_looked_for_anew(api: Api) -> None:
    registered(api, NEIGHBOUR, phone="010-1234-5678")
    path = f"/residents/{registered(api, name='이만복', birth_date='1933-07-07')}"
    find(api)
    for facts, expected in (
        ({"address": "새 주소"}, None),
        ({"name": "김영숙"}, []),
        ({"phone": "010-1234-5678"}, ["same_name_and_phone"]),
    ):
        seen = api.as_(WORKER).get(path).headers["etag"]
        assert api.as_(WORKER).patch(path, facts, headers={"If-Match": seen}).status_code == 200
        assert api.application.queue_duplicate_checks(everyone=False) == (expected is not None), (
            facts
        )
        find(api)
        assert [item["reasons"] for item in queue(api)] == ([expected] if expected else [])


def test_a_pair_is_decided_and_may_be_decided_otherwise(api: Api) -> None:
    pair = a_pair(api)
    path, boss = f"/duplicates/{pair['id']}/decide", api.as_(SUPERVISOR)
    done = boss.post(path, {"decision": "different", "note": "쌍둥이"}, headers={"If-Match": '"1"'})
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["note"]) == ("different", "쌍둥이")
    assert done.headers["etag"] == '"2"'
    assert queue(api, state="open") == []
    assert queue(api, state="different") == [done.json()]
    before = everything(api)
    assert refusal(boss.post(path, {"decision": "different"})) == (409, "already_decided")
    stale = boss.post(path, {"decision": "same"}, headers={"If-Match": '"1"'})
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before
    assert boss.post(path, {"decision": "same"}).json()["state"] == "same"


def test_a_decision_that_cannot_be_right_is_refused(api: Api) -> None:
    path = f"/duplicates/{a_pair(api)['id']}/decide"
    check_wrong(
        api,
        lambda wrong: api.as_(SUPERVISOR).post(path, {"decision": "same"} | wrong),
        [({"decision": "open"}, "decision"), ({"note": ""}, "note"), ({"x": 1}, "x")],
    )
    assert api.as_(SUPERVISOR).get("/duplicates?state=closed").status_code == 422


def test_either_supervisor_decides_a_pair_across_districts_and_both_see_it(api: Api) -> None:
    pair = a_pair(api, STRANGER)
    path = f"/duplicates/{pair['id']}/decide"
    assert api.as_(FAR_SUPERVISOR).post(path, {"decision": "different"}).status_code == 200
    assert [item["state"] for item in queue(api)] == ["different"]


def test_a_pair_rests_while_its_two_are_merged_and_comes_back_with_an_undo(api: Api) -> None:
    pair = a_pair(api)
    ids = [one["id"] for one in pair["residents"]]
    boss = api.as_(SUPERVISOR)
    done = boss.post(
        f"/residents/{ids[0]}/merge", {"duplicate_id": ids[1], "reason": "같음", "keep": KEEPS}
    )
    assert done.status_code == 201
    assert queue(api) == []
    decide = boss.post(f"/duplicates/{pair['id']}/decide", {"decision": "same"})
    assert refusal(decide) == (404, "not_found")
    assert boss.post(f"/merges/{done.json()['id']}/undo").status_code == 200
    assert queue(api) == [pair]


def test_an_open_question_about_a_merged_duplicate_is_asked_of_the_survivor(api: Api) -> None:
    survivor = acts.a_resident(api, name="이만복")
    duplicate, third = registered(api), registered(api, STRANGER)
    find(api)
    before = queue(api, FAR_SUPERVISOR)
    done = api.as_(SUPERVISOR).post(
        f"/residents/{survivor}/merge",
        {"duplicate_id": str(duplicate), "reason": "개명", "keep": KEEPS},
    )
    assert done.status_code == 201
    for by in (SUPERVISOR, FAR_SUPERVISOR):
        (item,) = queue(api, by)
        assert pair_of(item) == {str(survivor), str(third)}
        places = {one["id"]: one["centre_code"] for one in item["residents"]}
        assert places == {str(survivor): HERE, str(third): FAR}
    assert api.as_(SUPERVISOR).post(f"/merges/{done.json()['id']}/undo").status_code == 200
    assert queue(api, FAR_SUPERVISOR) == before


def test_a_pair_follows_a_resident_to_another_district(api: Api) -> None:
    pair = a_pair(api)
    moved = pair["residents"][0]["id"]
    path = f"/residents/{moved}"
    done = api.as_(WORKER).patch(path, {"centre_code": FAR}, headers={"If-Match": '"1"'})
    assert done.status_code == 200
    (here,), (there,) = queue(api), queue(api, FAR_SUPERVISOR)
    assert {one["id"]: one["name"] for one in here["residents"]}[moved] is None
    assert {one["id"]: one["name"] for one in there["residents"]}[moved] == "김영숙"


def test_the_queue_is_paged_and_names_both_in_the_record(api: Api) -> None:
    for n in range(3):
        facts = {"name": f"가상{'가나다'[n]}", "birth_date": f"19{n}1-0{n + 1}-11"}
        registered(api, **facts)
        registered(api, NEIGHBOUR, **facts)
    assert find(api) == 3
    items = queue(api, limit="1")
    assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)
    assert len(items) == 3
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id)).all()
    assert set(rows[-1].subjects) == pair_of(items[-1])


# Over existing records


def test_everybodys_duplicates_are_found_batch_by_batch_and_broken_off_it_goes_on(
    api: Api,
) -> None:
    for n in range(5):
        facts = {"birth_date": f"19{n}1-0{n + 1}-11"}
        registered(api, **facts)
        registered(api, NEIGHBOUR, **facts)
    with api.engine.begin() as connection:
        connection.execute(t.duplicate_check.delete())
    assert find(api) == 0
    ctx = api.application.context()
    assert api.application.queue_duplicate_checks(everyone=True) == 10
    first = duplicates.find(ctx, limit=4)
    assert first is not None
    assert first[0] == 4
    assert api.application.queue_duplicate_checks(everyone=False) == 6
    rest = list(duplicates.find_all(ctx, limit=4))
    assert [done for done, _ in rest] == [4, 2]
    assert first[1] + sum(found for _, found in rest) == 5
    assert api.application.queue_duplicate_checks(everyone=True) == 10
    assert find(api) == 0


def test_what_fails_midway_leaves_nobody_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(api)
    registered(api, NEIGHBOUR)
    with monkeypatch.context() as patched:
        patched.setattr(duplicates, "suspect", None)
        with pytest.raises(TypeError):
            find(api)
    assert find(api) == 1


def test_the_words_of_the_schema_are_the_domains() -> None:
    assert set(duplicate_bodies.State.__args__) == set(SuspicionState)  # type: ignore[attr-defined]
