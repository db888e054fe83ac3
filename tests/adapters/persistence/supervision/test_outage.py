"""The sweep is down for three days, or the clock goes backwards, with injected time.

Nothing is missed and nothing happens twice. `python3 dev.py proof model` does so at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.access.policy import SYSTEM
from casework.domain.clocks.schedule import slot_of
from casework.workflows.supervision.overdue import SweepResult
from tests.api.acts import a_referral, a_supported_case, moved
from tests.api.conftest import PROVIDER, Api, seoul
from tests.conftest import Store
from tests.proofs._invariants import broken, left_by_sweep, read
from tests.proofs._world import begin_again, small_world

TICK = timedelta(minutes=5)
# The last tick before the outage and the first one after it. The requests of 2 March lapse on the
# 17th, the hold ends with the 15th, and tiers of several clocks fall due between.
BEFORE, AFTER = "2026-03-14T18:00", "2026-03-17T18:00"


@pytest.fixture
def world(store: Store) -> Iterator[Api]:
    with small_world(store.url) as world:
        yield world


def sweep(world: Api, at: datetime, *, slot: bool = True) -> SweepResult | None:
    """A tick of the scheduler at an instant, which names its slot."""
    world.clock.now = at
    named = slot_of(at, 5) if slot else None
    return world.application.sweep(world.application.context(SYSTEM), slot=named)


def busy_weeks(world: Api) -> list[UUID]:
    """Requests of two days: unanswered, accepted, and held; returned in that order."""
    begin_again(world, "2026-03-02T10:00")
    cases = [a_supported_case(world) for _ in range(4)]
    silent, accepted, held = (a_referral(world, case) for case in cases[:3])
    for referral in (accepted, held):
        moved(world, referral, "accept", PROVIDER)
    until = seoul("2026-03-15T00:00").date()
    moved(world, held, "hold", PROVIDER, reason="away", until=until)
    world.clock.set("2026-03-10T15:00")
    late = a_referral(world, cases[3], priority="urgent")
    return [silent, accepted, held, late]


def ledger(world: Api) -> Counter[tuple[Any, ...]]:
    """Every step that was raised or passed over, by what its clock is about."""
    step, clock = t.escalation, t.deadline
    query = (
        select(clock.c.kind, clock.c.service_code, step.c.due_at, step.c.tier)
        .join(clock, clock.c.id == step.c.deadline_id)
        .where(step.c.raised_at.is_not(None), clock.c.kind != "disposition")
    )
    with world.engine.connect() as connection:
        return Counter(tuple(row) for row in connection.execute(query))


def told(world: Api) -> Counter[tuple[Any, ...]]:
    """The notices, by clock and tier."""
    query = select(t.event.c.subject_id, t.event.c.data).where(t.event.c.name == "EscalationRaised")
    with world.engine.connect() as connection:
        return Counter((clock, data["tier"]) for clock, data in connection.execute(query))


def statuses(world: Api, referrals: list[UUID]) -> list[str]:
    """The states of the requests."""
    with world.engine.connect() as connection:
        rows = connection.execute(select(t.referral.c.id, t.referral.c.status)).all()
    return [dict(tuple(row) for row in rows)[id] for id in referrals]


def assert_whole(world: Api) -> None:
    """Every invariant holds, nothing due is left, and no notice was sent twice."""
    state = read(world.engine)
    assert broken(state, world.application.clockwork()) == []
    assert left_by_sweep(state, world.clock.now) == []
    assert set(told(world).values()) == {1}


def test_three_days_without_a_sweep_miss_nothing_and_double_nothing(world: Api) -> None:
    referrals = busy_weeks(world)
    at = seoul(BEFORE)
    while at <= seoul(AFTER):  # an application whose sweep ran every hour without an outage
        sweep(world, at)
        at += timedelta(hours=1)
    assert_whole(world)
    steady, stand = ledger(world), statuses(world, referrals)

    referrals = busy_weeks(world)
    sweep(world, seoul(BEFORE))
    before = ledger(world)
    result = sweep(world, seoul(AFTER))
    assert result is not None
    assert result.found == result.changed > 0
    assert result.failed == 0
    assert statuses(world, referrals) == stand
    assert set(stand) >= {"lapsed", "accepted"}
    assert ledger(world) == steady, "it raised or passed over exactly what the other did"
    assert sum(steady.values()) - sum(before.values()) >= 3
    assert_whole(world)
    again = sweep(world, seoul(AFTER) + TICK)
    assert again is not None
    assert (again.found, again.changed, again.failed) == (0, 0, 0)


@pytest.mark.parametrize("back", [timedelta(minutes=1), timedelta(hours=2), timedelta(days=3)])
def test_a_clock_that_goes_backwards_repeats_nothing_and_forgets_nothing(
    world: Api, back: timedelta
) -> None:
    referrals = busy_weeks(world)
    first = sweep(world, seoul(AFTER))
    assert first is not None
    assert first.changed > 0
    before, notices = ledger(world), told(world)
    for n in range(3):  # the machine's clock was wrong, and was set back
        result = sweep(world, seoul(AFTER) - back + n * TICK)
        assert result is None or (result.found, result.changed, result.failed) == (0, 0, 0)
    assert (ledger(world), told(world)) == (before, notices)

    world.clock.now = seoul(AFTER) - back
    moved(world, referrals[1], "start", PROVIDER)
    late = a_referral(world, a_supported_case(world), priority="emergency")
    at = seoul(AFTER)
    again = sweep(world, at)  # a slot that was swept before
    assert again is None or again.found == 0
    result = sweep(world, at + timedelta(hours=12))
    assert result is not None
    assert result.failed == 0
    assert notices.items() <= told(world).items()
    assert statuses(world, [referrals[1], late]) == ["in_progress", "requested"]
    assert_whole(world)
