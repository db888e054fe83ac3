"""Idempotency keys: one effect, the same status, and the current resource in the actor's scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update

from casework.adapters.persistence import tables as t
from tests.api.acts import Supported, a_case, a_referral, a_resident, a_supported_case, moved
from tests.api.asking import ABSENT, everything, refusal
from tests.api.conftest import BASE, COLLEAGUE, NEXT_DOOR, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.racing import ON_POSTGRES, locked, wait_for_locks

pytestmark = pytest.mark.both_stores
KEY = "key-1"


def keyed(key: str = KEY) -> dict[str, str]:
    """The header."""
    return {"Idempotency-Key": key}


def request(api: Api, supported: Supported, **facts: Any) -> dict[str, Any]:
    """The request body of a referral of the one planned service."""
    return {
        "planned_service_id": str(supported.service),
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "priority": "routine",
        "basis": {"kind": "article_14_2"},
    } | facts


def a_note(text: str = "a call") -> dict[str, Any]:
    """A contact note: an act that is not idempotent by itself."""
    return {"kind": "call", "text": text}


def notes(api: Api) -> int:
    """How many notes were written."""
    return count(api, t.note)


def count(api: Api, table: Any) -> int:
    """How many rows there are."""
    with api.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


# One effect


def test_the_same_key_and_body_has_one_effect_and_the_same_answer(api: Api) -> None:
    body = request(api, a_supported_case(api))
    worker = api.as_(WORKER)
    first = worker.post("/referrals", body, headers=keyed())
    assert first.status_code == 201
    before = everything(api)
    for _ in range(2):
        again = worker.post("/referrals", body, headers=keyed())
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["etag"] == first.headers["etag"]
    assert everything(api) == before


def test_without_a_key_each_request_is_an_act_of_its_own(api: Api) -> None:
    path = f"/residents/{a_resident(api)}/notes"
    for n in (1, 2):
        assert api.as_(WORKER).post(path, a_note()).status_code == 201
        assert notes(api) == n


def test_every_kind_of_act_heeds_the_key(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    worker, provider, supervisor = api.as_(WORKER), api.as_(PROVIDER), api.as_(SUPERVISOR)
    for signed_in, path, body in (
        (worker, f"/residents/{supported.resident}/notes", a_note()),
        (worker, f"/residents/{supported.resident}/consents",
         {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}),
        (worker, f"/cases/{supported.case}/signals", {"kind": "fall"}),
        (worker, "/cases", {"resident_id": str(a_resident(api)), "channel": "self",
                            "applied_on": "2026-03-02"}),
        (provider, f"/referrals/{referral}/accept", {}),
        (provider, f"/referrals/{referral}/signal", {"kind": "worse"}),
        (provider, f"/referrals/{referral}/start", {"started_on": "2026-03-02"}),
        (provider, f"/referrals/{referral}/report",
         {"reported_on": "2026-03-02", "note": "well"}),
        (supervisor, f"/cases/{supported.case}/assign", {"worker_id": str(api.id_of(COLLEAGUE))}),
        (supervisor, "/conferences", {"held_on": "2026-03-02",
                                      "members": [{"name": "가상", "agency": "a clinic"}]}),
    ):  # fmt: skip
        first = signed_in.post(path, body, headers=keyed())
        assert first.status_code in (200, 201), (path, first.text)
        before = everything(api)
        again = signed_in.post(path, body, headers=keyed())
        assert (again.status_code, again.json()) == (first.status_code, first.json()), path
        assert everything(api) == before, path


def test_a_repeated_request_shows_the_resource_as_it_is_now(api: Api) -> None:
    body = request(api, a_supported_case(api))
    worker = api.as_(WORKER)
    first = worker.post("/referrals", body, headers=keyed()).json()
    assert api.as_(PROVIDER).post(f"/referrals/{first['id']}/accept").status_code == 200
    again = worker.post("/referrals", body, headers=keyed())
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert (first["status"], again.json()["status"]) == ("requested", "accepted")


def test_a_repeated_request_shows_only_what_the_asker_may_see_now(api: Api) -> None:
    body = request(api, a_supported_case(api))
    worker = api.as_(WORKER)
    first = worker.post("/referrals", body, headers=keyed()).json()
    account = t.account.c
    with api.engine.begin() as connection:
        moved_on = update(t.account).where(account.username == WORKER)
        connection.execute(moved_on.values(centre_code=NEXT_DOOR))
    again = worker.post("/referrals", body, headers=keyed())
    assert (again.status_code, again.json()) == (201, {"id": first["id"]})
    with api.engine.begin() as connection:
        connection.execute(moved_on.values(role="city"))
    assert refusal(worker.post("/referrals", body, headers=keyed())) == (403, "forbidden")


def test_a_provider_who_repeats_a_decline_after_thirty_days_sees_no_more_of_it(api: Api) -> None:
    path, body = f"/referrals/{a_referral(api)}/decline", {"reason": "at_capacity"}
    assert api.as_(PROVIDER).post(path, body, headers=keyed()).status_code == 200
    with api.engine.begin() as connection:  # as if it had ended long ago
        connection.execute(update(t.referral).values(ended_at=api.clock.now.replace(year=2025)))
    again = api.as_(PROVIDER).post(path, body, headers=keyed())
    assert (again.status_code, set(again.json())) == (200, {"id"})


def test_a_repeated_request_is_a_look_and_leaves_its_entry(api: Api) -> None:
    supported = a_supported_case(api)
    body = request(api, supported)
    for _ in range(2):
        api.as_(WORKER).post("/referrals", body, headers=keyed())
    entry = t.audit_entry.c
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(entry.action, entry.outcome, entry.subjects)
            .where(entry.task == "POST /referrals")
            .order_by(entry.id)
        ).all()
    about = [str(supported.resident)]
    assert [tuple(row) for row in rows] == [
        ("referral.send", "ok", about),
        ("referral.read", "ok", about),
    ]


# One key, one request


def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    path = f"/residents/{a_resident(api)}/notes"
    worker = api.as_(WORKER)
    worker.post(path, a_note(), headers=keyed())
    before = everything(api)
    other = worker.post(path, a_note("another call"), headers=keyed())
    assert refusal(other) == (422, "idempotency_key_reused")
    assert [error["field"] for error in other.json()["errors"]] == ["Idempotency-Key"]
    elsewhere = worker.post(f"/residents/{a_resident(api)}/notes", a_note(), headers=keyed())
    assert refusal(elsewhere) == (422, "idempotency_key_reused")
    assert everything(api)["note"] == before["note"]


def test_a_key_belongs_to_one_asker_and_one_route(api: Api) -> None:
    resident = a_resident(api)
    path = f"/residents/{resident}/notes"
    for n, username in enumerate((WORKER, COLLEAGUE, SUPERVISOR), 1):
        for _ in range(2):
            assert api.as_(username).post(path, a_note(), headers=keyed()).status_code == 201
        assert notes(api) == n
    case = {"resident_id": str(resident), "channel": "self", "applied_on": "2026-03-02"}
    assert api.as_(WORKER).post("/cases", case, headers=keyed()).status_code == 201


def test_a_key_has_one_to_255_characters(api: Api) -> None:
    path = f"/residents/{a_resident(api)}/notes"
    for key, status in (
        ("", 422),
        ("k", 201),
        ("k" * 255, 201),
        ("k" * 256, 422),
        ("é '\"; --", 201),
    ):
        for _ in range(2):
            answer = api.as_(WORKER).post(
                path, a_note(), headers={"Idempotency-Key": key.encode("latin-1")}
            )
            assert answer.status_code == status, key
    assert notes(api) == 3


def test_what_changes_nothing_heeds_no_key(api: Api) -> None:
    worker, form = api.as_(WORKER), {"username": WORKER, "password": "wrong"}
    for name in ("가상", "다른"):
        assert worker.post("/residents/search", {"name": name}, headers=keyed()).status_code == 200
        assert worker.get("/referrals", headers=keyed("k" * 300)).status_code == 200
        form["password"] += "r"
        answer = api.client.post(BASE + "/auth/token", data=form, headers=keyed("k" * 300))
        assert answer.status_code == 401
    assert count(api, t.idempotency) == 0


def test_a_refused_request_does_not_use_up_its_key(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    worker, before = api.as_(WORKER), everything(api)
    for path, body, told in (
        ("/referrals", request(api, supported), (409, "open_referral_exists")),
        ("/referrals", request(api, supported, priority="soon"), (422, "invalid")),
        ("/referrals", request(api, supported, planned_service_id=str(ABSENT)), (404, "not_found")),
        (f"/referrals/{referral}/accept", {}, (403, "provider_answers")),
    ):
        for _ in range(2):
            assert refusal(worker.post(path, body, headers=keyed())) == told
    assert everything(api) == before
    moved(api, referral, "cancel", WORKER, reason="entered_twice")
    made = worker.post("/referrals", request(api, supported), headers=keyed())
    assert made.status_code == 201


def test_a_key_is_kept_for_seven_days(api: Api) -> None:
    path = f"/residents/{a_resident(api)}/notes"
    for moment, written in (
        ("2026-03-02T10:00:00", 1),
        ("2026-03-09T10:00:00", 1),
        ("2026-03-09T10:00:01", 2),
        ("2026-03-16T10:00:01", 2),
    ):
        api.clock.set(moment)
        assert api.as_(WORKER).post(path, a_note(), headers=keyed()).status_code == 201
        assert notes(api) == written, moment
    other = api.as_(WORKER).post(path, a_note("another"), headers=keyed())
    assert refusal(other) == (422, "idempotency_key_reused")
    api.clock.forward(seconds=1)
    again = api.as_(WORKER).post(path, a_note("another"), headers=keyed())
    assert again.status_code == 201


def test_the_answer_itself_is_not_kept(api: Api) -> None:
    body = request(api, a_supported_case(api), message="canary-8d1f")
    made = api.as_(WORKER).post("/referrals", body, headers=keyed()).json()
    with api.engine.connect() as connection:
        (row,) = connection.execute(select(t.idempotency)).all()
    assert (row.in_progress, row.made) == (False, {"id": made["id"]})
    assert "8d1f" not in str(row)


# Concurrency


def together(ask: Callable[[], Any], times: int = 2) -> list[Any]:
    """The same request from several threads at once."""
    with ThreadPoolExecutor(times) as pool:
        asked: list[Future[Any]] = [pool.submit(ask) for _ in range(times)]
        return [one.result() for one in asked]


def test_many_at_the_same_moment_have_one_effect_and_one_answer(api: Api) -> None:
    path = f"/residents/{a_resident(api)}/notes"
    answers = together(lambda: api.as_(WORKER).post(path, a_note(), headers=keyed()), 6)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert notes(api) == 1


@ON_POSTGRES
def test_the_second_waits_for_the_first_and_gets_its_answer(api: Api) -> None:
    supported = a_supported_case(api)
    body = request(api, supported)
    row = select(t.care_case).where(t.care_case.c.id == supported.case).with_for_update()
    with ThreadPoolExecutor(2) as pool, locked(api, row) as holder:
        asked = [
            pool.submit(lambda: api.as_(WORKER).post("/referrals", body, headers=keyed()))
            for _ in range(2)
        ]
        wait_for_locks(holder, 2)  # one for the case, with the key; one for the key
        holder.rollback()
        answers = [one.result() for one in asked]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert count(api, t.referral) == 1


@ON_POSTGRES
def test_where_the_first_is_refused_the_second_is_not_held_to_it(api: Api) -> None:
    case = a_case(api)
    path = f"/cases/{case}/signals"
    row = select(t.care_case).where(t.care_case.c.id == case).with_for_update()
    with ThreadPoolExecutor(2) as pool, locked(api, row) as holder:
        first = pool.submit(lambda: api.as_(WORKER).post(path, {"kind": "other"}, headers=keyed()))
        wait_for_locks(holder, 1)
        second = pool.submit(lambda: api.as_(WORKER).post(path, {"kind": "fall"}, headers=keyed()))
        wait_for_locks(holder, 2)
        holder.rollback()
        assert refusal(first.result()) == (422, "note_required")
        assert second.result().status_code == 201


@pytest.fixture
def impatient(api: Api) -> Iterator[Api]:
    """The small world with a lock timeout of 0.1 s instead of 2 s."""

    def shorten(connection: Any, _record: Any) -> None:
        connection.execute("SET lock_timeout = 100")
        connection.commit()

    event.listen(api.application.engine, "connect", shorten)
    api.engine.dispose()
    yield api
    event.remove(api.application.engine, "connect", shorten)


@ON_POSTGRES
def test_who_waits_too_long_for_the_first_is_told_that_it_is_in_flight(impatient: Api) -> None:
    api = impatient
    path = f"/residents/{a_resident(api)}/notes"
    claim = insert(t.idempotency).values(
        principal_id=api.id_of(WORKER), route="POST /residents/{id}/notes", key=KEY, digest="",
        claimed_at=api.clock.now,
    )  # fmt: skip
    with locked(api, claim):
        answer = api.as_(WORKER).post(path, a_note(), headers=keyed())
        assert refusal(answer) == (409, "in_flight")
        assert api.as_(WORKER).post(path, a_note(), headers=keyed("other")).status_code == 201
    assert notes(api) == 1
    assert api.as_(WORKER).post(path, a_note(), headers=keyed()).status_code == 201


@ON_POSTGRES
def test_who_waits_too_long_without_a_key_is_told_to_come_back(impatient: Api) -> None:
    api = impatient
    case = a_case(api)
    row = select(t.care_case).where(t.care_case.c.id == case).with_for_update()
    with locked(api, row):
        answer = api.as_(WORKER).post(f"/cases/{case}/signals", {"kind": "fall"})
        assert refusal(answer) == (503, "busy")
        assert answer.headers["retry-after"] == "1"
    assert count(api, t.signal) == 0
