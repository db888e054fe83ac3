"""The faults by name: how often each is tried where nothing is said, and what its control is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.proofs._faults import clock, disk, kills, migrating, outages, telling, ticking
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
    # Whether a strike kills something.
    kills: bool = False
    # Whether it lasts for so many minutes, and does not strike.
    lasts: bool = False

    def steps(self, plan: Plan) -> int:
        """How often it says that it went on."""
        return ticking.steps(plan.minutes) if self.lasts else plan.times

    @property
    def says(self) -> str:
        """What happens, in a sentence."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]


BOTH: Final = ("postgresql", "sqlite")
LAZY: Final = "a commit that is acknowledged from memory (synchronous_commit=off)"
EARLY: Final = "an answer that leaves before the commit"
NO_FAULT: Final = "a fault of the database that is taken for an error of the product"
FOR_EVER: Final = "waits without an end, for the database and for a connection of the pool"
FAULTS: Final = {
    fault.name: fault
    for fault in (
        Fault("api", kills.kill_api, EARLY, stores=BOTH, kills=True),
        Fault("worker", kills.kill_worker, EARLY, stores=BOTH, kills=True),
        Fault("postgres", kills.kill_postgres, LAZY, kills=True),
        Fault("backend", kills.kill_backend, LAZY, kills=True),
        Fault(
            "scheduler", ticking.kill_scheduler,
            "a sweep that commits that a step is raised, and tells of it in another transaction",
            kills=True,
        ),
        Fault(
            "relay", telling.kill_relay, "a relay that notes a message as sent before it sends it",
            kills=True,
        ),
        Fault("stopped", outages.stopped_database, NO_FAULT, times=10, control_times=1),
        Fault("silent", outages.silent_database, FOR_EVER, times=10, control_times=1),
        Fault("slow", outages.slow_database, FOR_EVER, times=10, control_times=1),
        Fault("pool", outages.exhausted_pool, FOR_EVER, times=10, control_times=1),
        Fault("disk", disk.full_disk, NO_FAULT, times=10, control_times=1, stores=BOTH),
        Fault(
            "clock", clock.jumping_clock, "a scheduler that waits for the instant it computed",
            times=10, control_times=2,
        ),
        Fault(
            "mail", telling.dead_mail, "a mail that could not be handed over is taken for sent",
            times=10, control_times=1,
        ),
        Fault(
            "schedulers", ticking.two_schedulers, "no constraint on a job's slot",
            control_times=1, lasts=True,
        ),
        Fault(
            "migration", migrating.migrate_while_serving,
            "a revision that renames a column which the former version reads",
            times=10, control_times=1,
        ),
    )
}  # fmt: skip
