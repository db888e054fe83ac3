"""A streaming replica of PostgreSQL, for what may be told as it was some seconds ago.

How far it is behind is measured against the primary's own clock and log: what was in the log when
the primary was asked, and has been replayed here, is known here. Nothing is written for it, no
clocks of two machines are compared, and a replica that lost its primary does not look up to date.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Final

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from casework.adapters.persistence.engine.timeouts import OutOfTime, time_allowed, time_left

log = get_logger("casework")
# A replica that failed is asked again after so long, and not by a request.
PAUSE_S: Final = 5.0
# What a request has left is split: for the replica, and for the primary if that was in vain. Both
# together, and the half second that an answer may be late, stay within six seconds of five.
REPLICA_SHARE: Final = 0.3
PRIMARY_SHARE: Final = 0.8
_MARKS: Final = 256
_OF_PRIMARY: Final = text(
    "SELECT clock_timestamp() AS at, pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') AS flushed,"
    " system_identifier AS cluster FROM pg_control_system()"
)
_OF_REPLICA: Final = text(
    "SELECT pg_is_in_recovery() AS follows, pg_last_xact_replay_timestamp() AS last,"
    " pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') AS replayed,"
    " system_identifier AS cluster FROM pg_control_system()"
)


class NotUsable(Exception):
    """What the replica shows is not told."""


class NoReplica(NotUsable):
    """It follows another primary, or none any more, or has replayed nothing yet."""


class TooFarBehind(NotUsable):
    """It is further behind than it may be."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the primary's log ended at an instant of the primary's clock, in bytes."""

    at: datetime
    flushed: int
    cluster: int


def mark_of(primary: Connection) -> Mark:
    """Where the primary's log ends now."""
    row = primary.execute(_OF_PRIMARY).one()
    return Mark(row.at, int(row.flushed), row.cluster)


class Replica:
    """One replica, and what is known of it: whether it is asked, and how far it was behind.

    ``at_most`` is how far behind it may be.
    """

    def __init__(self, primary: Engine, engine: Engine, at_most: timedelta) -> None:
        self.engine, self._primary, self._at_most = engine, primary, at_most
        self._marks: deque[Mark] = deque(maxlen=_MARKS)
        self._lock, self._looked_at = Lock(), 0.0
        # How far it was behind when it was asked last; None where it could not be asked.
        self.behind: timedelta | None = None
        # Whether it is asked; None before it ever was.
        self.is_used: bool | None = None
        # Told where each read that it might answer was answered: by "replica" or "primary".
        self.count: Callable[[str], None] = lambda _source: None

    def is_open(self) -> bool:
        """Whether to ask it; one that failed is looked at again aside, so that nobody waits."""
        if self.is_used is False:
            self.look_aside()
        return self.is_used is not False

    @contextmanager
    def connect(self, mark: Mark) -> Iterator[tuple[Connection, timedelta]]:
        """A connection, and how far what it shows is behind. Raises NotUsable.

        Takes a share of what the request has left; what fails with the database shuts it.
        """
        left = time_left()
        try:
            with _within(left), self.engine.connect() as connection:
                behind = self._measure(connection, mark)
                if behind > self._at_most:
                    raise TooFarBehind(f"{behind.total_seconds():.0f} seconds")
                self._open(behind)
                yield connection, behind
        except (NotUsable, SQLAlchemyError, psycopg.Error, OutOfTime) as error:
            self._shut(error)
            raise

    def look_aside(self) -> None:
        """Measure it in a thread of its own, at most every few seconds; nobody waits for it."""
        with self._lock:
            if time.monotonic() - self._looked_at < PAUSE_S:
                return
            self._looked_at = time.monotonic()
        Thread(target=self.look, name="replica", daemon=True).start()

    def look(self) -> None:
        """Measure it. Raises nothing: what is wrong is noted."""
        with suppress(Exception):
            with self._primary.connect() as primary:
                mark = mark_of(primary)
            with self.connect(mark):
                pass

    def _measure(self, connection: Connection, mark: Mark) -> timedelta:
        row = connection.execute(_OF_REPLICA).one()
        if not row.follows or row.cluster != mark.cluster or row.replayed is None:
            self.behind = None
            raise NoReplica("it does not follow this database")
        self._marks.append(mark)
        replayed = int(row.replayed)
        known = [one.at for one in list(self._marks) if one.flushed <= replayed]
        known += [row.last] if row.last is not None else []
        if not known:
            self.behind = None
            raise NoReplica("nothing was replayed yet")
        self.behind = max(timedelta(0), mark.at - max(known))
        return self.behind

    def _open(self, behind: timedelta) -> None:
        if self.is_used is False:
            log.info("the replica is asked again", ms=round(behind.total_seconds() * 1000))
        self.is_used = True

    def _shut(self, error: Exception) -> None:
        """Ask it no more for a while."""
        if not isinstance(error, NotUsable):
            self.behind = None
        if self.is_used is not False:
            log.warning("the replica is not asked", error=type(error).__name__)
        self.is_used = False
        with self._lock:
            self._looked_at = time.monotonic()


@contextmanager
def _within(left: float | None) -> Iterator[None]:
    if left is None:
        yield
        return
    with time_allowed(REPLICA_SHARE * left):
        yield


@contextmanager
def rest_of(before: float | None) -> Iterator[None]:
    """What the primary has where the replica was asked in vain; ``before`` were left until then."""
    left = time_left()
    if before is None or left is None:
        yield
        return
    with time_allowed(max(left, PRIMARY_SHARE * before)):
        yield
