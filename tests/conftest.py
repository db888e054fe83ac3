"""Every test with the fixture `store` gets its own database, on SQLite or on PostgreSQL.

What a test of the API or of the pages shows does not depend on the store, so each of them runs on
one, which its id decides, and on the other one with `--deep`. A test marked `both_stores`, and
every test outside those two folders, runs on both each time.

One PostgreSQL server and two templates of each kind serve the whole session, however many workers
it has: one that is migrated, one where the small world of the API's tests lives as well. The first
that needs one makes it. Each test gets a copy of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import shutil
import signal
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from casework.adapters.http.garbage import put_aside
from casework.bench import throwaway
from tests import canaries, postgres

if TYPE_CHECKING:
    from casework.adapters.vault import KeyVault
    from tests.api.conftest import People

SESSION_FOLDER = "CASEWORK_TEST_SESSION_FOLDER"
STORES = ("sqlite", "postgres")
TESTS = Path(__file__).parent
DEEP = TESTS / "deep"
# Their tests run on one store each, and on the other one with `--deep`: what they test does not
# depend on the store, or, of the commands, takes long.
ON_ONE_STORE = (TESTS / "api", TESTS / "web", TESTS / "e2e")


@dataclass(frozen=True)
class Store:
    """A fresh, migrated database: its kind ("sqlite" or "postgres") and its SQLAlchemy URL."""

    name: str
    url: str
    # The URL for the owner of the tables; on SQLite, which has no roles, the same one.
    owner_url: str
    # Whether it began with the small world of the API's tests.
    is_peopled: bool = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which part of the tests runs, where no single test is named."""
    group = parser.getgroup("casework")
    group.addoption(
        "--deep", action="store_true",
        help="run the long campaigns under tests/deep, and the other store of what runs on one",
    )  # fmt: skip
    group.addoption(
        "--both-stores", action="store_true", help="run every test with a store on both of them"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the long campaigns out, unless they are requested."""
    if collection_path != DEEP or config.getoption("--deep"):
        return None
    named = (Path(arg.partition("::")[0]).absolute() for arg in config.args)
    return None if any(path.is_relative_to(DEEP) for path in named) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the store of each test that runs on one; a test that is named by its id runs as is."""
    if config.getoption("--both-stores") or any("::" in arg for arg in config.args):
        return
    is_deep = config.getoption("--deep")
    chosen: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        (chosen if belongs_to_run(item, is_deep) else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = chosen


def belongs_to_run(item: pytest.Item, is_deep: bool) -> bool:
    """Whether a test on this store is part of the quick run, or of the deep one."""
    if item.path.is_relative_to(DEEP):
        return True
    store = store_to_choose(item)
    return not is_deep if store is None else (store == chosen_store(item.nodeid)) != is_deep


def store_to_choose(item: pytest.Item) -> str | None:
    """The store of a test that also exists on the other one and needs only one; else None."""
    if not any(item.path.is_relative_to(folder) for folder in ON_ONE_STORE):
        return None
    if item.get_closest_marker("both_stores") or names_its_store(item):
        return None
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("store")


def names_its_store(item: pytest.Item) -> bool:
    """Whether a test chooses its store itself."""
    return any(mark.args[0] == "store" for mark in item.iter_markers("parametrize"))


def chosen_store(nodeid: str) -> str:
    """The store on which the quick run tests this, by its id without the store: always the same.

    It is PostgreSQL for one in eight, since a test takes more than twice as long there.
    """
    path, _, parameters = nodeid.partition("[")
    others = [one for one in parameters.rstrip("]").split("-") if one not in STORES]
    is_eighth = zlib.crc32("-".join([path, *others]).encode()) % 8 == 0
    return "postgres" if is_eighth else "sqlite"


def pytest_collection_finish() -> None:
    """Leave what was imported and collected to no collection of garbage, as a server does.

    An application that starts in a test finds that done.
    """
    put_aside()


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that the workers share, before there are any, and that of `tmp_path`."""
    if not hasattr(config, "workerinput"):
        folder = throwaway.make_folder(postgres.fast_place())
        os.environ[SESSION_FOLDER] = str(folder)
        config.option.basetemp = config.option.basetemp or str(folder / "tmp")
        make_keys(folder)
        # On SIGTERM a session cleans up as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.pluginmanager.register(canaries, "canaries")


def make_keys(folder: Path) -> None:
    """One key ring for all tests, except those that make their own."""
    from casework.adapters.vault.ring import make_ring

    ring, master = folder / "keyring.json", "m" * 32
    make_ring(ring, master.encode(), datetime.now(UTC))
    os.environ |= {"CASEWORK_KEY_RING": str(ring), "CASEWORK_MASTER_KEY": master}


def session_vault() -> KeyVault:
    """The vault that encrypts fields with that key ring."""
    from casework.adapters.vault import KeyVault

    master = os.environ["CASEWORK_MASTER_KEY"].encode()
    return KeyVault(Path(os.environ["CASEWORK_KEY_RING"]), master)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the session shared, when the last worker has gone."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(SESSION_FOLDER))
    with one_at_a_time(folder):
        try:
            template = folder / "postgres-template"
            if template.exists():  # it would stay on a server that this session did not start
                server = postgres.Server(template.read_text())
                for name in (folder.name, f"{folder.name}-world"):
                    server.drop_database(name)
        finally:
            throwaway.stop(folder)


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Lock out the other workers while one makes what all share."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def migrate(url: str) -> None:
    """Bring an empty database to the newest schema."""
    # Imported here, so that tests without a store do not wait for SQLAlchemy and Alembic.
    from casework.adapters.persistence.schema.migrations import upgrade

    upgrade(url)


@pytest.fixture(scope="session")
def session_folder() -> Path:
    """The folder that all workers share; it goes when the session ends."""
    return Path(os.environ[SESSION_FOLDER])


@pytest.fixture(scope="session")
def postgres_server(session_folder: Path) -> Iterator[postgres.Attended]:
    """The session's PostgreSQL."""
    address = session_folder / "postgres-server"
    with one_at_a_time(session_folder):
        if not address.exists():
            address.write_text(postgres.start(session_folder).home_url)
    server = postgres.Attended(address.read_text())
    yield server
    server.leave()


@pytest.fixture(scope="session")
def postgres_template(session_folder: Path, postgres_server: postgres.Server) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    name, made = session_folder.name, session_folder / "postgres-template"
    with one_at_a_time(session_folder):
        if not made.exists():
            postgres_server.drop_database(name)  # what a failed migration left
            postgres_server.create_database(name)
            postgres_server.make_roles(postgres_server.url(name))
            migrate(postgres_server.url_as("casework_owner", postgres_server.url(name)))
            made.write_text(postgres_server.home_url)
    return name


@pytest.fixture(scope="session")
def sqlite_template(session_folder: Path) -> Path:
    """A migrated SQLite file, to be copied."""
    draft, made = session_folder / "draft.sqlite", session_folder / "template.sqlite"
    with one_at_a_time(session_folder):
        if not made.exists():
            draft.unlink(missing_ok=True)  # what a failed migration left
            migrate(f"sqlite:///{draft}")
            with contextlib.closing(sqlite3.connect(draft)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            draft.rename(made)
    return made


@pytest.fixture(scope="session")
def people(session_folder: Path) -> bytes:
    """Who lives in the small world, the same for the whole session, to be unpickled."""
    made = session_folder / "people"
    with one_at_a_time(session_folder):
        if not made.exists():
            from tests.api.conftest import make_people

            made.write_bytes(pickle.dumps(make_people()))
    return made.read_bytes()


@pytest.fixture(scope="session")
def sqlite_world(session_folder: Path, sqlite_template: Path, people: bytes) -> Path:
    """A migrated SQLite file where the small world lives, to be copied."""
    draft, made = session_folder / "draft-world.sqlite", session_folder / "world.sqlite"
    with one_at_a_time(session_folder):
        if not made.exists():
            shutil.copyfile(sqlite_template, draft)
            settle(f"sqlite:///{draft}", pickle.loads(people))
            with contextlib.closing(sqlite3.connect(draft)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            draft.rename(made)
    return made


@pytest.fixture(scope="session")
def postgres_world(
    session_folder: Path, postgres_server: postgres.Server, postgres_template: str, people: bytes
) -> str:
    """The name of a migrated PostgreSQL database where the small world lives, to be copied."""
    name, made = f"{session_folder.name}-world", session_folder / "postgres-world"
    with one_at_a_time(session_folder):
        if not made.exists():
            postgres_server.drop_database(name)  # what a failed settling left
            postgres_server.create_database(name, postgres_template)
            url = postgres_server.url_as("casework_owner", postgres_server.url(name))
            settle(url, pickle.loads(people))
            made.touch()
    return name


def settle(url: str, people: People) -> None:
    """Insert the shipped reference data and these people into a migrated database."""
    from casework.adapters.persistence.engine.engine import open_engine
    from tests.api.conftest import settle_in

    engine = open_engine(url).execution_options(vault=session_vault())
    try:
        settle_in(engine, people)
    finally:
        engine.dispose()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, session_folder: Path) -> Iterator[Store]:
    """A fresh, migrated database for this test alone, on each store in turn.

    Where the test uses `api`, it already holds the small world.
    """
    is_peopled = "api" in request.fixturenames
    # The template is asked for by name, so that a run of `-k sqlite` starts no server.
    kind = "world" if is_peopled else "template"
    template = request.getfixturevalue(f"{request.param}_{kind}")
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory(dir=session_folder) as folder:
            copy = shutil.copyfile(template, Path(folder) / "casework.sqlite")
            url = f"sqlite:///{copy}"
            yield Store("sqlite", url, url, is_peopled)
    else:
        server: postgres.Attended = request.getfixturevalue("postgres_server")
        with server.database_dropped_later(f"casework-{uuid4().hex}", template) as url:
            app, owner = (server.url_as(f"casework_{part}", url) for part in ("app", "owner"))
            yield Store("postgres", app, owner, is_peopled)
