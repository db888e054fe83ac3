"""The small world of the API's tests without HTTP: an application, its people, a settable clock."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy import delete, make_url, update
from starlette.testclient import TestClient

from casework.adapters.calendar import korean_calendar
from casework.adapters.identity import Argon2Passwords, JwtTokens
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.supervision.configuration import Cached, read_clockwork
from casework.bootstrap import Application, open_vault
from casework.settings import Settings
from tests import postgres
from tests.api.conftest import Api, Clock, People, make_people, seoul, settle_in

STORES = ("sqlite", "postgresql")
A_DAY = 86_400.0
# What happens in a world, children first; its directory, people and standards stay.
LIFE = [
    table
    for table in reversed(t.metadata.sorted_tables)
    if table
    not in (
        t.district, t.centre, t.service, t.standard, t.holiday_override, t.provider, t.offering,
        t.offering_centre, t.account, t.account_grant_log, t.configuration,
    )
    # The audit stays, whatever else is deleted.
    and not table.name.startswith("audit_")
]  # fmt: skip
# Nobody holds a place any longer, and nobody waits for one.
_EMPTIED = update(t.offering).values(
    available=t.offering.c.available + t.offering.c.held,
    waiting=t.offering.c.waiting - t.offering.c.waitlisted,
    held=0, waitlisted=0, for_waiting=0, full_until=None,
)  # fmt: skip


@contextmanager
def database(store: str) -> Iterator[str]:
    """A migrated database that lives as long as the block: in memory, where there is such."""
    if store == "sqlite":
        place = postgres.MEMORY if postgres.MEMORY.is_dir() else None
        with tempfile.TemporaryDirectory(prefix="casework-", dir=place) as folder:
            url = f"sqlite:///{Path(folder) / 'casework.sqlite'}"
            migrations.upgrade(url)
            yield url
    else:
        with postgres.running_server() as server, server.database("casework_proof") as url:
            server.make_roles(url)
            migrations.upgrade(server.url_as("casework_owner", url))
            yield server.url_as("casework_app", url)


def owner_of(url: str) -> str:
    """The URL of the same database for its owner's role."""
    return url.replace("//casework_app:", "//casework_owner:", 1)


def root_of(url: str) -> str:
    """The URL of the same database for the role that administers the server."""
    given = os.environ.get("CASEWORK_TEST_PG_URL")
    if given and not url.startswith("sqlite"):
        return postgres.Server(given).url(str(make_url(url).database))
    return re.sub("//casework_app:[^@]*@", "//postgres@", url, count=1)


@contextmanager
def small_world(url: str, people: People | None = None, **engine: Any) -> Iterator[Api]:
    """The application over a migrated database, with the people and agencies of the API's tests.

    They are inserted now, unless the database already holds them.
    """
    settings = Settings(database_url=url, audit_key=SecretStr("a" * 32))
    application = Application(
        settings=settings,
        engine=open_engine(url, **engine),
        passwords=Argon2Passwords(cheap=True),
        tokens=JwtTokens(b"t" * 32),
        vault=open_vault(settings),
        now=Clock(),
    )
    owner = application.engine
    if owner_of(url) != url:
        owner = open_engine(owner_of(url), **engine).execution_options(vault=application.vault)
    application.clockwork = Cached(
        lambda: read_clockwork(application.engine, korean_calendar), A_DAY
    )
    if people is None:
        people = make_people()
        settle_in(owner, people)
    slugs = {provider.id: provider.slug for provider in people.providers}
    assert isinstance(application.now, Clock)
    try:
        yield Api(
            application=application,
            client=cast(TestClient, None),  # HTTP is not used here
            clock=application.now,
            providers={provider.slug: provider for provider in people.providers},
            offerings={(slugs[one.provider_id], one.service_code): one for one in people.offerings},
            engine=owner,
        )
    finally:
        application.engine.dispose()
        owner.dispose()


def begin_again(world: Api, at: str = "2026-03-02T10:00") -> None:
    """Delete everything that happened, and set the clock."""
    with world.engine.begin() as connection:
        for table in LIFE:
            connection.execute(delete(table))
        connection.execute(_EMPTIED)
    world.clock.now = seoul(at)
