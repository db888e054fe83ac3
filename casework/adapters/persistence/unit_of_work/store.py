"""The unit of work: one transaction, one actor, one visible commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.engine.replica import Replica, mark_of, rest_of
from casework.adapters.persistence.engine.timeouts import RECORD_S, time_allowed, time_left
from casework.adapters.persistence.privacy.break_glass import used
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.results import to_memory
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import Subjects
from casework.adapters.persistence.unit_of_work.batch import SqlBatch
from casework.adapters.persistence.unit_of_work.idempotency import claim, held, remembering
from casework.adapters.persistence.unit_of_work.reading import SqlReading
from casework.adapters.persistence.unit_of_work.repositories import SqlRepositories
from casework.adapters.persistence.unit_of_work.stale import read_at
from casework.domain.access.accounts import Account
from casework.domain.access.policy import PROVIDER_ACCESS, Actor, Scope
from casework.domain.duplicates.likeness import Likeness
from casework.domain.events import Event
from casework.workflows.access.asking import Asker
from casework.workflows.ports.results import Made
from casework.workflows.ports.unit_of_work import (
    Batch,
    Reading,
    RequestFacts,
    Shown,
    Store,
    Work,
)

# What is counted is counted of one moment.
OF_ONE_MOMENT = frozenset({"figures.read", "figures.close", "unmet.count"})
# Reads of these disclose no personal data.
NOT_AUDITED = frozenset({"directory.read", "account.self"})
T = TypeVar("T")
_ASKER: Final = select(t.account).where(t.account.c.id == bindparam("asker_id"))


class SqlWork(SqlRepositories):
    """A transaction with the repositories that write in it."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        action: str,
        now: datetime,
        facts: RequestFacts,
        shown: Shown | None = None,
    ) -> None:
        super().__init__(connection, scope, now, set())
        self._action, self._facts, self._shown = action, facts, shown
        self.is_committed = False

    @property
    def subjects(self) -> frozenset[UUID]:
        """Whom it was about."""
        return frozenset(self._about)

    @contextmanager
    def parts(self, *, keep: bool = True) -> Iterator[Store]:
        inner = SqlParts(self._connection, self._facts)
        try:
            with _savepoint(self._connection, keep=keep):
                yield inner
        finally:
            self._about.update(inner.subjects)

    @contextmanager
    def batch(self, expected: Sequence[Likeness], *, keep: bool = True) -> Iterator[Batch]:
        batch = SqlBatch(self._connection, self.directory, expected)
        with _savepoint(self._connection, keep=keep):
            yield batch
            batch.gathered.write(self._connection)
        self._about |= batch.gathered.subjects

    def record(self, events: Iterable[Event]) -> None:
        rows = [to_row(event) for event in events]
        if rows:
            self._connection.execute(insert(t.event), rows)

    def commit(self, made: Made = None) -> None:
        self._record(in_progress=False, made=to_memory(made))
        if self._shown is not None:
            self._show(self._shown, made)
        self._end()

    def _show(self, shown: Shown, made: Made) -> None:
        """Show what was made before others can change it, as the actor may see it."""
        about = Subjects()
        session_context.set_session_context(self._connection, shown.scope, "", self._now)
        shown.render(SqlReading(self._connection, shown.scope, self._now, about), made)
        if about - self._about and shown.action not in NOT_AUDITED:
            write_read(self._connection, shown.scope, shown.action, self._now, self._facts, about)

    def commit_begun(self, made: Made = None) -> None:
        self._record(in_progress=True, made=None if made is None else to_memory(made))
        self._end()

    def _record(self, *, in_progress: bool, made: Any) -> None:
        write_audit(
            self._connection, self.scope.actor, self._action, self._now, self._facts, self._about,
            beside=[remembering(self.scope.actor, self._facts, in_progress, made)]
            if self._facts.idempotency_key is not None
            else [],
        )  # fmt: skip

    def _end(self) -> None:
        self._connection.commit()
        self.is_committed = True


@contextmanager
def _savepoint(connection: Connection, *, keep: bool) -> Iterator[None]:
    """Keep what is done within; an exception takes it back, and so does the end unless ``keep``."""
    savepoint = connection.begin_nested()
    try:
        yield
    except BaseException:
        savepoint.rollback()
        raise
    else:
        if keep:
            savepoint.commit()
        else:
            savepoint.rollback()
    finally:
        session_context.forget_context(connection)  # a rollback takes it back


class SqlPart(SqlWork):
    """A use case within the transaction of another, by which it is recorded and committed."""

    def commit(self, made: Made = None) -> None:
        """Mark it to be committed with the rest."""

    def commit_begun(self, made: Made = None) -> None:
        """The same."""


class SqlParts:
    """A store whose transactions are parts of one that is open."""

    def __init__(self, connection: Connection, facts: RequestFacts) -> None:
        self._connection, self._facts = connection, facts
        # The residents that the parts were about.
        self.subjects: set[UUID] = set()

    @contextmanager
    def work(self, scope: Scope, action: str, now: datetime) -> Iterator[Work]:
        """A part, for the actor and the action of its use case."""
        session_context.set_session_context(self._connection, scope, action, now)
        part = SqlPart(self._connection, scope, action, now, self._facts)
        try:
            yield part
        finally:
            self.subjects |= part.subjects

    def reading(self, scope: Scope, action: str, now: datetime) -> AbstractContextManager[Reading]:
        """Not supported: a part only changes."""
        raise TypeError("a part of a transaction only changes")

    def read_stale(
        self, scope: Scope, action: str, now: datetime, read: Callable[[Reading], T]
    ) -> T:
        """Not supported: what a part decides rests on what is there now."""
        raise TypeError("a part of a transaction only changes")


class SqlStore:
    """Transactions on one engine, for one request; where there is a replica, some reads on it."""

    def __init__(
        self,
        engine: Engine,
        facts: RequestFacts | None = None,
        provider_access: timedelta = PROVIDER_ACCESS,
        asker: Asker | None = None,
        replica: Replica | None = None,
    ) -> None:
        self._engine, self._facts, self._asker = engine, facts or RequestFacts(), asker
        self._provider_access, self.replica = provider_access, replica
        self._has_used_key = False
        # The residents that the entries of this request's changes name.
        self._recorded: set[UUID] = set()
        self._shown: Shown | None = None

    def for_request(self, facts: RequestFacts, asker: Asker | None = None) -> SqlStore:
        return SqlStore(self._engine, facts, self._provider_access, asker, self.replica)

    def _begin(self, connection: Connection, scope: Scope, action: str, now: datetime) -> None:
        """Say who asks; where they are only assumed, see in the same statement who they are."""
        asker = self._asker
        if asker is None or asker.is_confirmed:
            session_context.set_session_context(connection, scope, action, now)
            return
        row = session_context.set_and_read(
            connection, scope, action, now, _ASKER, {"asker_id": asker.account_id}
        )
        asker.confirm(None if row is None else from_row(Account, row))

    def show_next(self, shown: Shown | None) -> None:
        self._shown = shown and replace(shown, scope=self._set(shown.scope))

    def _set(self, scope: Scope) -> Scope:
        """The scope as this installation sets it."""
        if scope.after_end == self._provider_access:
            return scope
        return replace(scope, after_end=self._provider_access)

    def _connected(self, action: str) -> Connection:
        """A connection whose transaction sees what its action asks for."""
        connection = self._engine.connect()
        if action in OF_ONE_MOMENT and connection.dialect.name == "postgresql":
            return connection.execution_options(isolation_level="REPEATABLE READ")
        return connection

    @contextmanager
    def work(self, scope: Scope, action: str, now: datetime) -> Iterator[Work]:
        key = self._facts.idempotency_key
        if key is not None and self._has_used_key:
            raise RuntimeError("a second transaction under one idempotency key")
        with self._connected(action) as connection:
            to = self._set(scope)
            self._begin(connection, to, action, now)
            if key is not None:
                claim(connection, scope.actor, now, self._facts)
            work = SqlWork(connection, to, action, now, self._facts, self._shown)
            try:
                yield work
            finally:
                self._has_used_key |= work.is_committed
                if work.is_committed:
                    self._recorded |= work.subjects

    @contextmanager
    def reading(self, scope: Scope, action: str, now: datetime) -> Iterator[Reading]:
        """The audit entry is committed before any result is returned."""
        with self._connected(action) as connection:
            about = Subjects()
            to = self._set(scope)
            self._begin(connection, to, action, now)
            yield SqlReading(connection, to, now, about)
            if action not in NOT_AUDITED:
                write_read(connection, scope, action, now, self._facts, about)
            connection.commit()

    def read_stale(
        self, scope: Scope, action: str, now: datetime, read: Callable[[Reading], T]
    ) -> T:
        """On a replica, and where that cannot be or came to nothing, on the primary.

        The primary says who asks, and records whom they were shown; a refusal is never a replica's.
        """
        replica, left = self.replica, time_left()
        if replica is None or not replica.is_open():
            return self._read(scope, action, now, read)
        to = self._set(scope)
        with self._engine.connect() as connection:
            self._begin(connection, to, action, now)
            mark = mark_of(connection)
        found = read_at(replica, mark, to, action, now, read)
        if found is None:
            with rest_of(left):
                return self._read(scope, action, now, read)
        if action not in NOT_AUDITED:
            with self._engine.begin() as connection:
                session_context.set_session_context(connection, to, action, now)
                write_read(connection, scope, action, now, self._facts, found.about)
        replica.count("replica")
        return found.value

    def _read(self, scope: Scope, action: str, now: datetime, read: Callable[[Reading], T]) -> T:
        with self.reading(scope, action, now) as reading:
            found = read(reading)
        if self.replica is not None:
            self.replica.count("primary")
        return found

    @contextmanager
    def showing(self, scope: Scope, now: datetime, action: str | None = None) -> Iterator[Reading]:
        with self._engine.connect() as connection:
            about = Subjects()
            to = self._set(scope)
            self._begin(connection, to, "", now)
            yield SqlReading(connection, to, now, about)
            if about - self._recorded and action is not None and action not in NOT_AUDITED:
                write_read(connection, scope, action, now, self._facts, about)
                connection.commit()

    def store_key(self, actor: Actor, claimed_at: datetime, made: Made) -> None:
        """Not stored where another request has taken the key over."""
        if self._facts.idempotency_key is not None:
            with time_allowed(RECORD_S), self._engine.begin() as connection:
                connection.execute(
                    update(t.idempotency)
                    .where(*held(actor, self._facts, claimed_at))
                    .values(in_progress=False, made=to_memory(made))
                )

    def release_key(self, actor: Actor, claimed_at: datetime) -> None:
        """Nothing was done, so that the request may be retried at once."""
        if self._facts.idempotency_key is not None:
            with time_allowed(RECORD_S), self._engine.begin() as connection:
                connection.execute(
                    delete(t.idempotency).where(*held(actor, self._facts, claimed_at))
                )

    def note_refusal(
        self,
        actor: Actor | None,
        action: str,
        now: datetime,
        code: str,
        outcome: str,
        about: Iterable[UUID] = (),
    ) -> None:
        """Nothing else of the request remains."""
        with self._engine.begin() as connection:
            write_audit(connection, actor, action, now, self._facts, about, outcome, code)


def write_read(
    connection: Connection,
    scope: Scope,
    action: str,
    now: datetime,
    facts: RequestFacts,
    about: Subjects,
) -> None:
    """Say whom the actor was shown, and that it was by opening, where it was."""
    flag = used(connection, scope, now, about.opened) if about.opened else None
    write_audit(connection, scope.actor, action, now, facts, about, code=flag)
