"""The application over a primary and a standby of PostgreSQL, with the small world in it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from casework.adapters.persistence.engine import replica as replicas
from casework.adapters.persistence.engine.engine import open_engine
from casework.bootstrap import Application, build
from casework.settings import Settings
from tests.api.conftest import (
    SUPERVISOR,
    WORKER,
    Api,
    Clock,
)
from tests.conftest import migrate, session_vault, settle
from tests.patience import TIME_ALLOWED, patient
from tests.standby import Pair, running_pair

APP = "casework_app"
KEYS = {
    f"{name}_key": letter * 32 for name, letter in (("token", "t"), ("cursor", "c"), ("audit", "a"))
}
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
TAKEN_AWAY = {"what": "referrals", "purpose": "reporting"}
Build = Callable[..., Api]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """The two servers, for all tests here."""
    with running_pair() as found:
        yield found


@pytest.fixture(scope="module")
def address(pair: Pair, people: bytes) -> Iterator[str]:
    """The database of the application's role on the primary, where the small world lives."""
    server = pair.server
    with server.database("replicated") as url:
        server.make_roles(url)
        owner = server.url_as("casework_owner", url)
        migrate(owner)
        settle(owner, pickle.loads(people))
        pair.catch_up()
        yield server.url_as(APP, url)


@pytest.fixture
def over(
    pair: Pair, address: str, people: bytes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Build]:
    """Builds the application over the primary, with whatever is set; each is closed at the end."""
    monkeypatch.setattr(replicas, "PAUSE_S", 0.2)
    monkeypatch.setattr(TIME_ALLOWED, patient)
    providers, offerings, accounts = pickle.loads(people)
    slugs = {one.id: one.slug for one in providers}
    owner = open_engine(pair.server.url_as("casework_owner", address))
    built: list[tuple[Application, TestClient]] = []

    def made(**settings: Any) -> Api:
        usual = {"database_url": address, "log_requests": False, **KEYS}
        application = build(Settings(**(usual | settings)), now=Clock(), cheap_passwords=True)  # type: ignore[arg-type]
        client = TestClient(application.app(), raise_server_exceptions=False)
        client.__enter__()
        built.append((application, client))
        clock = application.now
        assert isinstance(clock, Clock)
        return Api(
            application=application, client=client, clock=clock,
            providers={one.slug: one for one in providers},
            offerings={(slugs[one.provider_id], one.service_code): one for one in offerings},
            engine=owner.execution_options(vault=session_vault()),
            _actors={one.username: one.actor() for one in accounts},
        )  # fmt: skip

    yield made
    for application, client in built:
        client.__exit__(None, None, None)
        for engine in (application.engine, replica_of(application).engine):
            engine.dispose()
    owner.dispose()


@pytest.fixture
def api(over: Build, pair: Pair, address: str) -> Api:
    """The application with its replica, which has been asked once."""
    api = over(replica_url=pair.at_standby(address))
    known(api, pair)
    return api


def replica_of(application: Application) -> replicas.Replica:
    """Its replica, or one that nobody asks."""
    return application.store.replica or replicas.Replica(
        application.engine, application.engine, timedelta(0)
    )


def known(api: Api, pair: Pair) -> None:
    """What happened until now is known on both sides, and the replica is asked."""
    pair.catch_up()
    assert until(lambda: figures(api).status_code == 200 and replica_of(api.application).is_used)


def until(holds: Callable[[], Any], seconds: float = 15.0) -> bool:
    """Whether something comes to hold in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def figures(api: Api, who: str = SUPERVISOR) -> Any:
    """The figures of March."""
    return api.as_(who).get("/figures", params=MARCH)


def applications(api: Api, who: str = SUPERVISOR) -> int:
    """How many applications the figures count."""
    answer = figures(api, who)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["applications"])


def exported(api: Api) -> Any:
    """The referrals, taken away as a file."""
    return api.as_(WORKER).post("/exports", TAKEN_AWAY)


def age(api: Api, answer: Any) -> float:
    """The seconds by which an answer is behind the application's clock, as it says itself."""
    said = datetime.fromisoformat(answer.headers["data-as-of"])
    return (api.clock.now - said).total_seconds()


def ready(api: Api) -> dict[str, Any]:
    """Readiness, with the replica measured again meanwhile."""
    found: dict[str, Any] = api.client.get("/health/ready").json()
    return found


def metric(api: Api, name: str) -> float:
    """One sample; 0 where there is none."""
    for line in api.client.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    return 0.0


def about_people(said: list[str]) -> list[str]:
    """The statements that read what is about people, or what is kept of it for figures."""
    read = ("care_case", "referral", "figure_")
    return [one for one in said if any(table in one for table in read)]
