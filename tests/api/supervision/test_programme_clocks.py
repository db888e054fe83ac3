"""Clocks of the city's programme among those of care: who sees them, and what happens to them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.supervision import recounting
from casework.workflows.supervision import standards
from tests.adapters.looking import raised, the_clock, told
from tests.api.acts import a_case, a_resident, clock
from tests.api.bodies.acts import entered
from tests.api.conftest import (
    ASSESSOR,
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)
from tests.api.programme import owed

LATE = "2026-03-20T09:00"
LISTS = ("/worklist", "/overdue")


def ids(api: Api, username: str, path: str, **filters: Any) -> set[str]:
    return {one["deadline_id"] for one in api.as_(username).items(path, **filters)}


def sweep(api: Api, at: str) -> Any:
    api.clock.set(at)
    result = api.application.sweep(api.application.context())
    assert result is not None
    return result


# Who sees them


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.both_stores
def test_a_supervisor_sees_those_of_the_district_and_the_city_those_of_the_city(
    api: Api, path: str
) -> None:
    own, far, city = owed(api), owed(api, area=OTHER_DISTRICT), owed(api, area="city")
    api.clock.set(LATE)
    assert ids(api, SUPERVISOR, path) == {str(own)}
    assert ids(api, FAR_SUPERVISOR, path) == {str(far)}
    assert ids(api, "city", path) == {str(city)}


@pytest.mark.both_stores
def test_workers_assessors_and_agencies_see_none_even_if_one_is_theirs_by_name(api: Api) -> None:
    mine = owed(api, account_id=api.id_of(WORKER))
    api.clock.set(LATE)
    assert ids(api, WORKER, "/worklist") == ids(api, WORKER, "/overdue") == set()
    assert ids(api, ASSESSOR, "/worklist") == ids(api, PROVIDER, "/worklist") == set()
    for username in (WORKER, ASSESSOR, PROVIDER, FAR_SUPERVISOR, "city"):
        assert api.as_(username).get(f"/deadlines/{mine}").status_code == 404
    assert ids(api, SUPERVISOR, "/worklist") == {str(mine)}


@pytest.mark.both_stores
def test_an_item_of_the_programme_has_no_resident_and_names_its_body(api: Api) -> None:
    body = new_id()
    task = owed(api, area="city", body_id=body)
    api.clock.set(LATE)
    (item,) = api.as_("city").items("/overdue")
    assert (item["resident"], item["case_id"], item["centre_code"]) == (None, None, None)
    assert item["subject"] == {"type": "task", "id": str(the_clock(api, task).subject_id)}
    assert item["body"] == {"id": str(body), "name": None}
    assert (item["kind"], item["held_by"], item["working_days_late"]) == ("task", "owner", 9)


@pytest.mark.both_stores
def test_the_body_that_holds_a_clock_is_named_wherever_it_is_shown(api: Api) -> None:
    held = {"id": entered(api, kind="unit", area=DISTRICT, name_ko="돌봄정책과")["id"]}
    task = owed(api, body_id=UUID(held["id"]))
    owed(api)
    api.clock.set(LATE)
    ask, named = api.as_(SUPERVISOR), held | {"name": "돌봄정책과"}
    for path in LISTS:
        assert [one["body"] for one in ask.items(path) if one["body"]] == [named], path
    assert ask.get(f"/deadlines/{task}").json()["body"] == named
    groups = ask.get("/overdue/summary?by=body").json()["groups"]
    assert {(one["key"], one["name"], one["count"]) for one in groups} == {
        (held["id"], "돌봄정책과", 1), (None, None, 1),
    }  # fmt: skip


def test_the_lists_show_care_or_programme_as_asked(api: Api) -> None:
    survey, task = str(clock(api, "survey", a_case(api))), str(owed(api))
    api.clock.set(LATE)
    for path in LISTS:
        who = SUPERVISOR
        care = {survey} if path == "/overdue" else set()  # the worker holds it
        assert ids(api, who, path) == care | {task}
        assert ids(api, who, path, subject="care") == care
        assert ids(api, who, path, subject="programme") == {task}
    assert ids(api, WORKER, "/worklist") == ids(api, WORKER, "/worklist", subject="care")
    assert ids(api, WORKER, "/worklist", subject="programme") == set()


@pytest.mark.both_stores
def test_the_name_of_a_body_that_the_reader_is_not_shown_is_nowhere(api: Api) -> None:
    far = entered(api, FAR_SUPERVISOR, kind="unit", area=OTHER_DISTRICT, name_ko="먼 기구")["id"]
    task = owed(api, body_id=UUID(far))
    api.clock.set(LATE)
    paths = ("/worklist", "/overdue", f"/deadlines/{task}", "/overdue/summary?by=body")
    for path in paths:
        answer = api.as_(SUPERVISOR).get(path)
        assert (far in answer.text, "먼 기구" in answer.text) == (True, False), path


def test_a_promise_to_call_a_resident_back_is_of_care(api: Api) -> None:
    resident = a_resident(api)
    note = {"kind": "call", "text": "가상", "come_back_on": "2026-03-05"}
    given = api.as_(WORKER).post(f"/residents/{resident}/notes", note)
    assert given.status_code == 201, given.text
    for subject, is_there in (("care", True), ("programme", False)):
        kinds = [one["kind"] for one in api.as_(WORKER).items("/worklist", subject=subject)]
        assert ("come_back" in kinds) is is_there, subject


def test_pages_go_on_across_both(api: Api) -> None:
    made = {str(clock(api, "survey", a_case(api))) for _ in range(3)}
    made |= {str(owed(api)) for _ in range(3)}
    api.clock.set(LATE)
    assert ids(api, SUPERVISOR, "/overdue", limit=2) == made


def test_the_summary_counts_them_by_area_and_by_body(api: Api) -> None:
    body = new_id()
    a_case(api)
    owed(api, body_id=body)
    owed(api, "submission")
    api.clock.set(LATE)
    ask = api.as_(SUPERVISOR)
    by_area = ask.get("/overdue/summary?by=area").json()
    assert (by_area["total"], [(g["key"], g["count"]) for g in by_area["groups"]]) == (
        3, [(DISTRICT, 3)],
    )  # fmt: skip
    by_body = ask.get("/overdue/summary?by=body&subject=programme").json()
    assert {(g["key"], g["count"]) for g in by_body["groups"]} == {(str(body), 1), (None, 1)}
    assert ask.get("/overdue/summary?subject=care").json()["total"] == 1
    assert api.as_("city").get("/overdue/summary").json()["total"] == 0


def test_what_falls_due_soon_for_a_worker_leaves_them_out(api: Api) -> None:
    owed(api)
    assert api.as_(SUPERVISOR).get("/overdue/summary").json()["upcoming"] == []


@pytest.mark.both_stores
def test_a_clock_is_shown_with_why_it_is_due_on_a_closed_day(api: Api) -> None:
    sunday = owed(api, "submission", area="city", due="2026-03-08")
    city = api.as_("city")
    shown = city.get(f"/deadlines/{sunday}").json()
    assert (shown["resident_id"], shown["case_number"], shown["district_code"]) == (
        None, None, "city",
    )  # fmt: skip
    assert (shown["due_at"], shown["basis"]) == ("2026-03-08T23:59:59+09:00", "Enforcement Rule 3")
    said = city.get(f"/deadlines/{sunday}/explanation", headers={"Accept-Language": "en"}).json()
    assert said["rule"] == "a fixed day, never rolled to a later one"
    assert "2026-03-08" in said["sentence"]
    assert "never moved, although offices are closed" in said["sentence"]
    assert said["left_out"] == []


def test_the_exported_list_has_them_without_a_resident(api: Api) -> None:
    task = owed(api)
    api.clock.set(LATE)
    answer = api.as_(SUPERVISOR).post("/exports", {"what": "overdue", "purpose": "supervision"})
    assert answer.status_code in (200, 201), answer.text
    assert str(task) in answer.text


# Steps, notices and reviews


@pytest.mark.both_stores
def test_the_sweep_raises_each_step_once(api: Api) -> None:
    task = owed(api, due="2026-03-08")  # a Sunday
    for at, tiers in (
        ("2026-03-06T08:59", []),
        ("2026-03-06T09:00", [-1]),
        ("2026-03-08T23:59:59", [-1]),
        ("2026-03-09T00:00", [-1, 0]),
        ("2026-03-09T09:00", [-1, 0, 1]),
        ("2026-03-11T08:59", [-1, 0, 1]),
        ("2026-03-11T09:00", [-1, 0, 1, 2]),
        ("2026-06-01T09:00", [-1, 0, 1, 2]),
    ):
        sweep(api, at)
        assert sweep(api, at).changed == 0
        assert raised(api, task) == tiers
    assert told(api, task) == [-1, 0, 1, 2]
    assert the_clock(api, task).breached_at == the_clock(api, task).due_at
    steps = api.as_(SUPERVISOR).items(f"/deadlines/{task}/escalations")
    assert [one["to"] for one in steps] == [["owner"], [], ["owner"], ["giver"]]


def digests(api: Api) -> dict[str, list[dict[str, Any]]]:
    """What the digests so far say, by who gets them."""
    query = select(t.message.c.payload, t.account.c.username).join(
        t.account, t.account.c.id == t.message.c.account_id
    )
    with api.engine.connect() as connection:
        return {row.username: row.payload["items"] for row in connection.execute(query)}


@pytest.mark.both_stores
def test_every_step_is_told_to_somebody_of_the_area(api: Api) -> None:
    owed(api)
    owed(api, area="city")
    sweep(api, "2026-03-10T09:00")
    api.application.relay(api.application.context())
    found = digests(api)
    assert [one["about"] for one in found["city"]] == ["task"]
    assert [one["about"] for one in found[SUPERVISOR]] == ["task"]
    assert all(one["case_number"] is None for items in found.values() for one in items)


def test_a_district_where_nobody_is_has_its_steps_told_to_the_city(api: Api) -> None:
    owed(api)
    _nobody_is_there(api)
    sweep(api, "2026-03-10T09:00")
    api.application.relay(api.application.context())
    assert set(digests(api)) == {"city"}


def test_so_has_a_step_that_tells_its_head_alone(api: Api) -> None:
    given = {
        "kind": "minutes",
        "target": {"amount": 3, "unit": "working_days"},
        "district_code": DISTRICT,
        "escalation": [{"tier": 1, "after": {"amount": 1, "unit": "working_days"}, "to": "head"}],
    }
    assert api.as_(SUPERVISOR).post("/standards", given).status_code == 201
    api.application.clockwork.forget()
    owed(api, "minutes")
    _nobody_is_there(api)
    sweep(api, "2026-03-06T09:00")
    api.application.relay(api.application.context())
    assert [(one["about"], one["tier"]) for one in digests(api)["city"]] == [("minutes", 1)]


def _nobody_is_there(api: Api) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            update(t.account)
            .where(t.account.c.district_code == DISTRICT, t.account.c.role == "supervisor")
            .values(is_active=False)
        )


@pytest.mark.both_stores
def test_what_stays_overdue_in_the_city_is_told_again(api: Api) -> None:
    task = owed(api, area="city")
    sweep(api, "2026-03-12T09:00")
    api.application.relay(api.application.context())
    sweep(api, "2026-03-19T09:00")
    api.application.relay(api.application.context())
    ledger = api.as_("city").items(f"/deadlines/{task}/escalations")
    assert [one["is_repeated"] for one in ledger][-1] is True


def test_the_brake_counts_the_city_as_one_more_district(api: Api) -> None:
    for _ in range(51):
        owed(api, area="city")
    held = sweep(api, "2026-03-10T09:00").held
    assert held == 51
    city = {"district_code": "city"}
    assert api.as_(SUPERVISOR).post("/notices/release", city).status_code == 404
    released = api.as_("admin").post("/notices/release", city)
    assert released.json() == {"district_code": "city", "released": 51}
    api.application.relay(api.application.context())
    assert len(digests(api)["city"]) > 0


def test_whoever_owes_it_does_not_review_it(api: Api) -> None:
    task = owed(api)
    api.clock.set(LATE)
    supervisor = api.as_(SUPERVISOR)
    assert supervisor.get(f"/deadlines/{task}").json()["allowed_actions"] == []
    given = {"action": "excuse", "cause": "waiting_for_council"}
    answer = supervisor.post(f"/overdue/{task}/review", given)
    assert (answer.status_code, answer.json()["code"]) == (409, "reviewed_by_giver")
    far = api.as_(FAR_SUPERVISOR).post(f"/overdue/{task}/review", given)
    assert far.status_code == 404


# Recounts, figures and the rest of the house


@pytest.mark.both_stores
def test_a_declared_holiday_moves_what_is_counted_and_only_the_steps_of_a_named_day(
    api: Api,
) -> None:
    minutes, task = owed(api, "minutes", area="city"), owed(api, area="city", due="2026-03-13")
    before = the_clock(api, minutes).due_at
    answer = api.as_("admin").post(
        "/holidays", {"on": "2026-03-12", "closed": True, "name": "임시공휴일"}
    )
    assert answer.status_code in (200, 201, 202), answer.text
    assert the_clock(api, minutes).due_at > before
    assert the_clock(api, task).due_at == seoul("2026-03-13T23:59:59")
    with api.engine.connect() as connection:
        step = t.escalation
        query = select(step.c.at).where(step.c.deadline_id == task, step.c.tier == -1)
        assert connection.scalar(query) == seoul("2026-03-11T09:00")


@pytest.mark.both_stores
def test_a_standard_of_minutes_is_set_for_a_district_and_taken_by_what_runs(api: Api) -> None:
    minutes, far = owed(api, "minutes"), owed(api, "minutes", area=OTHER_DISTRICT)
    own = {
        "kind": "minutes",
        "target": {"amount": 3, "unit": "working_days"},
        "district_code": DISTRICT,
        "escalation": [
            {"tier": 1, "after": {"amount": 1, "unit": "working_days"}, "to": "body"},
            {"tier": 3, "after": {"amount": 5, "unit": "working_days"}, "to": "head"},
        ],
    }
    before = the_clock(api, far).due_at
    standard = api.as_(SUPERVISOR).post("/standards", own)
    assert standard.status_code == 201, standard.text
    path = f"/standards/{standard.json()['id']}/recalculate"
    tried = api.as_(SUPERVISOR).post(path, {"dry_run": True}).json()
    assert [one["id"] for one in tried["deadlines"]] == [str(minutes)]
    assert the_clock(api, minutes).due_at == before
    assert api.as_(SUPERVISOR).post(path).status_code in (200, 202)
    assert the_clock(api, minutes).due_at == seoul("2026-03-05T23:59:59")
    assert the_clock(api, far).due_at == before
    with api.engine.connect() as connection:
        step = t.escalation
        query = select(step.c.tier, step.c.tell).where(step.c.deadline_id == minutes)
        planned = {row.tier: row.tell for row in connection.execute(query)}
    assert planned[3] == ["head"]
    assert 2 not in planned
    why = api.as_(SUPERVISOR).get(f"/deadlines/{minutes}/explanation").json()
    assert [one["because"] for one in why["recounts"]] == ["standard"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"kind": "task"}, "kind_fixed"),
        ({"kind": "submission"}, "kind_fixed"),
        ({"kind": "minutes", "priority": "urgent"}, "scope_never_applies"),
        ({"kind": "minutes", "field": "care"}, "scope_never_applies"),
    ],
)
def test_a_standard_that_no_clock_of_the_programme_could_go_by_is_refused(
    api: Api, facts: dict[str, str], code: str
) -> None:
    given = {"target": {"amount": 3, "unit": "working_days"}} | facts
    answer = api.as_("admin").post("/standards", given)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_one_that_cannot_be_recounted_stops_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = owed(api, "minutes"), owed(api, "minutes")
    failed: list[UUID] = []
    renew = recounting.renew

    def fails_for_one(file: Any, ids: Any, *rest: Any) -> Any:
        if first in list(ids):
            raise RuntimeError
        return renew(file, ids, *rest)

    monkeypatch.setattr(recounting, "renew", fails_for_one)
    ctx = api.context("admin")
    begun = standards.declare_holiday(
        ctx,
        standards.DayCommand(on=date(2026, 3, 12), closed=True, name="임시", district_code=None),
    )
    recount = standards.begun_recount(api.context("admin"), begun.recount_id)
    was = the_clock(api, first).due_at
    api.application.clockwork.forget()
    standards.carry_out(api.context("admin"), recount, lambda id, _error: failed.append(id))
    assert (failed, recount.failed) == ([first], 1)
    assert the_clock(api, first).due_at == was
    assert the_clock(api, second).due_at > was
