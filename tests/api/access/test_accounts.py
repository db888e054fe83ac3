"""Accounts as an administrator manages them, and the log of the rights that each was granted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.accounts import SqlAccountAdministration
from casework.adapters.persistence.access.command_line_accounts import command_line_accounts
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.scope import session_context
from casework.domain.access.grant_log import replay, state_of
from casework.domain.access.policy import scope_of
from casework.domain.errors import Conflict, Invalid
from casework.workflows.access import accounts
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.api.acts import a_supported_case
from tests.api.asking import ABSENT, check_wrong, etag, everything
from tests.api.conftest import (
    COLLEAGUE,
    DISTRICT,
    HERE,
    NEXT_DOOR,
    OTHER_DISTRICT,
    PASSWORD,
    WORKER,
    Api,
)
from tests.api.signing import FIRST, NEW, ask, create, refresh, refused, settle_in, sign_in, stored


def patch(api: Api, id: UUID, body: dict[str, Any], version: str | None = None) -> Any:
    """Change the current version of an account."""
    admin = api.as_("admin")
    seen = {"If-Match": version} if version else etag(admin.get(f"/accounts/{id}"))
    return admin.patch(f"/accounts/{id}", body, headers=seen)


def acts(api: Api, id: UUID) -> list[tuple[str, str, str | None]]:
    """The audit entries about an account: action, actor, subject."""
    log = t.account_grant_log
    query = select(log.c.act, log.c.by, log.c.about).where(log.c.account_id == id)
    with api.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(log.c.at, log.c.id))]


def test_an_account_is_made_with_a_first_password_that_nobody_is_shown_again(api: Api) -> None:
    made = api.as_("admin").post("/accounts", NEW)
    assert made.status_code == 201
    shown = made.json()
    assert shown == {
        "id": shown["id"], "username": "new.worker", "name": "가상 새담당", "role": "worker",
        "centre_code": HERE, "district_code": DISTRICT, "provider_id": None, "is_head": False,
        "is_active": True, "email": None, "phone": None, "must_change_password": True,
        "has_totp": False, "grants": [], "is_linked": False, "open_cases": 0,
    }  # fmt: skip
    assert FIRST not in made.text
    assert api.as_("admin").get(f"/accounts/{shown['id']}").json() == shown
    assert ask(api, settle_in(api), "GET", "/me").json()["scope"]["centre"] == HERE
    assert acts(api, UUID(shown["id"])) == [
        ("created", "admin", None), ("password_changed", "new.worker", None)
    ]  # fmt: skip


def test_what_no_account_can_be_is_refused(api: Api) -> None:
    check_wrong(
        api,
        lambda facts: api.as_("admin").post("/accounts", NEW | facts),
        [({"username": "K"}, "username"), ({"centre": None}, "centre"), ({"centre": "1"}, "centre"),
         ({"district": DISTRICT}, "district"), ({"role": "king"}, "role"),
         ({"password": "short"}, "password"), ({"password": "qwertyuiopasdf"}, "password"),
         ({"is_head": True}, "head"), ({"email": "nobody"}, "email"), ({"x": 1}, "x")],
    )  # fmt: skip
    create(api)
    for written in (NEW["username"], NEW["username"].upper(), f" {NEW['username'].title()}"):
        again = api.as_("admin").post("/accounts", NEW | {"username": written})
        assert refused(again) == (409, "username_taken"), written


def test_a_user_name_is_the_same_in_capitals_wherever_it_is_said(api: Api) -> None:
    made = api.as_("admin").post("/accounts", NEW | {"username": "New.WORKER"})
    assert made.json()["username"] == "new.worker"
    assert sign_in(api, "NEW.worker", FIRST).status_code == 200
    register = api.application.register("test")
    accounts.set_email(register, "NEW.Worker", "someone@example.org")
    accounts.set_active(register, " New.worker", active=False)
    shown = api.as_("admin").get(f"/accounts/{made.json()['id']}").json()
    assert (shown["email"], shown["is_active"]) == ("someone@example.org", False)
    with pytest.raises(Invalid) as said:
        accounts.set_password(register, "NEW.worker.x", "new.worker.x")
    assert said.value.code == "password_is_username"


def test_only_an_administrator_keeps_accounts(api: Api) -> None:
    id, before = api.id_of(WORKER), everything(api)
    for username in (WORKER, "city", "auditor", f"supervisor.{DISTRICT}"):
        one = api.as_(username)
        seen = {"If-Match": '"1"'}
        for answer in (
            one.post("/accounts", NEW), one.get(f"/accounts/{id}"),
            one.patch(f"/accounts/{id}", {"is_active": False}, headers=seen),
            one.post(f"/accounts/{id}/reset-password", {"password": FIRST}),
            one.post(f"/accounts/{id}/reset-totp"),
        ):  # fmt: skip
            assert refused(answer) == (403, "forbidden"), username
    assert refused(api.as_("admin").get(f"/accounts/{ABSENT}")) == (404, "not_found")
    assert everything(api) == before


def test_a_change_says_which_version_it_saw(api: Api) -> None:
    id = create(api)
    admin = api.as_("admin")
    assert admin.patch(f"/accounts/{id}", {"name": "가"}).status_code == 428
    assert refused(patch(api, id, {"name": "가"}, '"7"')) == (412, "stale")
    changed = patch(api, id, {"name": "가상 개명", "email": "new@example.org"})
    assert (changed.json()["name"], changed.json()["email"]) == ("가상 개명", "new@example.org")
    assert changed.headers["etag"] == '"2"'
    assert patch(api, id, {"email": None}).json()["email"] is None


def test_whoever_is_disabled_is_out_at_once_and_comes_back_with_the_password(api: Api) -> None:
    id, session = api.id_of(WORKER), sign_in(api, WORKER).json()
    assert patch(api, id, {"is_active": False}).json()["is_active"] is False
    assert ask(api, session["access_token"], "GET", "/me").status_code == 401
    assert refresh(api, session["refresh_token"]).status_code == 401
    assert sign_in(api, WORKER).status_code == 401
    patch(api, id, {"is_active": True})
    assert sign_in(api, WORKER).status_code == 200
    assert refresh(api, session["refresh_token"]).status_code == 401


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_how_many_cases_an_account_carries_is_counted_without_a_look_at_them(api: Api) -> None:
    a_supported_case(api)
    looks = scope_of(api.actor("admin"), "account.manage")
    with api.application.engine.connect() as connection:
        session_context.set_session_context(connection, looks, "account.manage", api.clock.now)
        store = SqlAccountAdministration(connection)
        counts = [store.open_cases(api.id_of(username)) for username in (WORKER, COLLEAGUE)]
        seen = connection.scalar(select(func.count()).select_from(t.care_case))
    assert (counts, seen) == ([1, 0], 0)


def test_whoever_moves_keeps_nothing_of_the_old_place(api: Api) -> None:
    case, id = a_supported_case(api), api.id_of(WORKER)
    token = sign_in(api, WORKER).json()["access_token"]
    body = {"role": "worker", "centre": NEXT_DOOR}
    refusal = patch(api, id, body)
    assert refused(refusal) == (409, "carries_cases")
    assert refusal.json()["cases"] == 1
    handed = {"from_worker_id": str(id), "to_worker_id": str(api.id_of(COLLEAGUE)),
              "reason": "moves on"}  # fmt: skip
    supervisor = api.as_(f"supervisor.{DISTRICT}")
    assert supervisor.post("/caseloads/handover", handed).status_code == 200
    assert ask(api, token, "GET", f"/cases/{case.case}").status_code == 200
    moved = patch(api, id, body).json()
    assert (moved["centre_code"], moved["role"]) == (NEXT_DOOR, "worker")
    assert ask(api, token, "GET", f"/cases/{case.case}").status_code == 404
    moved = patch(api, id, {"role": "assessor", "district": OTHER_DISTRICT}).json()
    assert (moved["centre_code"], moved["district_code"]) == (None, OTHER_DISTRICT)
    missing = patch(api, id, {"role": "worker"})
    assert [one["field"] for one in missing.json()["errors"]] == ["centre"]


def test_nobody_does_it_to_the_own_account(api: Api) -> None:
    id = api.id_of("admin")
    for body in ({"is_active": False}, {"role": "city"}):
        assert refused(patch(api, id, body)) == (409, "own_account")
    answer = api.as_("admin").post(f"/accounts/{id}/reset-password", {"password": FIRST})
    assert refused(answer) == (409, "own_account")
    assert patch(api, id, {"name": "가상 관리"}).status_code == 200


# The log of rights


def test_the_log_folds_to_the_accounts_as_they_stand_after_many_changes(api: Api) -> None:
    rng = Random(7)
    people = [create(api, username=f"p{n}") for n in range(4)]
    systems = [
        create(api, username=f"s{n}", role="integration", centre=None, district=DISTRICT)
        for n in range(2)
    ]
    admin = api.as_("admin")
    done = 0
    for _ in range(60):
        api.clock.forward(minutes=7)
        id = rng.choice(people + systems)
        path = f"/accounts/{id}"
        match rng.randrange(6):
            case 0:
                answer = patch(api, id, {"is_active": rng.random() < 0.7})
            case 1:
                place = {"role": "worker", "centre": rng.choice([HERE, NEXT_DOOR])}
                answer = patch(api, id, place) if id in people else None
            case 2:
                answer = admin.post(f"{path}/reset-password", {"password": FIRST})
            case 3 | 4:
                action = rng.choice(["case.read", "unmet.read", "referral.read"])
                verb = rng.choice(["grants", "grants", "grants/revoke"])
                answer = admin.post(f"{path}/{verb}", {"action": action})
            case _:
                asked = {"name": "x", "expires_on": "2026-12-31", "scopes": ["directory.read"],
                         "password": PASSWORD}  # fmt: skip
                answer = admin.post(f"{path}/tokens", asked)
        done += answer is not None and answer.status_code < 300
    assert done > 25
    with command_line_accounts(api.engine, RequestFacts()) as store:
        for id in people + systems:
            unrevoked = sorted(str(one.id) for one in store.tokens(id) if one.revoked_at is None)
            present = state_of(store.get(id)) | {"tokens": unrevoked}
            assert replay(store.entries(id), api.clock.now) == present


def test_what_was_allowed_at_an_instant_is_told_afterwards(api: Api) -> None:
    id, register = api.id_of(WORKER), api.application.register("casework account history", WORKER)
    api.clock.set("2026-03-03T09:00")
    patch(api, id, {"is_active": False})
    api.clock.set("2026-03-04T09:00")
    patch(api, id, {"is_active": True})
    api.clock.set("2026-03-05T09:00")
    for moment, expected in (
        ("2026-03-03T08:59", None), ("2026-03-03T09:00", False), ("2026-03-04T08:59", False),
        ("2026-03-04T09:00", True),
    ):  # fmt: skip
        at = datetime.fromisoformat(moment + "+09:00")
        rights = accounts.rights_at(register, WORKER, at)
        assert (rights and rights["is_active"]) == expected, moment


@pytest.mark.both_stores
def test_an_entry_is_neither_changed_nor_removed_by_whoever_tries(api: Api) -> None:
    # The database uses its own clock for the age of an entry.
    api.clock.now = datetime.now(UTC)
    id, log = create(api), t.account_grant_log
    tries: list[Any] = [
        update(log).values(act="enabled"), delete(log), delete(log).where(log.c.account_id == id)
    ]  # fmt: skip
    if api.engine.dialect.name == "postgresql":
        tries.append(text("TRUNCATE account_grant_log"))
    before = acts(api, id)
    for statement in tries:
        with (
            pytest.raises(DBAPIError, match=r"insert-only|three years"),
            api.engine.begin() as connection,
        ):
            connection.execute(statement)
    assert acts(api, id) == before != []


def test_what_was_superseded_three_years_ago_can_be_forgotten_and_nothing_else(api: Api) -> None:
    id, log = api.id_of(WORKER), t.account_grant_log
    now = datetime.now(UTC)
    old = [now - timedelta(days=days) for days in (2000, 1500, 1200, 1000, 500)]
    with api.engine.begin() as connection:
        connection.execute(
            insert(log),
            [{"id": new_id(), "at": at, "account_id": id, "act": "enabled", "by": "admin",
              "state": {"n": n}} for n, at in enumerate(old)],
        )  # fmt: skip
    api.clock.now = now
    register = api.application.register("casework account prune-history", as_owner=True)
    with pytest.raises(Conflict, match="three years"):
        accounts.prune_history(register, now - timedelta(days=1095))
    assert accounts.prune_history(register, now - timedelta(days=1096)) == 2
    with api.engine.connect() as connection:
        left = connection.scalars(select(log.c.at).where(log.c.account_id == id).order_by(log.c.at))
        assert list(left) == old[2:]
        assert connection.scalar(select(func.count()).select_from(log)) == 3
    rights = accounts.rights_at(
        api.application.register("x", WORKER), WORKER, now - timedelta(days=1100)
    )
    assert rights == {"n": 2, "tokens": []}
    assert stored(api, WORKER).is_active
