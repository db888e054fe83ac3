"""Whoever is shown is recorded, also by an answer to a change that was about somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_resident
from tests.api.conftest import HERE, WORKER, Api
from tests.shown import Shown


def entries(api: Api, request_id: str) -> list[Any]:
    """The audit entries of a request."""
    entry = t.audit_entry
    with api.engine.connect() as connection:
        found = connection.execute(select(entry).where(entry.c.request_id == request_id)).all()
    return sorted(found, key=lambda row: row.action)


def test_who_joins_a_household_is_shown_the_others_and_they_are_recorded(api: Api) -> None:
    first, second, third = (a_resident(api) for _ in range(3))
    worker = api.as_(WORKER)
    made = worker.post("/households", {"resident_ids": [str(first), str(second)], "kind": "couple"})
    assert made.status_code == 201, made.text
    path, seen = f"/households/{made.json()['id']}/members", {"If-Match": made.headers["etag"]}
    joined = worker.post(path, {"resident_id": str(third)}, headers=seen)
    assert joined.status_code == 200, joined.text
    change, shown = entries(api, joined.headers["x-request-id"])
    assert (change.action, set(change.subjects)) == ("case.write", {str(third)})
    assert {str(first), str(second), str(third)} <= set(shown.subjects)


def test_a_change_that_shows_nobody_else_has_one_entry(api: Api) -> None:
    made = api.as_(WORKER).post(
        "/residents",
        {"name": "가상인", "birth_date": "1941-03-05", "sex": "female", "centre_code": HERE},
    )
    assert made.status_code == 201, made.text
    assert len(entries(api, made.headers["x-request-id"])) == 1


def test_somebody_shown_without_an_entry_is_found(api: Api) -> None:
    """The control of what looks at every answer of the suite."""
    resident = UUID(str(a_resident(api)))
    request = httpx2.Request("GET", "http://test/api/v1/somewhere")
    shown = Shown()
    for content in (f'{{"id": "{resident}"}}', '{"id": null}'):
        shown.note(httpx2.Response(200, content=content.encode(), request=request))
    again = httpx2.Request("GET", f"http://test/api/v1/residents/{resident}")
    shown.note(httpx2.Response(404, content=str(resident).encode(), request=again))
    with api.engine.connect() as connection:
        (found,) = shown.unrecorded(connection)
    assert found.startswith("GET /api/v1/somewhere 200 shows 1")
