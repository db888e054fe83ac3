"""Two records of one person become one, and two again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row
from casework.domain.agencies.rosters import DeliveryReport
from casework.domain.duplicates.merged_facts import FACTS
from casework.workflows.agencies import answer_pages
from casework.workflows.cases import caseload
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    check_wrong,
    everything,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.racing import ON_POSTGRES
from tests.conftest import session_vault
from tests.proofs._invariants import broken, read

WHY = "같은 사람임을 방문하여 확인"
KEEPS = dict.fromkeys((*FACTS, "rrn"), "survivor")
NEVER = (WORKER, ASSESSOR, PROVIDER, *OUTSIDERS)
# Append-only tables and counters; all else is as it was after an undo.
# An undo is told like what it undoes: a case that comes home was given to its worker.
GROWS = {
    "event", "notice", "idempotency", "resident_merge", "merge_child", "duplicate_check",
    "figure_change",
}  # fmt: skip
CONSENT = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
FRIEND = {"name": "가상벗", "relation": "friend", "phone": "051-777-0001", "may_be_told": True}


def merged(api: Api, survivor: UUID, duplicate: UUID, by: str = SUPERVISOR) -> Any:
    body = {"duplicate_id": str(duplicate), "reason": WHY, "keep": KEEPS}
    return api.as_(by).post(f"/residents/{survivor}/merge", body)


def merge(api: Api, survivor: UUID, duplicate: UUID) -> UUID:
    answer = merged(api, survivor, duplicate)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def undone(api: Api, merge_id: UUID, by: str = SUPERVISOR) -> Any:
    return api.as_(by).post(f"/merges/{merge_id}/undo", {"reason": "두 사람임"})


def undo(api: Api, merge_id: UUID) -> None:
    answer = undone(api, merge_id)
    assert answer.status_code == 200, answer.text


def held(api: Api) -> dict[str, list[dict[str, Any]]]:
    """Every row that is not append-only, decrypted and without versions."""
    with api.engine.connect() as connection:
        return {
            table.name: [
                {name: value for name, value in _clear(table, row).items() if name != "version"}
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in t.metadata.sorted_tables
            if table.name not in GROWS and not table.name.startswith("audit_")
        }


def _clear(table: Table, row: Any) -> dict[str, Any]:
    """A decrypted row: the same value never encrypts to the same bytes twice."""
    clear = dict(row._mapping)
    return decrypt_row(table, clear, clear.get("id"), session_vault())


def check_sound(api: Api) -> None:
    """The invariants of the model hold over all that is stored."""
    assert broken(read(api.engine), api.application.clockwork()) == []


def a_life(api: Api, by: str = NEIGHBOUR) -> acts.Supported:
    """A supported case with a referral, deliveries, and one of every other record."""
    supported = acts.a_supported_case(api, by)
    begun = acts.a_referral(api, supported, by=by)
    acts.moved(api, begun, "accept", PROVIDER)
    acts.moved(api, begun, "start", PROVIDER, started_on=api.clock.now.date())
    answer_pages.record_roster(api.context(PROVIDER), "2026-03", {begun: DeliveryReport()})
    worker, path = api.as_(by), f"/residents/{supported.resident}"
    assert worker.post(f"{path}/consents", CONSENT).status_code == 201
    assert worker.put(f"{path}/way-in", {"text": "canary-way"}).status_code == 200
    note = {"kind": "call", "text": "canary-note", "come_back_on": "2026-03-20"}
    assert worker.post(f"{path}/notes", note).status_code == 201
    assert worker.post(f"/cases/{supported.case}/signals", {"kind": "fall"}).status_code == 201
    seen = worker.get(path)
    changed = worker.patch(path, {"contacts": [FRIEND]}, headers={"If-Match": seen.headers["etag"]})
    assert changed.status_code == 200
    return supported


def asks(api: Api) -> list[Ask]:
    one, other = acts.a_resident(api), acts.a_resident(api)
    body = {"duplicate_id": str(acts.a_resident(api)), "reason": WHY, "keep": KEEPS}
    merge_id = merge(api, one, other)
    return [
        Ask("POST", "/residents/{id}/merge", one, body, NEVER),
        Ask("GET", "/merges/{id}", merge_id, None, NEVER),
        Ask("POST", "/merges/{id}/undo", merge_id, {"reason": WHY}, NEVER),
    ]


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, asks(api))


# Merging


def test_the_survivor_gets_all_that_was_the_duplicates_and_its_id_leads_there(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    worker = api.as_(WORKER)
    paths = [f"/residents/{id}" for id in (survivor, life.resident)]
    before = len(worker.items(f"{paths[1]}/timeline"))
    answer = merged(api, survivor, life.resident)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["status"], told["allowed_actions"]) == ("merged", ["undo"])
    assert (told["survivor_id"], told["duplicate_id"]) == (str(survivor), str(life.resident))
    assert told["survivor"]["cases"][0]["id"] == str(life.case)
    assert answer.headers["etag"] == '"1"'
    here, there = (worker.get(path) for path in paths)
    assert here.content == there.content
    shown = here.json()
    assert shown["id"] == str(survivor)
    assert [one["id"] for one in shown["cases"]] == [str(life.case)]
    assert shown["contacts"] == [FRIEND]
    assert shown["merged_from"] == [
        {"id": str(life.resident), "merge_id": told["id"], "merged_at": told["merged_at"]}
    ]
    for part in ("consents", "notes", "timeline"):
        assert worker.items(f"{paths[0]}/{part}") == worker.items(f"{paths[1]}/{part}") != []
    timeline = [one["event"] for one in worker.items(f"{paths[0]}/timeline")]
    assert timeline.count("ResidentsMerged") == 2
    assert len(timeline) == before + 3  # these two, and the survivor's own registration
    case = worker.get(f"/cases/{life.case}").json()
    assert case["resident_id"] == str(survivor)
    assert {row["resident"]["id"] for row in worker.items("/worklist")} == {str(survivor)}
    assert {row["resident_id"] for row in worker.items("/referrals")} == {str(survivor)}
    check_sound(api)


def test_what_is_written_under_the_duplicates_id_is_the_survivors(api: Api) -> None:
    survivor, duplicate = acts.a_resident(api), acts.a_resident(api)
    merge(api, survivor, duplicate)
    worker, path = api.as_(WORKER), f"/residents/{duplicate}"
    assert worker.post(f"{path}/notes", {"kind": "call", "text": "x"}).status_code == 201
    assert worker.post(f"{path}/consents", CONSENT).json()["resident_id"] == str(survivor)
    seen = worker.get(path)
    changed = worker.patch(path, {"name": "새이름"}, headers={"If-Match": seen.headers["etag"]})
    assert (changed.json()["id"], changed.json()["name"]) == (str(survivor), "새이름")
    opened = worker.post("/cases", {
        "resident_id": str(duplicate), "channel": "self", "applied_on": "2026-03-02"})  # fmt: skip
    assert opened.json()["resident_id"] == str(survivor)
    again = worker.post("/cases", {
        "resident_id": str(survivor), "channel": "self", "applied_on": "2026-03-02"})  # fmt: skip
    assert refusal(again) == (409, "open_case_exists")
    with api.engine.connect() as connection:
        row = connection.execute(select(t.resident).where(t.resident.c.id == duplicate)).one()
    assert row.merged_into_id == survivor
    assert row.name != "새이름"


def test_a_search_finds_the_survivor_by_what_was_written_of_the_duplicate(api: Api) -> None:
    worker = api.as_(WORKER)
    survivor = acts.a_resident(api, name="김영숙", phone="010-1111-0001")
    duplicate = acts.a_resident(
        api, name="김영순", phone="010-1111-0002", birth_date=date(1941, 5, 9)
    )
    seen = worker.get(f"/residents/{duplicate}")
    worker.patch(f"/residents/{duplicate}", {"contacts": [FRIEND]},
                 headers={"If-Match": seen.headers["etag"]})  # fmt: skip
    merge_id = merge(api, survivor, duplicate)
    for wanted in (
        {"name": "김영숙"}, {"name": "김영순"}, {"phone": "010-1111-0001"},
        {"phone": "010-1111-0002"}, {"birth_date": "1941-05-09"}, {"phone": FRIEND["phone"]},
        {"name": "김영순", "birth_date": "1941-05-09", "centre_code": HERE},
        {"centre_code": HERE},
    ):  # fmt: skip
        found = worker.post("/residents/search", wanted).json()["items"]
        assert [one["id"] for one in found] == [str(survivor)], wanted
        assert found[0]["name"] == "김영숙"
        hidden = api.as_(STRANGER).post("/residents/search", wanted).json()["items"]
        assert hidden == []
    mixed = {"name": "김영순", "phone": "010-1111-0001"}  # never a pair of one record
    assert worker.post("/residents/search", mixed).json()["items"] == []
    undo(api, merge_id)
    found = worker.post("/residents/search", {"name": "김영순"}).json()["items"]
    assert [one["id"] for one in found] == [str(duplicate)]


def test_a_registration_meets_the_survivor_by_the_duplicates_facts(api: Api) -> None:
    survivor, duplicate = acts.a_resident(api), acts.a_resident(api, name="옛이름")
    merge(api, survivor, duplicate)
    person = {"name": "옛이름", "birth_date": "1941-05-06", "sex": "female", "centre_code": HERE}
    refused = api.as_(WORKER).post("/residents", person)
    assert refusal(refused) == (409, "possible_duplicate")
    assert [one["id"] for one in refused.json()["candidates"]] == [str(survivor)]


def test_an_open_case_of_another_centre_arrives_and_waits_for_a_worker(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, NEIGHBOUR)
    clocks = api.as_(SUPERVISOR).items("/worklist")
    merge(api, survivor, life.resident)
    case = api.as_(WORKER).get(f"/cases/{life.case}").json()
    assert (case["centre_code"], case["worker_id"]) == (HERE, None)
    assert api.as_(NEIGHBOUR).get(f"/cases/{life.case}").status_code == 404
    assert api.as_(NEIGHBOUR).get(f"/residents/{life.resident}").status_code == 404
    assert api.as_(NEIGHBOUR).items("/worklist") == []
    arrived = {row["kind"] for row in api.as_(SUPERVISOR).items("/worklist")}
    assert arrived >= {"signal", "first_check"}
    assert len(api.as_(SUPERVISOR).items("/worklist")) > len(clocks)
    assert [one["centre_code"] for one in api.as_(WORKER).items("/referrals")] == [HERE]
    check_sound(api)


def test_two_open_cases_are_refused_and_nothing_changes(api: Api) -> None:
    one, other = acts.a_resident(api), acts.a_resident(api)
    cases = [acts.a_case(api, resident=one), acts.a_case(api, resident=other)]
    before = everything(api)
    refused = merged(api, one, other)
    assert refusal(refused) == (409, "open_case_exists")
    assert refused.json()["case_ids"] == [str(case) for case in cases]
    assert everything(api) == before


def test_at_most_one_open_case_holds_over_the_merged_ever_after(api: Api) -> None:
    one, other = acts.a_resident(api), acts.a_resident(api)
    closed = acts.a_case(api, resident=other)
    end = {"reason": "moved_away"}
    assert api.as_(WORKER).post(f"/cases/{closed}/close", end).status_code == 200
    acts.a_case(api, resident=one)
    merge_id = merge(api, one, other)
    before = everything(api)
    again = api.as_(SUPERVISOR).post(f"/cases/{closed}/reopen", {"note": "다시"})
    assert refusal(again) == (409, "open_case_exists")
    assert everything(api) == before
    undo(api, merge_id)
    again = api.as_(SUPERVISOR).post(f"/cases/{closed}/reopen", {"note": "다시"})
    assert again.status_code == 200
    check_sound(api)


def test_a_merge_that_cannot_be_right_is_refused(api: Api) -> None:
    survivor, duplicate, third = (acts.a_resident(api) for _ in range(3))
    path = f"/residents/{survivor}/merge"
    check_wrong(
        api,
        lambda wrong: api.as_(SUPERVISOR).post(
            path, {"duplicate_id": str(duplicate), "reason": WHY, "keep": KEEPS} | wrong
        ),
        [
            ({"duplicate_id": str(survivor)}, "duplicate_id"),
            ({"duplicate_id": "x"}, "duplicate_id"),
            ({"reason": " "}, "reason"),
            ({"why": "x"}, "why"),
            ({"keep": {"name": "both"}}, "keep.name"),
            ({"keep": {}}, "keep.name"),
        ],
    )
    merge(api, survivor, duplicate)
    before = everything(api)
    for one, other in ((survivor, duplicate), (duplicate, third), (third, duplicate)):
        assert refusal(merged(api, one, other)) == (409, "already_merged")
    stale = api.as_(SUPERVISOR).post(
        path, {"duplicate_id": str(third), "reason": WHY}, headers={"If-Match": '"1"'}
    )
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before


def test_one_of_another_district_is_not_there_unless_the_queue_says_so(api: Api) -> None:
    here = acts.a_resident(api, name="가상쌍")
    far = acts.a_resident(api, STRANGER, name="가상쌍")
    hidden, absent = merged(api, here, far), merged(api, here, ABSENT)
    assert refusal(hidden) == (404, "not_found")
    assert hidden.content == absent.content
    list(api.application.find_duplicates())
    before = everything(api)
    for one, other in ((here, far), (far, here)):
        for by in (SUPERVISOR, FAR_SUPERVISOR):
            assert refusal(merged(api, one, other, by)) == (409, "other_district")
    assert everything(api) == before


def test_the_same_key_merges_once(api: Api) -> None:
    survivor, duplicate = acts.a_resident(api), acts.a_resident(api)
    key = {"Idempotency-Key": "merge-1"}
    body = {"duplicate_id": str(duplicate), "reason": WHY, "keep": KEEPS}
    path = f"/residents/{survivor}/merge"
    first = api.as_(SUPERVISOR).post(path, body, headers=key)
    again = api.as_(SUPERVISOR).post(path, body, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    undo_path, undo_key = f"/merges/{first.json()['id']}/undo", {"Idempotency-Key": "undo-1"}
    for _ in range(2):
        done = api.as_(SUPERVISOR).post(undo_path, {}, headers=undo_key)
        assert (done.status_code, done.json()["status"]) == (200, "undone")


def test_how_to_get_in_and_what_was_delivered_come_along_and_go_back(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    worker, provider = api.as_(WORKER), api.as_(PROVIDER)
    (referral,) = (row["id"] for row in worker.items("/referrals"))

    def told() -> tuple[str, list[str]]:
        lines = provider.get(f"/referrals/{referral}/delivered").json()["items"]
        way = provider.get(f"/referrals/{referral}/visit").json()["way_in"]
        return way, [one["month"] for one in lines]

    merge_id = merge(api, survivor, life.resident)
    assert told() == ("canary-way", ["2026-03"])
    answer_pages.record_roster(api.context(PROVIDER), "2026-03", {UUID(referral): DeliveryReport()})
    undo(api, merge_id)
    assert told() == ("canary-way", ["2026-03"])


def test_where_both_say_how_to_get_in_each_keeps_its_own(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    worker = api.as_(WORKER)
    own = worker.put(f"/residents/{survivor}/way-in", {"text": "another way"})
    assert own.status_code == 200
    before = held(api)["way_in"]
    undo(api, merge(api, survivor, life.resident))
    assert held(api)["way_in"] == before
    (referral,) = (row["id"] for row in worker.items("/referrals"))
    merge(api, survivor, life.resident)
    assert worker.get(f"/referrals/{referral}/visit").json()["way_in"] == "another way"


# Undoing


@pytest.mark.parametrize("by", [WORKER, NEIGHBOUR])
def test_a_merge_undone_leaves_every_row_as_it_was(api: Api, by: str) -> None:
    survivor, life = a_life(api, WORKER), a_life(api, by)
    end = {"reason": "moved_away", "end_open_referrals": True}
    assert api.as_(WORKER).post(f"/cases/{survivor.case}/close", end).status_code == 200
    couple = [str(acts.a_resident(api, by)), str(life.resident)]
    home = api.as_(by).post("/households", {"resident_ids": couple, "kind": "couple"})
    assert home.status_code == 201
    list(api.application.find_duplicates())
    before = held(api)
    merge_id = merge(api, survivor.resident, life.resident)
    assert held(api) != before
    check_sound(api)
    undo(api, merge_id)
    after = held(api)
    for name, rows in before.items():
        assert after[name] == rows, name
    assert api.as_(by).get(f"/residents/{life.resident}").json()["merged_from"] == []
    assert api.as_(by).get(f"/cases/{life.case}").json()["worker_id"] == str(api.id_of(by))
    check_sound(api)


def test_what_was_recorded_since_stays_with_the_survivor_but_goes_with_its_case(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    merge_id = merge(api, survivor, life.resident)
    worker = api.as_(WORKER)
    worker.post(f"/residents/{life.resident}/notes", {"kind": "visit", "text": "since"})
    signal = worker.post(f"/cases/{life.case}/signals", {"kind": "worse"})
    assert signal.status_code == 201
    undo(api, merge_id)
    notes = worker.items(f"/residents/{survivor}/notes")
    assert [one["text"] for one in notes] == ["since"]
    assert [one["text"] for one in worker.items(f"/residents/{life.resident}/notes")] == [
        "canary-note"
    ]
    timeline = worker.items(f"/residents/{life.resident}/timeline")
    raised = [one["data"].get("kind") for one in timeline if one["event"] == "SignalRaised"]
    assert raised == ["worse", "fall"]
    own = [one["event"] for one in worker.items(f"/residents/{survivor}/timeline")]
    assert own == ["MergeUndone", "NoteWritten", "ResidentsMerged", "ResidentRegistered"]
    assert worker.get(f"/residents/{survivor}").json()["cases"] == []
    check_sound(api)


def test_a_case_that_somebody_took_on_since_goes_back_into_the_queue_of_its_centre(
    api: Api,
) -> None:
    survivor, life = acts.a_resident(api), a_life(api, NEIGHBOUR)
    merge_id = merge(api, survivor, life.resident)
    give = {"worker_id": str(api.id_of(COLLEAGUE))}
    assert api.as_(SUPERVISOR).post(f"/cases/{life.case}/assign", give).status_code == 200
    undo(api, merge_id)
    case = api.as_(NEIGHBOUR).get(f"/cases/{life.case}").json()
    assert (case["centre_code"], case["worker_id"]) == (NEXT_DOOR, None)
    assert api.as_(WORKER).get(f"/cases/{life.case}").status_code == 404
    check_sound(api)


def test_where_the_survivor_has_moved_since_the_duplicate_is_at_home_there(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    merge_id = merge(api, survivor, life.resident)
    caseload.transfer_case(api.context(SUPERVISOR), life.case, NEXT_DOOR, "이사")
    assert api.as_(NEIGHBOUR).get(f"/residents/{life.resident}").json()["id"] == str(survivor)
    assert api.as_(WORKER).get(f"/residents/{life.resident}").status_code == 404
    undo(api, merge_id)
    for id in (survivor, life.resident):
        shown = api.as_(NEIGHBOUR).get(f"/residents/{id}").json()
        assert (shown["id"], shown["centre_code"]) == (str(id), NEXT_DOOR)
    check_sound(api)


def test_a_merge_is_undone_once(api: Api) -> None:
    merge_id = merge(api, acts.a_resident(api), acts.a_resident(api))
    undo(api, merge_id)
    before = everything(api)
    refused = undone(api, merge_id)
    assert refusal(refused) == (409, "already_undone")
    assert refused.json()["allowed_actions"] == []
    shown = api.as_(SUPERVISOR).get(f"/merges/{merge_id}")
    assert (shown.json()["status"], shown.headers["etag"]) == ("undone", '"2"')
    assert everything(api) == before


def test_merges_built_upon_each_other_are_undone_the_last_one_first(api: Api) -> None:
    first, life = acts.a_resident(api), a_life(api, WORKER)
    last = acts.a_resident(api)
    start = held(api)
    inner = merge(api, first, life.resident)
    middle = held(api)
    outer = merge(api, last, first)
    worker = api.as_(WORKER)
    for id in (first, life.resident, last):
        shown = worker.get(f"/residents/{id}").json()
        assert shown["id"] == str(last)
        assert {one["id"] for one in shown["merged_from"]} == {str(first), str(life.resident)}
    assert refusal(undone(api, inner)) == (409, "merged_further")
    check_sound(api)
    undo(api, outer)
    assert held(api) == middle
    undo(api, inner)
    assert held(api) == start
    check_sound(api)


def test_of_two_merges_into_one_either_is_undone_first(api: Api) -> None:
    survivor, one, other = acts.a_resident(api), a_life(api, WORKER), acts.a_resident(api)
    start = held(api)
    merges = [merge(api, survivor, one.resident), merge(api, survivor, other)]
    for merge_id in merges:
        undo(api, merge_id)
    assert held(api) == start
    check_sound(api)


def test_two_are_not_parted_while_a_request_of_one_rests_on_a_consent_of_the_other(
    api: Api,
) -> None:
    other = acts.a_resident(api)
    given = UUID(api.as_(WORKER).post(f"/residents/{other}/consents", CONSENT).json()["id"])
    supported = acts.a_supported_case(api)
    merge_id = merge(api, supported.resident, other)
    referral = acts.a_referral(api, supported, basis_kind="consent", consent_id=given)
    before = everything(api)
    refused = undone(api, merge_id)
    assert refusal(refused) == (409, "consent_shared")
    assert refused.json()["referral_ids"] == [str(referral)]
    assert everything(api) == before
    assert api.as_(WORKER).post(f"/consents/{given}/withdraw").status_code == 200
    undo(api, merge_id)
    check_sound(api)


def test_contacts_that_were_replaced_since_stay_and_the_duplicate_keeps_its_own(api: Api) -> None:
    survivor, life = acts.a_resident(api), a_life(api, WORKER)
    merge_id = merge(api, survivor, life.resident)
    worker, path = api.as_(WORKER), f"/residents/{survivor}"
    son = FRIEND | {"name": "가상아들", "phone": "051-777-0002"}
    seen = worker.get(path)
    worker.patch(path, {"contacts": [FRIEND, son]}, headers={"If-Match": seen.headers["etag"]})
    undo(api, merge_id)
    assert worker.get(path).json()["contacts"] == [FRIEND, son]
    assert worker.get(f"/residents/{life.resident}").json()["contacts"] == [FRIEND]


def test_of_two_in_households_the_survivor_stays_in_their_own(api: Api) -> None:
    people = [acts.a_resident(api) for _ in range(4)]
    worker = api.as_(WORKER)
    for pair in (people[:2], people[2:]):
        made = worker.post("/households", {"resident_ids": list(map(str, pair))})
        assert made.status_code == 201
    before = held(api)
    merge_id = merge(api, people[0], people[2])
    assert worker.get(f"/residents/{people[2]}").json()["household"]["members"] == [
        {"id": str(one), "name": worker.get(f"/residents/{one}").json()["name"], "died_on": None}
        for one in people[:2]
    ]
    assert len(worker.get(f"/residents/{people[3]}").json()["household"]["members"]) == 1
    undo(api, merge_id)
    assert held(api) == before


def test_the_record_names_both_whenever_one_is_asked_for(api: Api) -> None:
    survivor, duplicate = acts.a_resident(api), acts.a_resident(api)
    merge(api, survivor, duplicate)
    api.as_(WORKER).get(f"/residents/{duplicate}")
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id)).all()
    assert [sorted(row.subjects) for row in rows[-2:]] == [
        sorted([str(survivor), str(duplicate)])
    ] * 2  # fmt: skip
    assert rows[-2].action == "case.supervise"


# Concurrency


def at_once(*asked: Any) -> list[Any]:
    with ThreadPoolExecutor(len(asked)) as pool:
        return [one.result() for one in [pool.submit(ask) for ask in asked]]


@ON_POSTGRES
def test_of_two_merges_at_once_one_is_made(api: Api) -> None:
    for _ in range(5):
        one, other = acts.a_resident(api), acts.a_resident(api)
        answers = at_once(
            lambda one=one, other=other: merged(api, one, other),
            lambda one=one, other=other: merged(api, other, one),
        )
        assert sorted(a.status_code for a in answers) == [201, 409], [a.text for a in answers]
    check_sound(api)


@ON_POSTGRES
def test_a_case_opened_and_a_note_written_while_merging_are_not_lost(api: Api) -> None:
    worker = api.as_(WORKER)
    for _ in range(8):
        one, other = acts.a_resident(api), acts.a_resident(api)
        body = {"resident_id": str(other), "channel": "self", "applied_on": "2026-03-02"}
        answers = at_once(
            lambda one=one, other=other: merged(api, one, other),
            lambda body=body: worker.post("/cases", body),
            lambda other=other: worker.post(
                f"/residents/{other}/notes", {"kind": "call", "text": "at once"}
            ),
            lambda other=other: worker.post(f"/residents/{other}/consents", CONSENT),
        )
        assert [a.status_code for a in answers] == [201] * 4, [a.text for a in answers]
        shown = worker.get(f"/residents/{one}").json()
        assert len(shown["cases"]) == 1
        assert len(worker.items(f"/residents/{one}/notes")) == 1
        assert len(worker.items(f"/residents/{one}/consents")) == 1
    check_sound(api)


@ON_POSTGRES
def test_of_a_merge_and_the_second_open_case_at_once_one_is_refused(api: Api) -> None:
    for _ in range(5):
        one, other = acts.a_resident(api), acts.a_resident(api)
        acts.a_case(api, resident=one)
        body = {"resident_id": str(other), "channel": "self", "applied_on": "2026-03-02"}
        answers = at_once(
            lambda one=one, other=other: merged(api, one, other),
            lambda body=body: api.as_(WORKER).post("/cases", body),
        )
        assert sorted(a.status_code for a in answers) == [201, 409], [a.text for a in answers]
    check_sound(api)
