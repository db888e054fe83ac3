"""Links before the actor is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.sign_in import SqlSignInStore
from casework.adapters.persistence.agencies.links import SqlLinks
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.notices.outbox import SqlOutbox
from casework.adapters.persistence.scope import session_context
from casework.domain.access.policy import Actor
from casework.domain.notices.outbox import Message
from casework.workflows.ports.unit_of_work import RequestFacts


class SqlLinkStore(SqlSignInStore):
    """Links before the actor is known; attempts are counted per source, as at sign-in."""

    def __init__(self, connection: Connection, facts: RequestFacts) -> None:
        super().__init__(connection, facts)
        self.links = SqlLinks(connection)

    def is_rate_limited(self, source: str, now: datetime) -> bool:
        of = t.sign_in_source.c
        until = self._connection.scalar(select(of.locked_until).where(of.source == source))
        return until is not None and now < until

    def add_message(self, message: Message) -> bool:
        return SqlOutbox(self._connection).add_message(message)

    def note_link(self, actor: Actor | None, action: str, now: datetime, code: str | None) -> None:
        outcome = "refused" if code else "ok"
        write_audit(self._connection, actor, action, now, self._facts, (), outcome, code)


@contextmanager
def link_store(engine: Engine, facts: RequestFacts) -> Iterator[SqlLinkStore]:
    """Links in one transaction of the system; what is not committed is rolled back."""
    with engine.connect() as connection:
        session_context.set_system_context(connection)
        yield SqlLinkStore(connection, facts)
