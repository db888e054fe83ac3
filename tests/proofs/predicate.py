"""One predicate: what SQL calls overdue is what Python calls overdue, on random clocks.

    python3 dev.py proof predicate --clocks 100000 --store sqlite --seed 1

Clocks of every kind and priority, of care and of the city's programme mixed, some paused, resumed,
met or cancelled, are stored, some thousand
at a time, and judged by both at random moments and at those at which the answer changes, to the
microsecond. What is stored as due is compared with the domain's own recount and with a count of
another kind, which goes day by day. As a control a predicate that forgets pauses is judged
too, and must be caught. Exits 1 where they differ, or where the control was not caught.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, delete, select

from casework.adapters.calendar import korean_calendar
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_RUNNING, is_overdue
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.rows.mapper import from_row
from casework.bootstrap import open_vault
from casework.domain.casefile.case import Case, CaseStatus, Channel
from casework.domain.clocks.calendar import SEOUL, Pause, Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork, Deadline
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import (
    CARE_KINDS,
    CITY_AREA,
    FIXED_DAY_KINDS,
    ClockKind,
    ClockSubject,
    Priority,
)
from casework.domain.directory.directory import Centre, District
from casework.domain.residents.resident import Resident, Sex
from casework.settings import Settings
from tests.proofs._invariants import counted_by_hand
from tests.proofs._world import STORES, database

AT_A_TIME = 5000
BEGIN = datetime(2026, 1, 1, tzinfo=SEOUL)
MICROSECOND = timedelta(microseconds=1)
CENTRE, DISTRICT = "2635051000", "26350"
Predicate = Callable[[datetime], Any]


@dataclass
class Agreement:
    """How many comparisons were made, and where the two differed."""

    clocks: int = 0
    paused: int = 0
    of_programme: int = 0
    moments: int = 0
    telling: int = 0
    differing: int = 0
    miscounted: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether they agreed, and the question was not trivial."""
        return self.telling > self.moments / 2 and not (self.differing or self.miscounted)


def random_clocks(rng: Random, about: ClockSubject, number: int) -> Iterator[Deadline]:
    """Clocks of every kind and priority: some paused, resumed, extended, met or cancelled.

    Those of the programme are of a district or of the city, and are never paused.
    """
    clockwork = Clockwork(SHIPPED, korean_calendar())
    for _ in range(number):
        kind = rng.choice(
            [one for one in ClockKind if one not in (ClockKind.PROGRESS, ClockKind.DISCHARGE)]
        )
        of_care = kind in CARE_KINDS
        started_at = BEGIN + timedelta(minutes=rng.randrange(120 * 24 * 60))
        clock = clockwork.begin(
            kind,
            id=new_id(),
            subject_id=new_id(),
            about=_of_care(rng, about) if of_care else _of_programme(rng),
            started_at=started_at,
            target=random_day(rng, started_at) if kind in FIXED_DAY_KINDS else None,
        )
        assert clock is not None
        for _ in range(rng.choice((0, 0, 1, 2)) if of_care else 0):
            clock.pauses = (*clock.pauses, random_pause(rng, clock.started_at))
        clockwork.recount(clock)
        end = clock.due_at + timedelta(minutes=rng.randrange(-9000, 9000))
        match rng.randrange(6):
            case 0:
                clock.met_at = end
            case 1:
                clock.cancelled_at = end
        yield clock


def _of_care(rng: Random, about: ClockSubject) -> ClockSubject:
    return ClockSubject(
        case_id=about.case_id, resident_id=about.resident_id, centre_code=CENTRE,
        district_code=DISTRICT, worker_id=None, priority=rng.choice(list(Priority)),
    )  # fmt: skip


def _of_programme(rng: Random) -> ClockSubject:
    return ClockSubject.of_programme(area=rng.choice((CITY_AREA, DISTRICT)), body_id=new_id())


def random_day(rng: Random, since: datetime) -> Target:
    """A day that somebody named, up to two months ahead."""
    day = day_in_seoul(since) + timedelta(days=rng.randrange(60))
    return Target(day.toordinal(), Unit.ON_DATE)


def random_pause(rng: Random, since: datetime) -> Pause:
    began_at = since + timedelta(minutes=rng.randrange(20 * 24 * 60))
    until = day_in_seoul(began_at) + timedelta(days=rng.randrange(30))
    resumed_at = began_at + timedelta(hours=rng.randrange(200)) if rng.random() < 0.5 else None
    return Pause(began_at, until, "hospitalised", resumed_at)


def a_case(connection: Connection) -> ClockSubject:
    """Someone for the clocks to be about."""
    resident = Resident(
        id=new_id(), name="가상주민", birth_date=date(1940, 1, 1), sex=Sex.OTHER,
        centre_code=CENTRE, district_code=DISTRICT, registered_at=BEGIN, registered_by=None,
    )  # fmt: skip
    case = Case(
        id=new_id(), resident_id=resident.id, centre_code=CENTRE, district_code=DISTRICT,
        status=CaseStatus.APPLIED, channel=Channel.SELF, applied_on=date(2026, 1, 1),
        opened_at=BEGIN, opened_by=None, worker_id=None,
    )  # fmt: skip
    district = District(code=DISTRICT, name_ko="해운대구", name_en="Haeundae-gu")
    centre = Centre(code=CENTRE, district_code=DISTRICT, name="우1동", lat=35.18, lon=129.16)
    bulk.insert_all(connection, [district, centre, resident, case])
    return ClockSubject(
        case_id=case.id, resident_id=resident.id, centre_code=CENTRE, district_code=DISTRICT,
        worker_id=None,
    )  # fmt: skip


def moments(rng: Random, clocks: list[Deadline]) -> list[datetime]:
    """Any moments, and those at which the answer changes for some clock, to the microsecond."""
    found = [BEGIN + timedelta(minutes=rng.randrange(200 * 24 * 60)) for _ in range(10)]
    for clock in rng.sample(clocks, 10):
        found += [clock.due_at - MICROSECOND, clock.due_at, clock.due_at + MICROSECOND]
    for clock in rng.sample([one for one in clocks if one.paused_until], 10):
        assert clock.paused_until is not None
        found += [clock.paused_until - MICROSECOND, clock.paused_until]
    return found


def judge(
    connection: Connection, rng: Random, about: ClockSubject, number: int, found: Agreement,
    predicate: Predicate = is_overdue,
) -> None:  # fmt: skip
    """Store that many clocks; compare SQL with Python, and stored due dates with counted ones."""
    clocks = list(random_clocks(rng, about, number))
    connection.execute(delete(t.deadline))
    bulk.insert_all(connection, clocks)
    stored: list[Deadline] = [
        from_row(Deadline, row) for row in connection.execute(select(t.deadline))
    ]
    found.clocks += len(stored)
    found.of_programme += sum(clock.is_of_programme for clock in stored)
    found.paused += sum(clock.paused_until is not None for clock in stored)
    clockwork = Clockwork(SHIPPED, korean_calendar())
    for clock in stored:
        counts = (clockwork.count(clock), counted_by_hand(clock))
        found.miscounted += counts != (clock.due_at, clock.due_at)
    for now in moments(rng, clocks):
        by_sql: set[UUID] = set(connection.scalars(select(t.deadline.c.id).where(predicate(now))))
        by_python = {clock.id for clock in clocks if clock.is_overdue(now)}
        as_stored = {clock.id for clock in stored if clock.is_overdue(now)}
        found.moments += 1
        found.telling += 0 < len(by_sql) < number
        found.differing += len((by_sql ^ by_python) | (by_sql ^ as_stored))


def forgets_pauses(now: datetime) -> Any:
    """The control: a predicate that ignores pauses."""
    return and_(IS_RUNNING, t.deadline.c.due_at < now)


def prove(url: str, clocks: int, seed: int) -> dict[str, Any]:
    """All clocks on a migrated database, and the control."""
    began, rng, found, caught = time.monotonic(), Random(seed), Agreement(), Agreement()
    engine = open_engine(url, statement_timeout_ms=120_000).execution_options(
        vault=open_vault(Settings())
    )
    with engine.connect() as connection:
        about = a_case(connection)
        while found.clocks < clocks:
            judge(connection, rng, about, min(AT_A_TIME, clocks - found.clocks), found)
            print(f"{found.clocks} clocks", end="\r", file=sys.stderr)
        judge(connection, rng, about, min(AT_A_TIME, clocks), caught, forgets_pauses)
    engine.dispose()
    return {
        "seed": seed, **vars(found), "clean": found.is_clean,
        "bound": 3 / found.clocks, "control_differing": caught.differing,
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def main() -> int:
    """Run the proof and print what it found."""
    parser = argparse.ArgumentParser(
        prog="proof predicate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--clocks", type=int, default=100_000)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with database(options.store) as url:
        result = {"proof": "predicate", "store": options.store}
        result |= prove(url, options.clocks, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if result["clean"] and result["control_differing"] else 1


if __name__ == "__main__":
    sys.exit(main())
