"""Overdue is one predicate: what SQL finds is what the domain says, clock by clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from casework.adapters.calendar import korean_calendar
from casework.adapters.persistence import bulk
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine import open_engine
from casework.adapters.persistence.ids import new_id
from casework.adapters.persistence.mapper import from_row
from casework.adapters.persistence.worklists import is_overdue
from casework.domain.calendar import SEOUL, Pause, day_in_seoul
from casework.domain.cases import Case
from casework.domain.deadlines import Clockwork, Deadline
from casework.domain.directory import Centre, District
from casework.domain.residents import Resident
from casework.domain.standards import SHIPPED, About, Kind, Priority
from tests.conftest import Store

CLOCKS = 3000
BEGIN = datetime(2026, 1, 1, tzinfo=SEOUL)
MICROSECOND = timedelta(microseconds=1)
CENTRE, DISTRICT = "2635051000", "26350"


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    engine = open_engine(store.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def random_clocks(rng: Random, about: About, number: int) -> Iterator[Deadline]:
    """Clocks of every kind and priority: some paused, resumed, extended, met or cancelled."""
    clockwork = Clockwork(SHIPPED, korean_calendar())
    for _ in range(number):
        clock = clockwork.begin(
            rng.choice([kind for kind in Kind if kind not in (Kind.PROGRESS, Kind.DISCHARGE)]),
            id=new_id(),
            subject_id=new_id(),
            about=About(
                case_id=about.case_id, resident_id=about.resident_id, centre_code=CENTRE,
                district_code=DISTRICT, worker_id=None, priority=rng.choice(list(Priority)),
            ),
            started_at=BEGIN + timedelta(minutes=rng.randrange(120 * 24 * 60)),
        )  # fmt: skip
        assert clock is not None
        for _ in range(rng.choice((0, 0, 1, 2))):
            clock.pauses = (*clock.pauses, random_pause(rng, clock.started_at))
        clockwork.recount(clock)
        end = clock.due_at + timedelta(minutes=rng.randrange(-9000, 9000))
        match rng.randrange(6):
            case 0:
                clock.met_at = end
            case 1:
                clock.cancelled_at = end
        yield clock


def random_pause(rng: Random, since: datetime) -> Pause:
    began_at = since + timedelta(minutes=rng.randrange(20 * 24 * 60))
    until = day_in_seoul(began_at) + timedelta(days=rng.randrange(30))
    resumed_at = began_at + timedelta(hours=rng.randrange(200)) if rng.random() < 0.5 else None
    return Pause(began_at, until, "hospitalised", resumed_at)


def a_case(connection: Connection) -> About:
    """Someone for the clocks to be about."""
    resident = Resident(
        id=new_id(), name="가상주민", birth_date=date(1940, 1, 1), sex="other",
        centre_code=CENTRE, district_code=DISTRICT, registered_at=BEGIN, registered_by=None,
    )  # fmt: skip
    case = Case(
        id=new_id(), resident_id=resident.id, centre_code=CENTRE, district_code=DISTRICT,
        status="applied", channel="self", applied_on=date(2026, 1, 1), opened_at=BEGIN,
        opened_by=None, worker_id=None,
    )  # fmt: skip
    district = District(code=DISTRICT, name_ko="해운대구", name_en="Haeundae-gu")
    centre = Centre(code=CENTRE, district_code=DISTRICT, name="우1동", lat=35.18, lon=129.16)
    bulk.insert_all(connection, [district, centre, resident, case])
    return About(
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


def test_sql_and_python_agree_on_random_clocks_with_pauses(connection: Connection) -> None:
    rng = Random(1)
    clocks = list(random_clocks(rng, a_case(connection), CLOCKS))
    bulk.insert_all(connection, clocks)
    stored: list[Deadline] = [
        from_row(Deadline, row) for row in connection.execute(select(t.deadline))
    ]
    both = 0
    for now in moments(rng, clocks):
        by_sql: set[UUID] = set(connection.scalars(select(t.deadline.c.id).where(is_overdue(now))))
        assert by_sql == {clock.id for clock in clocks if clock.is_overdue(now)}, now
        assert by_sql == {clock.id for clock in stored if clock.is_overdue(now)}, now
        both += 0 < len(by_sql) < CLOCKS
    assert both > 30  # the question was not trivial


def test_the_partial_indexes_serve_the_predicate(connection: Connection) -> None:
    """A worker's page must not read the clocks that ended long ago, on either store."""
    about = a_case(connection)
    clocks = list(random_clocks(Random(3), about, 600))
    for clock in clocks:
        clock.worker_id = new_id()
    bulk.insert_all(connection, clocks)
    connection.exec_driver_sql("ANALYZE")
    page = (
        select(t.deadline.c.id)
        .where(t.deadline.c.worker_id == clocks[0].worker_id, is_overdue(BEGIN))
        .order_by(t.deadline.c.due_at, t.deadline.c.id)
        .limit(50)
    )
    explain = ("EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN ") + str(
        page.compile(connection.engine, compile_kwargs={"literal_binds": True})
    )
    plan = "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain))
    assert "ix_deadline_worker_due" in plan
