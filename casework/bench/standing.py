"""A database that a benchmark filled and that stays: where it is, how it is opened, what is in it.

What it holds stands in its comment, and whoever fills again drops only a database that has one.
Its keys are in a folder, since nothing encrypted is read without them.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from casework.bench.city import City
from casework.bench.database import Databases, make_roles, refused, remove
from casework.bench.lives import Product, Ways
from casework.bench.processes import BenchmarkFailed
from casework.bench.raw import conninfo
from casework.settings import Settings

# Roles are the whole server's: those of no other installation begin with this.
NAME: Final = re.compile("casework_bench_[a-z0-9_]{1,16}")
MARK: Final = "casework bench fill: "
EMPTY: Final = """
SELECT count(*) = 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
COMMENT: Final = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
Open = Callable[[Settings, Any], Product]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a database was filled with, and when."""

    city: City
    referrals: int
    events: int
    filled_at: datetime

    def said(self) -> str:
        """As it is written beside the database."""
        return json.dumps(asdict(self), default=str)


def filled_of(said: str) -> Filled:
    """What :meth:`Filled.said` wrote."""
    found = json.loads(said)
    city, ways = found["city"], found["city"]["ways"]
    return Filled(
        city=City(city["residents"], city["workers"], Ways(**ways), ()),
        referrals=found["referrals"], events=found["events"],
        filled_at=datetime.fromisoformat(found["filled_at"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A named database, and the folder of its keys."""

    databases: Databases
    folder: Path

    @property
    def name(self) -> str:
        """What the database is called."""
        return self.databases.name

    def settings(self) -> Settings:
        """Settings of this installation alone, whatever the environment says."""
        return settings_of(self.databases, self.folder)

    def begin(self, *, again: bool) -> None:
        """Make it, empty and with its roles. Raises BenchmarkFailed where it holds something.

        ``again`` drops what an earlier filling wrote, finished or not, and nothing else.
        """
        with self._administered() as connection:
            known = connection.execute(COMMENT, (self.name,)).fetchone()
            if known is not None and not self._is_empty():
                if not again:
                    raise BenchmarkFailed(f"{self.name} is not empty; --again fills it anew")
                if not (known[0] or "").startswith(MARK):
                    raise BenchmarkFailed(f"{self.name} was not filled by casework bench")
                self.drop()
                known = None
            name = sql.Identifier(self.name)
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        self.note("")
        make_roles(self.databases)

    def drop(self) -> None:
        """Drop it with its roles."""
        remove(self.databases)

    def note(self, what: str) -> None:
        """Write beside the database what it holds; nothing yet while it is filled."""
        with self._administered() as connection:
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            connection.execute(
                comment.format(sql.Identifier(self.name), sql.Literal(MARK + what))
            )  # fmt: skip

    def filled(self) -> Filled:
        """What it holds; its roles get the passwords of now. Raises BenchmarkFailed."""
        with self._administered() as connection:
            known = connection.execute(COMMENT, (self.name,)).fetchone()
        said = ((known and known[0]) or "").removeprefix(MARK)
        if not said.startswith("{"):
            raise BenchmarkFailed(f"{self.name} was not filled to the end by casework bench fill")
        make_roles(self.databases)
        return filled_of(said)

    def _is_empty(self) -> bool:
        there = conninfo(self.databases.as_admin(self.name))
        with psycopg.connect(there, autocommit=True) as connection:
            row = connection.execute(EMPTY).fetchone()
        return bool(row and row[0])

    def _administered(self) -> psycopg.Connection[Any]:
        return psycopg.connect(conninfo(self.databases.home), autocommit=True)


def standing(given: str, keys: Path) -> Standing:
    """The database of an administrator's address. Raises BenchmarkFailed where it cannot be."""
    try:
        url = make_url(given)
    except ArgumentError:
        raise BenchmarkFailed(f"{given!r} is no address of a database") from None
    if not url.drivername.startswith("postgres"):
        raise BenchmarkFailed("a large city needs PostgreSQL")
    name = url.database or ""
    if not NAME.fullmatch(name):
        raise BenchmarkFailed("name a database of its own, casework_bench_… in small letters")
    home = url.set(drivername="postgresql+psycopg", database="postgres")
    _try(home)
    return Standing(Databases(home, name, secrets.token_hex(16)), keys / name)


def _try(home: URL) -> None:
    try:
        psycopg.connect(conninfo(home)).close()
    except (psycopg.Error, OperationalError) as error:
        raise refused(error) from None


def settings_of(made: Databases, folder: Path) -> Settings:
    """Settings of a benchmark's installation alone, whatever the environment says."""
    return Settings(
        mode="development",
        database_url=made.as_role("app"),
        migration_url=made.as_role("owner"),
        role_prefix=made.name,
        CASEWORK_SCHEMA=None,
        data_dir=folder / "data",
        key_ring=folder / "keyring.json",
        token_key=None,
        cursor_key=None,
        master_key=None,
        audit_key=None,
        audit_heads=None,
        require_totp="none",
        rate_limit=0,
        request_log=folder / "requests.log",
    )
