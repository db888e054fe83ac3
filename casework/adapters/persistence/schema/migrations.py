"""Migrate a database to the current schema, from a checkout or an installed package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.scope import row_level_security

_PACKAGED = Path(__file__).parents[3] / "_migrations"
_CHECKOUT = Path(__file__).parents[4] / "migrations"
MIGRATIONS = _PACKAGED if _PACKAGED.exists() else _CHECKOUT
STATEMENT_TIMEOUT_MS = 600_000
TRIES = 20
PAUSE_S = 0.5
# Set by a revision that makes a plain-text field an encrypted one: it has no keys to encrypt it.
IS_CLEAR = t.configuration.c.name == "clear_fields"


class UnknownRevision(Exception):
    """The database is at a revision that this version of the code does not know."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision}, which this version does not know: "
            "a newer casework is needed"
        )


def config(url: str, schema: str | None = None) -> Config:
    """The Alembic configuration; the URL is passed on as it is, percent signs included."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["url"] = url
    found.attributes["schema"] = schema
    return found


def upgrade(
    url: str,
    revision: str = "head",
    schema: str | None = None,
    prefix: str = row_level_security.DEFAULT_PREFIX,
) -> None:
    """Bring the database to a revision; at the newest, install the policies and grants.

    Raises UnknownRevision where the database was migrated by a newer version.
    """
    try:
        _patiently(lambda: command.upgrade(config(url, schema), revision))
    except CommandError:  # Alembic has no error of its own for a revision it does not find
        with _engine(url, schema) as engine:
            check_known(engine)
        raise
    with _engine(url, schema) as engine:
        # Even while fields are unencrypted: the role that encrypts them owns the tables.
        if _is_newest(engine):
            _patiently(lambda: row_level_security.install_policies(engine, prefix))


def downgrade(url: str, revision: str = "base", schema: str | None = None) -> None:
    """Take the database back to a revision, without the policies of the newest."""
    with _engine(url, schema) as engine:
        _patiently(lambda: row_level_security.remove_policies(engine))
    _patiently(lambda: command.downgrade(config(url, schema), revision))


def _patiently(migrate: Callable[[], object]) -> None:
    """Retry where a lock was not available at once.

    Each try waits half a second, for all that queue behind a waiting migration wait as well.
    """
    for attempt in range(1, TRIES + 1):
        try:
            migrate()
            return
        except DBAPIError as error:
            if fault(error) != "locked" or attempt == TRIES:
                raise
            time.sleep(PAUSE_S)


@contextmanager
def _engine(url: str, schema: str | None) -> Iterator[Engine]:
    engine = migration_engine(url, schema)
    try:
        yield engine
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest revision, with no field left unencrypted."""
    if not _is_newest(engine):
        return False
    with engine.connect() as connection:
        return not connection.scalar(select(t.configuration.c.version).where(IS_CLEAR))


def check_known(engine: Engine) -> None:
    """Raises UnknownRevision where the database was migrated by a newer version."""
    revision = _revision(engine)
    if revision is not None and revision not in known_revisions():
        raise UnknownRevision(revision)


def known_revisions() -> set[str]:
    """Every revision that this version knows."""
    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def newest_revision() -> str | None:
    """The revision of this version's schema."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision that a database is at; None where it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def _is_newest(engine: Engine) -> bool:
    return _revision(engine) == newest_revision()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return revision_of(connection)


def migration_engine(url: str, schema: str | None) -> Engine:
    """An engine whose statements may take long but whose waits for a lock may not."""
    return open_engine(url, schema=schema, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
