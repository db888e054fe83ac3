"""The session context that every use case takes: the actor, the time and the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from casework.domain.access.policy import Actor, scope_of
from casework.domain.act import Act
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.directory.directory import Service
from casework.domain.duplicates.likeness import Similarity, equal
from casework.domain.errors import StaleVersion
from casework.workflows.ports.unit_of_work import Reading, Store, Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The session context of one actor at one instant."""

    actor: Actor
    now: datetime
    new_id: Callable[[], UUID]
    clockwork: Clockwork
    catalogue: Mapping[str, Service]
    store: Store
    similarity: Similarity = equal
    # The version that the actor sent (``If-Match``), None where none was sent.
    expected_version: int | None = None

    def expect(self, version: int) -> None:
        """Refuse to overwrite what someone else changed since the actor read it."""
        if self.expected_version is not None and self.expected_version != version:
            raise StaleVersion("it was changed since it was read")

    @property
    def act(self) -> Act:
        """The act that is passed to the domain."""
        return Act(by=self.actor, at=self.now, new_id=self.new_id, clockwork=self.clockwork)

    def work(self, action: str) -> AbstractContextManager[Work]:
        """A transaction for this actor; refuses a role without this action (403)."""
        return self.store.work(scope_of(self.actor, action), action, self.now)

    def reading(self, action: str) -> AbstractContextManager[Reading]:
        """A read-only transaction for this actor; refuses a role without this action (403)."""
        return self.store.reading(scope_of(self.actor, action), action, self.now)

    def read_stale(self, action: str, read: Callable[[Reading], T]) -> T:
        """What ``read`` finds, perhaps as it was some seconds ago; no decision rests on it.

        Refuses a role without this action (403).
        """
        return self.store.read_stale(scope_of(self.actor, action), action, self.now, read)
