"""A PostgreSQL and a streaming standby of it, both on this machine, both to be thrown away."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from casework.bench import throwaway
from tests import postgres

# Every statement that a server is sent goes to its log, as does who sent it.
SPOKEN = "fsync = off\nlog_statement = all\nlog_line_prefix = 'of %u: '\n"
PATIENCE_S = 20.0
_SAID = re.compile(r"^of (\w*): LOG:  (?:statement|execute [^:]+): (.*)$")


@dataclass(frozen=True)
class Pair:
    """The primary and its standby, each in a folder of its own."""

    primary: Path
    standby: Path

    @property
    def server(self) -> postgres.Server:
        """The primary."""
        return postgres.Server(home(self.primary))

    def at_standby(self, url: str) -> str:
        """The same role and database on the standby."""
        here, there = (quote(str(folder / "data")) for folder in (self.primary, self.standby))
        return url.replace(here, there)

    def run(self, folder: Path, statement: str) -> Any:
        """One statement as the superuser; the first column of its first row, if it has rows."""
        with psycopg.connect(home(folder), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def catch_up(self) -> None:
        """Wait until everything of the primary is known on the standby."""
        end = self.run(self.primary, "SELECT pg_current_wal_flush_lsn()")
        until = time.monotonic() + PATIENCE_S
        while not self.run(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{end}'"):
            assert time.monotonic() < until, "the standby does not catch up"
            time.sleep(0.02)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let the standby fall behind: it takes the log and does not replay it."""
        self.run(self.standby, "SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            self.run(self.standby, "SELECT pg_wal_replay_resume()")
            self.catch_up()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Without the standby, which is killed."""
        postgres.control(self.standby, "stop", "-m", "immediate")
        try:
            yield
        finally:
            postgres.control(self.standby, "start")
            self.catch_up()


def home(folder: Path) -> str:
    """The address of a server in its folder, for the superuser."""
    return f"postgresql://postgres@/postgres?host={quote(str(folder / 'data'))}"


@contextlib.contextmanager
def running_pair() -> Iterator[Pair]:
    """Both servers, as long as the block lasts."""
    place = postgres.fast_place()
    primary, standby = throwaway.make_folder(place), throwaway.make_folder(place)
    pair = Pair(primary, standby)
    try:
        throwaway.start(primary, SPOKEN)
        copy = throwaway.binary("pg_basebackup", standby)
        data = ["-h", str(primary / "data"), "-U", "postgres", "-D", str(standby / "data")]
        throwaway.run(standby, [copy, *data, "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        for socket in (standby / "data").glob(".s.PGSQL.*"):  # the primary's, which was copied
            socket.unlink()
        postgres.control(standby, "start")
        pair.catch_up()
        yield pair
    finally:
        throwaway.stop(standby)
        throwaway.stop(primary)


@contextlib.contextmanager
def heard(folder: Path, role: str) -> Iterator[list[str]]:
    """The statements that a server is sent by a role inside the block, there once it has ended."""
    log, found = folder / "log", list[str]()
    began = log.stat().st_size
    yield found
    with log.open(encoding="utf-8") as lines:
        lines.seek(began)
        hits = (_SAID.match(line.rstrip("\n")) for line in lines)
        found += [hit[2] for hit in hits if hit and hit[1] == role]
