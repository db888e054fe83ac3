"""The whole application over a fresh database, with a small world and a clock that tests set.

Two districts: three centres with two workers each, a supervisor, a head and an assessor a
district, three agencies that offer the same services, the city, an auditor and an admin.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import URL, Engine, event, make_url, select
from starlette.testclient import TestClient

from casework import watching
from casework.adapters import reference
from casework.adapters.api.app import create_app
from casework.adapters.identity import Argon2Passwords
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.figures import figures, keeping
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.web import router as pages
from casework.bootstrap import Application, build
from casework.demo.accounts import demo_accounts
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor
from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.directory.directory import Centre, Offering, Provider, ProviderKind
from casework.settings import Settings
from casework.workflows.context import Context
from tests import canaries
from tests.api import answers
from tests.api.comparing import compare_figures, draw_again
from tests.conftest import Store
from tests.patience import TIME_ALLOWED, patient, patient_locks
from tests.shown import Shown

BASE = "/api/v1"
PASSWORD = "small-world-2026"
BEGINS = "2026-03-02T10:00"  # a substitute holiday; the first working day is 3 March
HERE, NEXT_DOOR, FAR = "2635051000", "2635052000", "2611051000"
DISTRICT, OTHER_DISTRICT = "26350", "26110"
WORKER, COLLEAGUE = f"worker.{HERE}", f"worker2.{HERE}"
NEIGHBOUR, STRANGER = f"worker.{NEXT_DOOR}", f"worker.{FAR}"
SUPERVISOR, FAR_SUPERVISOR = f"supervisor.{DISTRICT}", f"supervisor.{OTHER_DISTRICT}"
ASSESSOR = f"assessor.{DISTRICT}"
PROVIDER, OTHER_PROVIDER = "provider.alpha", "provider.beta"
OF_A_TEST = ("CASEWORK_DATABASE_URL", "CASEWORK_MIGRATION_URL")
OFFERED = ("CARE-MEALS", "MED-VISIT")


class Clock:
    """The only clock of the application; it stands still until it is set."""

    def __init__(self) -> None:
        self.now = seoul(BEGINS)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def set(self, moment: str) -> datetime:
        """Set the clock to a moment in Seoul, such as ``2026-03-05T09:00``."""
        self.now = seoul(moment)
        return self.now

    def forward(self, **amount: float) -> datetime:
        """Advance by the arguments of a ``timedelta``."""
        self.now += timedelta(**amount)
        return self.now


def seoul(moment: str) -> datetime:
    """A moment as a clock in Busan shows it."""
    return datetime.fromisoformat(moment).replace(tzinfo=SEOUL)


class People(NamedTuple):
    """Who lives in the small world."""

    providers: list[Provider]
    offerings: list[Offering]
    accounts: list[Account]


@dataclass(frozen=True)
class SignedIn:
    """A client that signs each request with a new token of an account."""

    api: Api
    actor: Actor

    def request(self, method: str, path: str, **with_it: Any) -> Any:
        """A request under the base path, as this one."""
        given = self.actor.id
        assert given is not None
        token = self.api.application.tokens.issue(given, self.api.clock.now)
        headers = {"Authorization": f"Bearer {token}"} | with_it.pop("headers", {})
        return self.api.client.request(method, BASE + path, headers=headers, **with_it)

    def get(self, path: str, **with_it: Any) -> Any:
        """A GET as this one."""
        return self.request("GET", path, **with_it)

    def post(self, path: str, json: Any = None, **with_it: Any) -> Any:
        """A POST as this one."""
        return self.request("POST", path, json={} if json is None else json, **with_it)

    def put(self, path: str, json: Any, **with_it: Any) -> Any:
        """A PUT as this one."""
        return self.request("PUT", path, json=json, **with_it)

    def patch(self, path: str, json: Any, **with_it: Any) -> Any:
        """A PATCH as this one."""
        return self.request("PATCH", path, json=json, **with_it)

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, params=params)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            params["cursor"] = answer.json()["next_cursor"]
            if params["cursor"] is None:
                return found


@dataclass(frozen=True)
class Api:
    """The application as tests meet it."""

    application: Application
    client: TestClient
    clock: Clock
    providers: dict[str, Provider]
    offerings: dict[tuple[str, str], Offering]
    # Its database as the owner's role, for what has no operation: the application connects as a
    # role to which row-level security policies apply.
    engine: Engine
    _actors: dict[str, Actor] = field(default_factory=dict)

    def actor(self, username: str) -> Actor:
        """The actor of an account."""
        if username not in self._actors:
            with self.engine.connect() as connection:
                row = connection.execute(
                    select(t.account).where(t.account.c.username == username)
                ).one()
            account: Account = from_row(Account, row)
            self._actors[username] = account.actor()
        return self._actors[username]

    def id_of(self, username: str) -> UUID:
        """The id of an account, by its user name."""
        id = self.actor(username).id
        assert id is not None
        return id

    def as_(self, username: str) -> SignedIn:
        """A client that is signed in as that account."""
        return SignedIn(self, self.actor(username))

    def context(self, username: str) -> Context:
        """The context of a use case when that account calls it now."""
        return self.application.context(self.actor(username))


_engines: dict[tuple[str, str | None], Engine] = {}
_aim: dict[str, URL] = {}


def _shared_engine(url: str, **options: Any) -> Engine:
    """One engine per store for all tests, connected to this test's database.

    An engine compiles each statement once; with one engine per test each would compile them again.
    """
    target = make_url(url)
    store, who = target.get_backend_name(), target.username
    if (store, who) not in _engines:
        with patient_locks():
            engine = _engines[store, who] = open_engine(url, **options)

        @event.listens_for(engine, "do_connect")
        def aim(_dialect: Any, _record: Any, args: list[Any], params: dict[str, Any]) -> None:
            if store == "sqlite":
                args[0] = _aim[store].database
            else:
                params["dbname"] = _aim[store].database

    _engines[store, who].dispose()
    _aim[store] = target
    return _engines[store, who]


@cache
def _settings(_given: tuple[tuple[str, str], ...]) -> Settings:
    """The settings of the environment, cached: reading them takes 10 ms."""
    return Settings()


@pytest.fixture
def application(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """The wired application over an empty world."""
    monkeypatch.setenv("CASEWORK_TOKEN_KEY", "t" * 32)
    monkeypatch.setenv("CASEWORK_CURSOR_KEY", "c" * 32)
    monkeypatch.setenv("CASEWORK_AUDIT_KEY", "a" * 32)
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store.url)
    monkeypatch.setenv("CASEWORK_MIGRATION_URL", store.owner_url)
    monkeypatch.setattr("casework.bootstrap.open_engine", _shared_engine)
    monkeypatch.setattr(TIME_ALLOWED, patient)
    # Read again in the middle of a test on a slow machine, it would be counted as a statement.
    monkeypatch.setattr(
        "casework.adapters.persistence.supervision.configuration.CONFIGURATION_S", 3600
    )
    given = sorted(one for one in os.environ.items() if one[0].startswith("CASEWORK_"))
    settings = _settings(tuple(one for one in given if one[0] not in OF_A_TEST))
    urls = {"database_url": store.url, "migration_url": store.owner_url}
    settings = settings.model_copy(update=urls)
    application = build(settings, now=Clock(), cheap_passwords=True)
    yield application
    application.engine.dispose()


@pytest.fixture
def drawn(owner: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let every published cell have the same draw, from 0 (down) to 4 (up from one on)."""

    def set_draw(number: int) -> None:
        monkeypatch.setattr(figures, "drawn", lambda _connection, _name: number)
        monkeypatch.setattr(keeping, "drawn", lambda _connection, _name: number)
        with owner.begin() as connection:
            draw_again(connection, number)

    return set_draw


@pytest.fixture(autouse=True)
def _figures_are_what_the_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    compare_figures(monkeypatch)


@pytest.fixture
def owner(store: Store, application: Application) -> Iterator[Engine]:
    """The same database as its owner's role, to which row-level security does not apply."""
    engine = application.engine
    if store.name != "sqlite":
        engine = _shared_engine(store.owner_url).execution_options(vault=application.vault)
    yield engine
    engine.dispose()


@pytest.fixture
def api(application: Application, owner: Engine, store: Store, people: bytes) -> Iterator[Api]:
    """The application over a small world."""
    assert store.is_peopled, "ask for `api` by name: its world comes with the database"
    providers, offerings, accounts = pickle.loads(people)
    assert isinstance(application.now, Clock)
    slugs = {provider.id: provider.slug for provider in providers}
    with TestClient(_application(application), raise_server_exceptions=False) as client:
        shown = Shown()
        hooks = [canaries.look_at_response, answers.check, shown.note]
        client.event_hooks = {"response": hooks}
        yield Api(
            application=application, client=client, clock=application.now,
            providers={provider.slug: provider for provider in providers},
            offerings={(slugs[one.provider_id], one.service_code): one for one in offerings},
            engine=owner, _actors={account.username: account.actor() for account in accounts},
        )  # fmt: skip
    with application.engine.connect() as connection:
        session_context.set_system_context(connection)
        canaries.look_at_rows(connection)
    with owner.connect() as connection:
        assert shown.unrecorded(connection) == []


@cache
def _routes() -> FastAPI:
    """The FastAPI application without services, built once: its routes take half a second."""
    return create_app(None, None, pages)  # type: ignore[arg-type]


def _application(application: Application) -> FastAPI:
    """The application as ``Application.app`` makes it, on routes that every test shares."""
    app = _routes()
    app.state.services, app.state.probe = (
        application.services(),
        watching.probe(application),
    )
    return app


def make_people() -> People:
    """The agencies, what they offer, and the accounts, with ids of their own."""
    providers, offerings = _agencies()
    codes = (DISTRICT, OTHER_DISTRICT)
    accounts = demo_accounts(
        [one for one in reference.districts() if one.code in codes],
        [one for one in reference.centres() if one.code in (HERE, NEXT_DOOR, FAR)],
        providers, Argon2Passwords(cheap=True).digest(PASSWORD), new_id, seoul(BEGINS),
    )  # fmt: skip
    return People(providers, offerings, accounts)


def settle_in(owner: Engine, people: People) -> None:
    """Insert the shipped reference data and these people into a migrated database."""
    bulk.load_facts(
        owner, reference.districts(), reference.centres(), reference.services(), SHIPPED
    )
    with owner.begin() as connection:
        bulk.insert_all(connection, [thing for kind in people for thing in kind])


def _agencies() -> tuple[list[Provider], list[Offering]]:
    """Two agencies for the district of HERE, the first one nearer; one for the other district."""
    centres = {one.code: one for one in reference.centres()}
    places = (("alpha", HERE, 0.001), ("beta", HERE, 0.02), ("gamma", FAR, 0.001))
    providers = [_provider(slug, centres[code], off) for slug, code, off in places]
    offerings = [
        _offering(one, service, [c for c in centres if c.startswith(one.district_code)])
        for one in providers
        for service in OFFERED
    ]
    return providers, offerings


def _provider(slug: str, near: Centre, off: float) -> Provider:
    return Provider(
        id=new_id(), slug=slug, name=f"{slug} 돌봄", kind=ProviderKind.HOME_CARE,
        phone="051-000-0000", district_code=near.district_code, lat=near.lat + off, lon=near.lon,
    )  # fmt: skip


def _offering(provider: Provider, service_code: str, centres: list[str]) -> Offering:
    return Offering(
        id=new_id(), provider_id=provider.id, service_code=service_code, is_open=True,
        capacity=20, available=5, stated_available=5, waiting=0, unit="visit",
        as_of=seoul("2026-02-27T09:00"), centres=centres,
    )  # fmt: skip
