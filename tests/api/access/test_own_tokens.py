"""API tokens of people and systems: shown once, stored hashed, limited in rights, expiring."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_referral, a_supported_case
from tests.api.conftest import (
    BASE,
    COLLEAGUE,
    DISTRICT,
    FAR_SUPERVISOR,
    HERE,
    NEXT_DOOR,
    OTHER_DISTRICT,
    PASSWORD,
    WORKER,
    Api,
)
from tests.api.signing import ask, change, create, refused, stored

PERSON = {"name": "가상인", "birth_date": "1941-03-05", "sex": "female"}
ASKED = {"name": "밤 집계", "expires_on": "2026-06-30", "scopes": ["case.read", "directory.read"],
         "password": PASSWORD}  # fmt: skip


def make(api: Api, username: str = WORKER, **facts: Any) -> dict[str, Any]:
    """Create an API token for the account that makes the request."""
    answer = api.as_(username).post("/me/tokens", ASKED | facts)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_secret_is_shown_once_and_kept_nowhere(api: Api) -> None:
    made = make(api)
    assert made["secret"].startswith("cwk_")
    assert len(made["secret"]) == 47
    (listed,) = api.as_(WORKER).items("/me/tokens")
    assert listed == {k: v for k, v in made.items() if k != "secret"}
    with api.engine.connect() as connection:
        for table in (t.account_token, t.account_grant_log, t.idempotency, t.audit_entry):
            assert made["secret"] not in str(connection.execute(select(table)).all())


def test_a_repeated_request_makes_no_second_token_and_has_no_secret_to_show(api: Api) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = (api.as_(WORKER).post("/me/tokens", ASKED, headers=key) for _ in range(2))
    assert again.status_code == 201
    assert again.json() == {k: v for k, v in first.json().items() if k != "secret"}


def test_a_token_does_what_it_was_made_for_and_nothing_else(api: Api) -> None:
    case = a_supported_case(api)
    secret = make(api)["secret"]
    assert ask(api, secret, "GET", "/me").json()["username"] == WORKER
    assert ask(api, secret, "GET", "/centres").status_code == 200
    assert ask(api, secret, "GET", f"/cases/{case.case}").status_code == 200
    for method, path in (
        ("GET", "/referrals"), ("POST", "/residents"), ("GET", f"/residents/{case.resident}/notes"),
        ("GET", "/me/tokens"), ("POST", "/me/tokens"), ("POST", "/me/password"),
        ("POST", "/me/totp"), ("POST", "/me/sessions/revoke-all"), ("GET", "/overdue"),
    ):  # fmt: skip
        assert refused(ask(api, secret, method, path, {})) == (403, "token_scope"), path


def test_a_token_reaches_no_farther_than_its_account(api: Api) -> None:
    case = a_supported_case(api)
    far = make(api, FAR_SUPERVISOR)["secret"]
    assert ask(api, far, "GET", f"/cases/{case.case}").status_code == 404


def test_what_no_token_can_be_is_refused(api: Api) -> None:
    for facts, field in (
        ({"scopes": ["plan.decide"]}, "scopes"),
        ({"scopes": ["account.tokens"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"expires_on": "2026-03-01"}, "expires_on"),
        ({"expires_on": "2027-03-03"}, "expires_on"),
        ({"name": "\u200b\n"}, "name"),
    ):
        answer = api.as_(WORKER).post("/me/tokens", ASKED | facts)
        assert answer.status_code == 422, facts
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert api.as_(WORKER).items("/me/tokens") == []


def test_the_name_of_a_token_is_one_line(api: Api) -> None:
    assert make(api, name=" a\nb\u200b")["name"] == "a b"


def test_a_token_ends_with_its_last_day(api: Api) -> None:
    secret = make(api, expires_on="2026-03-02")["secret"]
    api.clock.set("2026-03-02T23:59:59")
    assert ask(api, secret, "GET", "/me").status_code == 200
    api.clock.set("2026-03-03T00:00:00")
    assert refused(ask(api, secret, "GET", "/me")) == (401, "unauthenticated")


def test_a_revoked_token_opens_nothing_from_then_on(api: Api) -> None:
    made = make(api)
    path = f"/me/tokens/{made['id']}/revoke"
    assert refused(api.as_(COLLEAGUE).post(path)) == (404, "not_found")
    assert ask(api, made["secret"], "GET", "/me").status_code == 200
    for _ in range(2):
        answer = api.as_(WORKER).post(path)
        assert (answer.status_code, answer.json()["revoked_at"] is None) == (200, False)
    assert refused(ask(api, made["secret"], "GET", "/me")) == (401, "unauthenticated")


def test_the_day_of_its_last_use_is_kept_and_not_the_moment(api: Api) -> None:
    made = make(api)
    assert made["last_used_on"] is None
    ask(api, made["secret"], "GET", "/me")
    api.clock.forward(hours=3)
    ask(api, made["secret"], "GET", "/me")
    assert api.as_(WORKER).items("/me/tokens")[0]["last_used_on"] == "2026-03-02"
    api.clock.forward(days=1)
    ask(api, made["secret"], "GET", "/me")
    assert api.as_(WORKER).items("/me/tokens")[0]["last_used_on"] == "2026-03-03"


def test_what_happens_to_an_account_happens_to_its_tokens(api: Api) -> None:
    made = make(api)
    change(api, WORKER, centre_code=NEXT_DOOR)
    assert ask(api, made["secret"], "GET", "/me").json()["scope"]["centre"] == NEXT_DOOR
    change(api, WORKER, role="auditor")
    answer = ask(api, made["secret"], "GET", f"/cases/{UUID(int=1)}")
    assert refused(answer) == (403, "forbidden")
    change(api, WORKER, role="worker", centre_code=HERE)
    admin, path = api.as_("admin"), f"/accounts/{api.id_of(WORKER)}"
    seen = {"If-Match": admin.get(path).headers["etag"]}
    assert admin.patch(path, {"is_active": False}, headers=seen).status_code == 200
    assert refused(ask(api, made["secret"], "GET", "/me")) == (401, "unauthenticated")
    seen = {"If-Match": admin.get(path).headers["etag"]}
    assert admin.patch(path, {"is_active": True}, headers=seen).status_code == 200
    assert refused(ask(api, made["secret"], "GET", "/me")) == (401, "unauthenticated")


def test_a_stolen_session_makes_no_token(api: Api) -> None:
    for password in ("somebody's guess", ""):
        answer = api.as_(WORKER).post("/me/tokens", ASKED | {"password": password})
        assert refused(answer) in {(403, "password_wrong"), (422, "invalid")}
    without = {name: value for name, value in ASKED.items() if name != "password"}
    assert api.as_(WORKER).post("/me/tokens", without).status_code == 422
    assert api.as_(WORKER).items("/me/tokens") == []


def test_guesses_at_the_password_of_a_token_are_counted_as_any_others(api: Api) -> None:
    wrong = ASKED | {"password": "somebody's guess"}
    for _ in range(20):
        assert refused(api.as_(WORKER).post("/me/tokens", wrong)) == (403, "password_wrong")
    assert refused(api.as_(WORKER).post("/me/tokens", ASKED)) == (403, "password_wrong")


def test_where_a_provider_signs_people_in_no_password_is_asked_for(api: Api) -> None:
    settings = api.application.settings
    api.as_(WORKER).get("/me")
    api.application.settings = settings.model_copy(update={"local_sign_in": "off"})
    try:
        assert make(api, password="there is none")["secret"].startswith("cwk_")
    finally:
        api.application.settings = settings


def test_changing_the_password_ends_every_token(api: Api) -> None:
    made = make(api)
    answer = api.as_(WORKER).post(
        "/me/password", {"current_password": PASSWORD, "new_password": "three odd herons walk"}
    )
    assert answer.status_code == 200
    assert refused(ask(api, made["secret"], "GET", "/me")) == (401, "unauthenticated")
    (entry,) = api.as_(WORKER).items("/me/tokens")
    assert entry["revoked_at"] is not None


def test_signing_out_everywhere_ends_every_token(api: Api) -> None:
    made, others = make(api), make(api, COLLEAGUE)
    assert api.as_(WORKER).post("/me/sessions/revoke-all").status_code == 200
    assert refused(ask(api, made["secret"], "GET", "/me")) == (401, "unauthenticated")
    assert ask(api, others["secret"], "GET", "/me").status_code == 200


def test_fifty_tokens_are_enough(api: Api) -> None:
    for n in range(50):
        make(api, name=f"t{n}")
    assert refused(api.as_(WORKER).post("/me/tokens", ASKED)) == (409, "too_many_tokens")
    token = api.as_(WORKER).items("/me/tokens", limit=20)[7]
    api.as_(WORKER).post(f"/me/tokens/{token['id']}/revoke")
    make(api)


# Systems


@pytest.fixture
def system(api: Api) -> UUID:
    """A system of the district, granted nothing yet."""
    return create(
        api, username="sys.here", role="integration", centre=None, district=DISTRICT, name="연계"
    )


def token_for(api: Api, id: UUID, **facts: Any) -> Any:
    """A token that the administrator makes for a system."""
    return api.as_("admin").post(f"/accounts/{id}/tokens", ASKED | facts)


def test_a_system_does_what_it_was_granted_as_far_as_it_belongs(api: Api, system: UUID) -> None:
    case, referral = a_supported_case(api), a_referral(api)
    admin = api.as_("admin")
    assert token_for(api, system, scopes=["case.read"]).status_code == 422  # not granted yet
    for action in ("case.read", "referral.read"):
        granted = admin.post(f"/accounts/{system}/grants", {"action": action})
        assert granted.status_code == 200
    made = token_for(api, system, scopes=["case.read", "referral.read"])
    secret = made.json()["secret"]
    assert ask(api, secret, "GET", f"/cases/{case.case}").status_code == 200
    assert ask(api, secret, "GET", f"/referrals/{referral}").status_code == 200
    assert refused(ask(api, secret, "POST", "/cases", {})) == (403, "token_scope")
    change(api, "sys.here", district_code=OTHER_DISTRICT)
    assert ask(api, secret, "GET", f"/cases/{case.case}").status_code == 404
    change(api, "sys.here", district_code=DISTRICT)
    admin.post(f"/accounts/{system}/grants/revoke", {"action": "case.read"})
    assert refused(ask(api, secret, "GET", f"/referrals/{referral}")) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("belongs", "elsewhere"),
    [
        ({"centre": HERE}, {"centre_code": NEXT_DOOR}),
        ({"centre": None, "district": DISTRICT}, {"district_code": OTHER_DISTRICT}),
        ({"centre": None, "provider": "alpha"}, {"provider_id": "beta"}),
    ],
    ids=["centre", "district", "agency"],
)
def test_wherever_a_system_belongs_it_sees_what_is_there_and_nothing_else(
    api: Api, belongs: dict[str, Any], elsewhere: dict[str, Any]
) -> None:
    referral = a_referral(api)
    id = create(api, username="sys.there", role="integration", name="연계", **belongs)
    granted = api.as_("admin").post(f"/accounts/{id}/grants", {"action": "referral.read"})
    assert granted.status_code == 200
    secret = token_for(api, id, scopes=["referral.read"]).json()["secret"]
    assert ask(api, secret, "GET", f"/referrals/{referral}").status_code == 200
    (listed,) = ask(api, secret, "GET", "/referrals").json()["items"]
    assert listed["id"] == str(referral)
    moved = {n: api.providers[to].id if n == "provider_id" else to for n, to in elsewhere.items()}
    change(api, "sys.there", **moved)
    assert ask(api, secret, "GET", f"/referrals/{referral}").status_code == 404
    assert ask(api, secret, "GET", "/referrals").json()["items"] == []


@pytest.mark.both_stores
def test_a_system_of_a_centre_registers_nobody_in_another_of_its_district(api: Api) -> None:
    id = create(api, username="sys.there", role="integration", name="연계", centre=HERE)
    scopes = ["case.read", "case.write"]
    for action in scopes:
        assert api.as_("admin").post(f"/accounts/{id}/grants", {"action": action}).is_success
    secret = token_for(api, id, scopes=scopes).json()["secret"]
    for centre, registered in ((NEXT_DOOR, (403, "centre_out_of_scope")), (HERE, (201, None))):
        answer = ask(api, secret, "POST", "/residents", PERSON | {"centre_code": centre})
        assert (answer.status_code, answer.json().get("code")) == registered, centre
    with api.engine.connect() as connection:
        assert connection.scalars(select(t.resident.c.centre_code)).all() == [HERE]


def test_only_what_is_on_the_list_is_granted_and_only_to_a_system(api: Api, system: UUID) -> None:
    admin, worker = api.as_("admin"), api.id_of(WORKER)
    for id, action in (
        (system, "plan.decide"), (system, "account.manage"), (system, "standard.write"),
        (system, "case.destroy"), (worker, "case.read"),
    ):  # fmt: skip
        answer = admin.post(f"/accounts/{id}/grants", {"action": action})
        assert refused(answer) == (422, "not_grantable"), action
    missing = admin.post(f"/accounts/{system}/grants/revoke", {"action": "case.read"})
    assert refused(missing) == (404, "not_found")
    assert stored(api, "sys.here").grants == []


def test_people_make_their_own_tokens_and_an_administrator_ends_them(api: Api) -> None:
    made = make(api)
    id = api.id_of(WORKER)
    assert refused(token_for(api, id)) == (409, "not_a_system")
    admin = api.as_("admin")
    assert [one["id"] for one in admin.items(f"/accounts/{id}/tokens")] == [made["id"]]
    foreign = admin.post(f"/accounts/{api.id_of(COLLEAGUE)}/tokens/{made['id']}/revoke")
    assert refused(foreign) == (404, "not_found")
    assert admin.post(f"/accounts/{id}/tokens/{made['id']}/revoke").status_code == 200
    assert ask(api, made["secret"], "GET", "/me").status_code == 401


def test_a_token_costs_one_statement_for_whoever_asks(api: Api) -> None:
    secret = make(api)["secret"]
    ask(api, secret, "GET", "/me")
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    event.listen(api.application.engine, "before_cursor_execute", note)
    try:
        headers = {"Authorization": f"Bearer {secret}"}
        assert api.client.get(BASE + "/me", headers=headers).status_code == 200
    finally:
        event.remove(api.application.engine, "before_cursor_execute", note)
    assert len([one for one in statements if "account" in one]) == 1
