"""Races for last places: never more taken than there are, none lost, each freed once.

    python3 dev.py proof places --races 5000 --seed 1 --store postgresql

An agency has one to three places and three more requests than that. In the first race of a round
all are accepted at the same moment: as many must be taken on as there are places, and the others be
refused with `no_free_place` and stay as they were. In the second, one that holds a place is ended
by its agency and its sender at once while the others are accepted again: one end counts, and at
most one place is taken again. A reader checks all the while: at every moment what is not available
must be what referrals hold. Then everything is ended in one of many ways, and all places are back.

As controls the same runs on an application that never frees places and, on PostgreSQL, on one that
checks, then writes. Exits 1 where a race went wrong or a control was not caught.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import func, select, text, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile import place_counts
from casework.domain.directory.capacity import HOLDS_A_PLACE, CapacityChange
from casework.domain.errors import Conflict
from casework.domain.referring.referring import Details
from casework.workflows.referring.referring import move_referral
from tests.api.acts import Supported, a_referral
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api
from tests.proofs._world import STORES, database, small_world
from tests.proofs.races import ASKED_AT, THREADS, Tally, cases, together

ROUNDS_A_CASE, CONTROL_RACES, MORE_THAN_PLACES, MAX_PLACES = 15, 40, 3, 3
RULES = ("available_not_negative", "places_add_up")
Acts = dict[str, Callable[[], Any]]
_offering, _referral = t.offering, t.referral
_holds = _referral.c.status.in_(HOLDS_A_PLACE)


def race_for_places(world: Api, races: int, pool: ThreadPoolExecutor, rng: Random) -> Tally:
    """Run that many races, two per round."""
    tally, number = Tally(), 0
    people: list[Supported] = []
    while tally.rounds < races:
        if number % ROUNDS_A_CASE == 0:
            count = rng.randint(1, MAX_PLACES)
            people = cases(world, count + MORE_THAN_PLACES)
            _set(world, count)
        asked = _asked_again(world, people)
        tally.faults += _accepted_at_once(world, asked, count, pool, tally)
        tally.faults += _ended_at_once(world, asked, pool, tally, rng)
        _put_away(world, asked, rng)
        tally.faults += _amiss(world, count)
        tally.rounds, number = tally.rounds + 2, number + 1
        print(f"{tally.rounds} races", end="\r", file=sys.stderr, flush=True)
    return tally


def _set(world: Api, count: int) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            update(_offering)
            .where(_offering.c.id == _meals(world))
            .values(capacity=count, available=count, held=0, for_waiting=0)
        )


def _meals(world: Api) -> UUID:
    found: UUID = world.offerings["alpha", "CARE-MEALS"].id
    return found


def _asked_again(world: Api, people: list[Supported]) -> list[UUID]:
    """One request for each of these people: the one that is open, or a new one."""
    world.clock.set(ASKED_AT)
    with world.engine.connect() as connection:
        query = select(*_referral.c["planned_service_id", "id"])
        rows = connection.execute(query.where(_referral.c.status == "requested")).all()
    open_ones = {row.planned_service_id: row.id for row in rows}
    return [open_ones.get(one.service) or a_referral(world, one) for one in people]


# The races


def _accepted_at_once(
    world: Api, asked: list[UUID], count: int, pool: ThreadPoolExecutor, tally: Tally
) -> list[str]:
    """All are accepted at the same moment; as many as there are places."""
    before, found = _versions(world, asked), Found()
    acts: Acts = {f"accept {n}": partial(_accept, world, one, found) for n, one in enumerate(asked)}
    together(pool, acts | {"look": partial(_look, world, found)}, tally)
    won, after = found.won, _versions(world, asked)
    faults = list(found.amiss)
    if len(won) != count:
        faults.append(f"{len(won)} of {len(asked)} have one of {count} places")
    untouched = {one: before[one] for one in asked if one not in won}
    if any(after[one] != version for one, version in untouched.items()):
        faults.append("who was refused is not as before")
    if found.codes != {"no_free_place"}:
        faults.append(f"refused as {sorted(found.codes)}")
    return faults + _amiss(world, count, taken=count)


def _ended_at_once(
    world: Api, asked: list[UUID], pool: ThreadPoolExecutor, tally: Tally, rng: Random
) -> list[str]:
    """One that holds is ended twice at once, while the others want its place."""
    with world.engine.connect() as connection:
        query = select(_referral.c.id).where(_referral.c.id.in_(asked), _holds)
        holders = list(connection.scalars(query.order_by(_referral.c.id)))
    if not holders:
        return ["nobody holds a place"]
    found, ended = Found(), rng.choice(holders)
    acts: Acts = {
        f"accept {n}": partial(_accept, world, one, found)
        for n, one in enumerate(asked)
        if one not in holders
    }
    fails, withdraws = Details(reason="provider_unable"), Details(reason="resident_asked")
    acts["end provider"] = partial(_end, world, PROVIDER, ended, "fail", fails, found)
    acts["end worker"] = partial(_end, world, WORKER, ended, "withdraw", withdraws, found)
    acts["look"] = partial(_look, world, found)
    together(pool, acts, tally)
    faults = list(found.amiss)
    if found.ended != 1:
        faults.append(f"{found.ended} ends of one referral")
    if len(found.won) > 1:
        faults.append(f"{len(found.won)} have the place that one left")
    return faults + _amiss(world, len(holders), taken=len(holders) - 1 + len(found.won))


class Found:
    """The responses of the racing requests, and what was read meanwhile."""

    def __init__(self) -> None:
        self.won: set[UUID] = set()
        self.codes: set[str] = set()
        self.amiss: list[str] = []
        self.ended = 0


def _accept(world: Api, referral: UUID, found: Found) -> bool:
    try:
        move_referral(world.context(PROVIDER), referral, "accept", Details())
    except Conflict as refused:
        found.codes.add(refused.code)
        raise
    found.won.add(referral)
    return True


def _end(world: Api, by: str, referral: UUID, action: str, why: Details, found: Found) -> bool:
    seen = replace(world.context(by), expected_version=_versions(world, [referral])[referral])
    move_referral(seen, referral, action, why)
    found.ended += 1
    return True


def _look(world: Api, found: Found) -> bool:
    """Read the state during the race, in one statement."""
    for _ in range(3):
        row = _seen(world)
        gone = row.capacity - row.available
        if row.available < 0 or not gone == row.held == row.holding:
            found.amiss.append(f"seen meanwhile: {tuple(row)}")
    return True


def _seen(world: Api) -> Any:
    """Capacity, available, held, and how many referrals hold a place: all of one moment."""
    holding = (
        select(func.count())
        .select_from(_referral)
        .where(_referral.c.offering_id == _offering.c.id, _holds)
        .correlate(_offering)
        .scalar_subquery()
    )
    query = select(*_offering.c["capacity", "available", "held"], holding.label("holding"))
    with world.engine.connect() as connection:
        found = connection.execute(query.where(_offering.c.id == _meals(world))).one()
        connection.rollback()
    return found


def _versions(world: Api, asked: list[UUID]) -> dict[UUID, int]:
    with world.engine.connect() as connection:
        query = select(*_referral.c["id", "version"]).where(_referral.c.id.in_(asked))
        return dict(connection.execute(query).all())


def _amiss(world: Api, capacity: int, taken: int = 0) -> list[str]:
    """What does not add up: all of what is not available is held, and nothing is lost."""
    row = _seen(world)
    if (row.capacity, row.available, row.held, row.holding) == (
        capacity, capacity - taken, taken, taken,
    ):  # fmt: skip
        return []
    return [f"{taken} of {capacity} taken, and there stands {tuple(row)}"]


# Putting away


def _put_away(world: Api, asked: list[UUID], rng: Random) -> None:
    """End whatever holds a place, in one of many ways."""
    with world.engine.connect() as connection:
        query = select(_referral.c.id).where(_referral.c.id.in_(asked), _holds)
        holders = list(connection.scalars(query.order_by(_referral.c.id)))
    for referral in holders:
        for by, action, details in rng.choice(_ways(world)):
            move_referral(world.context(by), referral, action, details)


def _ways(world: Api) -> list[list[tuple[str, str, Details]]]:
    today = world.context(WORKER).act.today
    start = (PROVIDER, "start", Details(started_on=today))
    hold = (PROVIDER, "hold", Details(reason="away", until=today))
    done = (PROVIDER, "complete", Details(outcome="ended_as_planned", ended_on=today))
    cancel = (WORKER, "cancel", Details(reason="no_longer_needed"))
    in_error = (SUPERVISOR, "enter-in-error", Details(reason="another person"))
    return [
        [cancel], [in_error], [start, done], [start, done, in_error], [hold, cancel],
        [start, hold, (PROVIDER, "resume", Details()), done],
        [start, hold, (PROVIDER, "fail", Details(reason="provider_unable"))],
        [(WORKER, "withdraw", Details(reason="resident_asked")), in_error],
    ]  # fmt: skip


# Applications with a fault: each must be caught.


def _forgetting(connection: Any, changes: list[CapacityChange]) -> None:
    """Places are taken and never freed."""
    _settle(connection, [replace(one, released=0) for one in changes])


def _careless(connection: Any, changes: list[CapacityChange]) -> None:
    """Check, then write."""
    for change in changes:
        of_it, held = _offering.c.id == change.offering_id, change.taken - change.released
        seen = connection.execute(select(_offering).where(of_it)).one()
        if seen.available < held:
            raise Conflict("no place is free", code="no_free_place")
        time.sleep(0.005)
        values = {"available": seen.available - held, "held": seen.held + held}
        connection.execute(update(_offering).where(of_it).values(values))


_settle = place_counts.settle


@contextmanager
def forgetting(world: Api) -> Iterator[None]:
    """An application in which an end frees nothing."""
    with patch.object(place_counts, "settle", _forgetting):
        yield


@contextmanager
def careless(world: Api) -> Iterator[None]:
    """An application that checks, then writes, on a PostgreSQL without the constraints."""
    drop = [f"ALTER TABLE offering DROP CONSTRAINT ck_offering_{rule}" for rule in RULES]
    with world.engine.begin() as connection:
        for statement in drop:
            connection.execute(text(statement))
    with patch.object(place_counts, "settle", _careless):
        yield


def control(world: Api, store: str, races: int, pool: ThreadPoolExecutor) -> dict[str, Any]:
    """The same races on faulty applications; the last one removes the database's constraints."""
    wrong: dict[str, Any] = {"forgetting": forgetting}
    if store == "postgresql":
        wrong["careless"] = careless
    caught = {}
    for name, application in wrong.items():
        with application(world):
            tally = race_for_places(world, races, pool, Random(1))
        caught[name] = {
            "races": tally.rounds, "faults": len(tally.faults), "first": tally.faults[:2],
        }  # fmt: skip
    return caught


def prove(
    url: str, store: str, races: int, seed: int, control_races: int = CONTROL_RACES
) -> dict[str, Any]:
    """The races and their controls on a migrated database."""
    began = time.monotonic()
    with small_world(url, pool_size=2 * THREADS) as world, ThreadPoolExecutor(2 * THREADS) as pool:
        tally = race_for_places(world, races, pool, Random(seed))
        print(f"races: {tally.figures()}", file=sys.stderr)
        caught = control(world, store, control_races, pool)
    return {
        "proof": "places", "store": store, "races": races, "seed": seed,
        "found": tally.figures(), "controls": caught, "bound": 3 / races,
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def is_proven(result: dict[str, Any]) -> bool:
    """Whether no race went wrong, and each control did."""
    caught = [one["faults"] > 0 for one in result["controls"].values()]
    return not result["found"]["faults"] and all(caught)


def main() -> int:
    """Run the proof and print what it found."""
    parser = argparse.ArgumentParser(
        prog="proof places", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--races", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=STORES, default="postgresql")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with database(options.store) as url:
        result = prove(url, options.store, options.races, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
