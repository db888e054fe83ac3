"""The databases of a benchmark: one for the product with its roles, a copy for its ceiling."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.scope import database_roles
from casework.bench import throwaway
from casework.bench.processes import BenchmarkFailed, postmaster
from casework.bench.raw import conninfo

TAKES_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the product is measured: addresses of an administrator, and of the product's roles."""

    home: URL
    name: str
    password: str

    def as_admin(self, name: str) -> URL:
        """The address of a database for the administrator."""
        return self.home.set(database=name)

    def as_role(self, part: str) -> str:
        """The address of the product's database for one of its roles."""
        own = self.home.set(
            database=self.name, username=f"{self.name}_{part}", password=self.password
        )
        return own.render_as_string(hide_password=False)

    @property
    def copy(self) -> str:
        """The name of the copy."""
        return f"{self.name}_raw"

    def make_copy(self) -> None:
        """Copy the product's database, to which nobody may be connected."""
        _execute(self.home, f'CREATE DATABASE "{self.copy}" TEMPLATE "{self.name}"')

    def engine(self, name: str) -> Engine:
        """One of the databases, as the administrator."""
        return opened(self.as_admin(name).render_as_string(hide_password=False))

    def server(self) -> tuple[str, int | None]:
        """The version, and the process that started all others where it runs here."""
        with psycopg.connect(conninfo(self.home)) as connection:
            row = connection.execute("SHOW server_version").fetchone()
            return str(row[0]) if row else "", postmaster(connection)


def opened(url: str) -> Engine:
    """A database, whose statements may take long."""
    return open_engine(url, statement_timeout_ms=TAKES_MS)


@contextmanager
def databases(given: str | None) -> Iterator[Databases]:
    """An empty database with roles of its own beside a given one, else on a throw-away server.

    Raises BenchmarkFailed where there is no PostgreSQL, or none where that may be done.
    """
    with ExitStack() as stack:
        home = _home(given or stack.enter_context(_started()))
        name = f"casework_bench_{new_id().hex[-12:]}"
        made = Databases(home, name, secrets.token_hex(16))
        try:
            _execute(home, f'CREATE DATABASE "{name}"')
            stack.callback(remove, made)
            make_roles(made)
        except psycopg.Error as error:
            raise refused(error) from None
        except OperationalError as error:
            raise refused(error.orig or error) from None
        yield made


def refused(error: BaseException) -> BenchmarkFailed:
    """Why the database cannot be used, in one line."""
    reason = str(error).strip().partition("\n")[0]
    return BenchmarkFailed(f"PostgreSQL cannot be used as its administrator: {reason}")


@contextmanager
def _started() -> Iterator[str]:
    try:
        with throwaway.running_server() as url:
            yield url
    except throwaway.PostgresNotFound as error:
        raise BenchmarkFailed(str(error)) from None


def _home(given: str) -> URL:
    try:
        url = make_url(given)
    except ArgumentError:
        raise BenchmarkFailed(f"{given!r} is no address of a database") from None
    if not url.drivername.startswith("postgres"):
        raise BenchmarkFailed("the HTTP benchmark needs PostgreSQL")
    return url.set(drivername="postgresql+psycopg")


def make_roles(made: Databases) -> None:
    """Make the product's roles for a database, or give them the password of now."""
    engine = made.engine(made.name)
    try:
        passwords = dict.fromkeys(database_roles.ALL_PARTS, made.password)
        database_roles.make(engine, made.name, passwords)
    finally:
        engine.dispose()


def remove(made: Databases) -> None:
    """Drop a database, its copy and its roles."""
    for name in (made.copy, made.name):
        _execute(made.home, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    for part in database_roles.ALL_PARTS:
        _execute(made.home, f'DROP ROLE IF EXISTS "{made.name}_{part}"')


def _execute(home: URL, statement: str) -> None:
    with psycopg.connect(conninfo(home), autocommit=True) as connection:
        connection.execute(statement.encode())
