"""Break-glass: what it opens and for how long, who is notified, and who reviews it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.adapters.looking import count
from tests.api.acts import a_case, a_referral, a_resident
from tests.api.asking import ABSENT, everything, refusal
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    DISTRICT,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

SHARING = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
WHY = "found unconscious far from home"


def opened(api: Api, resident: UUID, by: str = STRANGER, **more: Any) -> Any:
    """Open a resident as an actor out of scope; returns the answer."""
    body = {"resident_id": str(resident), "reason": WHY} | more
    return api.as_(by).post("/break-glass", body)


def notes_of(resident: UUID) -> str:
    return f"/residents/{resident}/notes"


def test_whoever_opens_a_resident_looks_and_writes_nothing(api: Api) -> None:
    referral = a_referral(api)
    shown = api.as_(WORKER).get(f"/referrals/{referral}").json()
    case, resident = shown["case_id"], shown["resident_id"]
    clock = shown["deadlines"][0]["id"]
    api.as_(WORKER).post(notes_of(resident), {"kind": "call", "text": "the door is at the back"})
    consents = f"/residents/{resident}/consents"
    assert api.as_(WORKER).post(consents, SHARING).json()["allowed_actions"] == ["withdraw"]
    looks = [
        f"/residents/{resident}",
        consents,
        f"/residents/{resident}/timeline",
        notes_of(resident),
        f"/cases/{case}",
        f"/cases/{case}/plan",
        f"/referrals/{referral}",
        f"/deadlines/{clock}",
    ]
    stranger, owner = api.as_(STRANGER), api.as_(WORKER)
    assert {stranger.get(path).status_code for path in looks} == {404}
    assert opened(api, UUID(resident)).status_code == 201
    for path in looks:
        answer = stranger.get(path)
        assert answer.status_code == 200, (path, answer.text)
        mine = owner.get(path)
        assert set(answer.json()) == set(mine.json()), path
        assert not answer.json().get("allowed_actions"), path
    assert stranger.get(notes_of(resident)).json()["items"][0]["text"] == "the door is at the back"
    assert stranger.get(f"/cases/{case}").json()["referrals"]
    assert [one["allowed_actions"] for one in stranger.get(consents).json()["items"]] == [[]]
    before = everything(api)
    for path, body in (
        (notes_of(resident), {"kind": "call", "text": "x"}),
        (f"/cases/{case}/hold", {"reason": "away", "until": "2026-03-20"}),
        (f"/referrals/{referral}/cancel", {"reason": "x"}),
    ):
        assert stranger.post(path, body).status_code == 404, path
    changed = stranger.patch(
        f"/residents/{resident}", {"phone": "010-0000-0001"}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 404
    assert everything(api) == before


def test_lists_searches_and_counts_are_as_they_were(api: Api) -> None:
    resident = a_resident(api, name="가상 열람")
    a_case(api, resident=resident)
    asked = [("GET", "/cases"), ("GET", "/referrals"), ("GET", "/worklist"), ("GET", "/figures"),
             ("POST", "/residents/search")]  # fmt: skip

    def answers() -> list[Any]:
        body = {"name": "가상 열람"}
        return [
            api.as_(STRANGER)
            .request(method, path, **({"json": body} if method == "POST" else {}))
            .content
            for method, path in asked
        ]

    before = answers()
    assert opened(api, resident).status_code == 201
    assert answers() == before


def test_it_opens_for_its_opener_alone_and_one_resident_alone(api: Api) -> None:
    resident, other = a_resident(api), a_resident(api)
    opened(api, resident)
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 200
    assert api.as_(STRANGER).get(f"/residents/{other}").status_code == 404
    for username in (NEIGHBOUR, FAR_SUPERVISOR):
        assert api.as_(username).get(f"/residents/{resident}").status_code == 404


def test_it_is_over_at_the_very_instant_it_ends(api: Api) -> None:
    resident = a_resident(api)
    assert opened(api, resident, hours=2).json()["ends_at"] == "2026-03-02T12:00:00+09:00"
    look = lambda: api.as_(STRANGER).get(f"/residents/{resident}").status_code  # noqa: E731
    for at, expected in (
        ("2026-03-02T11:59:59.999999", 200),
        ("2026-03-02T12:00", 404),
        ("2026-03-02T12:00:00.000001", 404),
    ):
        api.clock.set(at)
        assert look() == expected, at


def test_it_is_for_a_day_where_no_hours_are_named(api: Api) -> None:
    assert opened(api, a_resident(api)).json()["ends_at"] == "2026-03-03T10:00:00+09:00"


def test_its_opener_ends_it_early_and_nobody_else(api: Api) -> None:
    resident = a_resident(api)
    id = opened(api, resident).json()["id"]
    path = f"/break-glass/{id}/end"
    assert refusal(api.as_(SUPERVISOR).post(path)) == (409, "not_your_opening")
    assert refusal(api.as_(NEIGHBOUR).post(path)) == (404, "not_found")
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 200
    ended = api.as_(STRANGER).post(path)
    assert (ended.status_code, ended.json()["is_live"]) == (200, False)
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 404
    assert refusal(api.as_(STRANGER).post(path)) == (409, "already_ended")


def test_a_review_shuts_it_at_once_and_is_kept(api: Api) -> None:
    resident = a_resident(api)
    id = opened(api, resident).json()["id"]
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 200
    api.clock.forward(hours=1)
    body = {"note": "the emergency room has no record of it", "justified": False}
    closed = api.as_(SUPERVISOR).post(f"/break-glass/{id}/close", body)
    assert closed.status_code == 200, closed.text
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 404
    shown = api.as_(STRANGER).get(f"/break-glass/{id}").json()
    assert shown["reviewed_by"] == str(api.id_of(SUPERVISOR))
    assert (shown["review_note"], shown["justified"]) == (body["note"], False)
    assert shown["reviewed_at"] == "2026-03-02T11:00:00+09:00"
    again = api.as_(SUPERVISOR).post(f"/break-glass/{id}/close", body)
    assert refusal(again) == (409, "already_reviewed")


def test_it_is_reviewed_in_the_residents_district_by_somebody_else(api: Api) -> None:
    resident, body = a_resident(api), {"note": "fine", "justified": True}
    id = opened(api, resident, FAR_SUPERVISOR).json()["id"]
    path = f"/break-glass/{id}/close"
    assert refusal(api.as_(FAR_SUPERVISOR).post(path, body)) == (409, "own_break_glass")
    assert refusal(api.as_(WORKER).post(path, body)) == (403, "forbidden")
    by_stranger = opened(api, resident, STRANGER).json()["id"]
    hidden = api.as_(FAR_SUPERVISOR).post(f"/break-glass/{by_stranger}/close", body)
    absent = api.as_(FAR_SUPERVISOR).post(f"/break-glass/{ABSENT}/close", body)
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert api.as_(SUPERVISOR).post(path, body).status_code == 200


def test_the_residents_district_is_told_at_once_and_nothing_personal(api: Api) -> None:
    resident = a_resident(api, name="가상 비밀")
    id = opened(api, resident).json()["id"]
    api.application.relay(api.application.context())
    with api.engine.connect() as connection:
        told = connection.execute(
            select(t.message.c.payload, *t.account.c["username", "role", "district_code"])
            .join(t.account, t.account.c.id == t.message.c.account_id)
            .where(t.message.c.kind == "break_glass")
        ).all()
    assert SUPERVISOR in {row.username for row in told}
    assert {(row.role, row.district_code) for row in told} == {("supervisor", DISTRICT)}
    assert {row.payload["subject"]["id"] for row in told} == {id}
    assert "가상" not in str(told[0].payload)
    assert "unconscious" not in str(told[0].payload)
    first = api.as_(WORKER).get(f"/residents/{resident}/timeline").json()["items"][0]
    assert (first["event"], first["data"]) == ("GlassBroken", {"hours": 24})
    assert first["by"]["id"] == str(api.id_of(STRANGER))


def test_each_look_stands_in_the_record_with_the_opening(api: Api) -> None:
    resident = a_resident(api)
    id = opened(api, resident).json()["id"]
    api.as_(STRANGER).get(f"/residents/{resident}")
    api.as_(WORKER).get(f"/residents/{resident}")
    entry = t.audit_entry.c
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(entry.actor, entry.code, entry.subjects)
            .where(entry.task == "GET /residents/{id}")
            .order_by(entry.id)
        ).all()
        made = connection.execute(
            select(entry.subjects, entry.outcome).where(entry.action == "break_glass.open")
        ).all()
    assert rows == [
        (STRANGER, f"break_glass:{id}", [str(resident)]),
        (WORKER, None, [str(resident)]),
    ]
    assert made == [([str(resident)], "ok")]


@pytest.mark.parametrize("username", [WORKER, COLLEAGUE, SUPERVISOR])
def test_who_sees_a_resident_anyway_opens_nothing(api: Api, username: str) -> None:
    resident = a_resident(api)
    before = everything(api)
    assert refusal(opened(api, resident, username)) == (409, "not_needed")
    assert everything(api) == before


def test_a_resident_who_is_open_is_not_opened_again(api: Api) -> None:
    resident = a_resident(api)
    opened(api, resident, hours=1)
    assert refusal(opened(api, resident)) == (409, "already_open")
    api.clock.forward(hours=1)
    assert opened(api, resident).status_code == 201


def test_what_cannot_be_right_is_refused_and_nothing_changes(api: Api) -> None:
    resident = a_resident(api)
    before = everything(api)
    assert refusal(opened(api, ABSENT)) == (404, "not_found")
    for wrong in (
        {"reason": ""}, {"reason": "  "}, {"reason": "x" * 1001}, {"hours": 0}, {"hours": 73},
        {"hours": "2"}, {"hours": 1.5}, {"resident_id": "no-id"}, {"other": 1},
    ):  # fmt: skip
        assert opened(api, resident, **wrong).status_code == 422, wrong
    for username in (ASSESSOR, PROVIDER, "city", "auditor", "admin"):
        assert refusal(opened(api, resident, username)) == (403, "forbidden")
    assert everything(api) == before


def test_the_same_key_twice_opens_once(api: Api) -> None:
    body = {"resident_id": str(a_resident(api)), "reason": WHY}
    headers = {"Idempotency-Key": "once"}
    first, second = (
        api.as_(STRANGER).post("/break-glass", body, headers=headers) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert count(api, t.metadata.tables["break_glass"]) == 1


def test_the_list_shows_ones_own_and_what_one_has_to_review(api: Api) -> None:
    mine = opened(api, a_resident(api)).json()["id"]
    other = opened(api, a_resident(api), FAR_SUPERVISOR).json()["id"]
    waiting = lambda who, **by: [  # noqa: E731
        one["id"] for one in api.as_(who).items("/break-glass", **by)
    ]
    assert waiting(STRANGER) == [mine]
    assert waiting(FAR_SUPERVISOR) == [other]
    assert waiting(SUPERVISOR, open=True, limit=1) == [other, mine]
    assert waiting(NEIGHBOUR) == []
    api.as_(SUPERVISOR).post(
        f"/break-glass/{mine}/close", {"note": "it was needed", "justified": True}
    )
    assert waiting(SUPERVISOR, open=True) == [other]
    assert waiting(SUPERVISOR, open=False) == [mine]
    for at, is_late in (("2026-03-05T23:59:59", False), ("2026-03-06T00:00", True)):
        api.clock.set(at)
        shown = {one["id"]: one["overdue"] for one in api.as_(SUPERVISOR).items("/break-glass")}
        assert shown == {mine: False, other: is_late}, at


def test_a_stale_review_is_refused(api: Api) -> None:
    answer = opened(api, a_resident(api))
    id, body = answer.json()["id"], {"note": "fine", "justified": True}
    api.as_(STRANGER).post(f"/break-glass/{id}/end")
    stale = {"If-Match": answer.headers["etag"]}
    refused = api.as_(SUPERVISOR).post(f"/break-glass/{id}/close", body, headers=stale)
    assert refusal(refused) == (412, "stale")
    fresh = {"If-Match": api.as_(SUPERVISOR).get(f"/break-glass/{id}").headers["etag"]}
    done = api.as_(SUPERVISOR).post(f"/break-glass/{id}/close", body, headers=fresh)
    assert done.status_code == 200
