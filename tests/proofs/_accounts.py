"""A second account of clocks: due dates counted day by day from the days that were said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.clocks.calendar import SEOUL
from tests.domain.counting import OPEN, last_day
from tests.factories import Town

DAY: Final = timedelta(days=1)
LAST_SECOND: Final = timedelta(hours=23, minutes=59, seconds=59)
# By the table of the design: routine, urgent, emergency.
WORKING: Final[dict[str, tuple[int, int, int]]] = {
    "survey": (5, 1, 1), "assessment": (10, 2, 2), "plan": (5, 2, 2), "decision": (5, 1, 1),
    "notify_plan": (5, 5, 5), "link": (3, 1, 1), "response": (3, 1, 0), "waitlist": (10, 2, 2),
    "start": (10, 2, 0), "disposition": (3, 1, 1),
}  # fmt: skip
HOURS: Final = {"response": 4, "start": 24}
MONTHS: Final = {"first_check": 3, "check": 6}
PRIORITIES: Final = ("routine", "urgent", "emergency")


@dataclass
class Account:
    """A clock as it was told: from when it counts, by which priority, and how it was met."""

    kind: str
    subject: UUID
    since: datetime
    priority: str
    on: date | None = None  # a day of its own
    met_on: date | None = None
    recorded_at: datetime | None = None
    over: bool = False

    def due_at(self) -> datetime:
        """The due date, counted day by day."""
        if self.on is not None:
            return end_of(self.on)
        if self.kind in MONTHS:
            return end_of(counted(self.since.date(), MONTHS[self.kind], "months"))
        if self.priority == "emergency" and self.kind in HOURS:
            return self.since + timedelta(hours=HOURS[self.kind])
        amount = WORKING[self.kind][PRIORITIES.index(self.priority)]
        return end_of(counted(self.since.date(), amount, "working_days"))

    def met_at(self) -> datetime | None:
        """When it counts as met: on its day, where that was recorded within five working days."""
        if self.recorded_at is None:
            return None
        today, on = self.recorded_at.date(), self.met_on or self.recorded_at.date()
        return self.recorded_at if on == today or worked(on, today) > 5 else end_of(on)


@cache
def worked(after: date, to: date) -> int:
    """How many days were worked after a day up to another."""
    return sum(OPEN[after + n * DAY] for n in range(1, (to - after).days + 1))


@cache
def counted(start: date, amount: int, unit: str) -> date:
    """The last day of a period, counted day by day once."""
    return last_day(start, amount, unit, frozenset())


def end_of(on: date) -> datetime:
    """The last second of a day."""
    return datetime(on.year, on.month, on.day, tzinfo=SEOUL) + LAST_SECOND


def since(on: date, at: datetime) -> datetime:
    """From when an act of a day counts that is recorded at an instant."""
    return at if on == at.date() else end_of(on)


@dataclass
class Telling:
    """One case, what is told of its clocks, and where the two differ."""

    rng: Random
    control: bool = False
    told: list[Account] = field(default_factory=list)
    acts: int = 0
    compared: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A moment between 2024 and 2033, in the working hours of some day."""
        begin = date(2024, 2, 1) + self.rng.randrange(3500) * DAY
        self.town = Town(f"{begin}T{self.rng.randrange(8, 18):02}:15")
        self.file: CaseFile = None  # type: ignore[assignment]

    # Telling

    @property
    def priority(self) -> str:
        """By what the clocks of the case are counted."""
        return "urgent" if self.file.case.urgent else "routine"

    def begins(self, kind: str, subject: Any, on: date | None = None, **more: Any) -> None:
        """A clock begins by an act of a day, today where none is named."""
        at = self.town.now
        counts = at if self.control else since(on or at.date(), at)
        priority = getattr(subject, "priority", self.priority)
        self.told.append(Account(kind, subject.id, counts, str(priority), **more))

    def ends(self, kind: str, subject: Any, on: date | None = None) -> None:
        """A clock is met by an act of a day."""
        for one in self.running(kind, subject):
            one.met_on, one.recorded_at, one.over = on, self.town.now, True

    def running(self, kind: str, subject: Any) -> list[Account]:
        """The clock of a kind on a subject, if one runs."""
        return [
            one for one in self.told
            if (one.kind, one.subject, one.over) == (kind, subject.id, False)
        ]  # fmt: skip

    def compare(self, what: str) -> None:
        """Every clock of the file with what was told of it, in the order in which they began."""
        self.acts += 1
        waiting = list(self.told)
        for clock in self.file.deadlines.values():
            mine = next(
                (
                    one
                    for one in waiting
                    if (one.kind, one.subject) == (clock.kind, clock.subject_id)
                ),
                None,
            )
            self.compared += 1
            if mine is None:
                self.faults.append(f"{what}: an untold {clock.kind}")
                continue
            waiting.remove(mine)
            if clock.due_at != mine.due_at():
                self.faults.append(f"{what}: {clock.kind} {clock.due_at} is not {mine.due_at()}")
            elif clock.met_at != mine.met_at():
                self.faults.append(f"{what}: {clock.kind} met {clock.met_at}, not {mine.met_at()}")
            elif clock.is_running == mine.over:
                self.faults.append(f"{what}: {clock.kind} runs or not")
        self.faults += [f"{what}: no {one.kind}" for one in waiting]

    # Days

    def wait(self) -> None:
        """Some days pass, or only an hour."""
        self.town.wait(
            days=self.rng.choice((0, 0, 1, 2, 4, 7, 12, 20)), hours=self.rng.choice((0, 1))
        )

    def day(self, earliest: date) -> date:
        """A day that can be entered, not before what it follows."""
        first = max(earliest, self.town.today - 30 * DAY)
        return first + self.rng.randrange((self.town.today - first).days + 1) * DAY
