"""Concurrent sweeps: every due step is raised once, by whichever of several processes is first.

    python3 dev.py proof sweeps --rounds 30 --residents 3000 --programme 2000

Each round copies a seeded PostgreSQL database, which also holds newly due clocks of the programme,
starts four `casework sweep overdue` as of three weeks ahead, holds them at a lock until all wait
there, releases it, and compares the ledger and the events with what was due. As a control, a sweep
that checks, then writes, without the claim, is run by four threads: the same comparison must find
its doubles. Exits 1 where a step was doubled or missed, or where the control was not caught.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, insert, select, text, update

from casework import operations
from casework.adapters.calendar import korean_calendar
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile import escalations
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.bootstrap import build, utc_now
from casework.domain.clocks.calendar import ONE_DAY, Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CITY_AREA, ClockKind, ClockSubject
from casework.settings import Settings
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
AHEAD = timedelta(days=21)
PROCESSES = 4
# A sweep waits two seconds for a lock: it is released before that, even if some have not arrived.
DOOR_S, STARTS_WITHIN_S, ENDS_WITHIN_S = 1.2, 60, 300
Due = dict[UUID, set[int]]


@dataclass
class Verdict:
    """The results of sweeps: clocks due, steps raised twice, and clocks left out.

    ``wrong`` counts rows of the ledger that are neither the highest step, raised, nor a lower
    one, passed over; ``unasked`` the notices of clocks that were not due.
    """

    due: int = 0
    doubled: int = 0
    missed: int = 0
    wrong: int = 0
    unasked: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether each due clock's highest step was raised exactly once, and nothing else."""
        return self.due > 0 and not (self.doubled or self.missed or self.wrong or self.unasked)


def due_steps(engine: Engine, as_of: datetime) -> Due:
    """The tiers that are due and not yet raised, by clock."""
    step, found = t.escalation.c, Due()
    query = select(step.deadline_id, step.tier).where(step.raised_at.is_(None), step.at <= as_of)
    with engine.connect() as connection:
        for clock, tier in connection.execute(query):
            found.setdefault(clock, set()).add(tier)
    return found


def verdict(engine: Engine, due: Due, as_of: datetime) -> Verdict:
    """Compare the ledger and the notices with what was due before the sweeps."""
    step, found = t.escalation.c, Verdict(due=len(due))
    notices = select(t.event.c.subject_id, t.event.c.data).where(
        t.event.c.name == "EscalationRaised", t.event.c.at == as_of
    )
    ledger = select(step.deadline_id, step.tier, step.passed_over, step.quiet).where(
        step.raised_at == as_of
    )
    with engine.connect() as connection:
        told = Counter((clock, data["tier"]) for clock, data in connection.execute(notices))
        rows = Counter(tuple(row) for row in connection.execute(ledger))
    for clock, tiers in due.items():
        highest = max(tiers)
        times = told.pop((clock, highest), 0)
        found.missed += times == 0
        found.doubled += max(times - 1, 0)
        for tier in tiers:
            found.wrong += rows.pop((clock, tier, tier != highest, False), 0) != 1
    found.unasked = sum(told.values())
    found.wrong += sum(rows.values())
    return found


VAULT = ("CASEWORK_KEY_RING", "CASEWORK_MASTER_KEY")


def command(as_of: datetime) -> list[str]:
    """The sweep as an operator starts it."""
    sweep = ["sweep", "overdue", "--as-of", as_of.isoformat(), "--json"]
    return [sys.executable, "-m", "casework", *sweep]


def environment(url: str) -> dict[str, str]:
    """Settings for a separate process on that database, without those of this environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")}
    names = ("TOKEN", "CURSOR", "AUDIT")
    keys = {f"CASEWORK_{name}_KEY": name[0].lower() * 32 for name in names}
    keys |= {name: os.environ[name] for name in VAULT if name in os.environ}
    return clean | keys | {"CASEWORK_DATABASE_URL": url}


def sweeps_at_once(
    url: str, as_of: datetime, number: int = PROCESSES
) -> tuple[list[dict[str, Any]], int]:
    """Start and release that many sweeps together; returns their output and how many waited."""
    processes: list[subprocess.Popen[str]] = []
    try:
        with _closed_door(url) as waiting:
            processes += [
                subprocess.Popen(
                    command(as_of), cwd=ROOT, env=environment(url), text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
                for _ in range(number)
            ]  # fmt: skip
            together = 0 if url.startswith("sqlite") else _all_at_the_door(waiting, processes)
        said = [process.communicate(timeout=ENDS_WITHIN_S) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
    for process, (_, errors) in zip(processes, said, strict=True):
        if process.returncode != 0:
            raise RuntimeError(f"a sweep ended with {process.returncode}: {errors.strip()}")
    return [json.loads(out) for out, _ in said], together


@contextmanager
def _closed_door(url: str) -> Iterator[Any]:
    """Block every sweep at its run record; yields a function that counts the waiting ones.

    SQLite cannot report waiting sweeps: there each runs as it starts.
    """
    if url.startswith("sqlite"):
        yield lambda: 0
        return
    engine = create_engine(url)
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    )
    try:
        with engine.connect() as gate, engine.connect() as watcher:
            watcher = watcher.execution_options(isolation_level="AUTOCOMMIT")
            gate.execute(text("LOCK TABLE job_run IN SHARE ROW EXCLUSIVE MODE"))
            yield lambda: watcher.scalar(waits)
    finally:
        engine.dispose()


def _all_at_the_door(waiting: Any, processes: list[subprocess.Popen[str]]) -> int:
    """Wait until all wait for the lock, or the first waited long enough; returns their number."""
    until, first = time.monotonic() + STARTS_WITHIN_S, None
    while True:
        there = int(waiting())
        now = time.monotonic()
        first = first or (now if there else None)
        gone = any(process.poll() is not None for process in processes)
        if there == len(processes) or gone or now > (first + DOOR_S if first else until):
            return there
        time.sleep(0.01)


def careless_sweeps(url: str, as_of: datetime, number: int = PROCESSES) -> None:
    """The control: concurrent sweeps that read what is due, then write."""
    engine = create_engine(url, pool_size=number)
    barrier = threading.Barrier(number)

    def sweep() -> None:
        due = due_steps(engine, as_of)
        barrier.wait()
        for clock, tiers in due.items():
            _raise_carelessly(engine, clock, max(tiers), as_of)

    threads = [threading.Thread(target=sweep) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()


def _raise_carelessly(engine: Engine, clock: UUID, tier: int, as_of: datetime) -> None:
    step = t.escalation
    with engine.begin() as connection:
        connection.execute(
            update(step)
            .where(step.c.deadline_id == clock, step.c.at <= as_of, step.c.run_id.is_(None))
            .values(raised_at=as_of, passed_over=step.c.tier != tier)
        )
        connection.execute(
            insert(t.event).values(
                id=new_id(), name="EscalationRaised", subject_type="deadline", subject_id=clock,
                at=as_of, by_role="system", data={"tier": tier},
            )
        )  # fmt: skip


def seeded(url: str, residents: int) -> None:
    """A migrated database with an invented city of so many residents, as of now."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings().model_copy(update={"database_url": url, "data_dir": Path(folder)})
        application = build(settings, cheap_passwords=True)
        operations.migrate(application)
        for done in operations.seed(application, residents, seed=1):
            print(f"seeded {done}", end="\r", file=sys.stderr)
        application.engine.dispose()


def promised(url: str, number: int, as_of: datetime) -> None:
    """So many tasks of districts and of the city, all due a day before that instant."""
    clockwork = Clockwork(SHIPPED, korean_calendar())
    target = Target((day_in_seoul(as_of) - ONE_DAY).toordinal(), Unit.ON_DATE)
    clocks = [
        clockwork.begin(
            ClockKind.TASK, id=new_id(), subject_id=new_id(), started_at=as_of - 2 * AHEAD,
            about=ClockSubject.of_programme(area=area), target=target,
        )
        for area in islice(cycle((CITY_AREA, "26110", "26350")), number)
    ]  # fmt: skip
    begun = [clock for clock in clocks if clock is not None]
    engine = create_engine(url)
    with engine.begin() as connection:
        bulk.insert_all(connection, begun)
        escalations.plan(connection, [(clock, True) for clock in begun], as_of - 2 * AHEAD)
    engine.dispose()


def one_round(server: postgres.Server, template: str, as_of: datetime) -> dict[str, Any]:
    """Four sweeps on a copy of the seeded database, and one more that must find nothing."""
    with server.database("casework_proof_round", template) as url:
        engine = create_engine(url)
        due = due_steps(engine, as_of)
        found = _sweep(url, as_of, "--dry-run")["found"]
        runs, together = sweeps_at_once(url, as_of)
        result = asdict(verdict(engine, due, as_of)) | {
            "found": found,
            "changed": sum(run["changed"] for run in runs),
            "failed": sum(run["failed"] for run in runs),
            "found_again": _sweep(url, as_of)["found"],
            "at_the_door": together,
            "shared_by": sum(run["changed"] > 0 for run in runs),
        }
        engine.dispose()
    return result


def _sweep(url: str, as_of: datetime, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*command(as_of), *options], cwd=ROOT, env=environment(url), text=True, check=True,
        capture_output=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def control(server: postgres.Server, template: str, as_of: datetime) -> Verdict:
    """The same comparison after sweeps without a claim."""
    with server.database("casework_proof_control", template) as url:
        engine = create_engine(url)
        due = due_steps(engine, as_of)
        careless_sweeps(url, as_of)
        result = verdict(engine, due, as_of)
        engine.dispose()
    return result


def prove(rounds: int, residents: int, programme: int) -> dict[str, Any]:
    """All rounds and the control, summed up."""
    began = time.monotonic()
    with postgres.running_server() as server, server.database("casework_proof") as url:
        seeded(url, residents)
        as_of = utc_now() + AHEAD
        if programme:
            promised(url, programme, as_of)
        every = []
        for number in range(1, rounds + 1):
            every.append(one_round(server, "casework_proof", as_of))
            print(f"round {number} of {rounds}: {every[-1]}", file=sys.stderr)
        caught = control(server, "casework_proof", as_of)
    due = sum(one["due"] for one in every)
    return {
        "proof": "sweeps",
        "rounds": rounds,
        "processes": PROCESSES,
        "residents": residents,
        "programme": programme,
        "due": due,
        **{
            name: sum(one[name] for one in every)
            for name in ("doubled", "missed", "wrong", "unasked", "failed", "found_again")
        },
        "found_minus_changed": sum(one["found"] - one["changed"] for one in every),
        "rounds_shared": sum(one["shared_by"] > 1 for one in every),
        "bound": 3 / due if due else None,
        "control": asdict(caught),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }


def is_proven(result: dict[str, Any]) -> bool:
    """Whether nothing was doubled or missed, and the control was."""
    zero = ("doubled", "missed", "wrong", "unasked", "failed", "found_again", "found_minus_changed")
    return (
        result["due"] > 0
        and not any(result[name] for name in zero)
        and result["control"]["doubled"] > 0
    )


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof sweeps", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--residents", type=int, default=3000)
    parser.add_argument("--programme", type=int, default=2000, help="newly due tasks")
    options = parser.parse_args()
    result = prove(options.rounds, options.residents, options.programme)
    print(json.dumps(result, indent=2))
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
