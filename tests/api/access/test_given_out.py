"""What was given out ends with the right it rests on, and an address asks for the password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from casework.domain.clocks.calendar import day_in_seoul
from casework.workflows.access import accounts
from tests.api.acts import a_referral
from tests.api.asking import etag
from tests.api.conftest import DISTRICT, NEXT_DOOR, PASSWORD, PROVIDER, WORKER, Api
from tests.api.signing import FIRST, ask, create, refresh, refused, settle_in, sign_in

ASKED = {"name": "밤 집계", "expires_on": "2026-06-30", "scopes": ["directory.read"],
         "password": PASSWORD}  # fmt: skip
ENDED = (401, "unauthenticated")


def patch(api: Api, path: str, body: dict[str, Any], by: str = "admin") -> Any:
    """Change the current version of an account."""
    one = api.as_(by)
    return one.patch(path, body, headers=etag(one.get(path)))


def given_out(api: Api, username: str, password: str = PASSWORD) -> tuple[str, str]:
    """A token of somebody's own and the refresh token of a session."""
    session = sign_in(api, username, password).json()
    asked = ASKED | {"password": password}
    made = ask(api, session["access_token"], "POST", "/me/tokens", asked)
    assert made.status_code == 201, made.text
    return made.json()["secret"], session["refresh_token"]


def lets_in(api: Api, given: tuple[str, str]) -> tuple[bool, bool]:
    """Whether the token still opens something, and the session still goes on."""
    token, session = given
    opens = ask(api, token, "GET", "/me").status_code == 200
    return opens, refresh(api, session).status_code == 200


def test_what_was_given_out_goes_on_while_nothing_is_lost(api: Api) -> None:
    given = given_out(api, WORKER)
    path = f"/accounts/{api.id_of(WORKER)}"
    assert patch(api, path, {"name": "가상 개명"}).status_code == 200
    assert lets_in(api, given) == (True, True)


@pytest.mark.parametrize(
    "how", ["password", "everywhere", "disabled", "place", "role", "reset", "unlinked"]
)
def test_whoever_loses_a_right_keeps_neither_token_nor_session(api: Api, how: str) -> None:
    register = api.application.register("test", WORKER)
    accounts.change(register, WORKER, "account.link", _linked("https://issuer.example one"))
    given, path = given_out(api, WORKER), f"/accounts/{api.id_of(WORKER)}"
    access = sign_in(api, WORKER).json()["access_token"]
    api.clock.forward(seconds=1)
    assert ask(api, access, "GET", "/me").status_code == 200
    match how:
        case "password":
            body = {"current_password": PASSWORD, "new_password": "three odd herons walk"}
            done = api.as_(WORKER).post("/me/password", body)
        case "everywhere":
            done = api.as_(WORKER).post("/me/sessions/revoke-all")
        case "disabled":
            done = patch(api, path, {"is_active": False})
            assert lets_in(api, given) == (False, False)
            assert refused(ask(api, access, "GET", "/me")) == ENDED
            patch(api, path, {"is_active": True})
        case "place":
            done = patch(api, path, {"role": "worker", "centre": NEXT_DOOR})
        case "role":
            done = patch(api, path, {"role": "assessor", "district": DISTRICT})
        case "reset":
            done = api.as_("admin").post(f"{path}/reset-password", {"password": FIRST})
        case _:
            accounts.change(register, WORKER, "account.unlink", _linked(None))
            done = api.as_("admin").get(path)
    assert done.status_code == 200, done.text
    assert lets_in(api, given) == (False, False)
    assert refused(ask(api, access, "GET", "/me")) == ENDED


def test_whoever_signs_in_again_at_once_is_let_in(api: Api) -> None:
    """In the very second of signing out as well."""
    before = sign_in(api, WORKER).json()["access_token"]
    api.clock.forward(seconds=1)
    assert api.as_(WORKER).post("/me/sessions/revoke-all").status_code == 200
    after = sign_in(api, WORKER).json()["access_token"]
    assert refused(ask(api, before, "GET", "/me")) == ENDED
    assert ask(api, after, "GET", "/me").status_code == 200


def _linked(identity: str | None) -> Any:
    return lambda editor, account: accounts.identify(editor, account, identity)


def test_a_lead_who_leads_no_longer_signs_in_anew(api: Api) -> None:
    made = api.as_(PROVIDER).post(
        "/inbox/staff",
        {"username": "ha.lead", "name": "가상 하", "password": FIRST, "is_lead": True},
    )
    settle_in(api, "ha.lead")
    given = given_out(api, "ha.lead", "three odd herons walk")
    path = f"/inbox/staff/{made.json()['id']}"
    assert patch(api, path, {"is_lead": True}, PROVIDER).status_code == 200
    assert ask(api, given[0], "GET", "/me").status_code == 200
    assert patch(api, path, {"is_lead": False}, PROVIDER).status_code == 200
    assert lets_in(api, given) == (False, False)


def test_a_grant_that_is_taken_away_takes_every_token_of_the_system(api: Api) -> None:
    referral = a_referral(api)
    id = create(
        api, username="sys.here", role="integration", centre=None, district=DISTRICT, name="연계"
    )
    admin, path = api.as_("admin"), f"/accounts/{id}"
    for action in ("referral.read", "case.read"):
        assert admin.post(f"{path}/grants", {"action": action}).status_code == 200
    secrets = [
        admin.post(f"{path}/tokens", ASKED | {"scopes": [action]}).json()["secret"]
        for action in ("referral.read", "case.read")
    ]
    assert ask(api, secrets[0], "GET", f"/referrals/{referral}").status_code == 200
    assert admin.post(f"{path}/grants/revoke", {"action": "case.read"}).status_code == 200
    assert [refused(ask(api, one, "GET", "/me")) for one in secrets] == [ENDED, ENDED]
    assert admin.post(f"{path}/grants", {"action": "case.read"}).status_code == 200
    assert [refused(ask(api, one, "GET", "/me")) for one in secrets] == [ENDED, ENDED]


@pytest.mark.parametrize(("days", "status"), [(364, 201), (365, 201), (366, 422)])
def test_a_token_of_a_system_lasts_a_year_at_most(api: Api, days: int, status: int) -> None:
    id = create(
        api, username="sys.here", role="integration", centre=None, district=DISTRICT, name="연계"
    )
    admin = api.as_("admin")
    admin.post(f"/accounts/{id}/grants", {"action": "case.read"})
    last = day_in_seoul(api.clock.now) + timedelta(days=days)
    asked = ASKED | {"scopes": ["case.read"], "expires_on": f"{last}"}
    answers = [
        admin.post(f"/accounts/{id}/tokens", asked, headers={"Accept-Language": language})
        for language in ("ko", "en")
    ]
    assert [one.status_code for one in answers] == [status, status]
    if status == 422:
        titles = {one.json()["title"] for one in answers}
        assert {one.json()["code"] for one in answers} == {"expiry_out_of_range"}
        assert len(titles) == 2


# One's own address


def phone_of(api: Api, username: str) -> str | None:
    """The telephone that an account says."""
    said: str | None = api.as_(username).get("/me").json()["phone"]
    return said


@pytest.mark.parametrize(
    ("password", "refusal"),
    [("somebody's guess", (403, "password_wrong")), (None, (422, "invalid"))],
)
def test_a_session_that_was_found_open_names_no_telephone(
    api: Api, password: str | None, refusal: tuple[int, str]
) -> None:
    before = phone_of(api, WORKER)
    body = {"phone": "051-000-7009"} | ({} if password is None else {"password": password})
    assert refused(api.as_(WORKER).post("/me/phone", body)) == refusal
    assert phone_of(api, WORKER) == before
    body = {"phone": "051-000-7009", "password": PASSWORD}
    assert api.as_(WORKER).post("/me/phone", body).status_code == 200
    assert phone_of(api, WORKER) == "051-000-7009"


@pytest.mark.parametrize("what", [{"email": "mine@example.org"}, {"phone": "051-000-7009"}])
def test_the_own_address_of_an_administrator_is_changed_with_the_password(
    api: Api, what: dict[str, str]
) -> None:
    path = f"/accounts/{api.id_of('admin')}"
    (name,) = what
    before = api.as_("admin").get(path).json()[name]
    for more, refusal in (
        ({}, (422, "password_required")),
        ({"password": "somebody's guess"}, (403, "password_wrong")),
    ):
        assert refused(patch(api, path, what | more)) == refusal
        assert api.as_("admin").get(path).json()[name] == before
    done = patch(api, path, what | {"password": PASSWORD})
    assert (done.status_code, done.json()[name]) == (200, what[name])


def test_other_peoples_addresses_and_the_own_name_need_no_password(api: Api) -> None:
    """The control: what is asked for is asked for one's own address alone."""
    other, own = f"/accounts/{api.id_of(WORKER)}", f"/accounts/{api.id_of('admin')}"
    assert patch(api, other, {"email": "hers@example.org"}).status_code == 200
    assert patch(api, own, {"name": "가상 관리"}).status_code == 200


def test_a_lead_changes_the_own_mail_address_with_the_password(api: Api) -> None:
    path = f"/inbox/staff/{api.id_of(PROVIDER)}"
    new = {"email": "mine@example.org"}
    assert refused(patch(api, path, new, PROVIDER)) == (422, "password_required")
    done = patch(api, path, new | {"password": PASSWORD}, PROVIDER)
    assert (done.status_code, done.json()["email"]) == (200, "mine@example.org")
