"""A password set by somebody else must be changed before anything else."""

from __future__ import annotations

import pytest

from casework.adapters.reference import common_passwords
from tests.api.asking import ABSENT
from tests.api.conftest import PASSWORD, WORKER, Api
from tests.api.shared.test_guard import routes, send
from tests.api.signing import (
    FIRST,
    OWN,
    ask,
    change,
    create,
    refresh,
    refused,
    settle_in,
    sign_in,
    stored,
)


def test_with_a_first_password_one_sees_who_one_is_and_changes_it_and_nothing_else(
    api: Api,
) -> None:
    create(api)
    token = sign_in(api, "new.worker", FIRST).json()["access_token"]
    assert ask(api, token, "GET", "/me").json()["username"] == "new.worker"
    opened = {"POST /auth/token", "POST /auth/revoke", "GET /me", "POST /me/password",
              "POST /me/sessions/revoke-all"}  # fmt: skip
    checked = 0
    for route in sorted(set(routes()) - opened):
        answer = send(api, None, route, ABSENT, headers={"Authorization": f"Bearer {token}"})
        assert refused(answer) == (403, "password_change_required"), route
        checked += 1
    assert checked > 80
    token = settle_in(api)
    assert ask(api, token, "GET", "/worklist").status_code == 200
    assert refused(sign_in(api, "new.worker", FIRST)) == (401, "invalid_credentials")


def test_whoever_was_there_before_and_the_demo_change_nothing(api: Api) -> None:
    assert not stored(api, WORKER).must_change_password
    assert api.as_(WORKER).get("/worklist").status_code == 200


def test_a_changed_password_ends_every_session_and_is_written_down(api: Api) -> None:
    sessions = [sign_in(api, WORKER).json() for _ in range(2)]
    other = sign_in(api, "city").json()
    body = {"current_password": PASSWORD, "new_password": OWN}
    answer = ask(api, sessions[0]["access_token"], "POST", "/me/password", body)
    assert (answer.status_code, answer.json()) == (200, {})
    for one in sessions:
        assert refresh(api, one["refresh_token"]).status_code == 401
    assert refresh(api, other["refresh_token"]).status_code == 200
    assert sign_in(api, WORKER).status_code == 401
    assert sign_in(api, WORKER, OWN).status_code == 200


@pytest.mark.parametrize(
    ("new", "code"),
    [("x" * 11, "password_length"), (PASSWORD, "password_unchanged"),
     (WORKER, "password_is_username"),
     ("qwertyuiopasdf", "password_common"), ("비밀번호비밀번호비밀번호", "password_common"),
     ("dkssudgktpdy!!1", "password_common"), ("qlalfqjsgh20260401", "password_common")],
)  # fmt: skip
def test_a_password_that_is_none_changes_nothing_and_counts_as_no_try(
    api: Api, new: str, code: str
) -> None:
    before = stored(api, WORKER)
    body = {"current_password": PASSWORD, "new_password": new}
    answer = api.as_(WORKER).post("/me/password", body)
    assert refused(answer) == (422, code)
    assert [error["field"] for error in answer.json()["errors"]] == ["new_password"]
    assert new not in answer.text
    assert stored(api, WORKER) == before


def test_a_wrong_present_password_is_a_try_like_any_other(api: Api) -> None:
    body = {"current_password": "wrong", "new_password": OWN}
    for _ in range(5):
        assert refused(api.as_(WORKER).post("/me/password", body)) == (403, "password_wrong")
    right = body | {"current_password": PASSWORD}
    assert refused(api.as_(WORKER).post("/me/password", right)) == (403, "password_wrong")
    assert sign_in(api, WORKER).status_code == 200, "a stolen token keeps its owner out of nothing"
    api.clock.forward(minutes=15)
    assert api.as_(WORKER).post("/me/password", right).status_code == 200


def test_a_password_that_was_reset_is_a_first_one_again(api: Api) -> None:
    id = api.id_of(WORKER)
    session = sign_in(api, WORKER).json()
    done = api.as_("admin").post(f"/accounts/{id}/reset-password", {"password": FIRST})
    assert (done.status_code, done.json()["must_change_password"]) == (200, True)
    assert refresh(api, session["refresh_token"]).status_code == 401
    late = ask(api, session["access_token"], "GET", "/worklist")
    assert refused(late) == (403, "password_change_required")
    assert ask(api, settle_in(api, WORKER), "GET", "/worklist").status_code == 200


def test_sessions_end_all_at_once(api: Api) -> None:
    sessions = [sign_in(api, WORKER).json()["refresh_token"] for _ in range(3)]
    other = sign_in(api, "city").json()["refresh_token"]
    assert api.as_(WORKER).post("/me/sessions/revoke-all").status_code == 200
    assert [refresh(api, one).status_code for one in sessions] == [401] * 3
    assert refresh(api, other).status_code == 200


def test_signing_out_ends_one_session_and_says_nothing_of_the_token(api: Api) -> None:
    mine, other = (sign_in(api, WORKER).json()["refresh_token"] for _ in range(2))
    later = refresh(api, mine).json()["refresh_token"]
    answers = [
        api.client.post("/api/v1/auth/revoke", data={"token": one})
        for one in (later, later, "no such token")
    ]
    assert {(one.status_code, one.content) for one in answers} == {(200, b"{}")}
    assert refresh(api, later).status_code == 401
    assert refresh(api, other).status_code == 200


def test_the_shipped_list_of_common_passwords_is_compared_as_it_is_written() -> None:
    common = common_passwords()
    assert len(common) > 100
    assert all(one == one.lower() and one == "".join(one.split()) for one in common)
    assert any(not one.isascii() for one in common)


def test_a_locked_or_disabled_account_changes_no_password(api: Api) -> None:
    change(api, WORKER, is_active=False)
    body = {"current_password": PASSWORD, "new_password": OWN}
    assert refused(api.as_(WORKER).post("/me/password", body)) == (401, "unauthenticated")
