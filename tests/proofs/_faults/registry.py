"""The faults by name: how often each is tried where nothing is said, and what its control is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.proofs._faults import kills, outages
from tests.proofs._faults.trial import Outcome, Plan


@dataclass(frozen=True)
class Fault:
    """A fault, and the defect that its control switches on, in words."""

    name: str
    run: Callable[[Plan], Outcome]
    defect: str
    times: int = 30
    control_times: int = 3
    # Whether it needs a PostgreSQL, or runs on SQLite as well.
    stores: tuple[str, ...] = ("postgresql",)

    @property
    def says(self) -> str:
        """What happens, in a sentence."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]


BOTH: Final = ("postgresql", "sqlite")
LAZY: Final = "a commit that is acknowledged from memory (synchronous_commit=off)"
EARLY: Final = "an answer that leaves before the commit"
NO_FAULT: Final = "a lost database that is taken for an error of the product"
FOR_EVER: Final = "waits without an end, for the database and for a connection of the pool"
FAULTS: Final = {
    fault.name: fault
    for fault in (
        Fault("api", kills.kill_api, EARLY, stores=BOTH),
        Fault("worker", kills.kill_worker, EARLY, stores=BOTH),
        Fault("postgres", kills.kill_postgres, LAZY),
        Fault("backend", kills.kill_backend, LAZY),
        Fault("stopped", outages.stopped_database, NO_FAULT, control_times=1),
        Fault("silent", outages.silent_database, FOR_EVER, control_times=1),
        Fault("slow", outages.slow_database, FOR_EVER, control_times=1),
        Fault("pool", outages.exhausted_pool, FOR_EVER, control_times=1),
    )
}
