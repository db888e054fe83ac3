"""The steps that sweeps would have raised by now, so that the first real sweep finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from casework.domain.access.policy import SYSTEM_ROLE
from casework.domain.clocks.deadlines import BREACH, Deadline, Escalation, Step
from casework.domain.events import Event, EventMetadata
from casework.domain.supervision.events import EscalationRaised

Key = tuple[UUID, int, datetime]


def due_steps(deadline: Deadline, until: datetime) -> list[Step]:
    """The planned steps of a clock that a sweep at ``until`` finds due, raised before or not."""
    return [step for step in deadline.planned or () if step.at <= until]


class Ledger:
    """What was raised for the clocks of one case, as sweeps every few minutes write it."""

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id
        self._rows: dict[Key, Escalation] = {}
        self._caught_up: datetime | None = None

    def catch_up(self, deadlines: Iterable[Deadline], until: datetime) -> None:
        """Raise what is due by then, each step at its own instant, and note the breaches.

        A step that an act since the last time planned for an earlier instant is raised after it.
        """
        for deadline in deadlines:
            for step in due_steps(deadline, until) if deadline.planned else ():
                row = self._row(deadline, step)
                if row.raised_at is None:
                    row.raised_at = max(step.at, self._caught_up or step.at)
                if step.tier >= BREACH and deadline.breached_at is None:
                    deadline.breached_at = step.due_at
        self._caught_up = until

    def plan(self, deadlines: Iterable[Deadline]) -> None:
        """Write down every step that is still to come."""
        for deadline in deadlines:
            for step in deadline.planned or ():
                self._row(deadline, step)

    def acknowledge(self, deadline: Deadline, review_id: UUID) -> None:
        """A review of the clock answers every step that was raised for it."""
        for row in self._rows.values():
            raised = row.raised_at is not None and row.review_id is None
            if raised and row.deadline_id == deadline.id:
                row.review_id = review_id

    def rows(self) -> list[Escalation]:
        """Every step, raised or to come."""
        return list(self._rows.values())

    def events(self, deadlines: Mapping[UUID, Deadline]) -> list[Event]:
        """The event that a sweep writes for each step it raises, under the step's own id."""
        return [
            EscalationRaised(
                EventMetadata(
                    id=row.id,
                    subject_id=row.deadline_id,
                    resident_id=deadlines[row.deadline_id].resident_id,
                    case_id=deadlines[row.deadline_id].case_id,
                    at=row.raised_at,
                    by_id=None,
                    by_role=SYSTEM_ROLE,
                ),
                tier=row.tier,
                tell=tuple(row.tell),
            )
            for row in self._rows.values()
            if row.raised_at is not None
        ]

    def _row(self, deadline: Deadline, step: Step) -> Escalation:
        key = (deadline.id, step.tier, step.due_at)
        if key not in self._rows:
            self._rows[key] = Escalation(
                id=self._new_id(),
                deadline_id=deadline.id,
                tier=step.tier,
                due_at=step.due_at,
                at=step.at,
                tell=list(step.tell),
            )
        return self._rows[key]
