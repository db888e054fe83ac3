"""Copies of a whole database: made while it is written to, and put back into an empty one.

PostgreSQL's own `pg_dump` and `pg_restore`, and the backup of SQLite, do the work.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Engine, make_url

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.reaching import allow_statements
from casework.adapters.persistence.schema.content import READING_S, contents, table_names
from casework.adapters.persistence.schema.migrations import migration_engine
from casework.domain.audit.manifests import TableContent

DUMP: Final = "data.dump"
FILE: Final = "data.sqlite"
# A dump waits no longer for what changes tables meanwhile: in milliseconds.
_LOCK_WAIT: Final = "10000"
Progress = Callable[[str], None]


class CopyError(Exception):
    """The copy cannot be made or put back; the message is one line and quotes no row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The database as its owner reaches it; ``programs`` is the folder of those of PostgreSQL."""

    url: str
    schema: str | None = None
    programs: Path | None = None

    @property
    def store(self) -> str:
        """``postgresql`` or ``sqlite``."""
        return make_url(self.url).get_backend_name()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied, as the copy's own moment saw it; ``rest`` is what was read then besides."""

    server: str
    tables: dict[str, TableContent]
    rest: Any


def copy_to(
    source: Source, path: Path, rest: Callable[[Connection], Any], progress: Progress
) -> Copied:
    """Copy the database to a file while it is written to.

    The tables are counted at the very moment of the copy, and ``rest`` reads what else is told.
    """
    if source.store == "sqlite":
        _copy_file(source, path)
        with reading(Source(url=f"sqlite:///{path}")) as connection:
            return _copied(connection, rest, progress)
    with reading(source) as connection:
        snapshot = str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar())
        dumping = _started(source, "pg_dump", [
            "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}",
            f"--lock-wait-timeout={_LOCK_WAIT}", f"--file={path}",
            *([f"--schema={source.schema}"] if source.schema else []),
        ])  # fmt: skip
        try:
            found = _copied(connection, rest, progress)
        except BaseException:
            dumping.kill()
            dumping.communicate()
            raise
        _ended(dumping, "pg_dump")
    return found


def _copied(
    connection: Connection, rest: Callable[[Connection], Any], progress: Progress
) -> Copied:
    return Copied(
        server=".".join(map(str, connection.dialect.server_version_info or ())),
        rest=rest(connection),
        tables=contents(connection, progress),
    )


@contextmanager
def reading(source: Source) -> Iterator[Connection]:
    """One moment of the database, however long it takes to read it; nothing is written."""
    engine = _engine(source)
    try:
        with engine.connect() as connection:
            allow_statements(connection, READING_S)
            if source.store == "postgresql":
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection
    finally:
        engine.dispose()


def _engine(source: Source) -> Engine:
    if source.store == "sqlite":
        return open_engine(source.url).execution_options(only_reads=True)
    return migration_engine(source.url, source.schema).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def is_empty(source: Source) -> bool:
    """Whether there is nothing yet where a copy is to be put back."""
    if source.store == "sqlite":
        path = _file(source)
        return not path.exists() or path.stat().st_size == 0
    engine = migration_engine(source.url, source.schema)
    try:
        with engine.connect() as connection:
            return not table_names(connection)
    finally:
        engine.dispose()


def put_back(source: Source, path: Path) -> None:
    """Put a copy back into an empty database: all of it, or nothing."""
    if source.store == "sqlite":
        _put_file_back(source, path)
        return
    _ended(
        _started(source, "pg_restore", [
            "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
            *([f"--schema={source.schema}"] if source.schema else []), str(path),
        ]),
        "pg_restore",
    )  # fmt: skip


def _file(source: Source) -> Path:
    return Path(make_url(source.url).database or "")


def _copy_file(source: Source, path: Path) -> None:
    there = _file(source)
    if not there.exists():
        raise CopyError("there is no database file to copy")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{there.absolute().as_uri()}?mode=ro", uri=True)) as origin,
            closing(sqlite3.connect(path)) as copy,
        ):
            origin.backup(copy)  # at once: who writes meanwhile is not waited for
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise CopyError(f"the file cannot be copied: {error}") from None


def _put_file_back(source: Source, path: Path) -> None:
    """Beside its place first, so that none but a whole file is ever there."""
    there = _file(source)
    there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = there.with_name(f"{there.name}.restoring")
    shutil.copyfile(path, fresh)
    fresh.chmod(0o600)
    try:
        with closing(sqlite3.connect(fresh)) as copy:
            (said,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        fresh.unlink()
        raise CopyError(f"the copy is damaged: {said}")
    fresh.replace(there)


def _started(source: Source, program: str, arguments: list[str]) -> subprocess.Popen[str]:
    """A program of PostgreSQL; the password is given where no list of processes shows it."""
    found = shutil.which(program, path=str(source.programs) if source.programs else None)
    if found is None:
        raise CopyError(
            f"{program} is not found: install PostgreSQL's client programs, or set CASEWORK_PG_BIN"
        )
    url = make_url(source.url)
    plain = urlsplit(url.set(drivername="postgresql", password=None).render_as_string())
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    return subprocess.Popen(  # noqa: S603 - of a folder that the operator names
        [found, f"--dbname={urlunsplit(plain)}", "--no-password", *arguments],
        env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def _ended(process: subprocess.Popen[str], program: str) -> None:
    """Wait for its end. The first line alone is told: what follows may quote a row."""
    _, said = process.communicate()
    if process.returncode:
        raise CopyError(said.strip().partition("\n")[0] or f"{program} failed")
