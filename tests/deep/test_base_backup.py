"""A base backup and its archived log, by the very steps that docs/operations/backup.md prints."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from casework.bench import throwaway
from casework.workflows.audit import sealing
from casework.workflows.notices import pausing
from tests import postgres
from tests.adapters.persistence.audit.test_sealing import KEY
from tests.api.acts import a_resident
from tests.api.conftest import Api, People
from tests.audit import seal
from tests.proofs._world import owner_of, root_of, small_world

PAGE = Path(__file__).resolve().parents[2] / "docs/operations/backup.md"
WAIT_S = 60


def printed(kind: str) -> list[str]:
    """The blocks of the section, in order."""
    page = PAGE.read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Base backup.*?(?=^## )", page, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def until(ready: Callable[[], Any]) -> None:
    end = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


class Server:
    """A server that archives its log, and the places of what is kept of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.archive = folder, throwaway.make_folder(folder)
        # Its socket lies where no copy of its data brings it along.
        self.socket = throwaway.make_folder(folder)
        (configuration,) = printed("ini")
        configuration = configuration.replace("/archive/", f"{self.archive}/")
        throwaway.start(folder, f"unix_socket_directories = '{self.socket}'\n{configuration}")
        self.home = f"postgresql://postgres@/postgres?host={quote(str(self.socket))}"

    def say(self, script: str, **given: str) -> None:
        """Run a printed block as the server's user."""
        programs = Path(throwaway.binary("pg_ctl", self.folder)).parent
        said = {
            "PATH": f"{programs}:/usr/bin:/bin", "PGHOST": str(self.socket),
            "PGUSER": "postgres", "ARCHIVE": str(self.archive), "BASE": str(self.folder / "base"),
        }  # fmt: skip
        exports = "".join(f"export {name}='{value}'\n" for name, value in (said | given).items())
        throwaway.run(self.folder, ["sh", "-e", "-c", exports + script])

    @contextmanager
    def at(self, moment: str, name: str) -> Iterator[None]:
        """The server as it was at a moment, in the place of the lost one."""
        new = self.folder / name
        self.say(printed("bash")[1], NEW=str(new), MOMENT=moment)
        try:
            until(partial(asked, self.home, "SELECT NOT pg_is_in_recovery()"))
            yield
        finally:
            pg_ctl = throwaway.binary("pg_ctl", self.folder)
            throwaway.run(self.folder, [pg_ctl, "stop", "-m", "immediate", "-D", str(new)])


@pytest.fixture
def server() -> Iterator[Server]:
    folder = throwaway.make_folder()
    try:
        yield Server(folder)
    finally:
        throwaway.stop(folder)


def asked(url: str, statement: str) -> Any:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text(statement))
    finally:
        engine.dispose()


def archived(url: str) -> None:
    """Wait until all that was written so far is in the archive."""
    root = root_of(url)
    last = asked(root, "SELECT pg_walfile_name(pg_switch_wal())")
    until(lambda: (asked(root, "SELECT last_archived_wal FROM pg_stat_archiver") or "") >= last)


def residents(world: Api) -> set[UUID]:
    with world.engine.connect() as connection:
        return set(connection.scalars(select(t.resident.c.id)))


def test_a_server_comes_back_to_a_moment_between_two_writes(server: Server) -> None:
    home = postgres.Server(server.home)
    home.create_database("casework")
    home.make_roles(home.url("casework"))
    url = home.url_as("casework_app", home.url("casework"))
    migrations.upgrade(owner_of(url))
    with small_world(url) as world:
        before = a_resident(world)
        pausing.may_send(world.application.notices, world.clock.now)
        server.say(printed("bash")[0])
        first = a_resident(world)
        seal(world.application)
        moment = a_moment(url)
        second = a_resident(world)
        later = a_moment(url)
        a_resident(world)
        archived(url)
    postgres.control(server.folder, "stop", "-m", "immediate")
    nobody = People([], [], [])  # they come back with the database
    for name, when, written in (("new", moment, {first}), ("later", later, {first, second})):
        with server.at(when, name), small_world(url, nobody) as world:
            assert residents(world) == {before} | written
            seal(world.application)
            assert not sealing.verify(world.application.seals, KEY, world.clock.now).flaws
            may_send = pausing.may_send(world.application.notices, world.clock.now)
            assert may_send, "the relay does not find out: an operator pauses it"


def a_moment(url: str) -> str:
    """An instant between what was written before and what is written afterwards."""
    time.sleep(0.05)
    found = str(asked(url, "SELECT clock_timestamp()"))
    time.sleep(0.05)
    return found
