"""A streaming replica: it tells figures and exports, says how old they are, and decides nothing.

On a primary and a standby of PostgreSQL that both write down every statement they are sent.
"""

from __future__ import annotations

import time

from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from tests.api.acts import a_case, a_referral, a_resident
from tests.api.conftest import DISTRICT, FAR_SUPERVISOR, PROVIDER, SUPERVISOR, WORKER, Api
from tests.forced_open import forced_open
from tests.replicated import (
    APP,
    Build,
    about_people,
    address,
    age,
    api,
    applications,
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
from tests.standby import Pair, heard

__all__ = ["address", "api", "over", "pair"]


# What is read where


def test_figures_and_exports_are_read_at_the_replica_and_recorded_at_the_primary(
    api: Api, pair: Pair
) -> None:
    a_referral(api)
    known(api, pair)
    before = metric(api, 'casework_stale_reads_total{source="replica"}')
    with heard(pair.primary, APP) as here, heard(pair.standby, APP) as there:
        answers = [figures(api), exported(api)]
    assert [one.status_code for one in answers] == [200, 200]
    assert about_people(there)
    assert about_people(here) == []
    assert [one for one in here if one.startswith("INSERT INTO audit_entry")]
    assert metric(api, 'casework_stale_reads_total{source="replica"}') == before + 2
    user = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'casework_app'"
    assert pair.run(pair.standby, user) >= 1


def test_what_the_replica_tells_is_what_the_primary_tells(
    api: Api, over: Build, pair: Pair
) -> None:
    a_referral(api)
    known(api, pair)
    alone = over()
    alone.clock.now = api.clock.now
    assert figures(api).json() | {"as_of": 0} == figures(alone).json() | {"as_of": 0}
    assert exported(api).content == exported(alone).content
    assert "data-as-of" in figures(alone).headers
    assert age(alone, figures(alone)) == 0


def test_whom_an_export_from_the_replica_showed_is_in_the_audit(api: Api, pair: Pair) -> None:
    resident = a_resident(api)
    known(api, pair)
    answer = api.as_(WORKER).post("/exports", {"what": "residents", "purpose": "reporting"})
    assert answer.status_code == 200, answer.text
    with api.engine.connect() as connection:
        last = connection.execute(
            select(t.audit_entry.c.subjects, t.audit_entry.c.asked_for)
            .where(t.audit_entry.c.task == "POST /exports")
            .order_by(t.audit_entry.c.id.desc())
        ).first()
    assert last is not None
    assert str(resident) in last.subjects
    assert last.asked_for == "residents csv reporting"


def test_nothing_that_is_decided_or_worked_from_touches_the_replica(api: Api, pair: Pair) -> None:
    with heard(pair.standby, APP) as there:
        referral = a_referral(api)
        answer = api.as_(PROVIDER).post(f"/referrals/{referral}/accept", {})
        assert answer.status_code == 200, answer.text
        for path in ("/worklist", "/overdue", "/referrals", f"/referrals/{referral}", "/cases"):
            assert api.as_(WORKER).get(path).status_code == 200, path
        api.clock.set("2026-04-02T10:00")
        closed = api.as_(SUPERVISOR).post("/figures/months/2026-03/close")
        assert closed.status_code in (201, 409), closed.text
    assert there == []


def test_the_control_a_read_at_the_replica_is_heard(api: Api, pair: Pair) -> None:
    with heard(pair.standby, APP) as there:
        assert exported(api).status_code == 200
    assert about_people(there)


def test_the_policies_hold_at_the_replica_with_the_filter_forced_open(api: Api, pair: Pair) -> None:
    a_referral(api)
    known(api, pair)
    assert applications(api) > 0
    with heard(pair.standby, APP) as there, forced_open():
        told = applications(api, FAR_SUPERVISOR)
    assert about_people(there)
    assert told == 0


def test_the_control_without_policies_the_forced_filter_shows_others(
    over: Build, pair: Pair, address: str
) -> None:
    there = pair.server.url_as("postgres", address)
    api = over(database_url=there, replica_url=pair.at_standby(there))
    a_referral(api)
    known(api, pair)
    with forced_open():
        assert applications(api, FAR_SUPERVISOR) > 0


# A replica that is behind


def test_an_answer_says_how_old_it_is_and_so_do_readiness_and_metrics(api: Api, pair: Pair) -> None:
    before = applications(api)
    with pair.held():
        a_case(api)
        time.sleep(1.1)
        answer = figures(api)
        assert answer.json()["applications"] == before
        assert age(api, answer) >= 1
        assert answer.json()["as_of"] == answer.headers["data-as-of"]
        assert until(lambda: ready(api)["replica_lag_seconds"] >= 1)
        assert ready(api)["replica"] is True
        assert metric(api, "casework_replica_lag_seconds") >= 1
        assert metric(api, "casework_replica_used") == 1
    known(api, pair)
    assert applications(api) == before + 1
    assert age(api, figures(api)) < 1


def test_a_primary_at_rest_does_not_make_the_replica_look_old(api: Api, pair: Pair) -> None:
    pair.catch_up()
    exported(api)
    pair.catch_up()
    time.sleep(1.5)
    assert age(api, api.as_(SUPERVISOR).get("/figures/months")) < 1


def test_a_replica_too_far_behind_is_not_asked_until_it_has_caught_up(
    over: Build, pair: Pair, address: str
) -> None:
    api = over(replica_url=pair.at_standby(address), replica_lag=1)
    known(api, pair)
    before = applications(api)
    with pair.held():
        a_case(api)
        time.sleep(1.2)
        answers = [figures(api) for _ in range(5)]
        assert {one.json()["applications"] for one in answers} == {before + 1}
        assert {age(api, one) for one in answers} == {0}
        found = ready(api)
        assert (found["status"], found["replica"]) == ("degraded", False)
        assert found["replica_lag_seconds"] >= 1
        assert "casework_replica_used 0.0" in api.client.get("/metrics").text
    assert until(lambda: ready(api)["replica"] is True)
    with heard(pair.standby, APP) as there:
        assert applications(api) == before + 1
    assert about_people(there)


def test_the_control_with_no_limit_the_old_number_is_told(
    over: Build, pair: Pair, address: str
) -> None:
    api = over(replica_url=pair.at_standby(address), replica_lag=3600)
    known(api, pair)
    before = applications(api)
    with pair.held():
        a_case(api)
        time.sleep(1.2)
        assert applications(api) == before


def test_who_asks_is_said_by_the_primary_however_far_the_replica_is_behind(
    api: Api, pair: Pair
) -> None:
    of = t.account.c.username == SUPERVISOR
    with pair.held():
        try:
            with api.engine.begin() as connection:
                connection.execute(update(t.account).where(of).values(is_active=False))
            assert figures(api).status_code == 401
        finally:
            with api.engine.begin() as connection:
                connection.execute(update(t.account).where(of).values(is_active=True))


def test_what_is_not_at_the_replica_yet_is_not_said_to_be_nowhere(api: Api, pair: Pair) -> None:
    api.clock.set("2026-05-02T10:00")
    with pair.held():
        closed = api.as_(SUPERVISOR).post("/figures/months/2026-04/close")
        assert closed.status_code == 201, closed.text
        answer = api.as_(SUPERVISOR).get("/figures/months/2026-04")
        assert answer.status_code == 200, answer.text
        assert answer.json()["district"] == DISTRICT
        assert age(api, answer) == 0
    assert replica_of(api.application).is_used, "a refusal says nothing of the replica"
