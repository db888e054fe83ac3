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
from threading import Thread, Timer
from typing import Any, NoReturn

DEFECT, POOL_HELD_S = "CASEWORK_PROOF_DEFECT", "CASEWORK_PROOF_POOL_HELD_S"
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

    vars(bootstrap)["fault"] = lambda _error: None


# Not a defect, but what the fault of an exhausted pool needs inside the process.


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


DEFECTS: dict[str, Callable[[], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (answers_before_the_commit, waits_for_ever, knows_no_fault)
}

if name := os.environ.get(DEFECT):
    DEFECTS[name]()
if held_s := os.environ.get(POOL_HELD_S):
    let_the_pool_be_held(float(held_s))


def main() -> NoReturn:
    """The command."""
    from casework.__main__ import main as casework

    casework()


if __name__ == "__main__":
    main()
