"""A replica that is lost, silent, slow or none of this primary: the primary answers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import make_url

from casework.adapters.persistence.engine import replica as replicas
from casework.adapters.persistence.engine import timeouts
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.unit_of_work import store as stores
from tests.api.conftest import Api
from tests.conftest import migrate, settle
from tests.lossy import lossy
from tests.patience import TIME_ALLOWED, Watch
from tests.replicated import (
    APP,
    Build,
    about_people,
    address,
    age,
    api,
    exported,
    figures,
    known,
    metric,
    over,
    pair,
    ready,
    replica_of,
    until,
)
from tests.standby import Pair, heard, running_pair

__all__ = ["address", "api", "over", "pair"]
AT_MOST_S = 6.0


# A replica that is gone


def asked(api: Api, times: int) -> tuple[set[int], float]:
    """The statuses of figures and exports, and the longest time that one took."""
    longest, statuses = 0.0, set()
    for _ in range(times):
        for ask in (figures, exported):
            with Watch() as watch:
                statuses.add(ask(api).status_code)
            longest = max(longest, watch.seconds)
    return statuses, longest


def test_without_its_replica_the_primary_answers_and_it_is_noticed(api: Api, pair: Pair) -> None:
    before = metric(api, 'casework_stale_reads_total{source="primary"}')
    with pair.stopped():
        statuses, longest = asked(api, 5)
        assert statuses == {200}
        assert longest < 3
        found = ready(api)
        assert (found["status"], found["replica"]) == ("degraded", False)
        assert found["replica_lag_seconds"] is None
        assert metric(api, 'casework_stale_reads_total{source="primary"}') == before + 10
    assert until(lambda: ready(api)["replica"] is True)
    with heard(pair.standby, APP) as there:
        assert figures(api).status_code == 200
    assert about_people(there)


def test_the_control_without_the_way_back_a_lost_replica_fails_the_answer(
    api: Api, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alone(replica: replicas.Replica, mark: Any, *_: Any) -> Any:
        with replica.connect(mark):
            raise AssertionError("it is gone")

    monkeypatch.setattr(stores, "read_at", alone)
    with pair.stopped():
        assert figures(api).status_code == 503


@contextmanager
def by_a_way(over: Build, pair: Pair, address: str, folder: Any) -> Iterator[tuple[Any, Api]]:
    """The replica behind a way that can fall silent or slow."""
    with lossy(pair.at_standby(address), folder) as (way, url):
        api = over(replica_url=url)
        known(api, pair)
        yield way, api


@pytest.mark.parametrize("fails", ["silent", "slow"])
def test_a_replica_that_does_not_answer_in_time_costs_one_answer_some_time_and_fails_none(
    over: Build, pair: Pair, address: str, tmp_path_factory: pytest.TempPathFactory, fails: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(TIME_ALLOWED, timeouts.time_allowed)
    with by_a_way(over, pair, address, tmp_path_factory.mktemp("way")) as (way, api):
        monkeypatch.setattr(replicas, "PAUSE_S", 60)
        way.silence() if fails == "silent" else way.slow(2)
        with Watch() as watch:
            first = figures(api)
        assert first.status_code == 200, first.text
        assert age(api, first) == 0
        assert watch.seconds < AT_MOST_S
        statuses, longest = asked(api, 5)
        assert statuses == {200}
        assert longest < 1.5
        assert ready(api)["replica"] is False


def test_a_database_that_is_no_replica_of_this_one_is_not_asked(over: Build, address: str) -> None:
    here = make_url(address).render_as_string(hide_password=False)
    api = over(replica_url=here)
    assert figures(api).status_code == 200
    assert ready(api)["replica"] is False
    assert ready(api)["status"] == "degraded"


def test_a_standby_that_was_promoted_is_no_longer_asked(
    over: Build, people: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_pair() as pair:
        server = pair.server
        with server.database("replicated") as url:
            server.make_roles(url)
            migrate(server.url_as("casework_owner", url))
            settle(server.url_as("casework_owner", url), pickle.loads(people))
            app = server.url_as(APP, url)
            api = over(database_url=app, replica_url=pair.at_standby(app))
            api = replace(api, engine=open_engine(server.url_as("casework_owner", url)))
            known(api, pair)
            pair.run(pair.standby, "SELECT pg_promote()")
            assert until(lambda: figures(api).status_code == 200 and ready(api)["replica"] is False)
            for engine in (api.engine, api.application.engine, replica_of(api.application).engine):
                engine.dispose()
