"""Two cities in one database of PostgreSQL, each in a schema of its own with roles of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from casework import operations
from casework.adapters.persistence.engine.engine import open_engine
from casework.bootstrap import Application, build
from casework.settings import Settings
from tests.api.conftest import Clock
from tests.postgres import ROLE_PASSWORD, Server

PARTS = operations.ROLE_PARTS


@dataclass(frozen=True)
class City:
    """One city: its schema, which its roles are named after, and a folder with its own keys."""

    name: str
    server: Server
    url: str
    folder: Path

    def url_as(self, part: str) -> str:
        """The address of the database for one of the city's roles."""
        return self.server.url_as(f"{self.name}_{part}", self.url)

    def settings(self, part: str = "app", schema: str | None = None) -> Settings:
        """The settings of a process that connects as one of the city's roles."""
        given: dict[str, Any] = {
            "database_url": self.url_as(part),
            "migration_url": self.url_as("owner"),
            "role_prefix": self.name,
            "CASEWORK_SCHEMA": schema or self.name,
            "data_dir": self.folder,
            "key_ring": self.folder / "keyring.json",
            "log_requests": False,
        }
        keys = {
            f"{name}_key": f"{self.name} {name} ".ljust(32, "k")
            for name in ("token", "cursor", "audit", "master")
        }
        return Settings(**(given | keys))

    @contextmanager
    def opened(self, part: str = "app", schema: str | None = None) -> Iterator[Application]:
        """The wired application as one of the city's roles."""
        application = build(self.settings(part, schema), now=Clock(), cheap_passwords=True)
        try:
            yield application
        finally:
            application.engine.dispose()

    @contextmanager
    def engine(self, part: str) -> Iterator[Engine]:
        """A connection as one of the city's roles, in its schema."""
        engine = open_engine(self.url_as(part), schema=self.name, pool_size=1)
        try:
            yield engine
        finally:
            engine.dispose()

    def set_up(self, residents: int) -> None:
        """Schema, roles, tables and an invented city, each by what an operator calls."""
        above = open_engine(self.url)
        with above.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {self.name}"))
        above.dispose()
        by_superuser = self.settings().model_copy(update={"migration_url": self.url})
        passwords = dict.fromkeys(PARTS, ROLE_PASSWORD)
        operations.make_roles(by_superuser, passwords, dry_run=False)
        with self.opened() as application:
            operations.migrate(application)
        with self.opened("owner") as application:
            list(operations.seed(application, residents=residents, seed=len(self.name)))

    def forget_roles(self) -> None:
        """Drop the roles, which are the whole server's, once the database is gone."""
        home = open_engine(self.server.url("postgres"))
        with home.begin() as connection:
            for part in PARTS:
                connection.execute(text(f"DROP ROLE IF EXISTS {self.name}_{part}"))
        home.dispose()
