"""A note is put right by another: both stand, and what was promised goes over to that one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.api.acts import a_case, a_resident
from tests.api.asking import (
    ABSENT,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import COLLEAGUE, WORKER, Api
from tests.api.residents.test_call_backs import NEVER, TEXT, answered, promised, to_come_back

REASON = "다른 사람과 통화한 것이었음"


def corrected(api: Api, note: str, by: str = WORKER, **changes: Any) -> Any:
    return api.as_(by).post(f"/notes/{note}/correct", {"reason": REASON} | changes)


def ahead(api: Api, days: int) -> str:
    return (api.clock.now.date() + timedelta(days=days)).isoformat()


def asks(api: Api) -> list[Ask]:
    note = promised(api, a_resident(api))["id"]
    body = {"text": "otherwise", "reason": REASON}
    return [Ask("POST", "/notes/{id}/correct", UUID(note), body, NEVER)]


def test_nobody_and_no_role_without_a_row_corrects_a_note(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_a_note_out_of_scope_looks_like_one_that_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


def test_both_notes_stand_and_the_promise_goes_over(api: Api) -> None:
    resident = a_resident(api)
    a_case(api, resident=resident)
    note = promised(api, resident)["id"]
    api.clock.forward(hours=1)
    changes = {"with": "the son", "come_back_on": ahead(api, 3)}
    answer = corrected(api, note, COLLEAGUE, **changes)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["with"], shown["text"], shown["come_back_on"]) == (
        "the son", TEXT, changes["come_back_on"],
    )  # fmt: skip
    assert (shown["corrects_note_id"], shown["correction_reason"]) == (note, REASON)
    assert shown["allowed_actions"] == ["answer", "correct"]
    (right, wrong) = api.as_(WORKER).items(f"/residents/{resident}/notes")
    assert right == shown
    assert (wrong["id"], wrong["with"], wrong["come_back_on"]) == (
        note, "the daughter", ahead(api, 1),
    )  # fmt: skip
    assert (wrong["corrected_by_note_id"], wrong["allowed_actions"]) == (shown["id"], [])
    assert to_come_back(api, WORKER) == [shown["id"]]  # of whoever carries the case
    (said,) = api.as_(WORKER).items(f"/residents/{resident}/timeline")[:1]
    assert said["event"] == "NoteCorrected"
    assert said["data"] == {
        "note_id": note,
        "by_note_id": shown["id"],
        "fields": ["with_whom", "come_back_on"],
        "come_back_on": changes["come_back_on"],
    }
    assert answered(api, shown["id"], text="done").status_code == 200
    assert to_come_back(api, WORKER) == []


def test_a_promise_that_was_none_leaves_the_worklist_and_a_forgotten_one_enters_it(
    api: Api,
) -> None:
    resident = a_resident(api)
    note = promised(api, resident)["id"]
    none = corrected(api, note, come_back_on=None).json()
    assert (none["come_back_on"], to_come_back(api, WORKER)) == (None, [])
    again = corrected(api, none["id"], come_back_on=ahead(api, 0)).json()
    assert to_come_back(api, WORKER) == [again["id"]]


def test_an_answer_stays_with_what_was_answered(api: Api) -> None:
    note = promised(api, a_resident(api))["id"]
    assert answered(api, note, text="was there").status_code == 200
    shown = corrected(api, note, text="손잡이가 아니라 문턱").json()
    assert (shown["text"], shown["answer"]) == ("손잡이가 아니라 문턱", "was there")
    assert (shown["allowed_actions"], to_come_back(api, WORKER)) == (["correct", "undo"], [])


def test_an_answered_promise_is_not_promised_for_another_day(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)
    assert answered(api, note["id"], text="was there").status_code == 200
    before = everything(api)
    for day in (ahead(api, -1), ahead(api, 0), ahead(api, 7), None):
        refused = corrected(api, note["id"], text="otherwise", come_back_on=day)
        assert refusal(refused) == (409, "already_answered"), day
    assert everything(api) == before
    same = corrected(api, note["id"], text="otherwise", come_back_on=note["come_back_on"])
    assert (same.status_code, same.json()["answer"]) == (200, "was there")
    again = corrected(api, same.json()["id"], come_back_on=ahead(api, 7))
    assert refusal(again) == (409, "already_answered")


def test_a_day_that_is_passed_stays_when_only_the_text_was_wrong(api: Api) -> None:
    note = promised(api, a_resident(api))
    api.clock.forward(days=5)
    shown = corrected(api, note["id"], text="otherwise").json()
    assert (shown["text"], shown["come_back_on"]) == ("otherwise", note["come_back_on"])
    assert to_come_back(api, WORKER) == [shown["id"]]


def test_what_stays_as_it_is_corrects_nothing(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident)
    assert corrected(api, note["id"], text=TEXT, kind="call").json() == note
    assert api.as_(WORKER).items(f"/residents/{resident}/notes") == [note]


def test_the_same_request_twice_is_one_correction(api: Api) -> None:
    note = promised(api, a_resident(api))["id"]
    body, key = {"text": "otherwise", "reason": REASON}, {"Idempotency-Key": "once"}
    first, second = (
        api.as_(WORKER).post(f"/notes/{note}/correct", body, headers=key) for _ in range(2)
    )
    assert (first.status_code, first.content) == (200, second.content)


def test_what_cannot_be_corrected_so_is_refused_and_nothing_changes(api: Api) -> None:
    resident = a_resident(api)
    done = promised(api, resident)["id"]
    assert corrected(api, done, text="otherwise").status_code == 200
    note = promised(api, resident)["id"]
    before = everything(api)
    assert refusal(corrected(api, done, text="again")) == (409, "already_corrected")
    assert refusal(answered(api, done)) == (409, "already_corrected")
    assert refusal(corrected(api, str(ABSENT), text="x")) == (404, "not_found")
    stale = api.as_(WORKER).post(
        f"/notes/{note}/correct", {"reason": REASON, "text": "x"}, headers={"If-Match": '"7"'}
    )
    assert refusal(stale) == (412, "stale")
    for wrong, field in (
        ({"come_back_on": ahead(api, -1)}, "come_back_on"),
        ({"come_back_on": ahead(api, 400)}, "come_back_on"),
        ({"kind": "fax"}, "kind"),
        ({"text": "x", "reason": " ㅤ"}, "reason"),
    ):
        assert fields_of(corrected(api, note, **wrong)) == [field]
    assert everything(api) == before


def test_nobody_comes_back_to_the_dead(api: Api) -> None:
    resident = a_resident(api)
    note = promised(api, resident, come_back_on=None)["id"]
    assert api.as_(WORKER).post(f"/residents/{resident}/died", {"on": ahead(api, 0)}).is_success
    refused = corrected(api, note, come_back_on=ahead(api, 1))
    assert refusal(refused) == (409, "resident_died")
    assert corrected(api, note, text="otherwise").status_code == 200
