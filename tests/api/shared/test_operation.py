"""Monitoring a running installation: jobs, readiness, metrics; and a run that was killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, null, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.schema import migrations
from casework.domain.clocks.schedule import slot_of
from tests.api.acts import a_case, a_resident
from tests.api.asking import refusal
from tests.api.conftest import BASE, SUPERVISOR, WORKER, Api

RUN, RUNS = "/jobs/overdue/run", "/jobs/overdue/runs"
KEY = {"Idempotency-Key": "monday"}
SECOND = timedelta(seconds=1)
LEASE = timedelta(minutes=10)


def tick(api: Api) -> None:
    """Run the scheduler's jobs that are due now."""
    assert (
        api.application.sweep(api.application.context(), slot=slot_of(api.clock.now, 5)) is not None
    )


def job(api: Api) -> dict[str, Any]:
    (found,) = api.as_(SUPERVISOR).items("/jobs")
    return found


def ready(api: Api) -> dict[str, Any]:
    answer = api.client.get("/health/ready")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def begun(api: Api, **facts: Any) -> str:
    """The record of a run that has begun now, and nothing more."""
    now = api.clock.now
    row = {"id": new_id(), "job": "overdue", "as_of": now, "dry_run": False, "started_at": now}
    with api.engine.begin() as connection:
        connection.execute(insert(t.job_run), [row | facts])
    return str(row["id"])


# Jobs


def test_a_job_that_never_ran_says_when_it_is_due(api: Api) -> None:
    api.clock.set("2026-03-02T10:03")
    assert job(api) == {
        "name": "overdue", "does": job(api)["does"], "every_minutes": 5,
        "next_tick_at": "2026-03-02T10:05:00+09:00", "last_tick_at": None, "late": True,
        "last_run": None, "last_success": None, "in_flight": [],
    }  # fmt: skip


def test_a_job_shows_its_last_tick_its_last_run_and_its_last_success(api: Api) -> None:
    tick(api)
    api.clock.forward(minutes=1)
    by_hand = api.as_(SUPERVISOR).post(RUN).json()["run_id"]
    api.clock.forward(minutes=1)
    api.as_(SUPERVISOR).post(RUN, {"dry_run": True})
    api.clock.forward(minutes=1)
    broken = begun(api, error="OperationalError", slot=api.clock.now)
    found = job(api)
    assert found["last_tick_at"] == "2026-03-02T10:00:00+09:00", "the broken one was not done"
    assert found["last_success"]["run_id"] == by_hand
    assert found["last_run"]["run_id"] == broken
    assert (found["last_run"]["error"], found["in_flight"]) == ("OperationalError", [])


@pytest.mark.parametrize(("after", "goes_on"), [(-SECOND, True), (timedelta(), False)])
def test_a_run_is_in_flight_until_it_must_have_been_killed(
    api: Api, after: timedelta, goes_on: bool
) -> None:
    id = begun(api)
    api.clock.now += LEASE + after
    assert [one["run_id"] for one in job(api)["in_flight"]] == ([id] if goes_on else [])


@pytest.mark.parametrize(
    ("after", "late"), [(-SECOND, False), (timedelta(), False), (SECOND, True)]
)
def test_no_tick_for_more_than_three_is_late_and_degraded(
    api: Api, after: timedelta, late: bool
) -> None:
    tick(api)
    api.clock.now += timedelta(minutes=15) + after
    api.as_(SUPERVISOR).post(RUN)  # a run by hand is no sign of a scheduler
    assert job(api)["late"] is late
    assert ready(api)["status"] == ("degraded" if late else "ok")
    assert ready(api)["scheduler"] is not late
    tick(api)
    assert (job(api)["late"], ready(api)["status"]) == (False, "ok")


# Readiness and metrics


def test_readiness_says_the_last_and_the_next_tick(api: Api) -> None:
    tick(api)
    api.clock.set("2026-03-02T10:02")
    api.as_(SUPERVISOR).post(RUN)
    assert ready(api) == {
        "status": "ok", "database": True, "schema": True, "keys": True, "storage": True,
        "scheduler": True, "sending": True, "replica": None, "replica_lag_seconds": None,
        "last_tick": "2026-03-02T10:00:00+09:00", "last_success": "2026-03-02T10:02:00+09:00",
        "next_tick": "2026-03-02T10:05:00+09:00",
    }  # fmt: skip


def test_a_new_process_gives_the_scheduler_three_ticks_to_begin(api: Api) -> None:
    assert (ready(api)["status"], ready(api)["last_tick"]) == ("ok", None)
    api.clock.forward(minutes=15, seconds=1)
    assert ready(api)["status"] == "degraded"


def test_what_cannot_serve_is_unready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    tick(api)
    monkeypatch.setattr(migrations, "is_current", lambda _engine: False)
    answer = api.client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert (answer.json()["database"], answer.json()["schema"]) == (True, False)


def figures(api: Api) -> dict[str, float]:
    """The samples of the exposition, by name and labels."""
    answer = api.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = [line for line in answer.text.splitlines() if line and line[0] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_requests_are_counted_by_the_template_of_their_route(api: Api) -> None:
    name = 'casework_requests_total{method="GET",route="/cases/{id}",status="200"}'
    before = figures(api).get(name, 0.0)
    case = a_case(api)
    for _ in range(3):
        api.as_(WORKER).get(f"/cases/{case}")
    assert figures(api)[name] == before + 3


def test_what_fits_no_route_is_one_figure_however_it_is_written(api: Api) -> None:
    name = 'casework_requests_total{method="other",route="unmatched",status="404"}'
    before = figures(api).get(name, 0.0)
    api.client.request("BREW", "/coffee/1")
    api.client.request("STEEP", "/tea/2")
    assert figures(api)[name] == before + 2


def test_metrics_name_nobody_and_no_id(api: Api) -> None:
    resident = a_resident(api, name="이름있는주민")
    api.as_(WORKER).get(f"/residents/{resident}")
    api.client.get(f"{BASE}/residents/{resident}/nothing")
    text = api.client.get("/metrics").text
    assert str(resident) not in text
    assert "이름있는주민" not in text


def test_the_ticks_are_figures_as_well(api: Api) -> None:
    assert 'casework_job_last_tick_timestamp_seconds{name="overdue"}' not in figures(api)
    tick(api)
    found = figures(api)
    at = api.clock.now.timestamp()
    assert found['casework_job_last_tick_timestamp_seconds{name="overdue"}'] == at
    assert found['casework_job_last_success_timestamp_seconds{name="overdue"}'] == at
    assert found['casework_job_next_tick_timestamp_seconds{name="overdue"}'] == at + 300
    assert found['casework_ready{part="scheduler"}'] == 1


# A run that was killed


def killed(api: Api) -> str:
    """A run under an idempotency key that never recorded its end."""
    first: str = api.as_(SUPERVISOR).post(RUN, {}, headers=KEY).json()["run_id"]
    with api.engine.begin() as connection:
        connection.execute(update(t.idempotency).values(in_progress=True, made=null()))
        connection.execute(
            update(t.job_run).where(t.job_run.c.id == UUID(first)).values(ended_at=None)
        )
    return first


@pytest.mark.parametrize(("after", "status"), [(-SECOND, 409), (timedelta(), 409), (SECOND, 200)])
def test_the_key_of_a_killed_run_is_taken_over_after_ten_minutes(
    api: Api, after: timedelta, status: int
) -> None:
    first = killed(api)
    api.clock.now += LEASE + after
    again = api.as_(SUPERVISOR).post(RUN, {}, headers=KEY)
    assert again.status_code == status, again.text
    if status == 409:
        assert refusal(again) == (409, "in_flight")
        assert len(api.as_(SUPERVISOR).items(RUNS)) == 1
        return
    assert again.json()["run_id"] != first
    third = api.as_(SUPERVISOR).post(RUN, {}, headers=KEY)
    assert third.json() == again.json(), "from here on it is a repeated request"
    assert len(api.as_(SUPERVISOR).items(RUNS)) == 2


def test_the_key_of_a_killed_run_is_not_another_request_s(api: Api) -> None:
    killed(api)
    api.clock.now += LEASE + SECOND
    other = api.as_(SUPERVISOR).post(RUN, {"dry_run": True}, headers=KEY)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_run_that_failed_may_be_asked_for_again_at_once(api: Api) -> None:
    services = api.client.app.state.services  # type: ignore[attr-defined]

    def broken(*_args: Any) -> Any:
        raise RuntimeError("someone pulled the plug")

    api.client.app.state.services = replace(services, sweep=broken)  # type: ignore[attr-defined]
    assert api.as_(SUPERVISOR).post(RUN, {}, headers=KEY).status_code == 500
    api.client.app.state.services = services  # type: ignore[attr-defined]
    assert api.as_(SUPERVISOR).post(RUN, {}, headers=KEY).status_code == 200
