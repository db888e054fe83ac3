"""Death is a fact of the resident: nothing opens unasked, call-backs end, lists say so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import (
    Supported,
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    moved,
    surveyed,
)
from tests.api.asking import (
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    etag,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import ASSESSOR, COLLEAGUE, PROVIDER, SUPERVISOR, WORKER, Api

NEVER = ("provider.alpha", "assessor.26350", "city", "auditor", "admin")


def today(api: Api) -> str:
    return api.clock.now.date().isoformat()


def dies(api: Api, resident: UUID, by: str = WORKER, **body: Any) -> Any:
    return api.as_(by).post(f"/residents/{resident}/died", {"on": today(api)} | body)


def lives(api: Api, resident: UUID, by: str = SUPERVISOR) -> Any:
    return api.as_(by).post(f"/residents/{resident}/died/undo", {"reason": "another person"})


def opened(api: Api, resident: UUID, **more: Any) -> Any:
    body = {"resident_id": str(resident), "channel": "self", "applied_on": today(api)} | more
    return api.as_(WORKER).post("/cases", body)


def closed(api: Api, case: UUID, reason: str = "death", **more: Any) -> Any:
    body = {"reason": reason, "end_open_referrals": True} | more
    return api.as_(WORKER).post(f"/cases/{case}/close", body)


def a_note(api: Api, resident: UUID) -> Any:
    tomorrow = (api.clock.now.date() + timedelta(days=1)).isoformat()
    body = {"kind": "call", "text": "again", "come_back_on": tomorrow}
    return api.as_(WORKER).post(f"/residents/{resident}/notes", body)


def to_come_back(api: Api) -> list[str]:
    return [one["note_id"] for one in api.as_(WORKER).items("/worklist", kind="come_back")]


def died_on(api: Api, resident: UUID) -> str | None:
    found: str | None = api.as_(WORKER).get(f"/residents/{resident}").json()["died_on"]
    return found


def test_nobody_and_no_role_without_a_row_records_a_death(api: Api) -> None:
    body = {"on": today(api)}
    asks = [
        Ask("POST", "/residents/{id}/died", a_resident(api), body, NEVER),
        Ask(
            "POST", "/residents/{id}/died/undo", a_resident(api), {"reason": "x"}, (*NEVER, WORKER)
        ),
    ]
    check_nobody_and_wrong_roles(api, asks)
    check_strangers(api, asks)


def test_closing_a_case_with_death_records_it_and_ends_what_was_to_come_back_to(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    note = a_note(api, supported.resident).json()["id"]
    assert to_come_back(api) == [note]
    assert died_on(api, supported.resident) is None
    api.clock.forward(days=3)
    yesterday = (api.clock.now.date() - timedelta(days=1)).isoformat()
    assert closed(api, supported.case, effective_on=yesterday).status_code == 200
    assert died_on(api, supported.resident) == yesterday
    assert to_come_back(api) == []
    events = api.as_(WORKER).items(f"/residents/{supported.resident}/timeline")
    assert ("DeathRecorded", {"died_on": yesterday}) in [(e["event"], e["data"]) for e in events]
    assert api.as_(WORKER).get(f"/referrals/{referral}").json()["status"] == "cancelled"


def test_closing_a_case_for_another_reason_is_no_death(api: Api) -> None:
    resident = a_resident(api)
    assert closed(api, a_case(api, resident=resident), "refused").status_code == 200
    assert died_on(api, resident) is None


def test_nothing_opens_for_the_dead_without_being_asked(api: Api) -> None:
    resident = a_resident(api)
    assert dies(api, resident).status_code == 200
    before = everything(api)
    answer = opened(api, resident)
    assert refusal(answer) == (409, "resident_died")
    assert answer.json()["died_on"] == today(api)
    assert refusal(a_note(api, resident)) == (409, "resident_died")
    assert everything(api) == before
    plain = {"kind": "call", "text": "with the daughter"}
    assert api.as_(WORKER).post(f"/residents/{resident}/notes", plain).status_code == 201
    assert opened(api, resident, confirm=True).status_code == 201


def refer_body(api: Api, supported: Supported) -> dict[str, Any]:
    return {
        "planned_service_id": str(supported.service),
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "priority": "routine",
        "basis": {"kind": "article_14_2"},
    }


def test_nobody_is_asked_to_serve_the_dead(api: Api) -> None:
    supported = a_supported_case(api)
    draft = a_referral(api, supported, send=False)
    declined = a_referral(api, supported, "beta")
    moved(api, draft, "cancel", WORKER, reason="entered_twice")
    moved(api, declined, "decline", "provider.beta", reason="at_capacity")
    draft = a_referral(api, a_supported_case(api, resident=a_resident(api)), send=False)
    other = UUID(api.as_(WORKER).get(f"/referrals/{draft}").json()["resident_id"])
    for one in (supported.resident, other):
        assert dies(api, one).status_code == 200
    before = everything(api)
    worker, alpha = api.as_(WORKER), str(api.offerings["alpha", "CARE-MEALS"].id)
    again = {"disposition": "re_refer", "offering_id": alpha}
    for answer in (
        worker.post("/referrals", refer_body(api, supported)),
        worker.post("/referrals", refer_body(api, supported) | {"send": False}),
        worker.post(f"/referrals/{declined}/dispose", again),
        worker.post(f"/referrals/{draft}/send", {}),
    ):
        assert refusal(answer) == (409, "resident_died")
    assert everything(api) == before


def test_lists_and_search_say_so(api: Api) -> None:
    resident = a_resident(api, name="가상고인")
    case = a_case(api, resident=resident)
    worker = api.as_(WORKER)

    def said() -> set[str | None]:
        found = worker.post("/residents/search", {"name": "가상고인"}).json()["items"]
        items = worker.items("/worklist")
        return {
            worker.get(f"/residents/{resident}").json()["died_on"],
            worker.get(f"/cases/{case}").json()["resident"]["died_on"],
            *(one["died_on"] for one in found),
            *(one["resident"]["died_on"] for one in worker.items("/cases")),
            *(one["resident"]["died_on"] for one in items),
        }

    assert said() == {None}
    assert dies(api, resident).status_code == 200
    assert said() == {today(api)}


def test_an_agency_reads_of_no_death(api: Api) -> None:
    supported = a_supported_case(api)
    a_referral(api, supported)
    assert dies(api, supported.resident).status_code == 200
    (item,) = api.as_(PROVIDER).items("/worklist")
    assert item["resident"]["died_on"] is None


def test_a_supervisor_takes_a_death_back_and_the_call_backs_are_there_again(api: Api) -> None:
    resident = a_resident(api)
    note = a_note(api, resident).json()["id"]
    shown = dies(api, resident).json()
    assert (shown["died_on"], "undo" in shown["allowed_actions"]) == (today(api), False)
    assert to_come_back(api) == []
    assert "undo" in api.as_(SUPERVISOR).get(f"/residents/{resident}").json()["allowed_actions"]
    answer = lives(api, resident)
    assert (answer.status_code, answer.json()["died_on"]) == (200, None)
    assert to_come_back(api) == [note]
    newest = api.as_(WORKER).items(f"/residents/{resident}/notes")[0]
    assert (newest["text"], newest["written_by"]) == ("another person", str(api.id_of(SUPERVISOR)))
    assert api.as_(WORKER).items(f"/residents/{resident}/timeline")[0]["event"] == "DeathTakenBack"
    assert opened(api, resident).status_code == 201
    assert refusal(lives(api, resident)) == (409, "no_death_recorded")


def test_a_death_is_recorded_once_and_on_a_day_of_the_life(api: Api) -> None:
    resident = a_resident(api, birth_date=date(1941, 5, 6))
    before = everything(api)
    tomorrow = (api.clock.now.date() + timedelta(days=1)).isoformat()
    for wrong in (tomorrow, "1941-05-05"):
        assert fields_of(dies(api, resident, on=wrong)) == ["on"], wrong
    assert everything(api) == before
    seen = api.as_(WORKER).get(f"/residents/{resident}")
    done = api.as_(COLLEAGUE).post(
        f"/residents/{resident}/died", {"on": "1941-05-06"}, headers=etag(seen)
    )
    assert done.status_code == 200, done.text
    before = everything(api)
    stale = api.as_(SUPERVISOR).post(
        f"/residents/{resident}/died/undo", {"reason": "x"}, headers=etag(seen)
    )
    assert refusal(stale) == (412, "stale")
    assert refusal(dies(api, resident)) == (409, "resident_died")
    assert everything(api) == before


def test_reopening_a_case_that_was_closed_with_death_takes_it_back(api: Api) -> None:
    resident = a_resident(api)
    case = a_case(api, resident=resident)
    note = a_note(api, resident).json()["id"]
    assert closed(api, case).status_code == 200
    reopened = api.as_(SUPERVISOR).post(f"/cases/{case}/reopen", {"note": "a mix-up"})
    assert reopened.status_code == 200, reopened.text
    assert died_on(api, resident) is None
    assert to_come_back(api) == [note]


def test_another_case_of_the_dead_is_reopened_only_where_somebody_says_so(api: Api) -> None:
    resident = a_resident(api)
    case = a_case(api, resident=resident)
    assert closed(api, case, "refused").status_code == 200
    assert dies(api, resident).status_code == 200
    before, supervisor = everything(api), api.as_(SUPERVISOR)
    path, body = f"/cases/{case}/reopen", {"note": "bills"}
    assert refusal(supervisor.post(path, body)) == (409, "resident_died")
    assert everything(api) == before
    assert supervisor.post(path, body | {"confirm": True}).status_code == 200
    assert died_on(api, resident) == today(api)


def test_an_assessor_is_shown_that_a_resident_died(api: Api) -> None:
    resident = a_resident(api)
    surveyed(api, a_case(api, resident=resident))
    assert dies(api, resident).status_code == 200
    assert api.as_(ASSESSOR).get(f"/residents/{resident}").json()["died_on"] == today(api)


def test_nobody_is_matched_for_the_dead_without_being_asked(api: Api) -> None:
    resident = a_resident(api)
    question = {"service_code": "CARE-MEALS", "resident_id": str(resident)}
    worker = api.as_(WORKER)
    assert worker.post("/offerings/match", question).status_code == 200
    dies(api, resident)
    assert refusal(worker.post("/offerings/match", question)) == (409, "resident_died")
    assert worker.post("/offerings/match", question | {"confirm": True}).status_code == 200


def test_a_household_says_who_died_and_takes_the_dead_only_when_asked(api: Api) -> None:
    one, other, third = a_resident(api), a_resident(api), a_resident(api)
    dies(api, other)
    body: dict[str, Any] = {"resident_ids": [str(one), str(other)], "kind": "couple"}
    worker, before = api.as_(WORKER), everything(api)
    assert refusal(worker.post("/households", body)) == (409, "resident_died")
    assert everything(api) == before
    made = worker.post("/households", body | {"confirm": True})
    assert made.status_code == 201, made.text
    days = {row["id"]: row["died_on"] for row in made.json()["members"]}
    assert days == {str(one): None, str(other): today(api)}
    dies(api, third)
    path, joins = f"/households/{made.json()['id']}/members", {"resident_id": str(third)}
    assert refusal(worker.post(path, joins)) == (409, "resident_died")
    assert worker.post(path, joins | {"confirm": True}).status_code == 200
    shown = worker.get(f"/residents/{one}").json()["household"]["members"]
    assert [row["died_on"] for row in shown].count(today(api)) == 2


def test_likely_duplicates_say_that_somebody_died(api: Api) -> None:
    facts: dict[str, Any] = {"name": "가상동명", "birth_date": date(1941, 3, 5)}
    first = a_resident(api, **facts)
    dies(api, first)
    person = {"name": "가상동명", "birth_date": "1941-03-05", "sex": "female",
              "centre_code": api.actor(WORKER).centre_code}  # fmt: skip
    refused = api.as_(WORKER).post("/residents", person)
    assert refusal(refused) == (409, "possible_duplicate")
    (candidate,) = refused.json()["candidates"]
    assert (candidate["id"], candidate["died_on"]) == (str(first), today(api))
    hinted = api.as_(WORKER).post("/residents", person | {"birth_date": "1941-03-06"})
    (hint,) = hinted.json()["hints"]
    assert (hint["id"], hint["died_on"]) == (str(first), today(api))
    assert sum(found for _, found in api.application.find_duplicates()) >= 1
    pairs = api.as_(SUPERVISOR).items("/duplicates")
    sides = {side["id"]: side["died_on"] for pair in pairs for side in pair["residents"]}
    assert sides[str(first)] == today(api)


def told_at_once(api: Api) -> list[tuple[str, str, list[str]]]:
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.notice).where(t.notice.c.at_once)).all()
    return [(row.kind, row.about, row.tell) for row in rows]


@pytest.mark.both_stores
def test_agencies_are_told_at_once_to_stop_and_to_go_on_after_all(api: Api) -> None:
    supported = a_supported_case(api)
    a_referral(api, supported)
    a_referral(api, supported, "beta", send=False)
    assert told_at_once(api) == []
    assert dies(api, supported.resident).status_code == 200
    stop, goes_on = (
        ("referral_stopped", "to_stop", ["provider"]), ("referral_held", "goes_on", ["provider"]),
    )  # fmt: skip
    assert told_at_once(api) == [stop], "a draft asks nobody"
    assert lives(api, supported.resident).status_code == 200
    assert told_at_once(api) == [stop, goes_on]


@pytest.mark.parametrize(
    ("died", "code"),
    [("2026-03-12", 409), ("2026-03-13", 409), ("2026-03-14", 200)],
)
@pytest.mark.parametrize("action", ["accept", "waitlist", "start"])
def test_nobody_takes_on_or_begins_with_the_dead(
    api: Api, action: str, died: str, code: int
) -> None:
    """What was so on the day before the death may be entered still."""
    api.clock.set("2026-03-11T10:00")
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    if action == "start":
        moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-16T10:00")
    assert dies(api, supported.resident, on=died).status_code == 200
    day = "started_on" if action == "start" else "answered_on"
    before, path = everything(api), f"/referrals/{referral}"
    by_itself = api.as_(PROVIDER).post(f"{path}/{action}", {day: "2026-03-16"})
    assert refusal(by_itself) == (409, "resident_died")
    assert "2026" not in by_itself.json()["detail"]
    assert by_itself.json().get("died_on") is None
    assert everything(api) == before
    by_phone = {"channel": "phone", "person": "센터장"}
    answer = api.as_(WORKER).post(f"{path}/{action}", {day: "2026-03-13", "on_behalf": by_phone})
    assert answer.status_code == code, answer.text
    if code == 409:
        assert (answer.json()["code"], answer.json()["died_on"]) == ("resident_died", died)
        assert everything(api) == before
        ended = api.as_(WORKER).post(f"{path}/withdraw", {"reason": "died"})
        assert ended.status_code == 200, ended.text


def test_a_death_that_comes_with_a_merge_stops_the_agencies(api: Api) -> None:
    supported = a_supported_case(api)
    a_referral(api, supported)
    who = api.as_(WORKER).get(f"/residents/{supported.resident}").json()
    same = {name: who[name] for name in ("name", "phone", "address")}
    twin = a_resident(api, **same, birth_date=date.fromisoformat(who["birth_date"]))
    assert dies(api, twin).status_code == 200
    merged = api.as_(SUPERVISOR).post(
        f"/residents/{supported.resident}/merge",
        {"duplicate_id": str(twin), "reason": "one person"},
    )
    assert merged.status_code == 201, merged.text
    assert told_at_once(api) == [("referral_stopped", "to_stop", ["provider"])]
    undone = api.as_(SUPERVISOR).post(f"/merges/{merged.json()['id']}/undo", {"reason": "two"})
    assert undone.status_code == 200, undone.text
    assert told_at_once(api)[1:] == [("referral_held", "goes_on", ["provider"])]


@pytest.mark.parametrize(
    ("born", "code"), [("2009-12-31", 200), ("2010-01-01", 200), ("2010-01-02", 422)]
)
def test_nobody_is_born_after_their_death(api: Api, born: str, code: int) -> None:
    resident, worker = a_resident(api, birth_date=date(1930, 1, 1)), api.as_(WORKER)
    assert dies(api, resident, on="2010-01-01").status_code == 200
    before, path = everything(api), f"/residents/{resident}"
    answer = worker.patch(path, {"birth_date": born}, headers=etag(worker.get(path)))
    assert answer.status_code == code, answer.text
    if code == 422:
        assert fields_of(answer) == ["birth_date"]
        assert everything(api) == before
