"""The ports of the sweep, the worklists and the jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from casework.domain.clocks.standards import CareField, ClockKind, Part
from casework.workflows.ports.paging import Page, Paging, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """The state of a job. Dry runs count only while they run.

    ``last_tick`` is a scheduler's last completed run, ``last_success`` anyone's.
    """

    last_run: Row | None
    last_success: Row | None
    last_tick: Row | None
    in_flight: Sequence[Row]


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """What a sweep would do: clocks with a step due, referrals to lapse, holds to resume."""

    steps: int
    lapses: int
    resumptions: int

    @property
    def moves(self) -> int:
        """The number of state changes, which go through the aggregate."""
        return self.lapses + self.resumptions

    @property
    def total(self) -> int:
        """The sum of all three."""
        return self.steps + self.moves


@dataclass(frozen=True, slots=True)
class RaisedCounts:
    """What one batch of a sweep did: steps it claimed, clocks whose step it raised.

    ``seconds`` is how long its transaction lasted.
    """

    steps: int
    clocks: int
    seconds: float = 0.0


class SweepStore(Protocol):
    """What the overdue sweep asks of the database."""

    def begin_run(
        self,
        job: str,
        as_of: datetime,
        now: datetime,
        *,
        dry_run: bool,
        slot: datetime | None,
        started_by: UUID | None,
    ) -> UUID | None:
        """A run record, or None where this slot was taken by another scheduler.

        After the clock was set back, a slot is due again that was taken before: also twice, where
        two schedulers come one after the other, which changes nothing more.
        """
        ...

    def end_run(self, run_id: UUID, now: datetime, counts: dict[str, int]) -> None:
        """Record how a run ended."""
        ...

    def fail_run(self, run_id: UUID, error: str) -> None:
        """Record why a run failed."""
        ...

    def count(self, as_of: datetime) -> SweepCounts:
        """What is due at that instant and not yet raised."""
        ...

    def raise_due(self, run_id: UUID, as_of: datetime, limit: int) -> RaisedCounts:
        """Raise the highest due step of about ``limit`` clocks, in one transaction."""
        ...

    def to_lapse(self, as_of: datetime) -> list[UUID]:
        """Referrals that nobody answered in time, longest waiting first."""
        ...

    def to_resume(self, as_of: datetime) -> list[UUID]:
        """Referrals whose hold has run out."""
        ...

    def cases_to_resume(self, as_of: datetime) -> list[UUID]:
        """Cases whose hold has run out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBacklog:
    """The running clocks of one kind: all of them, and the overdue ones by their tier.

    The tier is the highest that was raised, 0 where none was yet.
    """

    kind: ClockKind
    running: int
    overdue: Mapping[int, int]
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCounts:
    """The running clocks of every kind, as they were counted at an instant."""

    counted_at: datetime
    clocks: Sequence[ClockBacklog]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and since when the first of them does; None where none does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LastSweep:
    """The last sweep that ended and was not dry: how long it took, in seconds, and what it did."""

    seconds: float
    found: int
    changed: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in a whole installation, for its operator: numbers and instants, of nobody.

    ``messages`` are due since, ``notices`` wait to be addressed, ``endpoints`` rest after they
    failed. ``sealed_at`` is when the last entry of the audit was sealed, ``figures`` are the
    changes that figures did not count yet, of which none tells since when.
    """

    sweep: LastSweep | None
    notices: Waiting
    messages: Waiting
    dead_messages: int
    resting_endpoints: int
    unsealed: Waiting
    sealed_at: datetime | None
    imports: Waiting
    figures: Waiting


@dataclass(frozen=True, slots=True)
class Space:
    """The disk of a place: what is free, and all of it, in bytes."""

    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is told to whoever watches; None of it is what could not be read.

    ``clocks`` may be some minutes old, and is None until they were counted. ``exported_at`` is when
    heads of the audit were exported last, ``space`` is by the place's name.
    """

    backlog: Backlog | None
    clocks: ClockCounts | None
    exported_at: datetime | None
    space: Mapping[str, Space]


# What is in a worklist: clocks, and visits that somebody promised to make again.
WorkKind = ClockKind | Literal["come_back"]
# Whether something is about a resident's care, or about the city's programme.
Concern = Literal["care", "programme"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """Worklist filters: ``due`` is ``overdue``, ``today``, ``week`` (from today) or ``all``."""

    due: str = "all"
    kind: WorkKind | None = None
    field: CareField | None = None
    subject: Concern | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueFilter:
    """Filters of the overdue list; None does not filter."""

    centre: str | None = None
    worker: UUID | None = None
    kind: WorkKind | None = None
    field: CareField | None = None
    provider: UUID | None = None
    held_by: Part | None = None
    tier: int | None = None
    answered: bool | None = None
    since: datetime | None = None
    subject: Concern | None = None


class Worklists(Protocol):
    """Clocks within scope, as lists."""

    def mine(self, filters: WorklistFilter, paging: Paging) -> Page:
        """What the actor has to do, most pressing first."""
        ...

    def overdue(self, filters: OverdueFilter, paging: Paging) -> Page:
        """Every overdue clock, longest overdue first."""
        ...

    def overdue_by(self, key: str, subject: Concern | None = None) -> list[Row]:
        """How many overdue clocks have the same key, label, due date, district and excuse."""
        ...

    def cases_without_worker(self) -> int:
        """Open cases that nobody carries."""
        ...

    def falling_due(self, until: datetime) -> list[Row]:
        """How many clocks of care fall due by an instant, for each worker."""
        ...


class Jobs(Protocol):
    """Background jobs and their runs."""

    def get(self, name: str) -> JobView:
        """A job as it stands."""
        ...

    def runs(self, job: str, paging: Paging) -> Page:
        """Runs of a job, newest first."""
        ...

    def run(self, id: UUID) -> Row | None:
        """One run, if there is one."""
        ...
