"""Whose rights changed since they last asked is asked anew: nothing is done on an assumption."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from casework.domain.access.policy import Actor, Role
from casework.workflows.access.asking import Asker, KnownActors
from tests.api.acts import a_supported_case
from tests.api.conftest import SUPERVISOR, WORKER, Api

GONE = (401, "unauthenticated")


def become(api: Api, username: str, **changes: object) -> None:
    """Change an account as another process does, of which this one hears nothing."""
    with api.engine.begin() as connection:
        connection.execute(
            update(t.account).where(t.account.c.username == username).values(changes)
        )


def referral_of(api: Api) -> dict[str, object]:
    """A referral that a worker may make."""
    return {
        "planned_service_id": str(a_supported_case(api).service),
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "priority": "routine",
        "basis": {"kind": "article_14_2"},
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/worklist", None),  # a list, in one transaction
        ("get", "/services", None),  # what is kept in memory
        ("get", "/accounts", None),  # what the role never may
        ("post", "/referrals", {"priority": 7}),  # what cannot be right
        ("get", "/worklist?nothing=1", None),
    ],
)
def test_whoever_was_disabled_meanwhile_is_told_so_and_nothing_else(
    api: Api, method: str, path: str, body: object
) -> None:
    one = api.as_(WORKER)
    assert one.get("/me").status_code == 200
    become(api, WORKER, is_active=False)
    answer = one.get(path) if method == "get" else one.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == GONE


def test_whoever_was_disabled_meanwhile_changes_nothing(api: Api) -> None:
    body, one = referral_of(api), api.as_(WORKER)
    assert one.get("/me").status_code == 200
    become(api, WORKER, is_active=False)
    answer = one.post("/referrals", body)
    assert (answer.status_code, answer.json()["code"]) == GONE
    become(api, WORKER, is_active=True)
    assert api.as_(WORKER).get("/referrals").json()["items"] == []


def test_of_whoever_was_not_as_assumed_nothing_is_assumed_again(api: Api) -> None:
    """So that no further body of theirs is read before it is known who they are."""
    one, known = api.as_(WORKER), api.client.app.state.services.known  # type: ignore[attr-defined]
    assert one.get("/me").status_code == 200
    assert known.get(api.id_of(WORKER)) is not None
    become(api, WORKER, is_active=False)
    assert one.post("/referrals", {"priority": 7}).status_code == 401
    assert known.get(api.id_of(WORKER)) is None


def test_without_the_confirmation_they_would_go_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the tests above find is found."""
    body, one = referral_of(api), api.as_(WORKER)
    assert one.get("/me").status_code == 200
    become(api, WORKER, is_active=False)
    monkeypatch.setattr(Asker, "confirm", lambda _self, _account: None)
    assert one.post("/referrals", body).status_code == 201


def test_a_request_under_changed_rights_is_done_once_with_those_of_now(api: Api) -> None:
    body, one = referral_of(api), api.as_(WORKER)
    assert one.get("/me").status_code == 200
    become(api, WORKER, name="가상 새이름")
    assert one.post("/referrals", body).status_code == 201
    assert len(one.get("/referrals").json()["items"]) == 1
    assert one.get("/me").json()["name"] == "가상 새이름"


def test_whoever_changed_their_role_may_at_once_what_it_may(api: Api) -> None:
    one = api.as_(WORKER)
    assert one.get("/absences").status_code == 403
    become(api, WORKER, role=Role.SUPERVISOR, centre_code=None)
    assert one.get("/absences").status_code == 200
    become(api, WORKER, role=Role.WORKER, centre_code="2635051000")
    assert one.get("/absences").status_code == 403


def test_as_many_are_known_as_there_is_room_for(api: Api) -> None:
    known = KnownActors(at_most=2)
    actors = [Actor(id=api.id_of(one), role=Role.WORKER) for one in (WORKER, SUPERVISOR, "admin")]
    for actor in actors:
        known.remember(actor)
    assert [known.get(one.id) for one in actors if one.id] == [None, *actors[1:]]
