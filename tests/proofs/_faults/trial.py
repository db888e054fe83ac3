"""One fault, many times: strikes under load, and what came of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.proofs._faults.ledger import Ledger, compare
from tests.proofs._faults.load import Load
from tests.proofs._faults.server import FragileServer
from tests.proofs._faults.site import DEFECT, Site

BACK_WITHIN_S, LOOKS_FOR_S = 10.0, 40.0
WRITES_BETWEEN, AT_WORK_WITHIN_S, PAUSE_S = 6, 60.0, (0.05, 0.4)
LEAKS_WITHIN_S = 6.0


class NotRun(Exception):
    """A fault cannot be tried on this machine; the message says what it needs."""


@dataclass
class Plan:
    """How a fault is tried: how often, on which server, and with its defect or not."""

    times: int
    # How long, for what lasts.
    minutes: float = 0.5
    is_control: bool = False
    seed: int = 1
    store: str = "postgresql"
    server: FragileServer | None = None
    # Is called after each strike.
    advance: Callable[[], None] = lambda: None

    @property
    def rng(self) -> Random:
        """What is random in it, the same for the same seed."""
        return Random(self.seed)


def defect(plan: Plan, name: str) -> dict[str, str]:
    """The setting that switches a defect on, in a control."""
    return {DEFECT: name} if plan.is_control else {}


@dataclass
class Outcome:
    """What a fault did: figures for the output, and everything that may not be."""

    strikes: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    amiss: list[str] = field(default_factory=list)
    backs: list[float] = field(default_factory=list)
    # How long all strikes took together, without what goes before and comes after them.
    struck_s: float = 0.0

    def told(self) -> dict[str, Any]:
        """The figures, and of what is amiss the number and the first five."""
        found: dict[str, Any] = {"strikes": self.strikes} | self.figures
        found["seconds_a_strike"] = round(self.struck_s / max(self.strikes, 1), 2)
        if self.backs:
            middle = statistics.median(self.backs)
            found["back_s"] = {"median": round(middle, 2), "most": round(max(self.backs), 2)}
        return found | {"amiss": len(self.amiss), "for_instance": self.amiss[:5]}


def strike_under_load(
    load: Load,
    plan: Plan,
    strike: Callable[[], float],
    settle: Callable[[], None] = lambda: None,
    end: Callable[[], None] = lambda: None,
) -> Outcome:
    """Strike so often while clients write, then compare everything with what they were told.

    ``strike`` returns the moment from which it is counted until somebody's write is acknowledged
    again; ``settle`` waits until all is as before it; ``end`` ends what is still at work after all.
    """
    outcome, rng = Outcome(), plan.rng
    with load.going_on():
        began = time.monotonic()
        for _ in range(plan.times):
            _until_at_work(load)
            time.sleep(rng.uniform(*PAUSE_S))
            late = load.watch.late
            moment = strike()
            outcome.strikes += 1
            _back(load, moment, late, outcome)
            settle()
            plan.advance()
            if plan.is_control and load.seen.amiss:
                break
        outcome.struck_s = time.monotonic() - began
    end()
    conclude(outcome, load)
    return outcome


def conclude(outcome: Outcome, load: Load) -> None:
    """What clients saw, and what the database holds of what they were told."""
    seen = load.seen
    outcome.amiss += seen.amiss
    add(outcome, compare(load.site, load.writes))
    outcome.figures |= {
        "acknowledged": len(seen.acknowledged), "again": seen.again,
        "statuses": dict(sorted(seen.statuses.items())), "slowest_s": round(seen.slowest_s, 2),
    }  # fmt: skip


def add(outcome: Outcome, ledger: Ledger) -> None:
    """What the ledger found, by kind."""
    outcome.figures |= {
        name: len(getattr(ledger, name)) for name in ("lost", "doubled", "half_done", "broken")
    }
    outcome.amiss += ledger.amiss


def _until_at_work(load: Load) -> None:
    """Wait until some more writes were acknowledged."""
    before, until = load.number_acknowledged, time.monotonic() + AT_WORK_WITHIN_S
    while load.number_acknowledged < before + WRITES_BETWEEN:
        if time.monotonic() > until:
            return  # what is amiss says why
        time.sleep(0.01)


def _back(load: Load, moment: float, late: float, outcome: Outcome) -> None:
    """Wait for the first write that was begun and acknowledged after a moment."""
    while (first := load.first_after(moment)) is None:
        if time.monotonic() - moment > LOOKS_FOR_S:
            outcome.amiss.append(f"nothing was acknowledged for {LOOKS_FOR_S:.0f} s")
            return
        time.sleep(0.02)
    took = first - moment
    outcome.backs.append(took)
    if took - (load.watch.late - late) > BACK_WITHIN_S:
        outcome.amiss.append(f"it was back after {took:.1f} s")


def leaks(site: Site) -> int:
    """Sessions of the product that keep a transaction open although nobody asks for anything."""
    assert site.server is not None
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'casework%'"
        " AND datname = '" + site.url.rpartition("/")[2].partition("?")[0] + "'"
        " AND state NOT IN ('idle', 'disabled')"
    )
    until, found = time.monotonic() + LEAKS_WITHIN_S, 1
    while found and time.monotonic() < until:
        found = int(str(site.server.ask(query)[0][0]))
        time.sleep(0.1)
    return found
