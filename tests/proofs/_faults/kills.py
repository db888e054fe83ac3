"""`kill -9` of whatever answers or stores, while clients write."""

from __future__ import annotations

import contextlib
import time
from random import Random

import psutil

from tests.proofs._faults.load import ASKS, OPENS, Load
from tests.proofs._faults.site import STARTS_WITHIN_S, Served, Site, site
from tests.proofs._faults.trial import Outcome, Plan, defect, strike_under_load

BEFORE_THE_COMMIT = "answers-before-the-commit"
WORKERS = 2
# What is committed stays in the server's memory for so long: WAL is neither written at the commit
# nor by the process that writes it now and then.
LAZY = {
    "synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB",
}  # fmt: skip


def kill_api(plan: Plan) -> Outcome:
    """The one process of `casework serve` is killed and started again."""
    with site(plan.store, plan.server) as place:
        served = place.serve(settings=defect(plan, BEFORE_THE_COMMIT))

        def strike() -> float:
            served.kill()
            moment = time.monotonic()
            served.start()
            return moment

        served.prepare()  # nearly all of the time went into importing everything again
        return strike_under_load(_load(place, served, plan), plan, strike)


def _load(place: Site, served: Served, plan: Plan) -> Load:
    """The clients, who in a control go on although what they were told of is not there."""
    return Load(place, served.address, () if plan.is_control else (OPENS, ASKS))


def kill_worker(plan: Plan) -> Outcome:
    """One of two processes of `casework serve --workers 2` is killed; the other one answers."""
    with site(plan.store, plan.server) as place:
        served = place.serve(WORKERS, defect(plan, BEFORE_THE_COMMIT))
        rng, load = Random(plan.seed), _load(place, served, plan)

        def strike() -> float:
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(served.workers()).kill()
            return time.monotonic()

        def settle() -> None:
            # A new process takes its time to start beside others at work.
            with load.standing_still():
                _all_there(served)

        return strike_under_load(load, plan, strike, settle)


def _all_there(served: Served) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while len(served.ready_workers()) < WORKERS:
        assert time.monotonic() < until, "the killed process was not replaced"
        time.sleep(0.02)


def kill_postgres(plan: Plan) -> Outcome:
    """Every process of PostgreSQL is killed at once, and it is started again."""
    with site("postgresql", plan.server) as place:
        assert place.server is not None
        server, served = place.server, place.serve()
        if plan.is_control:
            server.set(**LAZY)

        def strike() -> float:
            moment = time.monotonic()
            server.kill()
            server.start()
            return moment

        try:
            return strike_under_load(_load(place, served, plan), plan, strike)
        finally:
            server.reset()


def kill_backend(plan: Plan) -> Outcome:
    """One process of PostgreSQL that works for the application is killed; it recovers by itself."""
    with site("postgresql", plan.server) as place:
        assert place.server is not None
        server, served = place.server, place.serve()
        if plan.is_control:
            server.set(**LAZY)

        def strike() -> float:
            server.kill_backend("casework_app")
            moment = time.monotonic()
            server.wait_until_up()
            return moment

        try:
            return strike_under_load(_load(place, served, plan), plan, strike)
        finally:
            server.reset()
