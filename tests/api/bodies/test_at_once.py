"""Two who enter the same at once: one is entered, and the other is told why not."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, select

from casework.adapters.persistence import tables as t
from tests.api.bodies.acts import asked_seat, entered, seated
from tests.api.conftest import Api
from tests.api.racing import ON_POSTGRES, locked, wait_for_locks


def outcomes(answers: list[Any]) -> Counter[tuple[int, str | None]]:
    return Counter((one.status_code, one.json().get("code")) for one in answers)


@ON_POSTGRES
def test_of_two_chairs_at_once_one_has_the_seat(api: Api) -> None:
    council = entered(api, kind="council")["id"]
    row = select(t.body.c.id).where(t.body.c.id == council).with_for_update()
    wanted = {"seats": [asked_seat(part="chair")]}
    with ThreadPoolExecutor(2) as pool:
        with locked(api, row) as held:
            asked = [
                pool.submit(api.as_(who).post, f"/bodies/{council}/seats", wanted)
                for who in ("city", "admin")
            ]
            wait_for_locks(held, 2)
        told = outcomes([one.result() for one in asked])
    assert told == {(201, None): 1, (409, "seat_taken"): 1}
    assert len(api.as_("city").get(f"/bodies/{council}").json()["seats"]) == 1


@ON_POSTGRES
def test_of_two_councils_or_two_answers_at_once_one_is_entered(api: Api) -> None:
    """The first is written and not yet committed when the second looks: an index refuses it."""
    for facts, code in (
        ({"kind": "council"}, "body_exists"),
        ({"kind": "section", "fields": ["care"]}, "answered_elsewhere"),
    ):
        wanted = {"name_ko": "가상", "area": "city"} | facts
        with ThreadPoolExecutor(8) as pool:
            told = outcomes(
                list(pool.map(lambda _n, w=wanted: api.as_("city").post("/bodies", w), range(8)))
            )
        assert told == {(201, None): 1, (409, code): 7}


def test_a_page_of_bodies_is_few_statements_however_many_there_are(api: Api) -> None:
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if any(f"FROM {name}" in statement for name in ("body", "body_answers", "seat")):
            said.append(statement)

    counts = []
    for number in range(3):
        body = entered(api, kind="forum", name_ko=f"가상 회의 {number}")["id"]
        seated(api, body, {}, {})
        event.listen(api.application.engine, "before_cursor_execute", note)
        assert len(api.as_("city").items("/bodies")) == number + 1
        event.remove(api.application.engine, "before_cursor_execute", note)
        counts.append(len(said))
        said.clear()
    assert counts == [3, 3, 3]


@pytest.mark.both_stores
def test_ending_a_body_and_seating_somebody_are_one_after_the_other(api: Api) -> None:
    council = entered(api, kind="council")["id"]
    end = {"on": "2026-03-02", "reason": "개편"}
    late = {"seats": [asked_seat(**{"from": "2026-03-03"})]}
    assert api.as_("city").post(f"/bodies/{council}/end", end).status_code == 200
    answer = api.as_("city").post(f"/bodies/{council}/seats", late)
    assert (answer.status_code, answer.json()["code"]) == (422, "body_not_in_force")
