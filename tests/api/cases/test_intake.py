"""Residents, their consents and notes, and cases from the application to the determination."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

from sqlalchemy import select

from casework.adapters.api.casefile import parts
from casework.adapters.api.planning import bodies as plan_bodies
from casework.adapters.api.residents import bodies as resident_bodies
from casework.adapters.persistence import tables as t
from casework.domain.casefile import case as casefile_case
from casework.domain.casefile import referral_moves
from casework.domain.cases.intake import ACTIVITIES
from casework.domain.residents import resident as resident_resident
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    check_wrong,
    course,
    etag,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    DISTRICT,
    FAR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

TODAY = "2026-03-02"
PERSON = {"name": "가상인", "birth_date": "1941-03-05", "sex": "female", "centre_code": HERE}
CONSENT = {"purpose": "provider_sharing", "given_by": "self", "given_on": TODAY}
NOTE = {"kind": "call", "text": "canary-note"}
ABLE = dict.fromkeys(ACTIVITIES, 0)
SURVEY = {"dementia_medicine": False, "activities": ABLE | {"wash": 2, "use_toilet": 1}}
ASSESSMENT = {
    "assessed_on": TODAY, "received_on": TODAY, "assessor": "공단 지사",
    "determination": "community_care",
    "needs": [{"field": "care", "level": "high", "note": "meals"}],
}  # fmt: skip
NOT_WRITERS = (ASSESSOR, PROVIDER, *OUTSIDERS)
NOT_READERS = (PROVIDER, *OUTSIDERS)


def application(resident: Any, **more: Any) -> dict[str, Any]:
    return {"resident_id": str(resident), "channel": "self", "applied_on": TODAY} | more


def asks(api: Api) -> list[Ask]:
    """Every operation tested here, on records of HERE, those without an id first."""
    resident, case = acts.a_resident(api), acts.a_case(api)
    given = api.as_(WORKER).post(f"/residents/{resident}/consents", CONSENT).json()["id"]
    return [
        Ask("POST", "/residents", None, PERSON, NOT_WRITERS),
        Ask("POST", "/residents/search", None, {"name": "가"}, NOT_READERS),
        Ask("GET", "/cases", None, None, NOT_READERS),
        Ask("POST", "/cases", None, application(resident), NOT_WRITERS),
        Ask("GET", "/residents/{id}", resident, None, NOT_READERS),
        Ask("PATCH", "/residents/{id}", resident, {"name": "나"}, NOT_WRITERS),
        Ask("POST", "/residents/{id}/consents", resident, CONSENT, NOT_WRITERS),
        Ask("GET", "/residents/{id}/consents", resident, None, NOT_READERS),
        Ask("POST", "/consents/{id}/withdraw", given, {}, NOT_WRITERS),
        Ask("POST", "/residents/{id}/notes", resident, NOTE, NOT_WRITERS),
        Ask("GET", "/residents/{id}/notes", resident, None, NOT_WRITERS),
        Ask("GET", "/residents/{id}/timeline", resident, None, NOT_READERS),
        Ask("GET", "/cases/{id}", case, None, NOT_READERS),
        Ask("POST", "/cases/{id}/pre-survey", case, SURVEY, NOT_WRITERS),
        Ask("POST", "/cases/{id}/assessments", case, ASSESSMENT, NOT_READERS),
    ]


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    check_nobody_and_wrong_roles(api, asks(api))


def test_what_is_out_of_scope_looks_like_what_is_not_there(api: Api) -> None:
    check_strangers(api, [ask for ask in asks(api) if ask.id is not None])


def test_a_case_is_not_opened_for_a_resident_out_of_scope(api: Api) -> None:
    hidden = api.as_(STRANGER).post("/cases", application(acts.a_resident(api)))
    absent = api.as_(STRANGER).post("/cases", application(ABSENT))
    assert hidden.status_code == 404
    assert hidden.content == absent.content


# Residents


def test_a_resident_is_registered_and_read_back(api: Api) -> None:
    given = PERSON | {
        "address": "해운대구 우동", "phone": "010-1234-5678", "lives_alone": True,
        "mobility": "limited", "ltc_grade": "4", "disability": "시각", "insurance": "건강보험",
        "income_tier": "basic", "contacts": [
            {"name": "가상딸", "relation": "daughter", "phone": "010-9999-0000",
             "may_be_told": True}],
    }  # fmt: skip
    made = api.as_(WORKER).post("/residents", given)
    assert made.status_code == 201, made.text
    read = api.as_(SUPERVISOR).get(f"/residents/{made.json()['id']}")
    assert read.json() | given == read.json()
    assert read.json() == made.json()
    assert read.json()["district_code"] == DISTRICT
    assert read.json()["allowed_actions"] == ["consents", "notes", "died"]
    assert read.headers["etag"] == made.headers["etag"] == '"1"'


def test_a_resident_who_cannot_be_right_is_not_registered(api: Api) -> None:
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).post("/residents", PERSON | wrong),
        [
            ({"birth_date": "1941-02-30"}, "birth_date"),
            ({"birth_date": "5.3.1941"}, "birth_date"),
            ({"birth_date": -86400}, "birth_date"),
            ({"birth_date": "1889-12-31"}, "birth_date"),
            ({"birth_date": "2026-03-03"}, "birth_date"),
            ({"sex": "f"}, "sex"),
            ({"mobility": "walks"}, "mobility"),
            ({"name": "  "}, "name"),
            ({"name": "가" * 121}, "name"),
            ({"phone": "call me"}, "phone"),
            ({"lives_alone": "yes"}, "lives_alone"),
            ({"lives_alone": 1}, "lives_alone"),
            ({"confirm_new": 1}, "confirm_new"),
            ({"centre_code": "0000000000"}, "centre_code"),
            ({"contacts": [{"name": "나", "relation": "son"}]}, "contacts.0.phone"),
            ({"nickname": "나"}, "nickname"),
            ({"rrn": "410305-2000000"}, "rrn"),
        ],
    )
    number = api.as_(WORKER).post("/residents", PERSON | {"rrn": "410305-2000000"})
    assert refusal(number) == (422, "rrn_not_collected")
    assert "410305" not in number.text


def test_someone_born_today_is_registered(api: Api) -> None:
    assert api.as_(WORKER).post("/residents", PERSON | {"birth_date": TODAY}).status_code == 201


def test_a_worker_registers_in_the_own_centre_and_a_supervisor_in_the_district(api: Api) -> None:
    elsewhere = PERSON | {"centre_code": NEXT_DOOR}
    refused = api.as_(WORKER).post("/residents", elsewhere)
    assert refusal(refused) == (403, "centre_out_of_scope")
    assert api.as_(SUPERVISOR).post("/residents", elsewhere).status_code == 201
    far = api.as_(SUPERVISOR).post("/residents", PERSON | {"centre_code": FAR})
    assert refusal(far) == (403, "centre_out_of_scope")


def test_a_likely_duplicate_is_shown_first_and_registered_on_confirmation(api: Api) -> None:
    worker = api.as_(WORKER)
    first = worker.post("/residents", PERSON).json()
    refused = worker.post("/residents", PERSON)
    assert refusal(refused) == (409, "possible_duplicate")
    assert refused.json()["candidates"] == [
        {
            "id": first["id"],
            "name": "가상인",
            "birth_date": "1941-03-05",
            "died_on": None,
            "centre_code": HERE,
            "reasons": ["same_name_and_birth_date"],
        }
    ]
    assert worker.post("/residents", PERSON | {"confirm_new": True}).status_code == 201
    # A resident of another centre is never revealed.
    assert api.as_(NEIGHBOUR).post(
        "/residents", PERSON | {"centre_code": NEXT_DOOR}).status_code == 201  # fmt: skip


def test_a_change_needs_to_say_which_version_it_saw(api: Api) -> None:
    worker, path = api.as_(WORKER), f"/residents/{acts.a_resident(api)}"
    seen = worker.get(path)
    before = everything(api)
    assert refusal(worker.patch(path, {"address": "새 주소"})) == (428, "precondition_required")
    stale = worker.patch(path, {"address": "새 주소"}, headers={"If-Match": '"7"'})
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before
    changed = worker.patch(path, {"address": "새 주소", "phone": None}, headers=etag(seen))
    assert changed.status_code == 200, changed.text
    assert (changed.json()["address"], changed.json()["phone"]) == ("새 주소", None)
    assert worker.get(path).json() == changed.json() != seen.json()
    assert changed.headers["etag"] != seen.headers["etag"]
    assert refusal(worker.patch(path, {"address": "또"}, headers=etag(seen))) == (412, "stale")


def test_contacts_are_replaced_and_a_change_of_nothing_changes_nothing(api: Api) -> None:
    worker, path = api.as_(WORKER), f"/residents/{acts.a_resident(api)}"
    friend = {"name": "벗", "relation": "friend", "phone": "051-111-2222", "may_be_told": False}
    first = worker.patch(path, {"contacts": [friend]}, headers={"If-Match": '"1"'})
    assert first.json()["contacts"] == [friend]
    before = everything(api)
    same = worker.patch(path, {"name": first.json()["name"]}, headers=etag(first))
    assert (same.status_code, same.headers["etag"]) == (200, first.headers["etag"])
    assert everything(api) == before


def test_a_change_that_cannot_be_right_changes_nothing(api: Api) -> None:
    path = f"/residents/{acts.a_resident(api)}"
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).patch(path, wrong, headers={"If-Match": '"1"'}),
        [
            ({"name": None}, "name"),
            ({"birth_date": "2026-03-03"}, "birth_date"),
            ({"centre_code": None}, "centre_code"),
            ({"centre_code": "0000000000"}, "centre_code"),
            ({"contacts": None}, "contacts"),
            ({"version": 3}, "version"),
        ],
    )


def test_while_a_case_is_open_only_a_transfer_changes_the_centre(api: Api) -> None:
    resident = acts.a_resident(api)
    case = acts.a_case(api, resident=resident)
    path, seen = f"/residents/{resident}", {"If-Match": '"1"'}
    before = everything(api)
    refused = api.as_(WORKER).patch(path, {"centre_code": NEXT_DOOR}, headers=seen)
    assert refusal(refused) == (409, "open_case_transfer")
    assert refused.json()["state"] == "applied"
    assert refused.json()["case_id"] == str(case)
    assert course(refused.json()) == ["pre-survey", "signals", "close"]
    assert everything(api) == before
    stays = api.as_(WORKER).patch(path, {"centre_code": HERE, "address": "동"}, headers=seen)
    assert stays.status_code == 200


def test_a_resident_without_an_open_case_moves_with_the_closed_ones(api: Api) -> None:
    resident = acts.a_resident(api)
    case = acts.a_case(api, resident=resident)
    worker, path = api.as_(WORKER), f"/residents/{resident}"
    assert worker.post(f"/cases/{case}/close", {"reason": "refused"}).status_code == 200
    moved = worker.patch(path, {"centre_code": NEXT_DOOR}, headers={"If-Match": '"1"'})
    assert (moved.status_code, moved.json()) == (200, {"id": str(resident)})
    for gone in (path, f"/cases/{case}"):
        assert worker.get(gone).status_code == 404
    neighbour = api.as_(NEIGHBOUR)
    assert neighbour.get(path).json()["cases"] == [
        {
            "id": str(case),
            "number": acts.number_of(api, case),
            "status": "closed",
            "applied_on": TODAY,
        }
    ]
    assert neighbour.get(f"/cases/{case}").json()["centre_code"] == NEXT_DOOR


# Searching


def test_residents_are_found_by_what_one_knows_within_scope(api: Api) -> None:
    worker = api.as_(WORKER)
    given = PERSON | {"phone": "010-1234-5678", "contacts": [
        {"name": "가상딸", "relation": "daughter", "phone": "010-9999-0000"}]}  # fmt: skip
    here = worker.post("/residents", given).json()["id"]
    acts.a_resident(api, NEIGHBOUR, name="가상인", birth_date=date(1941, 3, 5), phone="01012345678")

    def found(**wanted: str) -> list[str]:
        answer = worker.post("/residents/search", wanted)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    assert found(name="가상인") == [here]
    assert found(name="가상인", birth_date="1941-03-05") == [here]
    assert found(name="가상인", birth_date="1941-03-06") == []
    assert found(phone="+82 10 1234 5678") == [here]
    assert found(phone="01099990000") == [here], "a contact's number finds the resident"
    assert found(centre_code=HERE) == [here]
    assert found(centre_code=NEXT_DOOR) == []
    district = api.as_(SUPERVISOR).post("/residents/search", {"name": "가상인"})
    assert len(district.json()["items"]) == 2


def test_a_telephone_or_a_name_also_finds_open_referrals_and_whom_to_call(api: Api) -> None:
    supported = acts.a_supported_case(api)
    referral = acts.a_referral(api, supported)
    worker = api.as_(WORKER)
    name = worker.get(f"/residents/{supported.resident}").json()["name"]
    for wanted in ({"phone": "010 0000 0000"}, {"name": name}):
        (one,) = worker.post("/residents/search", wanted).json()["items"]
        alpha = api.providers["alpha"]
        assert one["open_referrals"] == [
            {"id": str(referral), "service_code": "CARE-MEALS", "status": "requested",
             "provider": {"id": str(alpha.id), "name": alpha.name, "phone": alpha.phone}}
        ]  # fmt: skip
        assert set(one) == {"id", "name", "birth_date", "sex", "centre_code", "phone", "address",
                            "died_on",
                            "open_case", "open_referrals"}  # fmt: skip
        assert one["open_case"] == {
            "id": str(supported.case), "number": acts.number_of(api, supported.case),
            "status": "supported", "applied_on": TODAY}  # fmt: skip
    (one,) = worker.post("/residents/search", {"centre_code": HERE}).json()["items"]
    assert "open_referrals" not in one
    (one,) = api.as_(ASSESSOR).post("/residents/search", {"name": name}).json()["items"]
    assert "open_referrals" not in one, "assessors read no referrals"


def test_a_search_comes_in_pages_and_needs_something_to_look_for(api: Api) -> None:
    worker = api.as_(WORKER)
    made = [str(acts.a_resident(api)) for _ in range(5)]
    found, cursor = [], None
    while True:
        params: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = worker.post("/residents/search", {"centre_code": HERE}, params=params).json()
        found += [one["id"] for one in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
        other = worker.post("/residents/search", {"name": "다른"}, params={"cursor": cursor})
        assert refusal(other) == (422, "cursor_invalid")
    assert found == sorted(made)
    nothing = worker.post("/residents/search", {})
    assert refusal(nothing) == (422, "criterion_required")
    assert fields_of(nothing) == ["name"]
    assert fields_of(worker.post("/residents/search", {"birth_date": "today"})) == ["birth_date"]
    for limit in (0, 201):
        answer = worker.post("/residents/search", {"name": "가"}, params={"limit": limit})
        assert answer.status_code == 422


# Consents, notes, timeline


def test_a_consent_is_recorded_listed_and_withdrawn_once(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    path = f"/residents/{resident}/consents"
    made = worker.post(path, CONSENT | {"recipients": ["alpha"], "expires_on": "2026-12-31"})
    assert made.status_code == 201, made.text
    assert worker.get(path).json() == {"items": [made.json()], "next_cursor": None}
    assert made.json()["recipients"] == ["alpha"]
    assert made.json()["allowed_actions"] == ["withdraw"]
    withdraw = f"/consents/{made.json()['id']}/withdraw"
    assert refusal(worker.post(withdraw, headers={"If-Match": '"9"'})) == (412, "stale")
    ended = worker.post(withdraw, {"reason": "canary-reason"}, headers=etag(made))
    assert ended.status_code == 200, ended.text
    assert ended.json()["withdrawn_at"] == "2026-03-02T10:00:00+09:00"
    assert ended.json()["allowed_actions"] == []
    assert worker.get(path).json()["items"] == [ended.json()]
    again = worker.post(withdraw)
    assert refusal(again) == (409, "already_withdrawn")
    assert (again.json()["state"], again.json()["allowed_actions"]) == ("withdrawn", [])


def test_a_consent_that_cannot_be_right_is_not_recorded(api: Api) -> None:
    path = f"/residents/{acts.a_resident(api)}/consents"
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).post(path, CONSENT | wrong),
        [
            ({"purpose": "everything"}, "purpose"),
            ({"given_on": "2026-03-03"}, "given_on"),
            ({"expires_on": "2026-03-01"}, "expires_on"),
            ({"given_by": ""}, "given_by"),
            ({"recipients": "alpha"}, "recipients"),
        ],
    )


def test_withdrawing_a_consent_withdraws_every_open_referral_that_rests_on_it(api: Api) -> None:
    worker, supported = api.as_(WORKER), acts.a_supported_case(api)
    given = worker.post(f"/residents/{supported.resident}/consents", CONSENT).json()["id"]
    request = {
        "planned_service_id": str(supported.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
    }  # fmt: skip
    nothing = {"basis": {"kind": "consent", "consent_id": str(ABSENT)}}
    unknown = worker.post("/referrals", request | nothing)
    assert refusal(unknown) == (422, "unknown_consent")
    assert fields_of(unknown) == ["basis.consent_id"]
    made = worker.post("/referrals", request | {"basis": {"kind": "consent", "consent_id": given}})
    assert made.status_code == 201, made.text
    # Without a body at all: nothing in it is required.
    gone = worker.request("POST", f"/consents/{given}/withdraw")
    assert gone.status_code == 200, gone.text
    referral = worker.get(f"/referrals/{made.json()['id']}").json()
    assert (referral["status"], referral["reason"]) == ("withdrawn", "consent_withdrawn")


def test_notes_are_kept_newest_first_for_those_who_work_with_the_resident(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    path = f"/residents/{resident}/notes"
    first = worker.post(path, NOTE | {"with": "daughter", "come_back_on": "2026-03-02"})
    assert first.status_code == 201, first.text
    assert first.json()["with"] == "daughter"
    api.clock.forward(minutes=5)
    second = api.as_(COLLEAGUE).post(path, NOTE)
    assert second.json()["written_by"] == str(api.id_of(COLLEAGUE))
    assert worker.items(path, limit=1) == [second.json(), first.json()]
    before = everything(api)
    for wrong, field in (
        ({"come_back_on": "2026-03-01"}, "come_back_on"),
        ({"kind": "fax"}, "kind"),
        ({"text": ""}, "text"),
        ({"with_whom": "x"}, "with_whom"),
    ):
        assert fields_of(worker.post(path, NOTE | wrong)) == [field]
    assert everything(api) == before


def test_the_timeline_tells_what_happened_newest_first_in_codes_and_dates(api: Api) -> None:
    worker = api.as_(WORKER)
    person = PERSON | {"name": "canary-name", "phone": "010-4242-4242", "address": "canary-street"}
    resident = worker.post("/residents", person).json()["id"]
    worker.post(f"/residents/{resident}/notes", NOTE | {"with": "canary-with"})
    case = worker.post("/cases", application(
        resident, urgent=True, urgent_reason="canary-urgent")).json()["id"]  # fmt: skip
    worker.patch(f"/residents/{resident}", {"address": "canary-lane"}, headers={"If-Match": '"1"'})
    worker.post(f"/cases/{case}/close", {"reason": "refused", "note": "canary-closing"})
    events = worker.items(f"/residents/{resident}/timeline", limit=2)
    assert [one["event"] for one in events] == [
        "CaseClosed", "ResidentChanged", "CaseOpened", "NoteWritten", "ResidentRegistered",
    ]  # fmt: skip
    assert events[1]["data"] == {"fields": ["address"]}
    assert all(one["by"] == {"id": str(api.id_of(WORKER)), "role": "worker"} for one in events)
    assert "canary" not in str(events)
    assert "4242" not in str(events)


# Cases


def test_a_case_is_opened_carried_by_its_worker_and_read_back(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    made = worker.post("/cases", application(resident, applied_on="2026-02-27"))
    assert made.status_code == 201, made.text
    case = made.json()
    assert worker.get(f"/cases/{case['id']}").json() == case
    assert (case["status"], case["channel"], case["urgent"]) == ("applied", "self", False)
    assert case["worker_id"] == case["worker"]["id"] == str(api.id_of(WORKER))
    assert (case["resident"]["id"], case["centre_code"]) == (str(resident), HERE)
    (survey,) = case["deadlines"]
    assert (survey["kind"], survey["held_by"], survey["status"]) == ("survey", "worker", "running")
    # Five working days after Friday 27 February; 2 March is a holiday.
    assert survey["due_at"] == "2026-03-09T23:59:59+09:00"
    assert course(case) == ["pre-survey", "signals", "close"]
    assert made.headers["etag"] == '"1"'


def test_a_resident_has_at_most_one_open_case(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    first = worker.post("/cases", application(resident)).json()["id"]
    before = everything(api)
    second = worker.post("/cases", application(resident))
    assert refusal(second) == (409, "open_case_exists")
    assert (second.json()["state"], second.json()["case_id"]) == ("applied", first)
    assert course(second.json()) == ["pre-survey", "signals", "close"]
    assert everything(api) == before
    assert worker.post(f"/cases/{first}/close", {"reason": "refused"}).status_code == 200
    assert worker.post("/cases", application(resident)).status_code == 201


def test_the_same_application_under_one_key_is_one_case(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    key = {"Idempotency-Key": "k-1"}
    first = worker.post("/cases", application(resident), headers=key)
    again = worker.post("/cases", application(resident), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    other = worker.post("/cases", application(resident, urgent=False), headers=key)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_discharge_is_due_on_its_day_and_rests_on_a_consent(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    wanted = application(resident, channel="discharge", discharge_on="2026-03-07")
    without = worker.post("/cases", wanted)
    assert (refusal(without), fields_of(without)) == ((422, "consent_required"), ["consent_id"])
    given = worker.post(
        f"/residents/{resident}/consents", CONSENT | {"purpose": "discharge_notice"}
    ).json()["id"]
    opened = worker.post("/cases", wanted | {"consent_id": given})
    assert opened.status_code == 201, opened.text
    due = {one["kind"]: one["due_at"] for one in opened.json()["deadlines"]}
    assert due["discharge"] == "2026-03-07T23:59:59+09:00", "a Saturday, and not rolled"


def test_a_consent_that_one_cannot_see_is_unknown_and_anothers_does_not_carry(api: Api) -> None:
    worker, resident = api.as_(WORKER), acts.a_resident(api)
    strangers = acts.a_resident(api, STRANGER)
    hidden = api.as_(STRANGER).post(f"/residents/{strangers}/consents", CONSENT).json()["id"]
    anothers = worker.post(f"/residents/{acts.a_resident(api)}/consents", CONSENT).json()["id"]
    before = everything(api)
    refused = [
        worker.post("/cases", application(resident, consent_id=str(id))) for id in (hidden, ABSENT)
    ]
    assert refusal(refused[0]) == (422, "unknown_consent")
    assert fields_of(refused[0]) == ["consent_id"]
    assert refused[0].content == refused[1].content
    wrong = worker.post("/cases", application(resident, consent_id=anothers))
    assert refusal(wrong) == (422, "consent_not_valid")
    assert everything(api) == before


def test_an_application_that_cannot_be_right_opens_nothing(api: Api) -> None:
    usual = application(acts.a_resident(api))
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).post("/cases", usual | wrong),
        [
            ({"channel": "post"}, "channel"),
            ({"applied_on": "2026-03-03"}, "applied_on"),
            ({"applied_on": "1941-05-05"}, "applied_on"),
            ({"applied_on": 0}, "applied_on"),
            ({"discharge_on": "2026-03-01"}, "discharge_on"),
            ({"discharge_on": "9999-12-31"}, "discharge_on"),
            ({"urgent": True}, "urgent_reason"),
            ({"urgent": "true"}, "urgent"),
            ({"channel": "ex_officio"}, "ex_officio_ground"),
            ({"ex_officio_ground": "disaster"}, "ex_officio_ground"),
            ({"channel": "outreach"}, "consent_id"),
            ({"resident_id": "1"}, "resident_id"),
            ({"priority": "urgent"}, "priority"),
        ],
    )


def test_cases_are_listed_newest_first_within_scope_and_by_filter(api: Api) -> None:
    mine, closed, next_door = acts.a_case(api), acts.a_case(api), acts.a_case(api, NEIGHBOUR)
    api.as_(WORKER).post(f"/cases/{closed}/close", {"reason": "refused"})
    acts.a_case(api, STRANGER)

    def listed(by: str, **params: Any) -> list[str]:
        return [one["id"] for one in api.as_(by).items("/cases", limit=2, **params)]

    newest_first = [str(id) for id in (next_door, closed, mine)]
    assert listed(SUPERVISOR) == newest_first
    assert listed(WORKER) == newest_first[1:]
    assert listed(SUPERVISOR, status="applied") == [str(next_door), str(mine)]
    assert listed(SUPERVISOR, centre=NEXT_DOOR) == [str(next_door)]
    assert listed(SUPERVISOR, worker=api.id_of(WORKER)) == newest_first[1:]
    assert listed(WORKER, centre=NEXT_DOOR) == []
    row = api.as_(WORKER).items("/cases", status="applied")[0]
    assert row["resident"]["name"].startswith("가상주민")
    assert fields_of(api.as_(WORKER).get("/cases", params={"status": "lost"})) == ["status"]
    assert fields_of(api.as_(WORKER).get("/cases", params={"name": "가"})) == ["name"]


# Pre-survey and assessment


def test_the_pre_survey_routes_by_medicine_and_score(api: Api) -> None:
    worker = api.as_(WORKER)
    for medicine, points, score, route in (
        (False, {"wash": 2}, 2, "local_survey"),
        (False, {"wash": 2, "dress_upper": 1}, 3, "local_survey"),
        (False, {"wash": 2, "dress_upper": 2}, 4, "nhis_assessment"),
        (True, {}, 0, "nhis_assessment"),
    ):
        case = acts.a_case(api)
        body = {"dementia_medicine": medicine, "activities": ABLE | points}
        answer = worker.post(f"/cases/{case}/pre-survey", body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["score"], answer.json()["route"]) == (score, route)
        shown = answer.json()["case"]
        assert shown == worker.get(f"/cases/{case}").json()
        assert (shown["status"], shown["activities"]) == ("surveying", ABLE | points)
        clocks = {one["kind"]: one["status"] for one in shown["deadlines"]}
        assert clocks == {"survey": "met", "assessment": "running"}


def test_a_pre_survey_is_taken_once(api: Api) -> None:
    worker, case = api.as_(WORKER), acts.a_case(api)
    acts.surveyed(api, case)
    again = worker.post(f"/cases/{case}/pre-survey", SURVEY)
    assert refusal(again) == (409, "not_allowed_in_state")
    assert again.json()["state"] == "surveying"
    assert course(again.json()) == ["assessments", "signals", "close"]


def test_the_route_guidance_closes_the_case_and_needs_what_was_told(api: Api) -> None:
    worker, case = api.as_(WORKER), acts.a_case(api)
    body = {"dementia_medicine": False, "activities": ABLE | {"wash": 1}}
    before = everything(api)
    silent = worker.post(f"/cases/{case}/pre-survey", body)
    assert (refusal(silent), fields_of(silent)) == ((422, "guidance_required"), ["guidance"])
    assert everything(api) == before
    told = worker.post(f"/cases/{case}/pre-survey", body | {"guidance": "노인복지관 안내"})
    assert (told.status_code, told.json()["route"]) == (200, "guidance")
    shown = told.json()["case"]
    assert (shown["status"], shown["closed_reason"]) == ("closed", "guided")
    assert course(shown) == []
    assert all(one["status"] == "met" for one in shown["deadlines"])


def test_a_pre_survey_that_cannot_be_right_decides_nothing(api: Api) -> None:
    path = f"/cases/{acts.a_case(api)}/pre-survey"
    check_wrong(
        api,
        lambda wrong: api.as_(WORKER).post(path, SURVEY | wrong),
        [
            ({"activities": ABLE | {"wash": 3}}, "activities.wash"),
            ({"activities": ABLE | {"wash": -1}}, "activities.wash"),
            ({"activities": ABLE | {"wash": True}}, "activities.wash"),
            ({"activities": ABLE | {"wash": "1"}}, "activities.wash"),
            ({"activities": ABLE | {"wash": 1.0}}, "activities.wash"),
            ({"activities": ABLE | {"sing": 1}}, "activities.sing"),
            ({"activities": {k: 2 for k in ACTIVITIES if k != "wash"}}, "activities.wash"),
            ({"dementia_medicine": 0}, "dementia_medicine"),
            ({"score": 4}, "score"),
        ],
    )


def test_the_assessor_sees_a_case_from_when_it_is_sent_until_thirty_days_after(api: Api) -> None:
    resident = acts.a_resident(api)
    case, assessor = acts.a_case(api, resident=resident), api.as_(ASSESSOR)
    paths = (f"/cases/{case}", f"/residents/{resident}", f"/residents/{resident}/timeline",
             f"/residents/{resident}/consents", f"/cases/{case}/plan")  # fmt: skip
    assert {assessor.get(path).status_code for path in paths} == {404}
    assert assessor.items("/cases") == []
    early = assessor.post(f"/cases/{case}/assessments", ASSESSMENT)
    assert early.status_code == 404, "it was not sent yet"
    acts.surveyed(api, case)
    assert {assessor.get(path).status_code for path in paths} == {200}
    assert [one["id"] for one in assessor.items("/cases")] == [str(case)]
    assert assessor.get(f"/cases/{case}").json()["allowed_actions"] == ["assessments"]
    seen = {one["event"] for one in assessor.items(f"/residents/{resident}/timeline")}
    assert seen == {"CaseOpened", "PreSurveyRecorded"}, "nothing but what concerns the case sent"
    assert assessor.post(f"/cases/{case}/assessments", ASSESSMENT).status_code == 201
    api.clock.set("2026-04-01T09:59:59")
    assert assessor.get(f"/cases/{case}").status_code == 200
    api.clock.set("2026-04-01T10:00:00")
    assert assessor.get(f"/cases/{case}").status_code == 404


def test_the_first_assessment_is_the_determination_and_later_ones_move_nothing(api: Api) -> None:
    case, path = acts.a_case(api), "/cases/{}/assessments"
    worker = api.as_(WORKER)
    early = worker.post(path.format(case), ASSESSMENT)
    assert refusal(early) == (409, "not_allowed_in_state")
    assert early.json()["state"] == "applied"
    assert course(early.json()) == ["pre-survey", "signals", "close"]
    acts.surveyed(api, case)
    api.clock.set("2026-03-10T10:00")
    made = api.as_(ASSESSOR).post(
        path.format(case), ASSESSMENT | {"assessed_on": "2026-03-09", "received_on": "2026-03-09"}
    )
    assert made.status_code == 201, made.text
    assert made.json()["needs"] == [{"field": "care", "level": "high", "note": "meals"}]
    shown = worker.get(f"/cases/{case}").json()
    assert (shown["status"], shown["determination"]) == ("planning", "community_care")
    (plan,) = [one for one in shown["deadlines"] if one["kind"] == "plan"]
    assert plan["due_at"] == "2026-03-16T23:59:59+09:00", "five days from when it was received"
    assert made.json()["case"]["status"] == "planning"
    later = ASSESSMENT | {"determination": "long_term_care", "received_on": None}
    again = worker.post(path.format(case), later | {"assessed_on": "2026-03-10"})
    assert again.status_code == 201, again.text
    after = worker.get(f"/cases/{case}").json()
    assert (after["status"], after["determination"]) == ("planning", "community_care")
    assert [one["id"] for one in after["assessments"]] == [made.json()["id"], again.json()["id"]]


def test_an_assessment_that_cannot_be_right_determines_nothing(api: Api) -> None:
    case = acts.a_case(api)
    acts.surveyed(api, case)
    path = f"/cases/{case}/assessments"
    check_wrong(
        api,
        lambda wrong: api.as_(ASSESSOR).post(path, ASSESSMENT | wrong),
        [
            ({"assessed_on": "2026-03-03", "received_on": None}, "assessed_on"),
            ({"assessed_on": "2026-03-01"}, "assessed_on"),
            ({"received_on": "2026-03-03"}, "received_on"),
            ({"determination": "home"}, "determination"),
            ({"needs": [{"field": "legal", "level": "some"}]}, "needs.0.field"),
            ({"needs": [{"field": "care", "level": "much"}]}, "needs.0.level"),
            ({"needs": None}, "needs"),
            ({"assessor": ""}, "assessor"),
        ],
    )


# Common rules


def entries(api: Api) -> list[Any]:
    """The audit entries, oldest first."""
    with api.engine.connect() as connection:
        return list(connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id)))


def test_every_read_and_change_names_its_resident_in_the_audit(api: Api) -> None:
    resident = acts.a_resident(api)
    case, worker = acts.a_case(api, resident=resident), api.as_(WORKER)
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"/residents/{resident}", None),
        ("GET", f"/residents/{resident}/timeline", None),
        ("GET", f"/residents/{resident}/notes", None),
        ("GET", f"/residents/{resident}/consents", None),
        ("GET", "/cases", None),
        ("GET", f"/cases/{case}", None),
        ("POST", "/residents/search", {"centre_code": HERE}),
        ("POST", f"/residents/{resident}/notes", NOTE),
        ("POST", f"/residents/{resident}/consents", CONSENT),
        ("POST", f"/cases/{case}/pre-survey", SURVEY),
        ("POST", f"/cases/{case}/assessments", ASSESSMENT),
    ]
    for method, path, body in requests:
        before = entries(api)
        assert worker.request(method, path, json=body).status_code < 300
        (entry,) = entries(api)[len(before) :]
        assert entry.subjects == [str(resident)], path
        assert (entry.actor, entry.outcome) == (WORKER, "ok")


def test_the_lists_in_the_document_are_those_of_the_domain() -> None:
    for listed, known in (
        (resident_bodies.Sex, resident_resident.SEXES),
        (resident_bodies.Mobility, resident_resident.MOBILITIES),
        (resident_bodies.Purpose, resident_resident.PURPOSES),
        (parts.Channel, casefile_case.CHANNELS),
        (parts.Ground, casefile_case.EX_OFFICIO_GROUNDS),
        (parts.Determination, casefile_case.DETERMINATIONS),
        (parts.ClosingReason, casefile_case.CLOSING_REASONS),
        (plan_bodies.Settlement, referral_moves.SETTLEMENTS),
    ):
        assert get_args(listed) == tuple(known)
    assert tuple(parts.Activities.model_fields) == ACTIVITIES
