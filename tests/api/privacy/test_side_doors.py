"""What the plain read hides is hidden by lists, filters, searches, histories and errors as well."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from casework.adapters.persistence.unit_of_work.store import SqlStore
from casework.workflows.residents import residents
from casework.workflows.residents.residents import NewContact
from tests.api.acts import (
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    assessed,
    clock,
    moved,
    surveyed,
)
from tests.api.asking import ABSENT, refusal
from tests.api.conftest import (
    ASSESSOR,
    OTHER_PROVIDER,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

CANARY = "canary-5b21"


def seen(api: Api, referral: object, by: str) -> dict[str, Any]:
    """A referral as someone sees it."""
    answer = api.as_(by).get(f"/referrals/{referral}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# What an agency gets


def test_an_agency_gets_what_was_disclosed_and_nothing_else_of_the_resident(api: Api) -> None:
    resident = a_resident(
        api, name="가상하나", address="가상로 1", income_tier=CANARY, disability=CANARY,
        ltc_grade=CANARY,
    )  # fmt: skip
    supported = a_supported_case(api, resident=resident)
    referral = a_referral(api, supported, message="계단이 많음")
    found = seen(api, referral, PROVIDER)
    assert found["resident"] == {
        "id": str(resident), "name": "가상하나", "birth_date": "1941-05-06", "sex": "female",
        "address": "가상로 1", "phone": "010-0000-0000",
    }  # fmt: skip
    assert found["message"] == "계단이 많음"
    assert set(found["disclosed"]) >= {"name", "address", "phone", "message"}
    for path in (f"/referrals/{referral}", "/referrals", "/worklist"):
        assert CANARY not in api.as_(PROVIDER).get(path).text
    for path in (f"/residents/{resident}", f"/cases/{supported.case}",
                 f"/cases/{supported.case}/plan", f"/residents/{resident}/notes"):  # fmt: skip
        assert refusal(api.as_(PROVIDER).get(path)) == (403, "forbidden")


def test_a_draft_has_disclosed_nothing_yet(api: Api) -> None:
    referral = a_referral(api, send=False)
    found = seen(api, referral, WORKER)
    assert set(found["resident"].values()) == {found["resident_id"], None}
    assert refusal(api.as_(PROVIDER).get(f"/referrals/{referral}")) == (404, "not_found")


def test_an_agency_is_not_told_whom_was_asked_before_or_next(api: Api) -> None:
    supported = a_supported_case(api)
    first = a_referral(api, supported)
    moved(api, first, "decline", PROVIDER, reason="at_capacity")
    body = {"disposition": "re_refer", "offering_id": str(api.offerings["beta", "CARE-MEALS"].id)}
    done = api.as_(WORKER).post(f"/referrals/{first}/dispose", body).json()
    second = done["replaced_by"]
    old, new = seen(api, first, PROVIDER), seen(api, second, OTHER_PROVIDER)
    for name in ("replaced_by", "replaces", "disposition", "disposed_at"):
        assert (old[name], new[name]) == (None, None), name
    assert second not in api.as_(PROVIDER).get(f"/referrals/{first}").text
    assert str(first) not in api.as_(OTHER_PROVIDER).get(f"/referrals/{second}").text
    assert "ReferralDisposed" not in [one["event"] for one in old["history"]]
    assert seen(api, second, WORKER)["replaces"] == str(first)
    assert seen(api, first, WORKER)["disposition"] == "re_refer"


def test_an_agency_sees_its_own_hand_in_the_history_and_no_other(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    by = [one["by"] for one in seen(api, referral, PROVIDER)["history"]]
    assert by == [
        {"id": None, "role": "worker"},
        {"id": str(api.id_of(PROVIDER)), "role": "provider"},
    ]
    assert str(api.id_of(WORKER)) not in api.as_(PROVIDER).get(f"/referrals/{referral}").text
    assert str(api.id_of(WORKER)) not in api.as_(PROVIDER).get("/worklist").text


def test_an_agency_sees_the_clocks_it_holds_by_every_door(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "decline", PROVIDER, reason="at_capacity")
    owed = clock(api, "disposition", referral)
    assert refusal(api.as_(PROVIDER).get(f"/deadlines/{owed}")) == (404, "not_found")
    kinds = {one["kind"] for one in seen(api, referral, PROVIDER)["deadlines"]}
    assert kinds == {"response"}
    api.clock.set("2026-03-20T09:00")
    assert api.as_(PROVIDER).items("/referrals", overdue="true") == []
    assert [one["id"] for one in api.as_(PROVIDER).items("/referrals", overdue="false")] == [
        str(referral)
    ]
    assert [one["id"] for one in api.as_(WORKER).items("/referrals", overdue="true")] == [
        str(referral)
    ]


def test_an_agency_is_not_told_why_the_whole_case_is_held(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    api.as_(WORKER).post(
        f"/cases/{supported.case}/hold", {"reason": "hospitalised", "until": "2026-03-04"}
    )
    response = clock(api, "response", referral)
    for language in ("en", "ko"):
        path, said = f"/deadlines/{response}/explanation", {"Accept-Language": language}
        told = api.as_(PROVIDER).get(path, headers=said)
        assert [one["reason"] for one in told.json()["pauses"]] == ["hold"]
        assert "hospitalised" not in told.text
        assert "입원" not in told.text
        assert "hospitalised" in api.as_(WORKER).get(path, headers=said).text
    assert "hospitalised" not in api.as_(PROVIDER).get(f"/referrals/{referral}").text
    assert "hospitalised" not in api.as_(PROVIDER).get("/worklist").text


def test_what_the_sender_wrote_on_ending_it_is_not_for_the_agency(api: Api) -> None:
    for action, body, status in (
        ("cancel", {"reason": "other", "note": CANARY}, "cancelled"),
        ("withdraw", {"reason": "other", "note": CANARY}, "withdrawn"),
    ):
        referral = a_referral(api)
        assert api.as_(WORKER).post(f"/referrals/{referral}/{action}", body).status_code == 200
        found = seen(api, referral, PROVIDER)
        assert (found["status"], found["reason"], found["note"]) == (status, "other", None)
        assert seen(api, referral, WORKER)["note"] == CANARY
    referral = a_referral(api)
    api.as_(SUPERVISOR).post(f"/referrals/{referral}/enter-in-error", {"reason": CANARY})
    assert seen(api, referral, PROVIDER)["reason"] is None
    assert seen(api, referral, WORKER)["reason"] == CANARY
    assert CANARY not in api.as_(PROVIDER).get("/referrals").text


def test_another_agency_filters_and_counts_nothing_of_it(api: Api) -> None:
    referral = a_referral(api)
    mine = str(api.providers["alpha"].id)
    for params in ({}, {"provider": mine}, {"status": "requested"}, {"overdue": "false"}):
        assert api.as_(OTHER_PROVIDER).items("/referrals", **params) == [], params
    assert [one["id"] for one in api.as_(PROVIDER).items("/referrals", provider=mine)] == [
        str(referral)
    ]
    hidden = api.as_(OTHER_PROVIDER).get(f"/referrals/{referral}")
    absent = api.as_(OTHER_PROVIDER).get(f"/referrals/{ABSENT}")
    assert hidden.content == absent.content
    for action in ("accept", "decline", "signal"):
        body = {"kind": "fall"} if action == "signal" else {}
        body = {"reason": "at_capacity"} if action == "decline" else body
        hidden = api.as_(OTHER_PROVIDER).post(f"/referrals/{referral}/{action}", body)
        absent = api.as_(OTHER_PROVIDER).post(f"/referrals/{ABSENT}/{action}", body)
        assert (hidden.status_code, hidden.content) == (404, absent.content)


# How long an agency sees a referral


@pytest.mark.parametrize("days", [0, 7, 30, 90])
def test_an_agency_sees_a_referral_for_as_many_days_after_its_end_as_is_set(
    api: Api, days: int
) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    services = api.client.app.state.services  # type: ignore[attr-defined]
    store = SqlStore(api.application.engine, provider_access=timedelta(days=days))
    api.client.app.state.services = replace(services, store=store)  # type: ignore[attr-defined]
    moved(api, referral, "decline", PROVIDER, reason="at_capacity")
    ended = api.clock.now
    for passed, is_seen in (
        (timedelta(days=days) - timedelta(seconds=1), True),
        (timedelta(days=days), False),
        (timedelta(days=days, seconds=1), False),
    ):
        if passed < timedelta():
            continue
        api.clock.now = ended + passed
        answer = api.as_(PROVIDER).get(f"/referrals/{referral}")
        assert answer.status_code == (200 if is_seen else 404), (days, passed)
        assert bool(api.as_(PROVIDER).items("/referrals")) is is_seen
        kept = seen(api, referral, WORKER)  # the sender always keeps state and outcome
        assert (kept["status"], kept["reason"]) == ("declined", "at_capacity")
        assert seen(api, referral, SUPERVISOR)["status"] == "declined"


def test_an_agency_acts_on_nothing_that_it_no_longer_sees(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "decline", PROVIDER, reason="at_capacity")
    late = api.as_(PROVIDER).post(f"/referrals/{referral}/accept")
    assert refusal(late) == (409, "not_allowed_in_state")
    assert late.json()["allowed_actions"] == []
    api.clock.forward(days=30)
    gone = api.as_(PROVIDER).post(f"/referrals/{referral}/accept")
    absent = api.as_(PROVIDER).post(f"/referrals/{ABSENT}/accept")
    assert (gone.status_code, gone.content) == (404, absent.content)


# What an assessor gets


def sent_case(api: Api, **facts: Any) -> tuple[UUID, UUID]:
    """A resident with an undisclosed contact, and their case, which was sent for assessment."""
    resident = a_resident(api, **facts)
    ctx = api.context(WORKER)
    contacts = [
        NewContact(name=CANARY, relation="son", phone="010-9999-1111", may_be_told=False),
        NewContact(name="가상딸", relation="daughter", phone="010-9999-2222", may_be_told=True),
    ]
    residents.change_resident(ctx, resident, {}, contacts)
    case = a_case(api, resident=resident)
    surveyed(api, case)
    return resident, case


def test_an_assessor_gets_the_resident_without_contacts_who_are_not_to_be_told(api: Api) -> None:
    resident, _ = sent_case(api, income_tier=CANARY)
    answer = api.as_(ASSESSOR).get(f"/residents/{resident}")
    assert CANARY not in answer.text
    assert [(one["relation"], one["phone"]) for one in answer.json()["contacts"]] == [
        ("son", None), ("daughter", "010-9999-2222"),
    ]  # fmt: skip
    assert answer.json()["income_tier"] is None
    full = api.as_(WORKER).get(f"/residents/{resident}").json()
    assert [one["phone"] for one in full["contacts"]] == ["010-9999-1111", "010-9999-2222"]
    for phone, found in (("010-9999-1111", []), ("010-9999-2222", [str(resident)])):
        answer = api.as_(ASSESSOR).post("/residents/search", {"phone": phone})
        assert [one["id"] for one in answer.json()["items"]] == found, phone
        answer = api.as_(WORKER).post("/residents/search", {"phone": phone})
        assert [one["id"] for one in answer.json()["items"]] == [str(resident)]


def test_an_assessor_learns_of_no_referral_by_any_door(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    api.clock.set("2026-03-12T09:00")
    api.application.sweep(api.application.context())
    response = clock(api, "response", referral)
    asks = api.as_(ASSESSOR)
    assert refusal(asks.get(f"/deadlines/{response}")) == (404, "not_found")
    assert refusal(asks.get(f"/deadlines/{response}/explanation")) == (404, "not_found")
    case = asks.get(f"/cases/{supported.case}")
    assert case.json()["referrals"] == []
    assert {one["subject"]["type"] for one in case.json()["deadlines"]} <= {
        "case", "planned_service",
    }  # fmt: skip
    plan = asks.get(f"/cases/{supported.case}/plan")
    assert plan.json()["in_force"]["services"][0]["referrals"] == []
    timeline = asks.get(f"/residents/{supported.resident}/timeline")
    assert {one["subject"]["type"] for one in timeline.json()["items"]} <= {
        "case", "planned_service",
    }  # fmt: skip
    for answer in (case, plan, timeline):
        for hidden in (referral, response, api.providers["alpha"].id):
            assert str(hidden) not in answer.text
    whole = api.as_(WORKER).get(f"/cases/{supported.case}").text
    assert str(referral) in whole


def test_the_time_of_a_case_tells_an_assessor_of_no_referral(api: Api) -> None:
    supported = a_supported_case(api)
    path = f"/cases/{supported.case}/time"
    api.clock.set("2026-03-03T09:00")
    a_referral(api, supported)
    api.clock.set("2026-03-06T09:00")
    by_holder = {
        who: {one["held_by"]: one["days"] for one in api.as_(who).get(path).json()["by_holder"]}
        for who in (WORKER, ASSESSOR)
    }
    assert by_holder[WORKER]["provider"] == 3
    assert by_holder[ASSESSOR]["provider"] == 0
    del by_holder[WORKER]["provider"], by_holder[ASSESSOR]["provider"]
    assert by_holder[WORKER] == by_holder[ASSESSOR]


def test_an_assessor_gets_no_word_that_was_written_for_the_worker(api: Api) -> None:
    resident, case = sent_case(api)
    worker = api.as_(WORKER)
    worker.post(f"/residents/{resident}/notes", {"kind": "call", "text": CANARY})
    worker.post(f"/cases/{case}/signals", {"kind": "other", "note": CANARY})
    given = {"purpose": "outreach", "given_by": "self", "given_on": "2026-03-02"}
    consent = worker.post(f"/residents/{resident}/consents", given).json()["id"]
    worker.post(f"/consents/{consent}/withdraw", {"reason": CANARY})
    asks = api.as_(ASSESSOR)
    for path in (f"/cases/{case}", "/cases", f"/residents/{resident}/consents",
                 f"/residents/{resident}/timeline"):  # fmt: skip
        answer = asks.get(path)
        assert answer.status_code == 200
        assert CANARY not in answer.text, path
    assert CANARY in worker.get(f"/cases/{case}").text
    assert refusal(asks.get(f"/residents/{resident}/notes")) == (403, "forbidden")


def test_an_assessor_keeps_a_case_for_thirty_days_after_the_determination(api: Api) -> None:
    _, case = sent_case(api)
    api.clock.set("2026-03-10T10:00")
    assessed(api, case, ASSESSOR)
    for moment, is_seen in (
        ("2026-04-09T09:59:59", True),
        ("2026-04-09T10:00:00", False),
        ("2026-04-09T10:00:01", False),
    ):
        api.clock.set(moment)
        assert (api.as_(ASSESSOR).get(f"/cases/{case}").status_code == 200) is is_seen
        assert bool(api.as_(ASSESSOR).items("/cases")) is is_seen


def test_an_assessor_is_shown_no_case_before_it_was_sent(api: Api) -> None:
    case = a_case(api)
    assert refusal(api.as_(ASSESSOR).get(f"/cases/{case}")) == (404, "not_found")
    surveyed(api, case)
    assert api.as_(ASSESSOR).get(f"/cases/{case}").status_code == 200


# Cursors and errors


def test_a_cursor_holds_nothing_that_its_page_does_not_show(api: Api) -> None:
    for _ in range(3):
        a_referral(api)
    for by, path in (
        (PROVIDER, "/referrals"), (PROVIDER, "/worklist"), (ASSESSOR, "/cases"),
        (WORKER, "/worklist"), (SUPERVISOR, "/accounts"),
    ):  # fmt: skip
        page = api.as_(by).get(path, params={"limit": 1})
        cursor = page.json()["next_cursor"]
        assert cursor, (by, path)
        inside = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[16:].decode()
        for hidden in ("가상주민", "010-0000-0000", "1941-05-06", str(api.id_of(WORKER))):
            assert hidden not in inside or hidden in page.text, (by, path)


def test_the_refusal_of_a_second_resident_shows_nobody_out_of_scope(api: Api) -> None:
    a_resident(api, by="worker.2611051000", name="가상같음")
    body = {"name": "가상같음", "birth_date": "1941-05-06", "sex": "female",
            "centre_code": "2635051000"}  # fmt: skip
    assert api.as_(WORKER).post("/residents", body).status_code == 201
    again = api.as_(WORKER).post("/residents", body)
    assert refusal(again) == (409, "possible_duplicate")
    assert [one["centre_code"] for one in again.json()["candidates"]] == ["2635051000"]


def test_several_reviews_tell_a_hidden_clock_from_an_absent_one_no_more_than_one_does(
    api: Api,
) -> None:
    far = a_case(api, "worker.2611051000")
    hidden = clock(api, "survey", far)
    body = {"action": "chase", "cause": "other", "reason": "x"}
    told = api.as_(SUPERVISOR).post(
        "/overdue/reviews",
        {"reviews": [body | {"deadline_id": str(one)} for one in (hidden, ABSENT)]},
    )
    results = [{k: v for k, v in one.items() if k != "deadline_id"}
               for one in told.json()["results"]]  # fmt: skip
    assert results[0] == results[1] == {"status": 404, "code": "not_found"}


def test_a_filter_by_somebody_elses_worker_finds_nothing(api: Api) -> None:
    a_case(api, "worker.2611051000")
    api.clock.set("2026-03-20T09:00")
    theirs = str(api.id_of("worker.2611051000"))
    for by, path in ((WORKER, "/cases"), (SUPERVISOR, "/overdue"), (WORKER, "/overdue")):
        assert api.as_(by).items(path, worker=theirs) == []
        unknown = api.as_(by).get(path, params={"worker": str(ABSENT)})
        known = api.as_(by).get(path, params={"worker": theirs})
        assert known.content == unknown.content
