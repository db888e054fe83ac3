"""The transactions of an installation, and where some of what is only told is read: a replica."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, make_url

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.replica import Replica
from casework.adapters.persistence.unit_of_work.store import SqlStore
from casework.adapters.vault import KeyVault
from casework.settings import Settings, SettingsError


def open_store(settings: Settings, primary: Engine, vault: KeyVault) -> SqlStore:
    """The transactions on a database. Raises SettingsError where a replica cannot be its own."""
    return SqlStore(
        primary,
        provider_access=timedelta(days=settings.provider_access_days),
        replica=open_replica(settings, primary, vault),
    )


def open_replica(settings: Settings, primary: Engine, vault: KeyVault) -> Replica | None:
    """The replica that is configured. Raises SettingsError where it is asked as somebody else.

    The roles of a streaming replica are its primary's, so that with the same role and database the
    same policies hold there.
    """
    url = settings.url_of_replica()
    if url is None:
        return None
    here, there = make_url(settings.url()), make_url(url)
    if (here.username, here.database) != (there.username, there.database):
        raise SettingsError(
            "CASEWORK_REPLICA_URL names another role or database than CASEWORK_DATABASE_URL"
        )
    # All of what is counted there is of the moment at which its age was measured.
    engine = open_engine(url, **settings.engine_options()).execution_options(
        vault=vault, isolation_level="REPEATABLE READ"
    )
    return Replica(primary, engine, timedelta(seconds=settings.replica_lag))
