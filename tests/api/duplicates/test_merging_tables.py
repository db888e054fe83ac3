"""What a merge moves, table by table, so that none is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.agencies import delivered, way_in
from casework.domain.agencies.rosters import DeliveryReport
from casework.domain.duplicates.moved_by_merge import (
    ONE_EACH,
    WITH_ITS_CASE,
    WITH_ITS_REFERRAL,
    WITH_THE_RECORD,
    Child,
)
from casework.workflows.agencies import answer_pages
from tests.api import acts
from tests.api.cases.test_correcting import put_right
from tests.api.conftest import NEIGHBOUR, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.duplicates.test_merging import (
    a_life,
    at_once,
    check_sound,
    held,
    merge,
    merged,
    undo,
)
from tests.api.racing import ON_POSTGRES

MONTH = "2026-03"
WAY, OTHER_WAY = "초인종 대신 문을 두드릴 것", "열쇠는 경비실에 있음"
RECEIVED = {"received_on": "2026-03-02", "requested_by": "self"}
CHECK = {"findings": "잘 지낸다", "goals": []}
MOVES: Final = {
    *WITH_THE_RECORD, *WITH_ITS_CASE, *WITH_ITS_REFERRAL, *ONE_EACH, Child.HOUSEHOLD_MEMBER,
}  # fmt: skip
STAYS: Final = {
    "contact": "the duplicate keeps its own, the survivor gets a copy of what it lacks",
    "event": "keeps whom it was written for; a timeline shows those of all merged records",
    "break_glass": "says whose record was opened for whom; a merge must not open another",
    "duplicate_check": "a resident still to be compared; a merged one is compared as the survivor",
    "duplicate_suspicion": "rests, and what is open in it is asked about the survivor",
    "figure_change": "says who is to be counted again, as they were and as they are",
    "import_row": "says what a file brought and for whom; whoever looks is led to the survivor",
}


@dataclass(frozen=True)
class Full:
    """A resident with a row in every table that a merge moves."""

    resident: UUID
    referral: UUID


def a_full_life(api: Api, by: str = WORKER) -> Full:
    """A resident with deliveries and a correction, whose home has a way in and a household."""
    life = a_life(api, by)
    worker = api.as_(by)
    (referral,) = (
        UUID(one["id"])
        for one in worker.items("/referrals")
        if one["resident_id"] == str(life.resident)
    )
    says(api, referral, DeliveryReport())
    corrected = put_right(api, life.case, by, channel="family")
    assert corrected.status_code == 200, corrected.text
    writes_way_in(api, life.resident, WAY, by)
    api.clock.forward(days=1)  # the first check is not of the day of the approval
    today = {"checked_on": api.clock.now.date().isoformat()}
    for path, body in (
        (f"/residents/{life.resident}/access-requests", RECEIVED),
        (f"/cases/{life.case}/checks", CHECK | today),
        ("/households", {"resident_ids": [str(life.resident), str(acts.a_resident(api, by))]}),
    ):
        answer = worker.post(path, body)
        assert answer.status_code == 201, answer.text
    return Full(life.resident, referral)


def says(api: Api, referral: UUID, said: DeliveryReport) -> None:
    """An agency reports its deliveries of March."""
    answer_pages.record_roster(api.context(PROVIDER), MONTH, {referral: said})


def writes_way_in(api: Api, resident: UUID, text: str, by: str = WORKER) -> None:
    """A worker writes the way-in text."""
    assert api.as_(by).put(f"/residents/{resident}/way-in", {"text": text}).status_code == 200


def tables_with(api: Api, resident: UUID) -> set[str]:
    """The tables that have a row of a resident."""
    with api.engine.connect() as connection:
        return {
            table.name
            for table in t.metadata.sorted_tables
            if "resident_id" in table.c
            and connection.execute(select(table).where(table.c.resident_id == resident)).first()
        }


def ways_in(api: Api) -> dict[UUID, UUID]:
    """The resident of each way-in text, by its id."""
    with api.engine.connect() as connection:
        rows = connection.execute(select(way_in)).all()
    return {row.id: row.resident_id for row in rows}


def way_told(api: Api, referral: UUID, by: str = PROVIDER) -> Any:
    """The way-in text that an account sees on a referral."""
    answer = api.as_(by).get(f"/referrals/{referral}/visit")
    assert answer.status_code == 200, answer.text
    return answer.json()["way_in"]


def quantities(api: Api, referral: UUID, by: str) -> list[str]:
    """The deliveries as an account reads them."""
    answer = api.as_(by).get(f"/referrals/{referral}/delivered")
    assert answer.status_code == 200, answer.text
    return [one["delivered"] for one in answer.json()["items"]]


def test_every_table_of_a_resident_is_moved_or_stays_for_a_reason() -> None:
    of_residents = {
        table.name for table in t.metadata.sorted_tables if "resident_id" in table.c
    }  # fmt: skip
    assert set(STAYS) & MOVES == set()
    assert set(STAYS) | MOVES == of_residents


@pytest.mark.parametrize("by", [WORKER, NEIGHBOUR])
def test_what_is_to_move_moves_and_comes_back_row_by_row(api: Api, by: str) -> None:
    survivor, life = acts.a_resident(api), a_full_life(api, by)
    assert tables_with(api, life.resident) >= MOVES, "a table of which nothing is shown here"
    before = held(api)
    merge_id = merge(api, survivor, life.resident)
    assert tables_with(api, life.resident) <= set(STAYS)
    assert tables_with(api, survivor) >= MOVES
    check_sound(api)
    undo(api, merge_id)
    after = held(api)
    for name, rows in before.items():
        assert after[name] == rows, name


@pytest.mark.parametrize("by", [WORKER, NEIGHBOUR])
def test_agency_and_worker_read_on_what_was_delivered_and_how_to_get_in(api: Api, by: str) -> None:
    survivor, life = acts.a_resident(api), a_full_life(api, by)
    merge_id = merge(api, survivor, life.resident)
    for reader in (PROVIDER, WORKER, SUPERVISOR):
        assert quantities(api, life.referral, reader) == ["13"], reader
        assert way_told(api, life.referral, reader) == WAY, reader
    says(api, life.referral, DeliveryReport(delivered=Decimal(9), reason="hospitalised"))
    assert quantities(api, life.referral, WORKER) == ["9"]
    undo(api, merge_id)
    for reader in (PROVIDER, by, SUPERVISOR):
        assert quantities(api, life.referral, reader) == ["9"], reader
        assert way_told(api, life.referral, reader) == WAY, reader
    with api.engine.connect() as connection:
        (row,) = connection.execute(select(delivered)).all()
    assert row.resident_id == life.resident


def test_of_two_ways_in_the_survivors_stands_and_the_others_rests(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_full_life(api)
    writes_way_in(api, survivor, OTHER_WAY)
    before = ways_in(api)
    assert len(before) == 2
    merge_id = merge(api, survivor, life.resident)
    assert way_told(api, life.referral) == OTHER_WAY
    assert ways_in(api) == before
    undo(api, merge_id)
    assert way_told(api, life.referral) == WAY
    assert ways_in(api) == before


def test_a_way_in_written_anew_since_stays_with_the_survivor(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_full_life(api)
    merge_id = merge(api, survivor, life.resident)
    writes_way_in(api, survivor, OTHER_WAY)
    assert way_told(api, life.referral) == OTHER_WAY
    undo(api, merge_id)
    assert list(ways_in(api).values()) == [survivor]
    assert way_told(api, life.referral) is None, "it is of another home"
    writes_way_in(api, life.resident, WAY)
    assert way_told(api, life.referral) == WAY


def test_a_way_in_goes_back_step_by_step_through_merges_upon_merges(api: Api) -> None:
    life, middle, last = a_full_life(api), acts.a_resident(api), acts.a_resident(api)
    made = [merge(api, middle, life.resident), merge(api, last, middle)]
    assert list(ways_in(api).values()) == [last]
    undo(api, made.pop())
    assert list(ways_in(api).values()) == [middle]
    undo(api, made.pop())
    assert list(ways_in(api).values()) == [life.resident]


def test_a_request_to_see_what_is_held_is_answered_after_a_merge(api: Api) -> None:
    survivor, life = acts.a_resident(api, name="가상본인"), a_full_life(api)
    worker = api.as_(WORKER)
    (request,) = worker.items(f"/residents/{life.resident}/access-requests")
    seen = worker.get(f"/access-requests/{request['id']}").headers["etag"]
    merge(api, survivor, life.resident)
    (moved,) = worker.items(f"/residents/{survivor}/access-requests")
    assert (moved["id"], moved["resident_id"]) == (request["id"], str(survivor))
    path = f"/access-requests/{request['id']}"
    body = {"how": "identity_card"}
    stale = worker.post(f"{path}/identity", body, headers={"If-Match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert worker.post(f"{path}/identity", body).status_code == 200
    assert worker.get(f"{path}/document").status_code == 200


@ON_POSTGRES
def test_what_is_said_while_merging_is_not_lost(api: Api) -> None:
    worker = api.as_(WORKER)
    for _ in range(4):
        survivor, life = acts.a_resident(api), a_full_life(api)
        said = DeliveryReport(delivered=Decimal(9), reason="hospitalised")
        answers = at_once(
            lambda one=survivor, other=life.resident: merged(api, one, other),
            lambda of=life.referral, said=said: says(api, of, said),
            lambda other=life.resident: worker.put(
                f"/residents/{other}/way-in", {"text": OTHER_WAY}
            ),
            lambda other=life.resident: worker.post(
                f"/residents/{other}/access-requests", RECEIVED
            ),
        )
        assert [a.status_code for a in answers if a is not None] == [201, 200, 201]
        assert quantities(api, life.referral, PROVIDER) == ["9"]
        assert way_told(api, life.referral) == OTHER_WAY
        assert len(worker.items(f"/residents/{survivor}/access-requests")) == 2
        assert tables_with(api, life.resident) <= set(STAYS)
