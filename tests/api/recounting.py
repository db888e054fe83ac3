"""Helpers shared by the tests of standards and holidays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.clocks.calendar import SEOUL
from tests.api.asking import everything
from tests.api.conftest import SUPERVISOR, WORKER, Api


def due(api: Api, deadline: UUID, by: str = WORKER) -> str:
    """The due instant of a clock, as the API shows it."""
    shown = api.as_(by).get(f"/deadlines/{deadline}").json()
    return str(shown["due_at"])


def why(api: Api, deadline: UUID, by: str = WORKER, language: str = "en") -> dict[str, Any]:
    """The explanation of a clock."""
    path = f"/deadlines/{deadline}/explanation"
    answer = api.as_(by).get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def planned(api: Api, deadline: UUID) -> dict[int, str]:
    """The planned steps by tier, each with its time in Seoul."""
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(*t.escalation.c["tier", "at"]).where(
                t.escalation.c.deadline_id == deadline, t.escalation.c.raised_at.is_(None)
            )
        )
        return {row.tier: f"{row.at.astimezone(SEOUL):%m-%dT%H:%M}" for row in rows}


def events(api: Api, name: str) -> list[dict[str, Any]]:
    """The facts and the actor of each event of that name."""
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(t.event).where(t.event.c.name == name).order_by(t.event.c.id)
        ).all()
    return [row.data | {"by": row.by_role, "subject": row.subject_id} for row in rows]


def audited(api: Api, action: str) -> list[tuple[str, list[str]]]:
    """Outcome and subjects of the audit entries of an action."""
    entry = t.audit_entry
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(*entry.c["outcome", "subjects"]).where(entry.c.action == action)
        ).all()
    return [(row.outcome, row.subjects) for row in rows]


def stored(api: Api) -> dict[str, Any]:
    """Every stored row, standards included, except the audit's."""
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.standard).order_by(t.standard.c.id)).all()
    return everything(api) | {"standard": [tuple(row) for row in rows]}


def shipped(api: Api, kind: str, priority: str | None = None, by: str = SUPERVISOR) -> UUID:
    """The shipped standard of a kind."""
    (found,) = [
        one
        for one in api.as_(by).items("/standards", kind=kind)
        if one["priority"] == priority and one["district_code"] is None
        and one["service_code"] is None
    ]  # fmt: skip
    return UUID(found["id"])
