"""A world to be backed up, new places to restore it into, and the rows that both hold."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect, make_url, text

from casework import backups, bootstrap
from casework.adapters.persistence.engine.engine import open_engine
from casework.bootstrap import Application, open_vault
from casework.domain.errors import Refusal
from casework.settings import Settings
from tests import postgres
from tests.api.conftest import Api
from tests.proofs._world import owner_of, root_of
from tests.proofs.rotation import silent

# What a restore adds itself: its entry with its seal, and that nothing is sent.
ADDED: Final = ("audit_entry", "audit_seal", "audit_pending")
MOVED: Final = ("audit_head", "relay_state")
A_ROW: Final = "UPDATE resident SET name = 'X' WHERE id IN (SELECT id FROM resident LIMIT 1)"
Rows = dict[str, Counter[tuple[str, ...]]]


def all_rows(connection: Connection) -> Rows:
    """Every row of every table, by a plain query."""
    names = inspect(connection).get_table_names()
    return {
        name: Counter(
            tuple(f"{column}={value!r}" for column, value in sorted(row._mapping.items()))
            for row in connection.execute(text(f'SELECT * FROM "{name}"'))
        )
        for name in names
    }


def unlike(seen: Rows, found: Rows) -> list[str]:
    """The tables whose rows are not those that were seen, but for what a restore adds."""
    return [
        name
        for name in sorted({*seen, *found})
        if not _is_like(name, seen.get(name, Counter()), found.get(name, Counter()))
    ]


def _is_like(name: str, before: Counter[Any], after: Counter[Any]) -> bool:
    if name in MOVED:
        return True
    return not before - after and (after - before).total() <= (name in ADDED)


@dataclass
class Drill:
    """One world with its backup, and new places to restore it into."""

    world: Api
    folder: Path
    numbers: Iterator[int]

    @property
    def settings(self) -> Settings:
        return self.world.application.settings

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @contextmanager
    def place(self) -> Iterator[Settings]:
        """The settings of an empty database."""
        name, url = f"restored_{next(self.numbers)}", self.settings.url()
        if url.startswith("sqlite"):
            path = self.folder / name / "casework.sqlite"
            new = {"database_url": f"sqlite:///{path}", "migration_url": f"sqlite:///{path}"}
            yield self.settings.model_copy(update=new)
            shutil.rmtree(path.parent, ignore_errors=True)
            return
        server = postgres.Server(root_of(url))
        with server.database(name) as root:
            server.make_roles(root)
            app = make_url(url).set(database=name).render_as_string(hide_password=False)
            new = {"database_url": app, "migration_url": owner_of(app)}
            yield self.settings.model_copy(update=new)

    def restore(self, settings: Settings, backup: Path | None = None) -> backups.Restored:
        """As `casework restore` does."""
        clock = self.world.clock
        return backups.restore(settings, open_vault(settings), backup or self.backup, clock, silent)

    def refusal(self, backup: Path, settings: Settings | None = None) -> str:
        """The code with which a restore is refused; empty where it is not."""
        with self.place() as place:
            try:
                self.restore(settings or place, backup)
            except Refusal as refusal:
                return refusal.code
            return ""


@contextmanager
def owned(settings: Settings) -> Iterator[Engine]:
    """A database as the owner of its tables."""
    engine = open_engine(settings.owner_url())
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened(drill: Drill, settings: Settings) -> Iterator[Application]:
    """The application over a restored database."""
    found = bootstrap.build(settings, now=drill.world.clock, cheap_passwords=True)
    try:
        yield found
    finally:
        found.engine.dispose()
