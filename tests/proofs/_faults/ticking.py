"""The scheduler: killed in the middle of a sweep, and two of it beside each other."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final

from sqlalchemy import Select, func, select, text, update

from casework.adapters.persistence import tables as t
from casework.bootstrap import utc_now
from tests.api.conftest import Api
from tests.proofs._faults.load import OPENS, Load
from tests.proofs._faults.site import SMALL_SWEEPS, Process, Site, site
from tests.proofs._faults.trial import Outcome, Plan, conclude, defect, strike_under_load

CLAIMS_FIRST: Final = "claims-and-tells-later"
CHUNK, AT_MOST_S, EVERY_S = 12, 240.0, 5.0


def kill_scheduler(plan: Plan) -> Outcome:
    """`casework scheduler` is killed in the middle of a sweep, and started again."""
    with site("postgresql", plan.server) as place:
        load, rng = Load(place, place.serve().address, (OPENS,)), Random(plan.seed)
        own = {SMALL_SWEEPS: "1"} | defect(plan, CLAIMS_FIRST)
        scheduler, made_due = place.run("scheduler", settings=own), 0

        def strike() -> float:
            nonlocal made_due
            made_due += _let_fall_due(place.world)
            if scheduler.has_ended:
                scheduler.start()
            _kill_in_a_sweep(place.world, scheduler, rng)
            return time.monotonic()

        scheduler.kill()  # it begins when there is something to raise
        scheduler.prepare()
        outcome = strike_under_load(load, plan, strike, end=partial(_sweep, place))
        _judge(place.world, outcome, made_due)
        return outcome


def two_schedulers(plan: Plan) -> Outcome:
    """Two `casework scheduler` with all their jobs beside each other, while steps fall due."""
    with site("postgresql", plan.server) as place:
        served = place.serve()
        load, outcome = Load(place, served.address, thinks_s=0.3), Outcome()
        if plan.is_control:
            _run_slots_twice(place.world)
        with load.going_on():
            began, made_due = time.monotonic(), _let_fall_due(place.world)
            every_minute = {"CASEWORK_SWEEP_MINUTES": "1"}
            pair = [place.run("scheduler", settings=every_minute) for _ in range(2)]
            for _ in range(steps(plan.minutes)):
                time.sleep(EVERY_S)
                made_due += fall_due(place.world, CHUNK)
                plan.advance()
            outcome.struck_s, outcome.strikes = time.monotonic() - began, 1
        outcome.amiss += ["a scheduler came to its end" for one in pair if one.has_ended]
        for one in pair:
            one.end()
        _sweep(place)
        conclude(outcome, load)
        _judge(place.world, outcome, made_due)
        _judge_slots(place.world, outcome)
        return outcome


def steps(minutes: float) -> int:
    """How often something falls due in so many minutes."""
    return max(1, round(60 * minutes / EVERY_S))


def _run_slots_twice(world: Api) -> None:
    """The defect: nothing keeps two from running one slot."""
    with world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE job_run DROP CONSTRAINT uq_job_run_job_slot"))


def _judge_slots(world: Api, outcome: Outcome) -> None:
    slot = t.job_run.c.slot
    query = select(slot, func.count()).where(slot.is_not(None)).group_by(slot)
    with world.engine.connect() as connection:
        runs = connection.execute(query).all()
    twice = [f"the slot {slot} was run {count} times" for slot, count in runs if count > 1]
    outcome.figures |= {"slots": len(runs), "slots_twice": len(twice)}
    outcome.amiss += twice if runs else ["no slot was run"]


def fall_due(world: Api, count: int) -> int:
    """Let the next step of so many running clocks fall due now; how many there were.

    It waits for a sweep that has some of them in hand.
    """
    step, clock = t.escalation, t.deadline
    first = (
        select(step.c.deadline_id, func.min(step.c.at).label("at"))
        .join(clock, clock.c.id == step.c.deadline_id)
        .where(step.c.raised_at.is_(None), clock.c.met_at.is_(None))
        .where(clock.c.cancelled_at.is_(None)).group_by(step.c.deadline_id)
        .having(func.min(step.c.at) > utc_now() + timedelta(minutes=1))
        .order_by(step.c.deadline_id.desc()).limit(count).subquery()
    )  # fmt: skip
    with world.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            for limit in ("lock_timeout", "statement_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {limit} = '{round(AT_MOST_S)}s'")
        moved = connection.execute(
            update(step)
            .where(step.c.deadline_id == first.c.deadline_id, step.c.at == first.c.at)
            .where(step.c.raised_at.is_(None))
            .values(at=utc_now() - timedelta(seconds=1))
        )
        return moved.rowcount


def _let_fall_due(world: Api) -> int:
    """Wait for clocks of the clients, and let steps of them fall due."""
    until, found = time.monotonic() + AT_MOST_S, 0
    while found < CHUNK and time.monotonic() < until:
        found += fall_due(world, CHUNK - found)
        time.sleep(0.02)
    return found


def number_due(world: Api) -> int:
    """How many steps of running clocks are due and not raised."""
    step, clock = t.escalation, t.deadline
    query = (
        select(func.count()).select_from(step).join(clock, clock.c.id == step.c.deadline_id)
        .where(step.c.raised_at.is_(None), step.c.at <= utc_now(), clock.c.met_at.is_(None))
        .where(clock.c.cancelled_at.is_(None))
    )  # fmt: skip
    with world.engine.connect() as connection:
        return connection.scalar(query) or 0


def _kill_in_a_sweep(world: Api, scheduler: Process, rng: Random) -> None:
    """Kill it once it has raised some of what is due."""
    before, until = number_due(world), time.monotonic() + AT_MOST_S
    left = before - rng.randint(1, max(1, before - 2))
    while number_due(world) > left and time.monotonic() < until:
        assert not scheduler.has_ended, "the scheduler came to its end"
        time.sleep(0.002)
    scheduler.kill()


def _sweep(place: Site) -> None:
    """One sweep as an operator starts it."""
    assert place.run("sweep", "overdue").wait() == 0


def _judge(world: Api, outcome: Outcome, made_due: int) -> None:
    """Whatever fell due was raised, and told once."""
    (count, amiss), left = raised(world), number_due(world)
    outcome.figures |= {"made_due": made_due, "raised": count, "left": left}
    outcome.amiss += amiss + ([f"{left} steps are due and not raised"] if left else [])
    if count < made_due / 2:  # some clocks were met before a sweep came to them
        outcome.amiss.append(f"only {count} of {made_due} steps were raised")


def raised(world: Api) -> tuple[int, list[str]]:
    """How many steps were raised, and those that were told of otherwise than once."""
    step, notice = t.escalation.c, t.notice.c
    want = _counted(world, select(step.id).where(
        step.raised_at.is_not(None), step.passed_over.is_(False), step.quiet.is_(False)
    ))  # fmt: skip
    told = _counted(world, select(t.event.c.id).where(t.event.c.name == "EscalationRaised"))
    noted = _counted(world, select(notice.subject_id, notice.tier, notice.due_at).where(
        notice.subject_type == "deadline", notice.run_id.is_not(None)
    ))  # fmt: skip
    found = [
        f"the step {key[0]} was raised {want[key]} times and told {told[key]} times"
        for key in want.keys() | told.keys()
        if not want[key] == told[key] == 1
    ]
    found += [f"the step {key} has {count} notices" for key, count in noted.items() if count > 1]
    return want.total(), found


def _counted(world: Api, query: Select) -> Counter[tuple[object, ...]]:
    with world.engine.connect() as connection:
        return Counter(tuple(row) for row in connection.execute(query))
