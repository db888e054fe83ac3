"""A database that is slow, silent or gone, and a pool without a connection, for a while.

Whatever it is, every request is answered within six seconds, by 503 with Retry-After where nothing
could be done, and no session keeps a transaction open afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.lossy import lossy
from tests.proofs._faults.load import Load
from tests.proofs._faults.site import POOL_HELD_S, Site, site
from tests.proofs._faults.trial import Outcome, Plan, defect, leaks, strike_under_load

WAITS, KNOWS_NONE = "waits-for-ever", "knows-no-fault"
LASTS_S, SLOW_S, STOPPED_S = 8.0, 0.7, 2.0


def strike_and_look_for_leaks(
    load: Load, plan: Plan, strike: Callable[[], float], place: Site
) -> Outcome:
    """Strike, then look for sessions that were left behind."""
    outcome = strike_under_load(load, plan, strike)
    if place.server is not None:
        found = leaks(place)
        outcome.figures["leaked"] = found
        outcome.amiss += [f"{found} sessions are left in a transaction"] if found else []
    return outcome


def silent_database(plan: Plan) -> Outcome:
    """PostgreSQL is frozen by SIGSTOP for eight seconds: it takes connections and is silent."""
    with site("postgresql", plan.server) as place:
        assert place.server is not None
        server = place.server
        served = place.serve(settings=defect(plan, WAITS))

        def strike() -> float:
            server.freeze()
            time.sleep(LASTS_S)
            server.thaw()
            return time.monotonic()

        return strike_and_look_for_leaks(Load(place, served.address), plan, strike, place)


def stopped_database(plan: Plan) -> Outcome:
    """PostgreSQL is stopped as an operator stops it, and started two seconds later."""
    with site("postgresql", plan.server) as place:
        assert place.server is not None
        server = place.server
        served = place.serve(settings=defect(plan, KNOWS_NONE))

        def strike() -> float:
            server.stop()
            time.sleep(STOPPED_S)
            server.start()
            return time.monotonic()

        return strike_and_look_for_leaks(Load(place, served.address), plan, strike, place)


def slow_database(plan: Plan) -> Outcome:
    """Each answer of PostgreSQL comes 0.7 s late, for eight seconds."""
    with site("postgresql", plan.server) as place, contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casework-")))
        way, url = stack.enter_context(lossy(place.url, folder))
        served = place.serve(settings=defect(plan, WAITS) | {"CASEWORK_DATABASE_URL": url})

        def strike() -> float:
            way.slow(SLOW_S)
            time.sleep(LASTS_S)
            way.slow(0)
            return time.monotonic()

        outcome = strike_and_look_for_leaks(Load(place, served.address), plan, strike, place)
        served.end()
        return outcome


def exhausted_pool(plan: Plan) -> Outcome:
    """Every connection of the pool is held by somebody for eight seconds."""
    with site("postgresql", plan.server) as place:
        served = place.serve(settings=defect(plan, WAITS) | {POOL_HELD_S: str(LASTS_S)})

        def strike() -> float:
            os.kill(served.pid, signal.SIGUSR1)
            time.sleep(LASTS_S)
            return time.monotonic()

        return strike_and_look_for_leaks(Load(place, served.address), plan, strike, place)
