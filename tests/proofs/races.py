"""Races on PostgreSQL: of answers that meet one decides, and of sweeps that meet one tells.

    python3 dev.py proof races --rounds 2000 --seed 1

In each round of answers a provider accepts, another of its people declines, the resident withdraws
and the request lapses, all in the same moment and all having seen the same version: there must be
one decision, one event of it, and the clocks of that decision. In each round of sweeps four
sweeps, two reviews and two answers fall upon the same overdue clocks: there must be one row and at
most one notice for each clock, tier and due date, and nothing due may be left. As controls, the
same is done without the lock that guards an update, and with a careless sweep and without the
unique constraint. Exits 1 where a round went wrong or a control was not caught.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from random import Random
from threading import Barrier
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import delete, insert, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.casefiles import SqlCaseFiles
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.supervision import sweeping
from casework.adapters.persistence.unit_of_work import repositories
from casework.domain.access.policy import SYSTEM
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import Refusal
from casework.domain.referring.referring import Details
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.ports.supervision import RaisedCounts
from casework.workflows.referring.referring import lapse_or_resume, move_referral
from casework.workflows.supervision.reviews import review_deadline
from tests.api.acts import Supported, a_referral, a_supported_case, clock
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api
from tests.proofs._world import begin_again, database, small_world

THREADS, TRIES, CLOCKS, ROUNDS_A_CASE, CONTROL_ROUNDS = 8, 5, 3, 20, 25
ASKED_AT, LAPSES_AT = "2026-03-03T10:00", "2026-03-18T00:00"
TIERS_AT = ("2026-03-07T00:00", "2026-03-09T09:00", "2026-03-11T09:00")
# Each decision, the state it leads to, and the clocks that run afterwards.
DECISIONS = {
    "ReferralAccepted": ("accepted", ["start"]),
    "ReferralDeclined": ("declined", ["disposition"]),
    "ReferralWithdrawn": ("withdrawn", ["disposition"]),
    "ReferralLapsed": ("lapsed", ["disposition"]),
}
ONE_END = "ck_deadline_one_end"
UNIQUE = "uq_escalation_deadline_id_tier_due_at"


@dataclass
class Tally:
    """The results of the rounds."""

    rounds: int = 0
    won: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    retried: int = 0
    faults: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """The results, for the output."""
        return {
            "rounds": self.rounds, "won": dict(self.won), "refused": self.refused,
            "retried": self.retried, "faults": len(self.faults), "first": self.faults[:3],
        }  # fmt: skip


def together(pool: ThreadPoolExecutor, acts: dict[str, Callable[[], Any]], tally: Tally) -> None:
    """Start all at the same moment; retry serialisation failures, deadlocks and lock timeouts."""
    barrier = Barrier(len(acts))

    def run(name: str, act: Callable[[], Any]) -> str | None:
        barrier.wait()
        for left in reversed(range(TRIES)):
            try:
                return name if act() else None
            except Refusal:
                tally.refused += 1
                return None
            except Exception as error:
                if not left or fault(error) not in ("retry", "locked"):
                    reason = str(error).splitlines()[0]
                    tally.faults.append(f"{name}: {type(error).__name__}: {reason}")
                    return None
                tally.retried += 1
        return None

    for winner in [pool.submit(run, name, act) for name, act in acts.items()]:
        if (name := winner.result()) is not None:
            tally.won[name.split()[0]] += 1


def cases(world: Api, number: int) -> list[Supported]:
    """Cases with a service that can be requested."""
    begin_again(world, ASKED_AT)
    return [a_supported_case(world) for _ in range(number)]


def asked(world: Api, supported: Supported) -> UUID:
    """Request the service from the agency, as if for the first time."""
    world.clock.set(ASKED_AT)
    return a_referral(world, supported)


# Answers that meet


def race_of_answers(world: Api, rounds: int, pool: ThreadPoolExecutor) -> Tally:
    """Accept, decline, withdraw and lapse in the same moment, so many times."""
    tally, case = Tally(), None
    for number in range(rounds):
        if number % ROUNDS_A_CASE == 0:
            (case,) = cases(world, 1)
        assert case is not None
        referral = asked(world, case)
        world.clock.set(LAPSES_AT)
        together(pool, _answers(world, referral), tally)
        tally.rounds += 1
        print(f"{tally.rounds} rounds", end="\r", file=sys.stderr, flush=True)
        tally.faults += _undecided(world, referral)
        _put_away(world, referral)
    return tally


def _answers(world: Api, referral: UUID) -> dict[str, Callable[[], Any]]:
    seen = _row(world, referral).version
    provider = replace(world.context(PROVIDER), expected_version=seen)
    worker = replace(world.context(WORKER), expected_version=seen)
    decline, withdraw = Details(reason="at_capacity"), Details(reason="resident_asked")
    return {
        "accept": lambda: move_referral(provider, referral, "accept", Details()),
        "decline": lambda: move_referral(provider, referral, "decline", decline),
        "withdraw": lambda: move_referral(worker, referral, "withdraw", withdraw),
        "lapse": lambda: lapse_or_resume(world.application.context(SYSTEM), referral),
    }


def _row(world: Api, referral: UUID) -> Any:
    with world.engine.connect() as connection:
        return connection.execute(select(t.referral).where(t.referral.c.id == referral)).one()


def _undecided(world: Api, referral: UUID) -> list[str]:
    """What does not fit: one decision, its state, one ended answer clock, and what runs then."""
    of_it = t.deadline.c.subject_id == referral
    with world.engine.connect() as connection:
        names = [
            name
            for name in connection.scalars(
                select(t.event.c.name).where(t.event.c.subject_id == referral)
            )
            if name in DECISIONS
        ]
        clocks = connection.execute(select(t.deadline).where(of_it)).all()
    if len(names) != 1:
        return [f"{len(names)} decisions: {names}"]
    status, runs = DECISIONS[names[0]]
    found = _row(world, referral)
    running = [one.kind for one in clocks if not one.met_at and not one.cancelled_at]
    if (found.status, running, len(clocks)) != (status, runs, 2):
        return [f"{names[0]}: {found.status} with {running} of {len(clocks)} clocks"]
    return []


def _put_away(world: Api, referral: UUID) -> None:
    """An accepted one is cancelled, so that the agency can be asked again."""
    if _row(world, referral).status == "accepted":
        reason = Details(reason="no_longer_needed")
        move_referral(world.context(WORKER), referral, "cancel", reason)


# Sweeps that meet reviews and answers


def race_of_sweeps(world: Api, rounds: int, pool: ThreadPoolExecutor, rng: Random) -> Tally:
    """Four sweeps, two reviews and two answers at the same clocks, so many times."""
    tally: Tally = Tally()
    pool_of_cases: list[Supported] = []
    for number in range(rounds):
        if number % ROUNDS_A_CASE == 0:
            pool_of_cases = cases(world, CLOCKS)
        referrals = [asked(world, case) for case in pool_of_cases]
        clocks = [clock(world, "response", referral) for referral in referrals]
        world.clock.set(rng.choice(TIERS_AT))
        together(pool, _sweeps_and_acts(world, referrals, clocks, rng, tally), tally)
        last = _sweep(world, tally)
        tally.rounds += 1
        print(f"{tally.rounds} rounds", end="\r", file=sys.stderr, flush=True)
        tally.faults += [] if last is not None else ["a sweep was refused"]
        tally.faults += _mistold(world, clocks)
        for referral in referrals:
            _put_away_whatever(world, referral)
    return tally


def _sweeps_and_acts(
    world: Api, referrals: list[UUID], clocks: list[UUID], rng: Random, tally: Tally
) -> dict[str, Callable[[], Any]]:
    acts: dict[str, Callable[[], Any]] = {
        f"sweep {n}": partial(_sweep, world, tally) for n in range(4)
    }
    supervisor, provider = world.context(SUPERVISOR), world.context(PROVIDER)
    for n in range(2):
        verdict = rng.choice(
            [
                ReviewDecision(action="chase", cause="provider_slow", until=date(2026, 3, 12)),
                ReviewDecision(action="extend", cause="provider_slow", until=date(2026, 3, 13)),
                ReviewDecision(action="excuse", cause="resident_choice"),
            ]
        )
        reviewed = rng.choice(clocks)
        acts[f"review {n}"] = partial(review_deadline, supervisor, reviewed, verdict)
        action, why = rng.choice([("accept", None), ("decline", "at_capacity")])
        answered, details = rng.choice(referrals), Details(reason=why)
        acts[f"answer {n}"] = partial(move_referral, provider, answered, action, details)
    return acts


def _sweep(world: Api, tally: Tally) -> bool:
    result = world.application.sweep(world.application.context(SYSTEM))
    if result is None or result.failed:
        tally.faults.append(f"a sweep failed: {result}")
    return bool(result and result.changed)


def _mistold(world: Api, clocks: list[UUID]) -> list[str]:
    """Steps of these clocks with two rows, with two notices or none, or left due."""
    now, step = world.clock.now, t.escalation
    raised = t.event.c.name == "EscalationRaised"
    with world.engine.connect() as connection:
        rows = connection.execute(select(step).where(step.c.deadline_id.in_(clocks))).all()
        events = connection.execute(
            select(t.event).where(raised, t.event.c.subject_id.in_(clocks))
        ).all()
        stored = connection.execute(select(t.deadline).where(t.deadline.c.id.in_(clocks))).all()
    keys = Counter((row.deadline_id, row.tier, row.due_at) for row in rows)
    found = [f"{n} rows for {key}" for key, n in keys.items() if n > 1]
    told = Counter((event.subject_id, event.data["tier"]) for event in events)
    due = Counter(
        (row.deadline_id, row.tier)
        for row in rows
        if row.raised_at and not (row.passed_over or row.quiet)
    )
    found += [f"told {told[key]}, raised {due[key]}" for key in told | due if told[key] != due[key]]
    found += [f"left: {row.tier}" for row in rows if row.raised_at is None and row.at <= now]
    late = [row for row in stored if row.breached_at is None]
    # Each was due before the race began, and stays breached, whatever was decided.
    return found + [f"no breach: {from_row(Deadline, row).kind}" for row in late]


def _put_away_whatever(world: Api, referral: UUID) -> None:
    if _row(world, referral).status in ("requested", "accepted"):
        reason = Details(reason="no_longer_needed")
        move_referral(world.context(WORKER), referral, "cancel", reason)


# Applications without their guards: each must be caught.


@contextmanager
def no_lock(world: Api) -> Iterator[None]:
    """A case file is loaded without holding its row, and a clock may be met and cancelled."""
    drop = text(f"ALTER TABLE deadline DROP CONSTRAINT {ONE_END}")
    rule = "CHECK (met_at IS NULL OR cancelled_at IS NULL)"
    with world.engine.begin() as connection:
        connection.execute(drop)
    with patch.object(repositories, "SqlCaseFiles", partial(SqlCaseFiles, lock=False)):
        yield
    begin_again(world, ASKED_AT)
    with world.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE deadline ADD CONSTRAINT {ONE_END} {rule}"))


@contextmanager
def no_constraint(world: Api) -> Iterator[None]:
    """Sweeps check, then write, and no constraint in the database forbids a double."""
    columns = "deadline_id, tier, due_at"
    with world.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE escalation DROP CONSTRAINT {_unique(connection)}"))
        # ON CONFLICT needs no constraint to be named; what plans steps works without one.
    with patch.object(sweeping, "raise_steps", _raise_carelessly):
        yield
    begin_again(world, ASKED_AT)
    with world.engine.begin() as connection:
        connection.execute(
            text(f"ALTER TABLE escalation ADD CONSTRAINT {UNIQUE} UNIQUE ({columns})")
        )


def _unique(connection: Any) -> str:
    name: str = connection.scalar(
        text("SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = "
             "'escalation'::regclass")
    )  # fmt: skip
    return name


def _raise_carelessly(connection: Any, run_id: UUID, as_of: datetime, limit: int) -> RaisedCounts:
    step = t.escalation
    due = connection.execute(
        select(step).where(step.c.raised_at.is_(None), step.c.at <= as_of).limit(limit)
    ).all()
    time.sleep(0.005)
    for row in due:
        connection.execute(delete(step).where(step.c.id == row.id))
        done = {"id": new_id(), "raised_at": as_of, "run_id": run_id}
        connection.execute(insert(step), [dict(row._mapping) | done])
        connection.execute(
            insert(t.event).values(
                id=new_id(), name="EscalationRaised", subject_type="deadline",
                subject_id=row.deadline_id, at=as_of, by_role="system", data={"tier": row.tier},
            )
        )  # fmt: skip
    return RaisedCounts(len(due), len(due))


def control(world: Api, rounds: int, pool: ThreadPoolExecutor, rng: Random) -> dict[str, Any]:
    """The same races without the guards; how many faults were found."""
    with no_lock(world):
        answers = race_of_answers(world, rounds, pool)
    with no_constraint(world):
        sweeps = race_of_sweeps(world, rounds, pool, rng)
    return {
        "no_lock": _caught(answers, "decisions"),
        "no_constraint": _caught(sweeps, "rows for"),
    }


def _caught(tally: Tally, what: str) -> dict[str, Any]:
    """How often the very thing happened that the guard is there to prevent."""
    found = [fault for fault in tally.faults if what in fault]
    return {"rounds": tally.rounds, "faults": len(found), "first": found[:2]}


def prove(url: str, rounds: int, seed: int, control_rounds: int = CONTROL_ROUNDS) -> dict[str, Any]:
    """Both races and their controls on a migrated PostgreSQL database."""
    began = time.monotonic()
    with small_world(url, pool_size=2 * THREADS) as world, ThreadPoolExecutor(THREADS) as pool:
        answers = race_of_answers(world, rounds, pool)
        print(f"answers: {answers.figures()}", file=sys.stderr)
        sweeps = race_of_sweeps(world, rounds, pool, Random(seed))
        print(f"sweeps: {sweeps.figures()}", file=sys.stderr)
        caught = control(world, control_rounds, pool, Random(seed))
    return {
        "proof": "races", "rounds": rounds, "seed": seed, "answers": answers.figures(),
        "sweeps": sweeps.figures(), "controls": caught,
        "bound": 3 / rounds, "machine": platform.platform(),
        "python": platform.python_version(), "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def is_proven(result: dict[str, Any]) -> bool:
    """Whether no round went wrong, and each control did."""
    clean = not (result["answers"]["faults"] or result["sweeps"]["faults"])
    return clean and all(one["faults"] > 0 for one in result["controls"].values())


def main() -> int:
    """Run the proof and print what it found."""
    parser = argparse.ArgumentParser(prog="proof races", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with database("postgresql") as url:
        result = prove(url, options.rounds, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
