"""Clocks of the city's programme, loaded, decided on and saved as one unit.

They stand in no case file: what happens to them is on nobody's timeline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from casework.domain.act import Act
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import ClockFacts, Event, EventMetadata


@dataclass(slots=True, kw_only=True)
class ProgrammeClocks:
    """Some clocks of the programme. ``added`` collects records that are only ever inserted."""

    deadlines: dict[UUID, Deadline] = field(default_factory=dict)
    added: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _touched: dict[UUID, Deadline] = field(default_factory=dict)

    @classmethod
    def of(cls, clocks: Iterable[Deadline]) -> ProgrammeClocks:
        """The unit of these clocks."""
        return cls(deadlines={clock.id: clock for clock in clocks})

    def recount(self, deadline: Deadline, act: Act) -> None:
        """Recalculate a changed clock."""
        act.clockwork.recount(deadline)
        self._touched[deadline.id] = deadline

    def end(self, deadline: Deadline, act: Act, *, met: bool) -> None:
        """Stop a clock: met now, or cancelled as it no longer matters."""
        act.clockwork.meet(deadline, None, act.at) if met else deadline.cancel(act.at)
        self._touched[deadline.id] = deadline

    def meta(self, subject: Deadline, act: Act) -> EventMetadata:
        """What an event says of when it happened, to which clock, and by whom."""
        return EventMetadata.of(act, subject.id)

    def record(self, event: Event) -> None:
        """Write down what happened, with every clock it touched as it now stands."""
        clocks = tuple(ClockFacts.of(clock) for clock in self._touched.values())
        self._touched.clear()
        self.events.append(replace(event, clocks=clocks))
