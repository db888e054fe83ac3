"""Promises to come back follow the case, and end only when they are answered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from tests.api.acts import a_case, a_resident
from tests.api.asking import (
    ABSENT,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    etag,
    everything,
    refusal,
)
from tests.api.conftest import COLLEAGUE, NEIGHBOUR, SUPERVISOR, WORKER, Api

TEXT = "문 앞 손잡이를 알아보기로\n딸에게도 묻기"
WHY = "다른 분께 전화한 것이었음"
NEVER = ("provider.alpha", "assessor.26350", "city", "auditor", "admin")


def promised(api: Api, resident: UUID, by: str = WORKER, **more: Any) -> dict[str, Any]:
    tomorrow = (api.clock.now.date() + timedelta(days=1)).isoformat()
    body = {"kind": "call", "with": "the daughter", "text": TEXT, "come_back_on": tomorrow} | more
    answer = api.as_(by).post(f"/residents/{resident}/notes", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def to_come_back(api: Api, username: str) -> list[str]:
    return [one["note_id"] for one in api.as_(username).items("/worklist", kind="come_back")]


def taken_back(api: Api, note: str, by: str = WORKER, **more: Any) -> Any:
    return api.as_(by).post(f"/notes/{note}/answer/undo", {"reason": WHY}, **more)


def answered(api: Api, note: str, by: str = WORKER, **said: Any) -> Any:
    return api.as_(by).post(f"/notes/{note}/answer", said)


def asks(api: Api) -> list[Ask]:
    note = promised(api, a_resident(api))["id"]
    done = UUID(promised(api, a_resident(api))["id"])
    assert answered(api, str(done)).status_code == 200
    return [
        Ask("POST", "/notes/{id}/answer", UUID(note), {"text": "done"}, NEVER),
        Ask("POST", "/notes/{id}/answer/undo", done, {"reason": WHY}, NEVER),
    ]


def test_nobody_and_no_role_without_a_row_answers_a_note(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_a_note_out_of_scope_looks_like_one_that_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


def test_an_item_says_what_was_promised_and_of_which_case(api: Api) -> None:
    resident = a_resident(api)
    case = a_case(api, resident=resident)
    note = promised(api, resident)
    assert (note["allowed_actions"], note["answered_at"]) == (["answer", "correct"], None)
    (item,) = api.as_(WORKER).items("/worklist", kind="come_back")
    assert (item["note_id"], item["case_id"]) == (note["id"], str(case))
    assert item["text"] == "문 앞 손잡이를 알아보기로"
    assert (item["worker_id"], item["held_by"]) == (str(api.id_of(WORKER)), "worker")
    (clock,) = api.as_(WORKER).items("/worklist", kind="survey")
    assert (clock["note_id"], clock["text"]) == (None, None)


def test_only_an_answer_ends_it(api: Api) -> None:
    resident = a_resident(api)
    a_case(api, resident=resident)
    note = promised(api, resident)["id"]
    api.clock.forward(days=2)
    promised(api, resident, COLLEAGUE, come_back_on=None)  # a later note of somebody
    assert to_come_back(api, WORKER) == [note]
    shown = answered(api, note, text="손잡이를 달았음", **{"with": "딸"})
    assert shown.status_code == 200, shown.text
    said = shown.json()
    assert (said["answer"], said["answered_with"]) == ("손잡이를 달았음", "딸")
    assert said["answered_by"] == str(api.id_of(WORKER))
    assert said["allowed_actions"] == ["correct", "undo"]
    assert to_come_back(api, WORKER) == []
    (_, first) = api.as_(WORKER).items(f"/residents/{resident}/notes")
    assert first == said
    assert refusal(answered(api, note)) == (409, "already_answered")
    newest = api.as_(WORKER).items(f"/residents/{resident}/timeline")[0]
    assert (newest["event"], newest["data"]) == ("NoteAnswered", {"note_id": note})


def test_a_later_note_that_names_it_answers_it(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    api.clock.forward(hours=1)
    later = promised(api, resident, COLLEAGUE, answers=note)
    assert to_come_back(api, WORKER) == []
    assert to_come_back(api, COLLEAGUE) == [later["id"]]  # which promises in its turn
    (_, first) = api.as_(WORKER).items(f"/residents/{resident}/notes")
    assert first["answered_by_note_id"] == later["id"]
    assert first["answered_by"] == str(api.id_of(COLLEAGUE))


def test_what_was_not_promised_is_not_answered_and_nothing_changes(api: Api) -> None:
    resident, other = a_resident(api), a_resident(api)
    plain = promised(api, resident, come_back_on=None)
    assert plain["allowed_actions"] == ["correct"]
    done = promised(api, resident)["id"]
    shown = answered(api, done)
    assert shown.status_code == 200
    open_one = promised(api, resident)["id"]
    before = everything(api)
    body = {"kind": "call", "text": "x"}
    worker = api.as_(WORKER)
    for resident_id, named, expected in (
        (resident, plain["id"], (409, "nothing_promised")),
        (resident, done, (409, "already_answered")),
        (resident, str(ABSENT), (422, "unknown_note")),
        (other, open_one, (422, "unknown_note")),
    ):
        path = f"/residents/{resident_id}/notes"
        assert refusal(worker.post(path, body | {"answers": named})) == expected, named
    assert refusal(answered(api, plain["id"])) == (409, "nothing_promised")
    assert refusal(answered(api, str(ABSENT))) == (404, "not_found")
    stale = worker.post(f"/notes/{open_one}/answer", {}, headers=etag(shown))
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before


def test_it_follows_the_case_to_whoever_carries_it(api: Api) -> None:
    resident = a_resident(api)
    case = a_case(api, resident=resident)
    note = promised(api, resident)["id"]
    supervisor = api.as_(SUPERVISOR)
    to = {"worker_id": str(api.id_of(COLLEAGUE))}
    assert supervisor.post(f"/cases/{case}/assign", to).status_code == 200
    assert (to_come_back(api, WORKER), to_come_back(api, COLLEAGUE)) == ([], [note])
    handed = {"from_worker_id": to["worker_id"], "to_worker_id": str(api.id_of(WORKER)),
              "reason": "leaves"}  # fmt: skip
    assert supervisor.post("/caseloads/handover", handed).status_code == 200
    assert (to_come_back(api, WORKER), to_come_back(api, COLLEAGUE)) == ([note], [])
    moved = {"centre_code": api.actor(NEIGHBOUR).centre_code, "reason": "moved"}
    assert supervisor.post(f"/cases/{case}/transfer", moved).status_code == 200
    assert (to_come_back(api, WORKER), to_come_back(api, SUPERVISOR)) == ([], [note])
    (item,) = supervisor.items("/worklist", kind="come_back")
    assert (item["held_by"], item["worker_id"]) == ("supervisor", None)
    to = {"worker_id": str(api.id_of(NEIGHBOUR))}
    assert supervisor.post(f"/cases/{case}/assign", to).status_code == 200
    assert (to_come_back(api, SUPERVISOR), to_come_back(api, NEIGHBOUR)) == ([], [note])


def test_without_a_case_it_is_its_writers_and_the_supervisors_once_the_writer_is_gone(
    api: Api,
) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    assert to_come_back(api, WORKER) == [note]
    case = a_case(api, COLLEAGUE, resident)
    assert (to_come_back(api, WORKER), to_come_back(api, COLLEAGUE)) == ([], [note])
    closing = {"reason": "refused", "note": "as asked"}
    assert api.as_(COLLEAGUE).post(f"/cases/{case}/close", closing).status_code == 200
    assert (to_come_back(api, WORKER), to_come_back(api, COLLEAGUE)) == ([note], [])
    assert to_come_back(api, SUPERVISOR) == []
    with api.engine.begin() as connection:
        gone = t.account.c.id == api.id_of(WORKER)
        connection.execute(update(t.account).where(gone).values(is_active=False))
    assert to_come_back(api, SUPERVISOR) == [note]


def test_it_is_the_supervisors_where_the_resident_left_the_writers_centre(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    shown = api.as_(WORKER).get(f"/residents/{resident}")
    there = {"centre_code": api.actor(NEIGHBOUR).centre_code}
    changed = api.as_(WORKER).patch(f"/residents/{resident}", there, headers=etag(shown))
    assert changed.status_code == 200
    assert to_come_back(api, WORKER) == to_come_back(api, NEIGHBOUR) == []
    assert to_come_back(api, SUPERVISOR) == [note]


def test_a_merge_ends_none(api: Api) -> None:
    survivor, duplicate = a_resident(api), a_resident(api)
    note = promised(api, duplicate)["id"]
    body = {"duplicate_id": str(duplicate), "reason": "the same person",
            "keep": {"name": "survivor"}}  # fmt: skip
    merged = api.as_(SUPERVISOR).post(f"/residents/{survivor}/merge", body)
    assert merged.status_code in (200, 201), merged.text
    (item,) = api.as_(WORKER).items("/worklist", kind="come_back")
    assert (item["note_id"], item["resident"]["id"]) == (note, str(survivor))
    assert answered(api, note).status_code == 200


@pytest.mark.parametrize(
    ("on", "fits"),
    [
        (date(2026, 3, 3), {"all", "today", "week"}),
        (date(2026, 3, 4), {"all", "overdue"}),
    ],
)
def test_it_stands_there_from_its_day_on(api: Api, on: date, fits: set[str]) -> None:
    note = promised(api, a_resident(api))["id"]  # for the 3rd of March
    api.clock.set(f"{on}T12:00")
    found = {
        due for due in ("overdue", "today", "week", "all")
        if [one["note_id"] for one in api.as_(WORKER).items("/worklist", due=due)] == [note]
    }  # fmt: skip
    assert found == fits


@pytest.mark.both_stores
@pytest.mark.parametrize("by", [WORKER, COLLEAGUE, SUPERVISOR])
def test_an_answer_that_was_none_is_taken_back_and_stays_to_be_seen(api: Api, by: str) -> None:
    resident = a_resident(api)
    note = promised(api, resident)
    api.clock.forward(hours=1)
    said = answered(api, note["id"], text="손잡이를 달았음", **{"with": "딸"}).json()
    api.clock.forward(days=3)
    assert to_come_back(api, WORKER) == []
    shown = taken_back(api, note["id"], by)
    assert shown.status_code == 200, shown.text
    again = shown.json()
    assert {name: again[name] for name in note if name != "answers_taken_back"} == {
        name: value for name, value in note.items() if name != "answers_taken_back"
    }
    (former,) = again["answers_taken_back"]
    assert former == {
        "answered_at": said["answered_at"], "answered_by": str(api.id_of(WORKER)),
        "answered_with": "딸", "answer": "손잡이를 달았음", "answered_by_note_id": None,
        "reason": WHY, "taken_back_at": "2026-03-05T11:00:00+09:00",
        "taken_back_by": str(api.id_of(by)),
    }  # fmt: skip
    assert to_come_back(api, WORKER) == [note["id"]]  # still its writer's
    newest = api.as_(WORKER).items(f"/residents/{resident}/timeline")[0]
    assert (newest["event"], newest["data"]) == (
        "NoteAnswerTakenBack", {"note_id": note["id"], "come_back_on": note["come_back_on"]},
    )  # fmt: skip
    assert answered(api, note["id"], text="이번에는 이분").status_code == 200
    assert to_come_back(api, WORKER) == []
    twice = taken_back(api, note["id"], by).json()["answers_taken_back"]
    assert [one["answer"] for one in twice] == ["손잡이를 달았음", "이번에는 이분"]


@pytest.mark.both_stores
def test_what_a_later_note_answered_is_promised_again_and_the_later_note_stands(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    later = promised(api, resident, COLLEAGUE, answers=note)["id"]
    shown = taken_back(api, note).json()
    assert shown["answered_by_note_id"] is None
    assert shown["answers_taken_back"][0]["answered_by_note_id"] == later
    assert (to_come_back(api, WORKER), to_come_back(api, COLLEAGUE)) == ([note], [later])
    third = promised(api, resident, answers=note, come_back_on=None)["id"]
    (*_, first) = api.as_(WORKER).items(f"/residents/{resident}/notes")
    assert first["answered_by_note_id"] == third


@pytest.mark.both_stores
def test_only_an_answer_that_stands_is_taken_back_and_nothing_changes_else(api: Api) -> None:
    resident = a_resident(api)
    plain = promised(api, resident, come_back_on=None)["id"]
    open_one, done, moved = (promised(api, resident)["id"] for _ in range(3))
    shown = api.as_(WORKER).items(f"/residents/{resident}/notes")[0]
    assert answered(api, done).status_code == 200
    assert answered(api, moved).status_code == 200
    right = {"text": "otherwise", "reason": WHY}
    corrected = api.as_(WORKER).post(f"/notes/{moved}/correct", right).json()
    before = everything(api)
    for note, expected in (
        (plain, (409, "not_answered")),
        (open_one, (409, "not_answered")),
        (moved, (409, "already_corrected")),
        (str(ABSENT), (404, "not_found")),
    ):
        assert refusal(taken_back(api, note)) == expected, note
    stale = taken_back(api, done, headers={"If-Match": '"1"'})
    assert refusal(stale) == (412, "stale")
    without = api.as_(WORKER).post(f"/notes/{done}/answer/undo", {"reason": " "})
    assert without.status_code == 422
    assert everything(api) == before
    assert shown["id"] == moved
    # The note that corrects it has the answer, and it is that one of which it is taken back.
    assert taken_back(api, corrected["id"]).status_code == 200
    assert to_come_back(api, WORKER) == [open_one, corrected["id"]]


@pytest.mark.both_stores
@pytest.mark.parametrize(
    ("on", "fits"),
    [
        (date(2026, 3, 2), {"all", "week"}),
        (date(2026, 3, 3), {"all", "today", "week"}),
        (date(2026, 3, 4), {"all", "overdue"}),
    ],
)
def test_what_is_promised_again_stands_there_by_its_own_day(
    api: Api, on: date, fits: set[str]
) -> None:
    note = promised(api, a_resident(api))["id"]  # for the 3rd of March
    assert answered(api, note).status_code == 200
    api.clock.set(f"{on}T12:00")
    assert taken_back(api, note).status_code == 200
    found = {
        due for due in ("overdue", "today", "week", "all")
        if [one["note_id"] for one in api.as_(WORKER).items("/worklist", due=due)] == [note]
    }  # fmt: skip
    assert found == fits


@pytest.mark.both_stores
def test_for_the_dead_nothing_is_promised_again_until_the_death_is_taken_back(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    assert answered(api, note).status_code == 200
    assert api.as_(WORKER).post(f"/residents/{resident}/died", {"on": "2026-03-02"}).is_success
    assert taken_back(api, note).status_code == 200
    assert to_come_back(api, WORKER) == []
    undo = api.as_(SUPERVISOR).post(f"/residents/{resident}/died/undo", {"reason": "another"})
    assert undo.status_code == 200, undo.text
    assert to_come_back(api, WORKER) == [note]
