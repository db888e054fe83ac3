"""Use cases of one kind that are carried out together: read at once, written at once.

Each runs as it would alone, against what was read for all of them, and its rows are gathered. What
a use case needs beyond that is not there: it fails, and whoever made the batch carries out each
by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.directory import SqlDirectory
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.residents.likeness_of_many import CandidatesOfMany
from casework.adapters.persistence.residents.residents import SqlResidents
from casework.adapters.persistence.rows.many import insert_many
from casework.adapters.persistence.rows.mapper import stored, to_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.duplicates.likeness import DuplicateCandidate, Likeness
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.events import Event
from casework.domain.residents.resident import Contact, Resident
from casework.workflows.ports.results import Made
from casework.workflows.ports.unit_of_work import NotGathered, Reading, Store, Work

T = TypeVar("T")


@dataclass(slots=True)
class Gathered:
    """What is to be written, in the order of foreign keys."""

    residents: list[Resident] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    checks: dict[UUID, datetime] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    subjects: set[UUID] = field(default_factory=set)

    def take(self, other: Gathered) -> None:
        """Add what another part gathered."""
        self.residents += other.residents
        self.contacts += other.contacts
        self.checks |= other.checks
        self.events += other.events

    def write(self, connection: Connection) -> None:
        """Insert all of it, in one statement for each table."""
        vault = vault_of(connection)
        insert_many(connection, t.resident, [stored(one, vault) for one in self.residents])
        insert_many(connection, t.contact, [stored(one, vault) for one in self.contacts])
        checks = [{"resident_id": id, "asked_at": at} for id, at in self.checks.items()]
        insert_many(connection, t.duplicate_check, checks, replaces="resident_id")
        insert_many(connection, t.event, [to_row(one) for one in self.events])


class SqlBatch:
    """A batch within a transaction; ``expected`` are the residents who may be registered in it."""

    def __init__(
        self, connection: Connection, directory: SqlDirectory, expected: Sequence[Likeness]
    ) -> None:
        self._connection, self._directory, self._expected = connection, directory, expected
        self._candidates: CandidatesOfMany | None = None
        self._said: tuple[Scope, str] | None = None
        self.gathered = Gathered()

    @contextmanager
    def parts(self, *, keep: bool = True) -> Iterator[Store]:
        """What was not to be kept is written with the rest, and unseen by the others."""
        store = _BatchParts(self)
        try:
            yield store
        finally:
            self.gathered.subjects |= store.gathered.subjects
        self.gathered.take(store.gathered)
        if keep and self._candidates is not None:
            for one in store.gathered.residents:
                self._candidates.add(one)

    def begin(self, scope: Scope, action: str, now: datetime) -> None:
        """Tell the database who the actor is, once for parts of the same action."""
        if self._said != (scope, action):
            session_context.set_session_context(self._connection, scope, action, now)
            self._said, self._candidates = (scope, action), None

    def part(self, scope: Scope, now: datetime, gathered: Gathered) -> BatchPart:
        """A part for the actor that was told last."""
        residents = _Residents(self, self._connection, scope, now, gathered)
        return BatchPart(scope, self._directory, residents, _Duplicates(now, gathered), gathered)

    def candidates(self, scope: Scope, now: datetime) -> CandidatesOfMany:
        """Those of all who are expected, read when the first is asked for."""
        if self._candidates is None:
            if self.gathered.residents:
                raise NotGathered("two actors in one batch")
            sees = seen(t.resident, scope, now)
            self._candidates = CandidatesOfMany(self._connection, self._expected, sees)
        return self._candidates


class _BatchParts:
    """The store of one use case of a batch."""

    def __init__(self, batch: SqlBatch) -> None:
        self._batch = batch
        self.gathered = Gathered()

    @contextmanager
    def work(self, scope: Scope, action: str, now: datetime) -> Iterator[Work]:
        """A part, for the actor and the action of its use case."""
        self._batch.begin(scope, action, now)
        yield cast(Work, self._batch.part(scope, now, self.gathered))

    def reading(self, scope: Scope, action: str, now: datetime) -> AbstractContextManager[Reading]:
        """Not supported: a part only changes."""
        raise TypeError("a part of a transaction only changes")

    def read_stale(
        self, scope: Scope, action: str, now: datetime, read: Callable[[Reading], T]
    ) -> T:
        """Not supported: what a part decides rests on what is there now."""
        raise TypeError("a part of a transaction only changes")


@dataclass(frozen=True, slots=True)
class BatchPart:
    """What a use case may do in a batch, of all that a unit of work can."""

    scope: Scope
    directory: SqlDirectory
    residents: _Residents
    duplicates: _Duplicates
    _gathered: Gathered

    def about(self, *resident_ids: UUID) -> None:
        """Whom it was about even where it is refused."""
        self._gathered.subjects.update(resident_ids)

    def record(self, events: Iterable[Event]) -> None:
        """Gather events."""
        self._gathered.events += events

    def commit(self, made: Made = None) -> None:
        """Mark it to be committed with the rest."""


class _Residents:
    """Residents who are registered together."""

    def __init__(
        self, batch: SqlBatch, connection: Connection, scope: Scope, now: datetime, to: Gathered
    ) -> None:
        self._batch, self._scope, self._now, self._to = batch, scope, now, to
        self._stored = SqlResidents(connection, scope, now, to.subjects)

    def get(self, id: UUID) -> Resident:
        return self._stored.get(id)

    def like(self, likeness: Likeness, but: UUID) -> list[DuplicateCandidate]:
        """None is left out: ``but`` is only now registered."""
        known = self._batch.candidates(self._scope, self._now)
        if not known.knows(likeness):
            raise NotGathered("somebody who was not expected")
        return known.of(likeness)

    def add(self, resident: Resident, contacts: Sequence[Contact]) -> None:
        self._to.residents.append(resident)
        self._to.contacts += contacts


class _Duplicates:
    """The queue for those whose duplicates are still to be found."""

    def __init__(self, now: datetime, to: Gathered) -> None:
        self._now, self._to = now, to

    def add(self, suspicions: Iterable[Suspicion]) -> int:
        if any(True for _ in suspicions):
            raise NotGathered("a pair that was decided")
        return 0

    def queue_check(self, resident_id: UUID) -> None:
        self._to.checks[resident_id] = self._now
