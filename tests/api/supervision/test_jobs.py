"""Jobs: running the overdue sweep now, as of another instant, dry; and what it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from starlette.testclient import TestClient

from casework.adapters.persistence import tables as t
from tests.api.acts import a_case, a_referral, clock, moved
from tests.api.asking import everything, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    FAR_SUPERVISOR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

RUN, RUNS = "/jobs/overdue/run", "/jobs/overdue/runs"
NEXT_DAY = "2026-03-10T09:00:00+09:00"  # the survey of 2 March was due on the 9th


def run(api: Api, username: str = SUPERVISOR, **body: Any) -> dict[str, Any]:
    answer = api.as_(username).post(RUN, body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def raised(api: Api) -> list[int]:
    """The tiers that were raised, and not passed over."""
    with api.engine.connect() as connection:
        return list(
            connection.scalars(
                select(t.escalation.c.tier)
                .where(t.escalation.c.raised_at.is_not(None), ~t.escalation.c.passed_over)
                .order_by(t.escalation.c.tier)
            )
        )


def count(api: Api, table: Any) -> int:
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_only_who_runs_jobs_sees_or_runs_them(api: Api) -> None:
    for method, path in (("GET", "/jobs"), ("GET", RUNS), ("POST", RUN)):
        assert refusal(api.client.request(method, BASE + path)) == (401, "unauthenticated")
        for username in (WORKER, PROVIDER, ASSESSOR, "city", "auditor"):
            assert refusal(api.as_(username).request(method, path)) == (403, "forbidden")
        for username in (SUPERVISOR, FAR_SUPERVISOR, "admin"):
            assert api.as_(username).request(method, path).status_code == 200


def test_a_sweep_as_of_an_instant_raises_each_step_exactly_once(api: Api) -> None:
    for _ in range(3):
        a_case(api)
    first = run(api, as_of=NEXT_DAY)
    assert (first["found"], first["changed"], first["failed"], first["held"]) == (3, 3, 0, 0)
    assert (first["as_of"], first["dry_run"]) == (NEXT_DAY, False)
    assert raised(api) == [1, 1, 1]
    again = run(api, as_of="2026-03-10T00:00:00Z")
    assert (again["found"], again["changed"], again["as_of"]) == (0, 0, NEXT_DAY)
    assert raised(api) == [1, 1, 1]
    assert again["run_id"] != first["run_id"]


def test_without_as_of_it_sweeps_as_of_now(api: Api) -> None:
    a_case(api)
    assert run(api)["found"] == 0
    api.clock.set("2026-03-10T09:00")
    assert api.as_("admin").request("POST", RUN).json()["changed"] == 1
    assert run(api)["found"] == 0


def test_a_dry_run_finds_all_and_changes_nothing(api: Api) -> None:
    a_case(api)
    api.clock.set("2026-03-17T10:00")
    a_referral(api)
    before = everything(api)
    dry = run(api, as_of="2026-03-31T10:00:00+09:00", dry_run=True)
    after = everything(api)
    assert (dry["dry_run"], dry["changed"]) == (True, 0)
    record = after.pop("job_run")
    assert before.pop("job_run") == []
    assert len(record) == 1
    # The audit is not compared here; everything else is unchanged.
    assert after == before
    wet = run(api, as_of="2026-03-31T10:00:00+09:00")
    assert wet["found"] == dry["found"] == wet["changed"] > 0


def test_it_lapses_what_nobody_answered_and_resumes_what_was_held(api: Api) -> None:
    silent, held = a_referral(api), a_referral(api)
    moved(api, held, "accept", PROVIDER)
    moved(api, held, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    run(api, as_of="2026-03-11T09:00:00+09:00")
    worker = api.as_(WORKER)
    assert worker.get(f"/referrals/{silent}").json()["status"] == "requested"
    assert worker.get(f"/referrals/{held}").json()["status"] == "accepted"
    result = run(api, as_of="2026-03-17T09:00:00+09:00")
    assert result["failed"] == 0
    lapsed = worker.get(f"/referrals/{silent}").json()
    assert lapsed["status"] == "lapsed"
    assert clock(api, "disposition", silent)


def test_an_instant_needs_its_offset_and_a_body_its_form(api: Api) -> None:
    wrong: list[Any] = [
        {"as_of": "2026-03-10T09:00:00"},
        {"as_of": "2026-03-10"},
        {"as_of": 1773100800},
        {"as_of": "soon"},
        {"as_of": "0001-01-01T00:00:00+14:00"},
        {"as_of": "9999-12-31T23:59:59-14:00"},
        {"dry_run": "no"},
        {"slot": NEXT_DAY},
        [],
    ]
    for body in wrong:
        assert api.as_(SUPERVISOR).post(RUN, body).status_code == 422, body
    assert count(api, t.job_run) == 0


def test_production_is_not_swept_as_of_the_future(api: Api) -> None:
    a_case(api)
    app = api.application.app()
    app.state.services = replace(app.state.services, is_production=True)
    with TestClient(app) as client:
        there = replace(api, client=client).as_(SUPERVISOR)
        future = there.post(RUN, {"as_of": "2026-03-02T10:00:01+09:00"})
        assert refusal(future) == (422, "as_of_in_future")
        assert there.post(RUN, {"as_of": "2026-03-02T10:00:00+09:00"}).status_code == 200
    assert raised(api) == []


def test_every_run_leaves_a_record_newest_first(api: Api) -> None:
    a_case(api)
    ids = []
    for minute in range(5):
        ids.append(run(api, as_of=NEXT_DAY, dry_run=minute % 2 == 0)["run_id"])
        api.clock.forward(minutes=1)
    records = api.as_("admin").items(RUNS, limit=2)
    assert [one["run_id"] for one in records] == ids[::-1]
    newest = records[0]
    assert newest == {
        "run_id": ids[-1], "job": "overdue", "as_of": NEXT_DAY, "dry_run": True, "slot": None,
        "started_at": "2026-03-02T10:04:00+09:00", "ended_at": "2026-03-02T10:04:00+09:00",
        "started_by": str(api.id_of(SUPERVISOR)), "found": 0, "changed": 0, "failed": 0,
        "held": 0, "error": None,
    }  # fmt: skip
    (job,) = api.as_(SUPERVISOR).items("/jobs")
    assert (job["name"], job["last_run"]["run_id"]) == ("overdue", ids[3])


def test_a_job_that_does_not_exist_has_no_runs(api: Api) -> None:
    assert refusal(api.as_(SUPERVISOR).get("/jobs/laundry/runs")) == (404, "not_found")


def test_running_a_job_is_written_down(api: Api) -> None:
    run(api, as_of=NEXT_DAY)
    with api.engine.connect() as connection:
        (entry,) = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "job.run")
        ).all()
    assert (entry.actor_id, entry.outcome) == (api.id_of(SUPERVISOR), "ok")
    assert entry.task == "POST /jobs/overdue/run"


def test_a_repeated_request_under_one_key_is_one_run(api: Api) -> None:
    a_case(api)
    key = {"Idempotency-Key": "monday"}
    first = api.as_(SUPERVISOR).post(RUN, {"as_of": NEXT_DAY}, headers=key)
    api.clock.forward(minutes=5)
    again = api.as_(SUPERVISOR).post(RUN, {"as_of": NEXT_DAY}, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert count(api, t.job_run) == 1
    other = api.as_(SUPERVISOR).post(RUN, {}, headers=key)
    assert refusal(other) == (422, "idempotency_key_reused")
    own = api.as_("admin").post(RUN, {"as_of": NEXT_DAY}, headers=key)
    assert own.json()["run_id"] != first.json()["run_id"]
