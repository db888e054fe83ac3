"""Common checks of operations: no token, wrong role, out of scope, invalid request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from casework.adapters.persistence import tables as t
from tests.api.conftest import BASE, FAR_SUPERVISOR, NEIGHBOUR, STRANGER, Api

ABSENT = UUID("01900000-0000-7000-8000-000000000000")
OUTSIDERS = ("city", "auditor", "admin")
WATCHED = [
    table
    for table in t.metadata.sorted_tables
    if table.name not in ("audit_entry", "audit_seal", "audit_head", "audit_pending", "standard")
]
_QUERIES = {
    table.name: str(select(table).order_by(*table.primary_key).compile(dialect=sqlite.dialect()))
    for table in WATCHED
}


@dataclass(frozen=True)
class Ask:
    """A request valid for some actors; ``never`` are the roles that may never make it."""

    method: str
    path: str
    id: UUID | None
    body: Any
    never: tuple[str, ...]

    def by(self, api: Api, username: str, id: UUID | None = None, **with_it: Any) -> Any:
        """Send it as an account, about another id where one is given."""
        path = self.path.format(id=id or self.id)
        return api.as_(username).request(
            self.method, path, json=self.body, headers={"If-Match": '"1"'}, **with_it
        )


def everything(api: Api) -> dict[str, list[Any]]:
    """Every stored row except the audit's, as the driver reads it.

    Without SQLAlchemy, and from PostgreSQL in one query, because each test reads it twice.
    """
    with api.engine.connect() as connection:
        cursor = connection.connection.cursor()
        if api.engine.dialect.name == "sqlite":
            return {n: list(cursor.execute(query).fetchall()) for n, query in _QUERIES.items()}
        cursor.execute(";".join(_QUERIES.values()))
        found = {}
        for name in _QUERIES:
            found[name] = list(cursor.fetchall())
            cursor.nextset()
        return found


def check_nobody_and_wrong_roles(api: Api, asks: list[Ask]) -> None:
    """401 without a token; 403 for a role without a row, whatever the id; nothing changes."""
    before = everything(api)
    for ask in asks:
        path = BASE + ask.path.format(id=ask.id)
        answer = api.client.request(ask.method, path, json=ask.body)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
        for username in ask.never:
            for id in (ask.id, ABSENT):
                answer = ask.by(api, username, id)
                assert answer.status_code == 403, (username, ask.method, path, answer.text)
                assert answer.json()["code"] == "forbidden"
    assert everything(api) == before


def check_strangers(api: Api, asks: list[Ask]) -> None:
    """404 for roles with the row but not the subject, in the same bytes as for an absent one."""
    before = everything(api)
    for ask in asks:
        for username in (NEIGHBOUR, STRANGER, FAR_SUPERVISOR):
            if _role(username) in map(_role, ask.never):
                continue
            hidden, absent = ask.by(api, username), ask.by(api, username, ABSENT)
            assert hidden.status_code == 404, (username, ask.method, ask.path, hidden.text)
            assert hidden.content == absent.content
            assert hidden.headers["content-type"] == "application/problem+json"
    assert everything(api) == before


def _role(username: str) -> str:
    return username.partition(".")[0]


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


def course(shown: dict[str, Any]) -> list[str]:
    """The next possible actions on a case except holds, transfer and reopen."""
    aside = ("hold", "resume", "transfer", "reopen", "legal-hold", "end-legal-hold")
    return [one for one in shown["allowed_actions"] if one not in aside]


def fields_of(answer: Any) -> list[str]:
    """The fields a 422 names."""
    assert answer.status_code == 422, answer.text
    assert all(error["message"] for error in answer.json()["errors"])
    return [error["field"] for error in answer.json()["errors"]]


def etag(answer: Any) -> dict[str, str]:
    """The If-Match header for the next change."""
    return {"If-Match": answer.headers["etag"]}


def check_wrong(
    api: Api, ask: Callable[[dict[str, Any]], Any], wrongs: list[tuple[dict[str, Any], str]]
) -> None:
    """Each invalid value is refused with its field, and nothing changes."""
    before = everything(api)
    for wrong, field in wrongs:
        assert fields_of(ask(wrong)) == [field], wrong
    assert everything(api) == before
