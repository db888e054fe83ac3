"""The product with one defect switched on: the control of a fault.

`python -m tests.proofs._faults.defects serve …` is `casework serve …` with the defect that
CASEWORK_PROOF_DEFECT names. It is put in when this module is imported, so that the processes of
`serve --workers` have it as well.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any, NoReturn

DEFECT, POOL_HELD_S = "CASEWORK_PROOF_DEFECT", "CASEWORK_PROOF_POOL_HELD_S"
SMALL_SWEEPS, REVISIONS = "CASEWORK_PROOF_SMALL_SWEEPS", "CASEWORK_PROOF_REVISIONS"
LATE_S = 0.15


def answers_before_the_commit() -> None:
    """The answer leaves, and the transaction is committed a moment later."""
    from sqlalchemy import Connection

    commit, close = Connection.commit, Connection.close

    def finish(connection: Any) -> None:
        commit(connection)
        close(connection)

    def late_close(self: Any) -> None:
        if self.__dict__.pop("is_late", False):
            Timer(LATE_S, finish, (self,)).start()
        else:
            close(self)

    Connection.commit = lambda self: self.__dict__.update(is_late=True)  # type: ignore[method-assign]
    Connection.close = late_close  # type: ignore[method-assign]


def waits_for_ever() -> None:
    """Neither an answer of the database nor a connection of the pool is given up."""
    import psycopg

    from casework import bootstrap
    from casework.adapters.persistence.engine import engine, reaching, timeouts

    reaching.LimitedConnection.wait = psycopg.Connection.wait  # type: ignore[method-assign]
    reaching.CONNECT_TIMEOUT_S = reaching.CONNECT_IN_ALL_S = 60  # type: ignore[misc]
    engine.POOL_WAIT_S = 60
    engine.STATEMENT_TIMEOUT_MS = engine.LOCK_TIMEOUT_MS = 60_000
    usual: Any = engine.open_engine
    usual.__kwdefaults__["statement_timeout_ms"] = 60_000
    proper = timeouts.time_allowed
    vars(bootstrap)["time_allowed"] = lambda _seconds: proper(60)


def knows_no_fault() -> None:
    """A fault of the database is taken for an error of the product."""
    from casework import bootstrap
    from casework.adapters.http import problems, refusals

    vars(bootstrap)["fault"] = lambda _error: None
    # Also where not even the refusal can be written to the audit.
    vars(refusals)["of_fault"] = lambda _fault: problems.Problem("", code="internal_error")


def settles_before_it_sends() -> None:
    """The relay writes down that a message arrived, and sends it then."""
    from casework.adapters.persistence.notices.outbox import SqlOutbox
    from casework.bootstrap import utc_now

    leased = SqlOutbox._leased

    def settled(self: Any, ids: Any, until: Any) -> Any:
        letters = leased(self, ids, until)
        for letter in letters:
            letter.message.arrived(utc_now())
            self.settle(letter)
        return letters

    SqlOutbox._leased = settled  # type: ignore[assignment]


def believes_in_mail() -> None:
    """A mail that could not be handed over is taken for sent."""
    from casework.adapters.notifications.mail import Mail

    proper = Mail.__call__

    def sent(self: Any, letter: Any, now: Any) -> None:
        proper(self, letter, now)

    Mail.__call__ = sent  # type: ignore[method-assign]


def claims_and_tells_later() -> None:
    """A sweep commits that steps are raised, and tells of them in another transaction."""
    from sqlalchemy import select, update

    from casework.adapters.persistence import tables as t
    from casework.adapters.persistence.scope import session_context
    from casework.adapters.persistence.supervision.sweeping import SqlSweepStore

    proper, step = SqlSweepStore.raise_due, t.escalation

    def careless(self: Any, run_id: Any, as_of: Any, limit: int) -> Any:
        due = select(step.c.id).where(step.c.raised_at.is_(None), step.c.at <= as_of)
        with self._engine.begin() as connection:
            session_context.set_system_context(connection)
            ids = list(connection.scalars(due.limit(limit)))
            claim = update(step).where(step.c.id.in_(ids))
            connection.execute(claim.values(raised_at=as_of, run_id=run_id))
        time.sleep(LATE_S)
        with self._engine.begin() as connection:
            session_context.set_system_context(connection)
            connection.execute(claim.values(raised_at=None, run_id=None))
        return proper(self, run_id, as_of, limit)

    SqlSweepStore.raise_due = careless  # type: ignore[method-assign]


def sleeps_until_then() -> None:
    """A scheduler waits for the instant that it computed, wherever the clock is by then."""
    from apscheduler.jobstores.memory import MemoryJobStore

    from casework.adapters import scheduler

    vars(scheduler).update(WakingJobs=MemoryJobStore, LOOKS_AGAIN_S=1e9)


# Not defects, but what some faults need inside the process.


def let_the_pool_be_held(seconds: float) -> None:
    """On SIGUSR1 take every connection of the pool, and give them back after so long."""
    from casework import bootstrap

    proper: Any = vars(bootstrap)["open_engine"]
    engines: list[Any] = []

    def opened(*args: Any, **options: Any) -> Any:
        engines.append(proper(*args, **options))
        return engines[-1]

    def hold() -> None:
        held: list[Any] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(Exception):  # all are taken by now
                held.append(engines[0].connect())
        for one in held:
            one.close()

    vars(bootstrap)["open_engine"] = opened
    signal.signal(signal.SIGUSR1, lambda *_: Thread(target=hold, daemon=True).start())


def sweep_in_small_steps() -> None:
    """A sweep of one clock a transaction, at each start: one that is killed has taken its slot."""
    from casework import background_jobs
    from casework.workflows.supervision import overdue
    from casework.workflows.supervision.batches import Batches

    vars(overdue)["BATCHES"] = Batches(first=1, least=1, most=1)
    vars(background_jobs)["slot_of"] = lambda now, _minutes: now


def know_other_revisions(folder: str) -> None:
    """Its schema is the one that the revisions in a folder lead to."""
    from casework.adapters.persistence.schema import migrations

    vars(migrations)["MIGRATIONS"] = Path(folder)


DEFECTS: dict[str, Callable[[], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        answers_before_the_commit, waits_for_ever, knows_no_fault, settles_before_it_sends,
        believes_in_mail, claims_and_tells_later, sleeps_until_then,
    )
}  # fmt: skip

if name := os.environ.get(DEFECT):
    DEFECTS[name]()
if held_s := os.environ.get(POOL_HELD_S):
    let_the_pool_be_held(float(held_s))

if os.environ.get(SMALL_SWEEPS):
    sweep_in_small_steps()
if revisions := os.environ.get(REVISIONS):
    know_other_revisions(revisions)


def main() -> NoReturn:
    """The command."""
    from casework.__main__ import main as casework

    casework()


if __name__ == "__main__":
    main()
