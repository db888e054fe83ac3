"""The audit entry of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.sealing import seal_inline
from casework.adapters.persistence.engine.faults import NotWritten
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.together import Beside, Inserted, insert_last
from casework.domain.access.policy import Actor
from casework.workflows.ports.unit_of_work import RequestFacts


def write_audit(
    connection: Connection,
    actor: Actor | None,
    action: str,
    now: datetime,
    facts: RequestFacts,
    about: Iterable[UUID],
    outcome: str = "ok",
    code: str | None = None,
    beside: Sequence[Beside] = (),
) -> None:
    """One entry for one request, with everyone it was about; on SQLite it is sealed at once.

    ``beside`` it other rows are changed in the same statement.

    Raises NotWritten where the database lost it: nothing goes out without its entry.
    """
    entry = {
        "id": new_id(),
        "at": now,
        "actor_id": actor.id if actor else None,
        "actor": (actor.username or actor.name) if actor else None,
        "role": actor.role if actor else None,
        "action": action,
        "task": facts.task,
        "subjects": sorted(map(str, about)),
        "asked_for": facts.asked_for,
        "district_code": actor.district_code if actor else None,
        "outcome": outcome,
        "code": code,
        "source": facts.source,
        "request_id": facts.request_id,
    }
    if insert_last(connection, Inserted(t.audit_entry.name, entry), beside) != 1:
        raise NotWritten("an entry of the audit")
    if connection.dialect.name == "sqlite":
        seal_inline(connection, entry, now)
