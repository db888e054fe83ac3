"""A clock that jumps two days ahead, and two days back, under the API and the scheduler.

libfaketime stands before the clock of both, and reads from a file by how much it is ahead; what is
waited for is not faked, and PostgreSQL, which is asked for no time, keeps its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.conftest import Api
from tests.proofs._faults.load import Load
from tests.proofs._faults.site import Process, site
from tests.proofs._faults.ticking import raised
from tests.proofs._faults.trial import NotRun, Outcome, Plan, defect, strike_under_load
from tests.run import find_library

SLEEPS_ON: Final = "sleeps-until-then"
AHEAD: Final = timedelta(days=2)
# How long a process may believe what it read of the file.
READ_AGAIN_S: Final = 1
SEALED_WITHIN_S: Final = 40.0
SHARED: Final = Path("/dev/shm")


def jumping_clock(plan: Plan) -> Outcome:
    """The clock of API and scheduler jumps two days ahead, then two days back."""
    with site("postgresql", plan.server) as place:
        ahead = place.folder / "ahead"
        _write(ahead, timedelta())
        faked = faked_clock(ahead)
        load = Load(place, place.serve(settings=faked).address)
        ticks = {"CASEWORK_SWEEP_MINUTES": "1"} | faked | defect(plan, SLEEPS_ON)
        scheduler = place.run("scheduler", settings=ticks)
        amiss = _unsealed(place.world, scheduler)  # it is at work by now

        def strike() -> float:
            with load.standing_still():  # what is on its way bears the time of before
                load.ahead = AHEAD - load.ahead
                _write(ahead, load.ahead)
                time.sleep(2 * READ_AGAIN_S)
            return time.monotonic()

        def settle() -> None:
            amiss.extend(_unsealed(place.world, scheduler))
            amiss.extend(load.say_again())

        outcome = strike_under_load(load, plan, strike, settle)
        place.end()
        _clean_up_after(place.processes)
        count, wrong = raised(place.world)
        outcome.figures |= {"raised": count, "unsealed": len(amiss)}
        outcome.amiss += amiss + wrong
        return outcome


def faked_clock(ahead: Path) -> dict[str, str]:
    """The environment of a process whose clock is ahead by what the file says.

    Raises NotRun where there is no libfaketime.
    """
    library = find_library()
    if library is None:
        raise NotRun("a clock that jumps needs libfaketime (CASEWORK_LIBFAKETIME, or its package)")
    return {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(ahead),
        "FAKETIME_CACHE_DURATION": str(READ_AGAIN_S), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }  # fmt: skip


def _clean_up_after(processes: Sequence[Process]) -> None:
    """Remove what libfaketime shares in memory and leaves behind where a process is killed."""
    for one in processes:
        for name in ("faketime_shm", "sem.faketime_sem"):
            (SHARED / f"{name}_{one.pid}").unlink(missing_ok=True)


def _write(file: Path, ahead: timedelta) -> None:
    """At once as a whole, for others read it all the time."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"+{ahead.total_seconds():.0f}\n")
    os.replace(fresh, file)


def _unsealed(world: Api, scheduler: Process) -> list[str]:
    """What of the audit the scheduler, which seals every five seconds, leaves as it is."""
    query = select(t.audit_pending.c.entry_id)
    with world.engine.connect() as connection:
        waiting = set(connection.scalars(query))
    until = time.monotonic() + SEALED_WITHIN_S
    while waiting and time.monotonic() < until and not scheduler.has_ended:
        time.sleep(0.2)
        with world.engine.connect() as connection:
            waiting &= set(connection.scalars(query))
    return [f"{len(waiting)} entries of the audit were not sealed in time"] if waiting else []
