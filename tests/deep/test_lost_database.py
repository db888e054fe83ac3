"""A database that is gone or silent: 503 in time, on every path, and nothing acknowledged is lost.

On PostgreSQL behind a way that is cut or falls silent, on SQLite with the file taken away.
"""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from casework.adapters.api.app import BASE, ROUTERS
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine import engine as engines
from casework.adapters.persistence.engine import timeouts
from casework.adapters.persistence.engine.reaching import LimitedConnection, made_within
from casework.adapters.web import router as pages
from casework.bootstrap import build
from casework.settings import Settings
from tests.api.acts import a_resident
from tests.api.asking import ABSENT
from tests.api.conftest import PASSWORD, WORKER, Api, Clock, seoul
from tests.api.racing import ON_POSTGRES
from tests.conftest import Store
from tests.lossy import Way, lossy
from tests.patience import TIME_ALLOWED, Watch

pytestmark = pytest.mark.both_stores
AT_MOST_S = 6.0
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Fragile:
    """The application over a database that can be lost and found again."""

    api: Api
    lose: Callable[[], None]
    find: Callable[[], None]
    way: Way | None


@pytest.fixture
def fragile(
    api: Api, store: Store, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Fragile]:  # fmt: skip
    """The small world, with the time limits that the product has."""
    monkeypatch.setattr("casework.bootstrap.open_engine", engines.open_engine)
    monkeypatch.setattr(TIME_ALLOWED, timeouts.time_allowed)
    if store.name == "sqlite":
        file = Path(str(make_url(store.url).database))
        away = file.with_name("away.sqlite")
        with _over(api, store.url) as over:
            yield Fragile(over, lambda: _move(file, away), lambda: _move(away, file), None)
        return
    folder = tmp_path_factory.mktemp("way")
    with lossy(store.url, folder) as (way, url), _over(api, url) as over:
        yield Fragile(over, way.cut, way.mend, way)


class _over:  # noqa: N801 - used as a function
    """The same world over another way to its database."""

    def __init__(self, api: Api, url: str) -> None:
        settings = Settings().model_copy(update={"database_url": url, "log_requests": False})
        clock = Clock()
        self.application = build(settings, now=clock, cheap_passwords=True)
        self.client = TestClient(self.application.app(), raise_server_exceptions=False)
        self.api = replace(api, application=self.application, client=self.client, clock=clock)

    def __enter__(self) -> Api:
        self.client.__enter__()
        return self.api

    def __exit__(self, *_: object) -> None:
        self.client.__exit__()
        self.application.engine.dispose()


def _move(file: Path, to: Path) -> None:
    for end in ("", "-wal", "-shm"):
        here = file.with_name(file.name + end)
        if here.exists():
            here.rename(to.with_name(to.name + end))


def note(api: Api, resident: Any) -> Any:
    """A change that is not idempotent."""
    return api.as_(WORKER).post(f"/residents/{resident}/notes", {"kind": "call", "text": "a call"})


def notes(api: Api) -> int:
    """How many notes there are."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(t.note)) or 0


def check_busy(answer: Any) -> None:
    """503 with Retry-After, whether as a problem or as a page."""
    assert answer.status_code == 503, (answer.request.url, answer.text)
    if answer.request.url.path != "/health/ready":
        assert answer.headers["retry-after"] == "1", answer.request.url


def ways() -> list[tuple[str, str]]:
    """Every operation and page, with an id in its path."""
    found = []
    under = [(BASE, router.routes) for router in ROUTERS]
    for prefix, routes in [*under, ("", pages.routes)]:
        for route in routes:
            path = getattr(route, "path", "")
            for name in getattr(route, "param_convertors", {}):
                path = path.replace("{" + name + "}", _for(name))
            found += [(one, prefix + path) for one in sorted(getattr(route, "methods", ()) or ())]
    return [one for one in found if one[0] != "HEAD"]


def _for(name: str) -> str:
    return {"month": "2026-02", "secret": "a" * 43, "code": "CARE-MEALS"}.get(name, str(ABSENT))


def test_every_path_answers_503_while_the_database_is_gone(fragile: Fragile) -> None:
    api = fragile.api
    assert api.as_(WORKER).get("/residents/" + str(a_resident(api))).status_code == 200
    fragile.lose()
    form = {"username": WORKER, "password": PASSWORD, "refresh_token": "x"}
    token = api.application.tokens.issue(api.id_of(WORKER), api.clock.now)
    signed = {"Authorization": f"Bearer {token}"}
    told: dict[tuple[str, str], int] = {}
    for method, path in ways():
        is_form = path.endswith(("/auth/token", "/auth/revoke")) or path.startswith("/a/")
        with_form: Any = {"data": form} if is_form and method == "POST" else {}
        with Watch() as watch:
            answer = api.client.request(method, path, headers=signed, **with_form)
        assert watch.seconds < AT_MOST_S, (method, path)
        told[method, path] = answer.status_code
        if answer.status_code == 503:
            check_busy(answer)
    others = {one: status for one, status in told.items() if status != 503}
    assert {one: s for one, s in others.items() if s >= 500} == {}
    assert len(told) - len(others) > 150
    assert {one for one in others if one[1].startswith(BASE)} == set(), others
    fragile.find()
    time.sleep(1.1)
    assert api.client.get("/health/ready").json()["database"] is True


def test_the_health_of_a_lost_database_is_told_in_time(fragile: Fragile) -> None:
    api = fragile.api
    assert api.client.get("/health/ready").status_code == 200
    fragile.lose()
    began = time.monotonic()
    for path, status in (("/health/ready", 503), ("/health/live", 200), ("/metrics", 200)):
        assert api.client.get(path).status_code == status
    assert time.monotonic() - began < 3 * AT_MOST_S
    fragile.find()


def test_what_was_acknowledged_is_there_and_what_was_refused_is_not(fragile: Fragile) -> None:
    api, acknowledged = fragile.api, 0
    resident = a_resident(api)
    for _ in range(3):
        for _ in range(2):
            answer = note(api, resident)
            assert answer.status_code == 201, answer.text
            acknowledged += 1
        fragile.lose()
        for _ in range(2):
            check_busy(note(api, resident))
        fragile.find()
        time.sleep(1.1)  # nobody tries for a second
    assert note(api, resident).status_code == 201
    assert notes(api) == acknowledged + 1


def test_while_requests_come_and_the_database_goes_nothing_acknowledged_is_lost(
    fragile: Fragile,
) -> None:
    api = fragile.api
    resident = a_resident(api)
    api.id_of(WORKER)
    until = time.monotonic() + 6

    def keep_writing() -> list[int]:
        told = []
        while time.monotonic() < until:
            answer = note(api, resident)
            told.append(answer.status_code)
            if answer.status_code == 503:
                check_busy(answer)
                time.sleep(0.05)
        return told

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(keep_writing) for _ in range(4)]
        for _ in range(2):
            time.sleep(1)
            fragile.lose()
            time.sleep(0.5)
            fragile.find()
        told = [status for one in writing for status in one.result()]
    assert set(told) == {201, 503}
    # An answer may be lost with the database after the commit; an acknowledged note may not.
    assert told.count(201) <= notes(api) <= len(told)


# PostgreSQL


@ON_POSTGRES
def test_a_server_that_takes_connections_and_stays_silent_is_given_up_in_time(
    fragile: Fragile,
) -> None:
    api, way = fragile.api, fragile.way
    assert way is not None
    api.id_of(WORKER)
    way.silence()
    _all_busy_in_time(api, 24)


@ON_POSTGRES
def test_a_server_that_falls_silent_on_open_connections_is_given_up_in_time(
    fragile: Fragile,
) -> None:
    api, way = fragile.api, fragile.way
    assert way is not None
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.as_(WORKER).get("/referrals"), range(24)))
    assert way.connections > 1
    way.silence()
    _all_busy_in_time(api, 24)
    way.cut()
    way.mend()
    time.sleep(1.1)
    assert api.as_(WORKER).get("/referrals").status_code == 200


def _all_busy_in_time(api: Api, count: int) -> None:
    """Many requests at once, reads, changes and sign-ins: each is refused in time."""

    def ask(n: int) -> tuple[Any, float]:
        began = time.monotonic()
        if n % 3 == 0:
            answer = api.as_(WORKER).get("/referrals")
        elif n % 3 == 1:
            answer = note(api, ABSENT)
        else:
            form = {"username": WORKER, "password": PASSWORD}
            answer = api.client.post(f"{BASE}/auth/token", data=form)
        return answer, time.monotonic() - began

    with Watch() as watch, ThreadPoolExecutor(count) as pool:
        asked = list(pool.map(ask, range(count)))
    for answer, seconds in asked:
        check_busy(answer)
        assert seconds - watch.late < AT_MOST_S


@ON_POSTGRES
def test_after_a_failure_nobody_tries_for_a_second_and_then_one(fragile: Fragile) -> None:
    api, way = fragile.api, fragile.way
    assert way is not None
    api.id_of(WORKER)
    way.silence()
    for _ in range(5):
        check_busy(api.as_(WORKER).get("/referrals"))
    assert way.connections == 1
    time.sleep(1.1)
    way.mend()
    assert api.as_(WORKER).get("/referrals").status_code == 200


@ON_POSTGRES
@pytest.mark.parametrize(("seconds", "keeps_out"), [(0.3, False), (2.5, True)])
def test_whoever_has_hardly_any_time_left_keeps_nobody_else_out(
    fragile: Fragile, seconds: float, keeps_out: bool
) -> None:
    api, way = fragile.api, fragile.way
    assert way is not None
    api.id_of(WORKER)
    api.application.engine.dispose()
    way.silence()
    with (
        timeouts.time_allowed(seconds),
        pytest.raises(OperationalError),
        api.application.engine.connect(),
    ):
        pass
    way.mend()
    answer = api.as_(WORKER).get("/referrals")
    assert answer.status_code == (503 if keeps_out else 200)


@contextmanager
def mute(count: int) -> Iterator[list[int]]:
    """Ports of servers that take connections and never say a word."""
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(64)
            ports.append(listener.getsockname()[1])
        yield ports


def over(api: Api, query: str) -> Api:
    """The same world over a database somewhere else, which was never reached yet."""
    there = make_url(f"postgresql+psycopg://casework_app:x@/casework?{query}")
    return _over(api, there.render_as_string(hide_password=False)).api


@ON_POSTGRES
@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_host_of_several_addresses_is_given_up_in_time(
    api: Api, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("casework.bootstrap.open_engine", engines.open_engine)
    monkeypatch.setattr(TIME_ALLOWED, timeouts.time_allowed)
    api.id_of(WORKER)
    with mute(count) as ports:
        query = "&".join(f"host=127.0.0.1:{port}" for port in ports)
        _all_busy_in_time(over(api, query), 9)


@ON_POSTGRES
def test_a_name_that_nobody_can_resolve_is_given_up_in_time(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.bootstrap.open_engine", engines.open_engine)
    monkeypatch.setattr(TIME_ALLOWED, timeouts.time_allowed)
    api.id_of(WORKER)
    asked, ended = Event(), Event()

    def hangs(*_: Any, **__: Any) -> Any:
        asked.set()
        ended.wait(30)
        raise socket.gaierror("nobody answered")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        _all_busy_in_time(over(api, "host=db.example.invalid:5432"), 9)
    finally:
        ended.set()
    assert asked.is_set()


@ON_POSTGRES
def test_a_connection_that_comes_too_late_is_closed(store: Store) -> None:
    url = make_url(store.url).set(drivername="postgresql").render_as_string(hide_password=False)
    made: list[Any] = []

    def slowly() -> Any:
        time.sleep(0.3)
        made.append(LimitedConnection.connect(url))
        return made[0]

    with pytest.raises(psycopg.OperationalError, match="in time"):
        made_within(0.05, slowly)
    until = time.monotonic() + 5
    while not (made and made[0].closed) and time.monotonic() < until:
        time.sleep(0.02)
    assert made[0].closed


# SQLite


@ON_SQLITE
def test_a_file_that_is_gone_is_not_made_anew(fragile: Fragile, store: Store) -> None:
    api, file = fragile.api, Path(str(make_url(store.url).database))
    resident = a_resident(api)
    fragile.lose()
    for _ in range(3):
        check_busy(note(api, resident))
        assert not file.exists()
    fragile.find()
    assert note(api, resident).status_code == 201


@ON_SQLITE
def test_a_writer_that_never_ends_keeps_nobody_longer_than_six_seconds(
    fragile: Fragile, store: Store
) -> None:
    api = fragile.api
    resident = a_resident(api)
    with closing(sqlite3.connect(str(make_url(store.url).database))) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        for ask in (lambda: note(api, resident), lambda: api.as_(WORKER).get("/referrals")):
            with Watch() as watch:
                check_busy(ask())
            assert watch.seconds < AT_MOST_S
        other.rollback()
    assert note(api, resident).status_code == 201


def test_the_clock_of_these_tests_stands_where_the_world_begins(fragile: Fragile) -> None:
    assert fragile.api.clock.now == seoul("2026-03-02T10:00")
