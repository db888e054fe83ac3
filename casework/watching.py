"""What an operator watches: readiness, the backlog, the exported heads and the room on the disks.

It is the same for the whole installation whichever process is asked, and is read again after half a
minute at most, so that asking often costs the database nothing.
"""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from weakref import WeakSet

from sqlalchemy import Dialect, Engine, event
from structlog import get_logger

from casework import operations
from casework.adapters.archives.file import ArchiveFile
from casework.adapters.persistence.supervision.backlog import read_backlog
from casework.adapters.persistence.supervision.clock_counts import count_clocks
from casework.readiness import readiness
from casework.workflows.audit import exporting
from casework.workflows.ports.supervision import Backlog, ClockCounts, Space, Watched

if TYPE_CHECKING:
    from casework.adapters.api.health import ReadinessProbe

log = get_logger("casework")
READ_AGAIN_S: Final = 30.0
# Clocks are counted at most once a minute, and at most a twentieth of the time.
COUNTED_AGAIN_S: Final = 60.0
RESTS: Final = 20
# How long the first who ask wait for what is counted aside: most installations are counted by then.
FIRST_S: Final = 0.05
_IS_TAKEN: Final = "is_taken"
_COUNTED: Final[WeakSet[Dialect]] = WeakSet()
T = TypeVar("T")


class Installation(operations.Installation, Protocol):
    """What is watched of the wired application."""

    @property
    def exporting(self) -> exporting.Exporting:
        """The chains of the audit, and where their heads are kept."""
        ...


def probe(of: Installation) -> ReadinessProbe:
    """What the paths for machines tell of an installation."""
    # Imported here, as the application is: most commands serve nothing.
    from casework.adapters.api.health import ReadinessProbe
    from casework.adapters.http.metrics import CONNECTIONS, CONNECTIONS_AT_MOST, STALE_READS

    count_connections(of.engine, CONNECTIONS.inc)
    CONNECTIONS_AT_MOST.set(of.settings.threads)
    if of.store.replica is not None:
        of.store.replica.count = lambda source: STALE_READS.labels(source).inc()
    return ReadinessProbe(partial(readiness, of), Watch(of))


class Watch:
    """What is watched of one installation, each part at most half a minute old."""

    def __init__(self, of: Installation, seconds: float = READ_AGAIN_S) -> None:
        self._of = of
        self.backlog = Remembered(self._read_backlog, seconds)
        self.clocks = Aside("the clocks", self._count_clocks, COUNTED_AGAIN_S, waits=FIRST_S)
        self.exported_at = Aside("the exported heads", self._read_exported, seconds)

    def __call__(self) -> Watched:
        """All of it; the rest too where one part cannot be read."""
        return Watched(
            backlog=self.backlog(),
            clocks=self.clocks(),
            exported_at=self.exported_at(),
            space=space_of(self._of),
        )

    def _read_backlog(self) -> Backlog | None:
        try:
            return read_backlog(self._of.engine, self._of.now())
        except Exception as error:
            log.warning("the backlog cannot be read", error=type(error).__name__)
            return None

    def _count_clocks(self) -> ClockCounts:
        return count_clocks(self._of.engine, self._of.now())

    def _read_exported(self) -> datetime | None:
        last = exporting.newest(self._of.exporting).last
        return last.exported_at if last else None


class Remembered(Generic[T]):
    """A value that one of those who ask reads again when it is old, while the others get it."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._lock = threading.Lock()
        self._value: tuple[float, T] | None = None

    def forget(self) -> None:
        """Read it again at the next use."""
        self._value = None

    def __call__(self) -> T:
        """The value; only the first who ask wait for it together."""
        value = self._value
        if value is not None and time.monotonic() - value[0] <= self._seconds:
            return value[1]
        if value is not None and not self._lock.acquire(blocking=False):
            return value[1]
        if value is None:
            self._lock.acquire()
        try:
            if self._value is None or self._value is value:
                self._value = time.monotonic(), self._read()
            return self._value[1]
        finally:
            self._lock.release()


class Aside(Generic[T]):
    """A value that takes long to read: whoever asks gets the last one known.

    It is read again after so many seconds, or twenty times as long as the last reading took. While
    there is none yet, those who ask wait for it as long as ``waits`` says, in seconds.
    """

    def __init__(
        self, what: str, read: Callable[[], T | None], seconds: float, *, waits: float = 0.0
    ) -> None:
        self._what, self._read, self._seconds, self._waits = what, read, seconds, waits
        self._lock, self._is_read = threading.Lock(), threading.Event()
        self._next: float | None = None
        self._value: T | None = None

    def forget(self) -> None:
        """Read it again at the next use, for which those who ask then wait."""
        with self._lock:
            self._next, self._value = None, None
            self._is_read.clear()

    def __call__(self) -> T | None:
        """What was read last; None before the first was, and where it failed."""
        with self._lock:
            is_old = self._next is None or time.monotonic() > self._next
            if is_old:
                self._next = math.inf
        if is_old:
            threading.Thread(target=self._read_it, name="watching", daemon=True).start()
        if self._value is None and self._waits:
            self._is_read.wait(self._waits)
        return self._value

    def _read_it(self) -> None:
        began = time.monotonic()
        try:
            self._value = self._read()
        except Exception as error:
            self._value = None
            log.warning(
                "what is watched cannot be read", what=self._what, error=type(error).__name__
            )
        finally:
            took = time.monotonic() - began
            self._next = began + max(self._seconds, RESTS * took)
            self._is_read.set()


def space_of(of: Installation) -> Mapping[str, Space]:
    """The disks of the places that are there, by what they hold."""
    found = {}
    for name, folder in places_of(of).items():
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        found[name] = Space(free=usage.free, total=usage.total)
    return found


def places_of(of: Installation) -> dict[str, Path]:
    """Where this process keeps files; PostgreSQL's own disk is watched where it runs."""
    settings = of.settings
    places = {"data": settings.data_dir, "key_ring": settings.ring().parent}
    if of.engine.dialect.name == "sqlite" and of.engine.url.database:
        places["database"] = Path(of.engine.url.database).parent
    if settings.request_log is not None:
        places["request_log"] = settings.request_log.parent
    for archive in of.exporting.archives:
        if isinstance(archive, ArchiveFile):
            places["heads"] = archive.path.parent
    return places


def count_connections(engine: Engine, taken: Callable[[int], None]) -> None:
    """Tell how many more connections are in use, or how many fewer; once for each engine."""
    if engine.dialect in _COUNTED:  # those of an engine with other options are the same
        return
    _COUNTED.add(engine.dialect)

    @event.listens_for(engine, "checkout")
    def take(_connection: Any, record: Any, _proxy: Any) -> None:
        record.record_info[_IS_TAKEN] = True
        taken(1)

    @event.listens_for(engine, "checkin")
    def give_back(_connection: Any, record: Any) -> None:
        if record.record_info.pop(_IS_TAKEN, False):
            taken(-1)
