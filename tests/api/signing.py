"""Helpers for signing in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from starlette.testclient import TestClient

from casework.adapters.persistence import tables as t
from casework.domain.access import totp
from tests.api.conftest import BASE, HERE, PASSWORD, Api

FIRST, OWN = "first-password-77", "three odd herons walk"
NEW = {"username": "new.worker", "role": "worker", "name": "가상 새담당", "centre": HERE,
       "password": FIRST}  # fmt: skip


def sign_in(api: Api, username: str, password: str = PASSWORD, **more: str) -> Any:
    """Post the token form with name and password."""
    form = {"username": username, "password": password} | more
    return api.client.post(BASE + "/auth/token", data=form)


def refresh(api: Api, token: str) -> Any:
    """Post the token form with a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return api.client.post(BASE + "/auth/token", data=form)


def ask(api: Api, token: str, method: str, path: str, json: Any = None, **headers: str) -> Any:
    """A request with this token."""
    told = {"Authorization": f"Bearer {token}"} | headers
    return api.client.request(method, BASE + path, json=json, headers=told)


def create(api: Api, **facts: Any) -> UUID:
    """An account made by the administrator; returns its id."""
    made = api.as_("admin").post("/accounts", NEW | facts)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


def settle_in(api: Api, username: str = "new.worker", first: str = FIRST) -> str:
    """Change the first password of an account; returns an access token of the new one."""
    token = sign_in(api, username, first).json()["access_token"]
    change = {"current_password": first, "new_password": OWN}
    assert ask(api, token, "POST", "/me/password", change).status_code == 200
    return str(sign_in(api, username, OWN).json()["access_token"])


def enrol(api: Api, token: str, password: str = PASSWORD) -> tuple[bytes, list[str]]:
    """Enrol a second factor; returns its secret and the recovery codes."""
    begun = ask(api, token, "POST", "/me/totp", {"password": password})
    assert begun.status_code == 200, begun.text
    secret = totp.from_text(begun.json()["secret"])
    done = ask(api, token, "POST", "/me/totp/confirm", {"code": code(api, secret)})
    assert done.status_code == 200, done.text
    return secret, done.json()["recovery_codes"]


def code(api: Api, secret: bytes, steps: int = 0) -> str:
    """The code of a secret, that many steps from now."""
    return totp.code_of(secret, totp.step_at(api.clock.now) + steps)


def change(api: Api, username: str, **facts: Any) -> None:
    """Change an account in the database."""
    with api.engine.begin() as connection:
        connection.execute(update(t.account).where(t.account.c.username == username).values(facts))


def stored(api: Api, username: str) -> Any:
    """The row of an account."""
    with api.engine.connect() as connection:
        return connection.execute(select(t.account).where(t.account.c.username == username)).one()


def refused(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


def shut(api: Api, username: str, since: datetime | None = None) -> None:
    """Let the tests' place wait an hour for an account: ten of its tries were wrong."""
    at = (since or api.clock.now).isoformat()
    change(api, username, tries=[[at, "testclient", "wrong"]] * 10)


@contextmanager
def from_elsewhere(api: Api, host: str = "10.0.0.7") -> Iterator[Api]:
    """The same world as it is met from another address."""
    client = TestClient(api.client.app, raise_server_exceptions=False, client=(host, 50000))
    yield replace(api, client=client)
