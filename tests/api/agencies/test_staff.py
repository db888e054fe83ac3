"""An agency's accounts as its lead manages them: staff of the lead's own agency only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.command_line_accounts import command_line_accounts
from casework.domain.access.grant_log import replay, state_of
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.api.acts import a_referral
from tests.api.asking import ABSENT, check_wrong, etag, everything
from tests.api.conftest import OTHER_PROVIDER, PASSWORD, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.signing import FIRST, ask, change, create, refresh, refused, settle_in, sign_in

NEW = {"username": "ha.nurse", "name": "가상 하간호", "password": FIRST}
STAFF = "/inbox/staff"


def add(api: Api, by: str = PROVIDER, **facts: Any) -> UUID:
    """Add an account to an agency."""
    made = api.as_(by).post(STAFF, NEW | facts)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


def patch(api: Api, id: UUID, body: dict[str, Any], by: str = PROVIDER) -> Any:
    """Change the current version of an account."""
    lead = api.as_(by)
    return lead.patch(f"{STAFF}/{id}", body, headers=etag(lead.get(f"{STAFF}/{id}")))


def acts(api: Api, id: UUID) -> list[tuple[str, str]]:
    """The audit entries about an account: action and actor."""
    log = t.account_grant_log
    query = select(log.c.act, log.c.by).where(log.c.account_id == id)
    with api.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(log.c.at, log.c.id))]


def as_lead(api: Api, username: str) -> UUID:
    """A second lead, added by the first, signed in with a password of their own."""
    id = add(api, username=username, is_lead=True)
    settle_in(api, username)
    return id


def test_as_whom_an_agency_answers_by_link_is_nobody_whom_a_lead_keeps(api: Api) -> None:
    """Its password would allow signing in as it, and its address receives the codes."""
    alpha = api.providers["alpha"].id
    body = {"email": "office@agency.example"}
    set_up = api.as_(SUPERVISOR).put(f"/providers/{alpha}/answering", body)
    assert set_up.status_code == 200, set_up.text
    with api.engine.connect() as connection:
        id = connection.scalar(select(t.account.c.id).where(t.account.c.username == "link.alpha"))
    lead, before = api.as_(PROVIDER), everything(api)
    assert "link.alpha" not in [one["username"] for one in lead.items(STAFF)]
    for answer in (
        lead.get(f"{STAFF}/{id}"),
        lead.patch(f"{STAFF}/{id}", {"email": "mine@example.org"}, headers={"If-Match": '"1"'}),
        lead.patch(f"{STAFF}/{id}", {"is_lead": True}, headers={"If-Match": '"1"'}),
        lead.post(f"{STAFF}/{id}/reset-password", {"password": FIRST}),
    ):
        assert refused(answer) == (404, "not_found")
    assert everything(api) == before


def test_a_lead_adds_somebody_who_changes_the_first_password_and_answers(api: Api) -> None:
    made = api.as_(PROVIDER).post(STAFF, NEW | {"email": "ha@example.org"})
    assert made.status_code == 201
    shown = made.json()
    assert shown == {
        "id": shown["id"], "username": "ha.nurse", "name": "가상 하간호", "email": "ha@example.org",
        "is_lead": False, "is_active": True, "must_change_password": True,
    }  # fmt: skip
    assert made.headers["etag"] == '"1"'
    assert FIRST not in made.text
    listed = {one["username"]: one for one in api.as_(PROVIDER).items(STAFF)}
    assert set(listed) == {"ha.nurse", PROVIDER}
    assert (listed["ha.nurse"], listed[PROVIDER]["is_lead"]) == (shown, True)
    first = sign_in(api, "ha.nurse", FIRST).json()["access_token"]
    assert refused(ask(api, first, "GET", "/inbox")) == (403, "password_change_required")
    token = settle_in(api, "ha.nurse")
    me = ask(api, token, "GET", "/me").json()
    assert me["scope"] == {"provider": str(api.providers["alpha"].id)}
    assert (me["role"], me["is_head"]) == ("provider", False)
    referral = a_referral(api)
    answer = {"referral_id": str(referral), "action": "accept"}
    given = ask(api, token, "POST", "/inbox/answers", {"answers": [answer]})
    assert given.json()["results"][0]["state"] == "accepted"
    assert acts(api, UUID(shown["id"])) == [
        ("created", PROVIDER), ("password_changed", "ha.nurse")
    ]  # fmt: skip


def test_whoever_does_not_lead_keeps_nobody(api: Api) -> None:
    add(api)
    token, lead = settle_in(api, "ha.nurse"), api.id_of(PROVIDER)
    before = everything(api)
    seen = {"If-Match": '"1"'}
    own = ask(api, token, "GET", "/me").json()["id"]
    for method, path, body in (
        ("GET", STAFF, None), ("POST", STAFF, NEW | {"username": "another.one"}),
        ("GET", f"{STAFF}/{lead}", None), ("PATCH", f"{STAFF}/{lead}", {"is_active": False}),
        ("PATCH", f"{STAFF}/{own}", {"is_lead": True}), ("GET", f"{STAFF}/{own}", None),
        ("POST", f"{STAFF}/{lead}/reset-password", {"password": FIRST}),
        ("PATCH", f"{STAFF}/{ABSENT}", {"name": "x"}),
    ):  # fmt: skip
        answer = ask(api, token, method, path, body, **seen)
        assert refused(answer) == (403, "forbidden"), (method, path)
    for username in (WORKER, SUPERVISOR, "admin", "auditor", "city"):
        assert refused(api.as_(username).get(STAFF)) == (403, "forbidden")
    assert everything(api) == before


def test_another_agencys_accounts_and_other_roles_are_as_absent(api: Api) -> None:
    system = create(api, username="sys.alpha", role="integration", centre=None, provider="alpha")
    before = everything(api)
    lead = api.as_(PROVIDER)
    seen = {"If-Match": '"1"'}
    outside = [api.id_of(one) for one in (OTHER_PROVIDER, WORKER, SUPERVISOR, "admin")]
    for id in (*outside, system):
        for method, path, body in (
            ("GET", "", None), ("PATCH", "", {"is_active": False}),
            ("PATCH", "", {"is_lead": True, "name": "x"}),
            ("POST", "/reset-password", {"password": FIRST}),
        ):  # fmt: skip
            hidden = lead.request(method, f"{STAFF}/{id}{path}", json=body, headers=seen)
            absent = lead.request(method, f"{STAFF}/{ABSENT}{path}", json=body, headers=seen)
            assert refused(hidden) == (404, "not_found"), (id, path)
            assert hidden.content == absent.content
    assert {one["username"] for one in lead.items(STAFF)} == {PROVIDER}
    assert everything(api) == before


def test_nothing_but_an_account_of_the_own_agency_can_be_asked_for(api: Api) -> None:
    check_wrong(
        api,
        lambda facts: api.as_(PROVIDER).post(STAFF, NEW | facts),
        [({"username": "하"}, "username"), ({"name": " "}, "name"), ({"email": "nobody"}, "email"),
         ({"password": "short"}, "password"), ({"password": "ha.nurse"}, "password"),
         ({"provider": "beta"}, "provider"), ({"role": "admin"}, "role"),
         ({"username": "link.beta"}, "username"),
         ({"is_head": True}, "is_head"), ({"centre": "2635051000"}, "centre")],
    )  # fmt: skip
    add(api)
    for same in (NEW, NEW | {"username": " Ha.Nurse"}):
        assert refused(api.as_(PROVIDER).post(STAFF, same)) == (409, "username_taken")
    assert refused(api.as_(OTHER_PROVIDER).post(STAFF, NEW)) == (409, "username_taken")


def test_a_change_says_which_version_it_saw(api: Api) -> None:
    id, lead = add(api), api.as_(PROVIDER)
    assert lead.patch(f"{STAFF}/{id}", {"name": "가"}).status_code == 428
    stale = lead.patch(f"{STAFF}/{id}", {"name": "가"}, headers={"If-Match": '"7"'})
    assert refused(stale) == (412, "stale")
    changed = patch(api, id, {"name": "가상 개명", "email": "new@example.org"})
    assert (changed.json()["name"], changed.json()["email"]) == ("가상 개명", "new@example.org")
    assert api.as_(PROVIDER).get(f"{STAFF}/{id}").json() == changed.json()
    check_wrong(
        api, lambda facts: patch(api, id, facts),
        [({"role": "admin"}, "role"), ({"provider": "beta"}, "provider"),
         ({"username": "x.y"}, "username"), ({"is_active": "no"}, "is_active"),
         ({"is_lead": 1}, "is_lead"), ({"name": ""}, "name")],
    )  # fmt: skip


def test_whoever_is_shut_is_out_at_once_and_comes_back_with_the_password(api: Api) -> None:
    id = add(api)
    token = settle_in(api, "ha.nurse")
    from_now = sign_in(api, "ha.nurse", "three odd herons walk").json()["refresh_token"]
    made = ask(api, token, "POST", "/me/tokens", {
        "name": "mine", "expires_on": "2026-12-31", "scopes": ["inbox.read"],
        "password": "three odd herons walk",
    }).json()  # fmt: skip
    assert ask(api, made["secret"], "GET", "/inbox").status_code == 200
    assert patch(api, id, {"is_active": False}).json()["is_active"] is False
    assert ask(api, token, "GET", "/inbox").status_code == 401
    assert refresh(api, from_now).status_code == 401
    assert patch(api, id, {"is_active": True}).json()["is_active"] is True
    assert sign_in(api, "ha.nurse", "three odd herons walk").status_code == 200
    assert ask(api, made["secret"], "GET", "/inbox").status_code == 401
    assert sorted(act for act, by in acts(api, id) if by == PROVIDER) == [
        "created", "disabled", "enabled", "token_revoked"
    ]  # fmt: skip


def test_a_forgotten_password_is_given_anew_and_changed_by_its_owner(api: Api) -> None:
    id, lead = add(api), api.as_(PROVIDER)
    token = settle_in(api, "ha.nurse")
    reset = lead.post(f"{STAFF}/{id}/reset-password", {"password": "another-first-88"})
    assert (reset.status_code, reset.json()["must_change_password"]) == (200, True)
    assert ask(api, token, "GET", "/inbox").status_code in (401, 403)
    assert sign_in(api, "ha.nurse", "three odd herons walk").status_code == 401
    first = sign_in(api, "ha.nurse", "another-first-88").json()["access_token"]
    assert refused(ask(api, first, "GET", "/inbox")) == (403, "password_change_required")
    own = api.id_of(PROVIDER)
    answer = lead.post(f"{STAFF}/{own}/reset-password", {"password": FIRST})
    assert refused(answer) == (409, "own_account")
    short = lead.post(f"{STAFF}/{id}/reset-password", {"password": "short"})
    assert [one["field"] for one in short.json()["errors"]] == ["password"]


# Leads


def test_the_last_lead_stays_and_goes_when_there_is_another(api: Api) -> None:
    own, before = api.id_of(PROVIDER), everything(api)
    for body in ({"is_active": False}, {"is_lead": False}, {"is_active": True, "is_lead": False}):
        assert refused(patch(api, own, body)) == (409, "last_lead"), body
    assert everything(api) == before
    # Neither staff who are no lead nor a disabled lead count.
    add(api)
    shut = as_lead(api, "seo.lead")
    patch(api, shut, {"is_active": False})
    assert refused(patch(api, own, {"is_active": False})) == (409, "last_lead")
    patch(api, shut, {"is_active": True})
    assert patch(api, own, {"is_lead": False}).json()["is_lead"] is False
    assert refused(patch(api, shut, {"is_lead": False}, "seo.lead")) == (409, "last_lead")
    assert patch(api, own, {"is_lead": True}, "seo.lead").json()["is_lead"] is True


def test_whoever_leads_no_longer_keeps_nobody_from_the_next_request_on(api: Api) -> None:
    as_lead(api, "seo.lead")
    token = sign_in(api, "seo.lead", "three odd herons walk").json()["access_token"]
    assert ask(api, token, "GET", STAFF).status_code == 200
    patch(api, api.id_of("seo.lead"), {"is_lead": False})
    assert refused(ask(api, token, "GET", STAFF)) == (403, "forbidden")
    assert ask(api, token, "GET", "/inbox").status_code == 200


def test_an_administrator_makes_the_first_lead(api: Api) -> None:
    change(api, OTHER_PROVIDER, is_head=False)
    token = sign_in(api, OTHER_PROVIDER).json()["access_token"]
    assert refused(ask(api, token, "GET", STAFF)) == (403, "forbidden")
    admin, id = api.as_("admin"), api.id_of(OTHER_PROVIDER)
    seen = etag(admin.get(f"/accounts/{id}"))
    body = {"role": "provider", "provider": "beta", "is_head": True}
    assert admin.patch(f"/accounts/{id}", body, headers=seen).json()["is_head"] is True
    assert ask(api, token, "GET", STAFF).status_code == 200
    made = create(api, username="first.lead", role="provider", centre=None, provider="gamma",
                  is_head=True)  # fmt: skip
    assert acts(api, made) == [("created", "admin")]
    assert ask(api, settle_in(api, "first.lead"), "GET", STAFF).status_code == 200


def test_no_token_is_good_for_keeping_staff(api: Api) -> None:
    asked = {"name": "x", "expires_on": "2026-12-31", "scopes": ["staff.manage"],
             "password": PASSWORD}  # fmt: skip
    answer = api.as_(PROVIDER).post("/me/tokens", asked)
    assert answer.status_code == 422
    plain = api.as_(PROVIDER).post("/me/tokens", asked | {"scopes": ["inbox.read"]}).json()
    assert ask(api, plain["secret"], "GET", STAFF).status_code == 403


@pytest.mark.both_stores
def test_two_leads_who_end_each_other_at_once_leave_one(api: Api) -> None:
    other = as_lead(api, "seo.lead")
    own = api.id_of(PROVIDER)
    api.actor("seo.lead")
    pairs = [(PROVIDER, other), ("seo.lead", own)]
    tags = {id: etag(api.as_(PROVIDER).get(f"{STAFF}/{id}")) for _, id in pairs}
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda pair: api.as_(pair[0]).patch(
                    f"{STAFF}/{pair[1]}", {"is_active": False}, headers=tags[pair[1]]
                ),
                pairs,
            )
        )
    assert sorted(one.status_code for one in answers) in ([200, 401], [200, 403])
    with api.engine.connect() as connection:
        left = connection.scalars(
            select(t.account.c.username).where(
                t.account.c.provider_id == api.providers["alpha"].id, t.account.c.is_active
            )
        )
        assert len(list(left)) == 1


# Audit entries


def test_the_log_folds_to_the_accounts_as_they_stand(api: Api) -> None:
    rng = Random(3)
    people = [add(api, username=f"p{n}.staff") for n in range(3)]
    done = 0
    for _ in range(30):
        api.clock.forward(minutes=7)
        id = rng.choice(people)
        match rng.randrange(3):
            case 0:
                answer = patch(api, id, {"is_active": rng.random() < 0.6})
            case 1:
                answer = patch(api, id, {"is_lead": rng.random() < 0.5})
            case _:
                answer = api.as_(PROVIDER).post(f"{STAFF}/{id}/reset-password", {"password": FIRST})
        done += answer.status_code == 200
    assert done == 30
    with command_line_accounts(api.engine, RequestFacts()) as store:
        for id in people:
            assert replay(store.entries(id), api.clock.now) == state_of(store.get(id)) | {
                "tokens": []
            }
            assert store.entries(id)[-1].at > api.clock.now - timedelta(hours=4)


def test_each_act_is_in_the_audit_with_whose_account_it_was(api: Api) -> None:
    id = add(api)
    patch(api, id, {"is_lead": True})
    api.as_(PROVIDER).post(f"{STAFF}/{id}/reset-password", {"password": FIRST})
    patch(api, api.id_of(PROVIDER), {"name": "가상 대표"})
    one = t.audit_entry.c
    query = select(one.task, one.asked_for, one.outcome).where(
        one.action == "staff.manage", one.task.not_like("GET%")
    )
    with api.engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(query.order_by(one.id))]
    path = STAFF
    assert list(dict.fromkeys(found)) == [
        (f"POST {path}", None, "ok"), (f"PATCH {path}/{{id}}", str(id), "ok"),
        (f"POST {path}/{{id}}/reset-password", str(id), "ok"),
        (f"PATCH {path}/{{id}}", str(api.id_of(PROVIDER)), "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["add", "reset"])
def test_the_same_key_does_it_once(api: Api, what: str) -> None:
    id = add(api)
    path, body = (STAFF, NEW | {"username": "two.nurse"}) if what == "add" else (
        f"{STAFF}/{id}/reset-password", {"password": "another-first-88"}
    )  # fmt: skip
    first, again = (
        api.as_(PROVIDER).post(path, body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    act = "created" if what == "add" else "password_reset"
    done = UUID(first.json()["id"])
    assert [one for one, _ in acts(api, done)].count(act) == 1
