"""Concurrent writes to the audit, with sealers and a check running beside them: no false alarm.

    python3 dev.py proof appends --entries 100000 --store postgresql

Threads write entries, each in a transaction of its own; some transactions stay open for a while, so
that entries are committed later than younger ones. Sealers run beside them, several at once, and so
does the check of `casework audit verify`, again and again: it must never find a flaw. At the end
everything is sealed once, in chains without a gap. Exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_pending, audit_seal
from casework.bootstrap import utc_now
from casework.domain.access.policy import Actor, Role
from casework.workflows.audit import sealing
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.proofs._world import STORES, database, owner_of

KEY = b"a" * 32
DISTRICTS = ("26110", "26140", "26350", None)
WRITERS, SEALERS = 6, 2
SLOW_ONE_IN, SLOW_S = 50, 0.05


class Crowd:
    """The threads that write, seal and check at the same time."""

    def __init__(self, engine: Engine, entries: int, seed: int) -> None:
        self._engine, self._entries, self._seed = engine, entries, seed
        self._book = SqlAuditChainStore(engine.connect)
        self._written = threading.Event()
        self._lock = threading.Lock()
        self.checks = self.out_of_turn = 0
        self.alarms: list[str] = []
        self.errors: list[str] = []

    def go(self) -> None:
        """All of them, until everything is written and sealed."""
        writers = [
            threading.Thread(target=self._safely, args=(self._write, n)) for n in range(WRITERS)
        ]
        others = [threading.Thread(target=self._safely, args=(self._seal,)) for _ in range(SEALERS)]
        others.append(threading.Thread(target=self._safely, args=(self._check,)))
        for thread in (*writers, *others):
            thread.start()
        for thread in writers:
            thread.join()
        self._written.set()
        for thread in others:
            thread.join()
        sealing.seal(self._book, utc_now)

    def _safely(self, act: Callable[..., None], *args: Any) -> None:
        try:
            act(*args)
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}"[:300])

    def _write(self, n: int) -> None:
        rng = random.Random(self._seed * 1000 + n)
        share = len(range(n, self._entries, WRITERS))
        people = [
            Actor(id=new_id(), role=Role.WORKER, username=f"worker.{n}", district_code=code)
            for code in DISTRICTS
        ]
        for k in range(share):
            facts = RequestFacts(task="GET /residents/{id}", request_id=f"{n}-{k}")
            self._again(partial(self._one, rng, people, facts))

    def _one(self, rng: random.Random, people: list[Actor], facts: RequestFacts) -> None:
        with self._engine.begin() as connection:
            about = [new_id()] * rng.randrange(2)
            write_audit(connection, rng.choice(people), "case.read", utc_now(), facts, about)
            if rng.randrange(SLOW_ONE_IN) == 0:
                time.sleep(SLOW_S)  # meanwhile younger ones are committed and sealed

    def _again(self, act: Callable[[], None]) -> None:
        """Retry: SQLite has one writer at a time."""
        while True:
            try:
                act()
            except DBAPIError as error:
                if fault(error) is None:
                    raise
                with self._lock:
                    self.out_of_turn += 1
            else:
                return

    def _seal(self) -> None:
        while not self._written.is_set():
            self._again(lambda: self._found(sealing.seal(self._book, utc_now).flaws))
            time.sleep(0.01)

    def _check(self) -> None:
        while not self._written.is_set():
            verdict = sealing.verify(self._book, KEY, utc_now(), page=500)
            self.checks += 1
            self._found(verdict.flaws)
            time.sleep(0.05)

    def _found(self, flaws: list[Any]) -> None:
        self.alarms += map(str, flaws)


def append(engine: Engine, entries: int, seed: int) -> dict[str, Any]:
    """Write that many entries concurrently, and count what was sealed."""
    seal_with(engine, lambda: KEY, may_begin=True)
    crowd = Crowd(engine, entries, seed)
    crowd.go()
    verdict = sealing.verify(SqlAuditChainStore(engine.connect), KEY, utc_now())
    seal, entry = audit_seal.c, t.audit_entry.c
    late = func.lag(seal.entry_id).over(partition_by=seal.chain, order_by=seal.seq)
    order = select(seal.entry_id.label("id"), late.label("before")).subquery()
    with engine.connect() as connection:
        sealed = connection.scalar(select(func.count(seal.entry_id)))
        written = connection.scalar(select(func.count(entry.id)))
        waiting = connection.scalar(select(func.count(audit_pending.c.entry_id)))
        overtaken = connection.scalar(
            select(func.count()).select_from(order).where(order.c.id < order.c.before)
        )
    return {
        "entries": entries, "written": written, "sealed": sealed, "waiting": waiting,
        "checks_meanwhile": crowd.checks, "alarms": crowd.alarms[:5], "errors": crowd.errors[:5],
        "flaws": [str(flaw) for flaw in verdict.flaws[:5]], "checked": verdict.entries,
        "sealed_after_a_younger_one": overtaken, "asked_again": crowd.out_of_turn,
    }  # fmt: skip


def is_proven(result: dict[str, Any]) -> bool:
    """Whether everything was written and sealed once, without a false alarm."""
    counts = {result[name] for name in ("entries", "written", "sealed", "checked")}
    return (
        len(counts) == 1
        and not (result["alarms"] or result["errors"] or result["flaws"] or result["waiting"])
        and result["checks_meanwhile"] > 0
    )


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof appends", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--store", choices=STORES, default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with database(options.store) as url:
        engine = open_engine(owner_of(url), pool_size=WRITERS + SEALERS + 1)
        result = append(engine, options.entries, options.seed)
        engine.dispose()
    told = {
        "proof": "appends", "store": options.store, **result, "machine": platform.platform(),
        "python": platform.python_version(), "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
