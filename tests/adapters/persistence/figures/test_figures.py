"""What counts is said once in SQL and once in the domain, and the two agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.engine.seoul import month_of_day, seoul_day
from casework.adapters.persistence.figures.figure_sources import source, state_of_referral
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.access.policy import EVERYTHING
from casework.domain.casefile.plan import PlannedService
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import BasisKind, ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul, midnight
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockKind, Priority
from casework.domain.figures.figures import OUTCOMES, Month, Period, outcome, state_on
from casework.domain.figures.questions import Question
from tests.api.acts import a_referral, a_supported_case
from tests.api.conftest import Api
from tests.conftest import Store, session_vault
from tests.proofs.predicate import BEGIN, CENTRE, DISTRICT, a_case, random_clocks

NOW = midnight(date(2026, 12, 31))
SECOND = timedelta(seconds=1)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    engine = open_engine(store.owner_url).execution_options(vault=session_vault())
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_sql_and_python_agree_on_how_a_clock_ended(connection: Connection) -> None:
    rng = Random(4)
    clocks = list(random_clocks(rng, a_case(connection), 1500))
    for clock in clocks:
        clock.excused = rng.random() < 0.2
        end = clock.met_at or clock.cancelled_at
        if end is not None and rng.random() < 0.3:  # just at the edge
            edge = clock.due_at + rng.choice((-1, 0, 1)) * SECOND
            clock.met_at, clock.cancelled_at = (edge, None) if clock.met_at else (None, edge)
    bulk.insert_all(connection, clocks)
    counted: dict[str, int] = {}
    for month in ("2026-02", "2026-03", "2026-05"):
        whole = Month.parse(month)
        period = Period(whole.first, whole.last)
        for figure in OUTCOMES:
            query = source(figure, Question(period=period), EVERYTHING, NOW)
            by_sql = {row.id for row in connection.execute(query)}
            by_hand = {
                clock.id
                for clock in clocks
                if not clock.is_of_programme  # it counts in no figure of care
                and outcome(clock) == figure
                and period.begins <= (clock.met_at or clock.cancelled_at or NOW) < period.ends
            }
            assert by_sql == by_hand, (month, figure)
            counted[figure] = counted.get(figure, 0) + len(by_sql)
    assert min(counted.values()) > 10, counted  # the question was not trivial


def test_a_day_in_seoul_is_the_same_day_in_sql(connection: Connection) -> None:
    rng = Random(6)
    clocks = list(random_clocks(rng, a_case(connection), 300))
    for clock in clocks:
        on = BEGIN.date() + timedelta(days=rng.randrange(3000))
        clock.started_at = midnight(on) + rng.choice((-1, 0, 1)) * timedelta(microseconds=1)
    bulk.insert_all(connection, clocks)
    day = seoul_day(t.deadline.c.started_at)
    rows = connection.execute(select(t.deadline.c.id, day, month_of_day(day)))
    by_sql = {id: (on, month) for id, on, month in rows}
    for clock in clocks:
        on = day_in_seoul(clock.started_at)
        assert by_sql[clock.id] == (on, str(Month.of(on))), clock.started_at


def test_sql_and_python_agree_on_what_lapsed(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    referral = a_referral(api)
    api.clock.set("2026-03-18T09:00")
    api.application.sweep(api.application.context())
    period = Period(date(2026, 3, 1), date(2026, 3, 31))
    with api.engine.connect() as connection:
        clock = from_row(
            Deadline,
            connection.execute(
                select(t.deadline).where(
                    t.deadline.c.subject_id == referral, t.deadline.c.kind == ClockKind.RESPONSE
                )
            ).one(),
        )
        expected = outcome(clock, lapsed=True)
        assert expected is not None
        found = source(expected, Question(period=period), EVERYTHING, NOW)
        assert clock.id in {row.id for row in connection.execute(found)}


def a_referral_of(rng: Random, service: PlannedService, offering: tuple[UUID, UUID]) -> Referral:
    """Any referral with dates in order, whatever became of it."""
    since = BEGIN + timedelta(minutes=rng.randrange(60 * 24 * 60))
    acts = [since]
    for _ in range(4):
        acts.append(acts[-1] + timedelta(minutes=rng.randrange(12 * 24 * 60)))
    reached = rng.randrange(5)
    status = rng.choice(list(ReferralStatus)) if reached else ReferralStatus.REQUESTED
    is_over = status not in ("requested", "waitlisted", "accepted", "in_progress", "on_hold")
    started_on: date | None = (acts[3] - timedelta(days=rng.randrange(3))).date()
    return Referral(
        id=new_id(), case_id=service.case_id, resident_id=service.resident_id,
        centre_code=CENTRE, district_code=DISTRICT, planned_service_id=service.id,
        service_code=service.service_code, field=service.field, offering_id=offering[0],
        provider_id=offering[1], status=ReferralStatus.CANCELLED if status == "draft" else status,
        priority=Priority.ROUTINE, basis_kind=BasisKind.ARTICLE_14_2,
        created_at=since, created_by=None, requested_at=since,
        answered_at=acts[1] if reached > 0 else None,
        accepted_at=acts[2] if reached > 1 else None,
        started_on=started_on if reached > 2 else None,
        ended_at=acts[4] if is_over else None,
        ended_on=acts[4].date() - timedelta(days=1) if is_over and rng.random() < 0.5 else None,
    )  # fmt: skip


def test_sql_and_python_agree_on_where_a_referral_stood(api: Api) -> None:
    rng = Random(5)
    supported = a_supported_case(api)
    offering = api.offerings["alpha", "CARE-MEALS"]
    with api.engine.connect() as connection:
        service: PlannedService = from_row(
            PlannedService,
            connection.execute(
                select(t.planned_service).where(t.planned_service.c.id == supported.service)
            ).one(),
            vault_of(connection),
        )
        made = [
            a_referral_of(rng, service, (offering.id, offering.provider_id)) for _ in range(300)
        ]
        made = [one for one in made if not one.is_open]  # of those there is one a service
        bulk.insert_all(connection, made)
        now: datetime = midnight(date(2026, 3, 20))
        seen = set()
        for until in (date(2026, 1, 20), date(2026, 2, 10), date(2026, 3, 19), date(2026, 3, 20)):
            period = Period(date(2026, 1, 1), until)
            state = state_of_referral(period, now)
            rows = connection.execute(select(t.referral.c.id, state.label("state")))
            by_sql = {row.id: row.state for row in rows}
            for one in made:
                assert by_sql[one.id] == state_on(one, until, now.date()), (one, until)
                seen.add(by_sql[one.id])
        connection.rollback()
    assert len(seen) > 8
