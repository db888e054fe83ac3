"""The clocks of the model: from when each counts, its pauses, and the date that follows from them.

Nothing of this is read from the database: it is what was said when the clock began, and what was
put right since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from casework.domain.clocks.calendar import Target, Unit, day_in_seoul, end_of, midnight
from tests.proofs._accounts import HOURS, MONTHS, PRIORITIES, WORKING
from tests.proofs._invariants import due_by_hand

DAY: Final = timedelta(days=1)
SIGNAL_HOURS: Final = 4  # of an urgent case; else one working day
PAUSED_WITH_CASE: Final = {"survey", "assessment", "plan", "link", "response", "waitlist", "start"}


@dataclass
class ModelPause:
    """A stretch that does not count, and whether the case rested or the referral alone."""

    began_at: datetime
    ends_at: datetime
    of_case: bool


@dataclass
class ModelClock:
    """From when it counts; ``by`` names the act whose day that is, and ``on`` a day of its own."""

    kind: str
    since: datetime
    by: str = ""
    on: date | None = None
    pauses: list[ModelPause] = field(default_factory=list)

    def due_at(self, priority: str) -> datetime:
        """When it is due."""
        edges = tuple((one.began_at, one.ends_at) for one in self.pauses)
        return due_by_hand(self.kind, self.since, self._target(priority), edges)

    def _target(self, priority: str) -> Target:
        if self.on is not None:
            return Target(self.on.toordinal(), Unit.ON_DATE)
        if self.kind in MONTHS:
            return Target(MONTHS[self.kind], Unit.MONTHS)
        if self.kind == "signal":
            routine = priority == "routine"
            return Target(1, Unit.WORKING_DAYS) if routine else Target(SIGNAL_HOURS, Unit.HOURS)
        if priority == "emergency" and self.kind in HOURS:
            return Target(HOURS[self.kind], Unit.HOURS)
        return Target(WORKING[self.kind][PRIORITIES.index(priority)], Unit.WORKING_DAYS)

    def pause(self, at: datetime, until: date, *, of_case: bool) -> None:
        """It rests up to and including a day."""
        self.pauses.append(ModelPause(at, midnight(until + DAY), of_case))

    def resume(self, at: datetime, *, of_case: bool) -> None:
        """What was to rest longer goes on."""
        for one in self.pauses:
            if one.of_case == of_case and at < one.ends_at:
                one.ends_at = at


def counts_from(on: date, recorded_at: datetime) -> datetime:
    """From when an act counts that was of a day and was recorded at an instant."""
    return recorded_at if on == day_in_seoul(recorded_at) else end_of(on)


def resume_all(clocks: Iterable[ModelClock], at: datetime, *, of_case: bool) -> None:
    """Several go on."""
    for clock in clocks:
        clock.resume(at, of_case=of_case)
