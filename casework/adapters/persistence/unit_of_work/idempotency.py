"""Idempotency keys: taken in the transaction of what they are for, and held while it goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.rows.results import from_memory
from casework.adapters.persistence.rows.together import Beside
from casework.domain.access.policy import Actor
from casework.domain.errors import Conflict, Invalid
from casework.workflows.ports.unit_of_work import Replay, RequestFacts

KEY_RETENTION: Final = timedelta(days=7)
# Work of many transactions holds its idempotency key until it is done. A killed process never
# releases it: after this long the same request may take the key over.
KEY_LEASE: Final = timedelta(minutes=10)
_REMEMBER: Final = (
    update(t.idempotency)
    .where(
        t.idempotency.c.principal_id == bindparam("key_of"),
        t.idempotency.c.route == bindparam("key_for"),
        t.idempotency.c.key == bindparam("key_is"),
    )
    .values(
        in_progress=bindparam("key_in_progress"),
        made=bindparam("key_made"),
    )
)


def remembering(actor: Actor, facts: RequestFacts, in_progress: bool, made: Any) -> Beside:
    """What was made, kept with the key of the request."""
    values = {"key_of": actor.id, "key_for": facts.task, "key_is": facts.idempotency_key}
    return _REMEMBER, {**values, "key_in_progress": in_progress, "key_made": made}


def claimed(actor: Actor, facts: RequestFacts) -> tuple[Any, ...]:
    """The key of a request, as conditions."""
    table = t.idempotency
    return (
        table.c.principal_id == actor.id,
        table.c.route == facts.task,
        table.c.key == facts.idempotency_key,
    )


def held(actor: Actor, facts: RequestFacts, claimed_at: datetime) -> tuple[Any, ...]:
    """The key as it is held by the request that took it at an instant."""
    table = t.idempotency
    return (
        *claimed(actor, facts),
        table.c.in_progress,
        table.c.claimed_at == claimed_at,
    )


@cache
def _taking(dialect: str) -> Any:
    """Takes a key that is not there, was kept long enough, or was left as it was held.

    That is one held long ago, or before the clock was set back.
    """
    table = t.idempotency
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    forgotten, long_ago, ahead = (
        bindparam(name, type_=Instant) for name in ("forgotten", "left", "ahead")
    )
    taking = insert.values(
        principal_id=bindparam("key_of"),
        route=bindparam("key_for"),
        key=bindparam("key_is"),
        digest=bindparam("key_digest"),
        claimed_at=bindparam("key_at"),
    )
    return taking.on_conflict_do_update(
        index_elements=["principal_id", "route", "key"],
        set_={
            "digest": taking.excluded.digest,
            "claimed_at": taking.excluded.claimed_at,
            "in_progress": False,
            "made": None,
        },
        where=or_(
            table.c.claimed_at < forgotten,
            and_(
                table.c.in_progress,
                or_(table.c.claimed_at < long_ago, table.c.claimed_at > ahead),
                table.c.digest == taking.excluded.digest,
                table.c.made.is_(None),
            ),
        ),
    ).returning(table.c.key)


def claim(connection: Connection, actor: Actor, now: datetime, facts: RequestFacts) -> None:
    """Take the key, or find what it was used for; waits for one who holds it uncommitted."""
    given = {
        "key_of": actor.id, "key_for": facts.task, "key_is": facts.idempotency_key,
        "key_digest": facts.digest, "key_at": now, "forgotten": now - KEY_RETENTION,
        "left": now - KEY_LEASE, "ahead": now + KEY_LEASE,
    }  # fmt: skip
    if connection.execute(_taking(connection.dialect.name), given).first() is not None:
        return
    known = connection.execute(select(t.idempotency).where(*claimed(actor, facts))).one()
    if known.digest != facts.digest:
        raise Invalid(
            "this key was used for another request",
            code="idempotency_key_reused",
            field="Idempotency-Key",
        )
    if known.in_progress and abs(now - known.claimed_at) <= KEY_LEASE:
        raise Conflict("the same request is being carried out", code="in_flight")
    raise Replay(from_memory(known.made or {}))
