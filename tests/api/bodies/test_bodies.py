"""Bodies over the API: who reads and maintains which, their rules, their end, what is recorded."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.asking import fields_of, refusal
from tests.api.bodies.acts import ORDINANCE, asked_seat, entered, patched, seated
from tests.api.conftest import (
    ASSESSOR,
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

ABSENT = "01900000-0000-7000-8000-000000000000"
EVERYONE = ("city", "admin", "auditor", SUPERVISOR, FAR_SUPERVISOR)


def listed(api: Api, by: str, **filters: str) -> set[str]:
    return {one["id"] for one in api.as_(by).items("/bodies", **filters)}


def test_a_body_is_entered_with_its_rules_and_read_back(api: Api) -> None:
    top = entered(api, kind="promotion_team", name_ko="가상 추진단", teams_stated=21)
    rules = {
        "seats": {"min": 5, "max": 6, "basis": ORDINANCE},
        "quorum": {"value": 4, "basis": ORDINANCE},
        "decides": {"value": "chair", "basis": ORDINANCE},
        "deputies": {"value": True, "basis": ORDINANCE},
        "notice_days": {"value": 7, "basis": ORDINANCE},
        "term_years": {"value": 3, "basis": ORDINANCE},
        "merged": {"value": True, "basis": ORDINANCE},
    }
    body = entered(
        api, kind="council", name_en="Invented council", parent_id=top["id"], rules=rules,
        fields=["care"], services=["MED-VISIT"], valid_from="2026-02-01",
    )  # fmt: skip
    answer = api.as_("city").get(f"/bodies/{body['id']}")
    assert answer.json() == body
    assert answer.headers["etag"] == '"1"'
    said = {name: {k: v for k, v in rule.items() if k != "standing"}
            for name, rule in body["rules"].items()}  # fmt: skip
    assert said == rules
    assert {rule["standing"] for rule in body["rules"].values()} == {"entered"}
    assert (body["parent_id"], body["teams_stated"], top["teams_stated"]) == (top["id"], None, 21)
    assert (body["fields"], body["services"]) == (["care"], ["MED-VISIT"])
    assert (body["valid_from"], body["valid_to"], body["in_force"]) == ("2026-02-01", None, True)
    assert top["valid_from"] == "2026-03-02"


@pytest.mark.parametrize(
    ("language", "words"), [("ko", "사회보장급여법 시행규칙 제5조"), ("en", "Rule 5")]
)
def test_a_default_says_in_the_readers_language_that_it_is_one(
    api: Api, language: str, words: str
) -> None:
    id = entered(api, kind="council")["id"]
    rules = (
        api.as_("city").get(f"/bodies/{id}", headers={"Accept-Language": language}).json()["rules"]
    )
    assert (rules["quorum"]["value"], rules["quorum"]["standing"]) == ("majority", "ssb_rule_5")
    assert words in rules["quorum"]["basis"]


@pytest.mark.both_stores
def test_a_supervisor_finds_own_bodies_and_the_citys_and_no_other_districts(api: Api) -> None:
    citys = entered(api)["id"]
    own = entered(api, SUPERVISOR, kind="unit", area=DISTRICT)["id"]
    far = entered(api, FAR_SUPERVISOR, kind="unit", area=OTHER_DISTRICT)["id"]
    for username in ("city", "admin", "auditor"):
        assert listed(api, username) == {citys, own, far}
    assert listed(api, SUPERVISOR) == {citys, own}
    assert listed(api, FAR_SUPERVISOR) == {citys, far}
    assert listed(api, SUPERVISOR, area=OTHER_DISTRICT) == set()
    absent = api.as_(SUPERVISOR).get(f"/bodies/{ABSENT}")
    elsewhere = api.as_(SUPERVISOR).get(f"/bodies/{far}")
    assert (elsewhere.status_code, elsewhere.content) == (404, absent.content)


@pytest.mark.both_stores
def test_of_the_citys_bodies_a_supervisor_is_shown_names_and_seats_and_changes_nothing(
    api: Api,
) -> None:
    mine = {"account_id": str(api.id_of("city"))}
    citys = seated(api, entered(api, fields=["care"])["id"], mine)
    shown = api.as_(SUPERVISOR).get(f"/bodies/{citys['id']}").json()
    assert (shown["name"], shown["seats"][0]["name"]) == ("가상과", "가상 위원")
    assert (shown["rules"], shown["seats"][0]["account_id"]) == (None, None)
    assert (shown["allowed_actions"], shown["fields"]) == ([], ["care"])
    whole = api.as_("auditor").get(f"/bodies/{citys['id']}").json()
    assert whole["rules"] is not None
    assert whole["seats"][0]["account_id"] == mine["account_id"]
    assert whole["allowed_actions"] == []
    _cannot_touch(api, SUPERVISOR, citys["id"], citys["seats"][0]["id"])


@pytest.mark.both_stores
def test_another_districts_body_and_seat_are_as_if_they_were_absent(api: Api) -> None:
    far = entered(api, FAR_SUPERVISOR, kind="unit", area=OTHER_DISTRICT)["id"]
    seat = seated(api, far, {}, by=FAR_SUPERVISOR)["seats"][0]["id"]
    _cannot_touch(api, SUPERVISOR, far, seat)


def _cannot_touch(api: Api, by: str, body: str, seat: str) -> None:
    """Every change of a body or a seat answers the bytes of what there is not, and does nothing."""
    before = api.as_("city").get(f"/bodies/{body}").json()
    with_it = {"headers": {"If-Match": '"9"'}}
    for path, method, content, id in (
        ("/bodies/{}", "PATCH", {"name_ko": "x"}, body),
        ("/bodies/{}/end", "POST", {"on": "2026-03-31", "reason": "끝"}, body),
        ("/bodies/{}/seats", "POST", {"seats": [asked_seat()]}, body),
        ("/seats/{}/end", "POST", {"on": "2026-03-31"}, seat),
    ):
        of = with_it if method == "PATCH" else {}
        absent = api.as_(by).request(method, path.format(ABSENT), json=content, **of)
        answer = api.as_(by).request(method, path.format(id), json=content, **of)
        assert (answer.status_code, answer.content) == (404, absent.content), path
    assert api.as_("city").get(f"/bodies/{body}").json() == before


def test_roles_without_an_entry_never_read_or_write_bodies(api: Api) -> None:
    id = entered(api)["id"]
    for username in (WORKER, PROVIDER, ASSESSOR):
        for path in ("/bodies", f"/bodies/{id}"):
            assert refusal(api.as_(username).get(path)) == (403, "forbidden"), username
        assert refusal(api.as_(username).post("/bodies", {})) == (403, "forbidden")
    for path in ("/bodies", f"/bodies/{id}/end", f"/bodies/{id}/seats"):
        assert refusal(api.as_("auditor").post(path, {})) == (403, "forbidden")


def test_a_supervisor_enters_and_ends_bodies_of_the_own_district_only(api: Api) -> None:
    for area in ("city", OTHER_DISTRICT):
        wrong = api.as_(SUPERVISOR).post(
            "/bodies", {"kind": "unit", "name_ko": "가상팀", "area": area}
        )
        assert refusal(wrong) == (403, "district_out_of_scope"), area
    own = entered(api, SUPERVISOR, kind="unit", area=DISTRICT)
    assert own["allowed_actions"] == ["add_seats", "change", "end"]
    renamed = patched(api, SUPERVISOR, own["id"], {"name_ko": "돌봄정책과"})
    assert (renamed.json()["name"], renamed.json()["version"]) == ("돌봄정책과", 2)


@pytest.mark.both_stores
def test_an_area_has_one_council_and_each_district_its_own(api: Api) -> None:
    entered(api, kind="council")
    entered(api, kind="council", area=DISTRICT)
    entered(api, kind="council", area=OTHER_DISTRICT)
    second = {"kind": "council", "name_ko": "둘째", "area": DISTRICT}
    assert refusal(api.as_(SUPERVISOR).post("/bodies", second)) == (409, "body_exists")
    (old,) = api.as_("city").items("/bodies", kind="council", area=DISTRICT)
    ended = api.as_("city").post(
        f"/bodies/{old['id']}/end", {"on": "2026-03-31", "reason": "임기 만료"}
    )
    assert ended.json()["valid_to"] == "2026-03-31"
    for day, expected in (("2026-03-31", 409), ("2026-04-01", 201)):
        answer = api.as_(SUPERVISOR).post("/bodies", second | {"valid_from": day})
        assert answer.status_code == expected, answer.text
    later = {"on": "2026-04-01", "reason": "연장"}
    again = api.as_("city").post(f"/bodies/{old['id']}/end", later)
    assert refusal(again) == (409, "body_exists")


def test_bodies_are_asked_for_by_kind_by_area_and_by_day(api: Api) -> None:
    old = entered(api, kind="forum", valid_from="2025-10-23")["id"]
    new = entered(api, kind="unit", area=DISTRICT, valid_from="2026-03-02")["id"]
    api.as_("city").post(f"/bodies/{old}/end", {"on": "2026-03-10", "reason": "끝"})
    assert listed(api, "city", kind="forum") == {old}
    assert listed(api, "city", area=DISTRICT) == {new}
    assert listed(api, "city", area="city") == {old}
    for day, expected in (
        ("2025-10-22", set()), ("2025-10-23", {old}), ("2026-03-01", {old}),
        ("2026-03-02", {old, new}), ("2026-03-10", {old, new}), ("2026-03-11", {new}),
    ):  # fmt: skip
        assert listed(api, "city", on=day) == expected, day
    wrong = api.as_("city").get("/bodies", params={"area": "99999"})
    assert refusal(wrong) == (422, "unknown_district")
    assert fields_of(api.as_("city").get("/bodies", params={"kind": "club"})) == ["kind"]
    page = api.as_("city").get("/bodies", params={"limit": 1}).json()
    assert (len(page["items"]), page["next_cursor"] is None) == (1, False)


def test_what_is_sent_is_checked(api: Api) -> None:
    body = {"kind": "section", "name_ko": "가상과", "area": "city"}
    gone = entered(api, valid_from="2026-01-01")["id"]
    api.as_("city").post(f"/bodies/{gone}/end", {"on": "2026-02-28", "reason": "끝"})
    for facts, expected, field in (
        ({"area": "99999"}, (422, "unknown_district"), "area"),
        ({"services": ["NO-SUCH"]}, (422, "unknown_service"), "services"),
        ({"kind": "partner", "provider_id": ABSENT}, (422, "unknown_provider"), "provider_id"),
        ({"provider_id": str(api.providers["alpha"].id)}, (422, "not_a_partner"), "provider_id"),
        ({"parent_id": ABSENT}, (422, "parent_invalid"), "parent_id"),
        ({"parent_id": gone}, (422, "body_not_in_force"), "parent_id"),
        ({"name_ko": "담당 900101-1234567"}, (422, "personal_data"), "name_ko"),
        ({"valid_from": "2029-03-06"}, (422, "date_too_far"), "valid_from"),
    ):
        answer = api.as_("city").post("/bodies", body | facts)
        assert (refusal(answer), fields_of(answer)) == (expected, [field]), facts
    for wrong, where in (
        ({"resident_id": ABSENT}, "resident_id"),
        ({"fields": ["sport"]}, "fields.0"),
        ({"rules": {"quorum": {"value": "half", "basis": "조례"}}}, "rules.quorum.value"),
        ({"rules": {"quorum": {"value": 3}}}, "rules.quorum.basis"),
        ({"kind": "club"}, "kind"),
    ):
        answer = api.as_("city").post("/bodies", body | wrong)
        assert answer.status_code == 422, answer.text
        assert all(one.startswith(where) for one in fields_of(answer)), answer.text


def test_a_change_says_which_version_was_seen(api: Api) -> None:
    id = entered(api)["id"]
    assert refusal(api.as_("city").patch(f"/bodies/{id}", {"name_ko": "x"})) == (
        428,
        "precondition_required",
    )
    assert refusal(patched(api, "city", id, {"name_ko": "x"}, version=2)) == (412, "stale")
    seated(api, id)  # a seat is a change of its body too
    assert refusal(patched(api, "city", id, {"name_ko": "x"})) == (412, "stale")
    assert patched(api, "city", id, {"name_ko": "x"}, version=2).json()["version"] == 3
    same = patched(api, "city", id, {"name_ko": "x"}, version=3)
    assert same.json()["version"] == 3
    old = {"headers": {"If-Match": '"1"'}}
    for path, body in (
        (f"/bodies/{id}/end", {"on": "2026-03-31", "reason": "끝"}),
        (f"/bodies/{id}/seats", {"seats": [asked_seat()]}),
    ):
        assert refusal(api.as_("city").post(path, body, **old)) == (412, "stale"), path


def test_what_is_left_out_of_a_change_stays_and_a_null_rule_is_the_default_again(api: Api) -> None:
    rules = {"quorum": {"value": 3, "basis": ORDINANCE}, "deputies": {"value": True, "basis": "x"}}
    id = entered(api, kind="council", rules=rules, fields=["care"], name_en="One")["id"]
    after = patched(
        api, "city", id, {"rules": {"quorum": None}, "fields": [], "services": ["MED-VISIT"]}
    ).json()
    assert (after["rules"]["quorum"]["value"], after["rules"]["deputies"]["value"]) == (
        "majority",
        True,
    )
    assert (after["name_en"], after["fields"], after["services"]) == ("One", [], ["MED-VISIT"])
    assert patched(api, "city", id, {"name_en": None}, version=2).json()["name_en"] is None
    again = patched(api, "city", id, {"kind": "forum"}, version=3)
    assert fields_of(again) == ["kind"]


@pytest.mark.both_stores
def test_one_body_of_an_area_answers_for_a_service_until_it_ends(api: Api) -> None:
    first = entered(api, fields=["care"], services=["MED-VISIT"])["id"]
    entered(api, kind="unit", area=DISTRICT, fields=["care"])
    wanted = {"kind": "section", "name_ko": "둘째과", "area": "city", "fields": ["care"]}
    assert refusal(api.as_("city").post("/bodies", wanted)) == (409, "answered_elsewhere")
    other = entered(api)["id"]
    taken = patched(api, "city", other, {"services": ["MED-VISIT"]})
    assert refusal(taken) == (409, "answered_elsewhere")
    api.as_("city").post(f"/bodies/{first}/end", {"on": "2026-03-10", "reason": "끝"})
    for day, expected in (("2026-03-10", 409), ("2026-03-11", 201)):
        answer = api.as_("city").post("/bodies", wanted | {"valid_from": day})
        assert answer.status_code == expected, answer.text


def test_a_body_ends_with_its_seats_and_names_who_takes_over(api: Api) -> None:
    taker = entered(api)["id"]
    id = entered(api, kind="council", valid_from="2026-01-01")["id"]
    seated(api, id, {}, {"from": "2026-04-15"}, {"to": "2026-03-05"})
    for facts, code in (
        ({"hand_to": ABSENT}, "unknown_body"), ({"hand_to": id}, "wrong_area"),
        ({"on": "2025-12-31"}, "date_too_early"), ({"on": "2029-03-06"}, "date_too_far"),
    ):  # fmt: skip
        answer = api.as_("city").post(
            f"/bodies/{id}/end", {"on": "2026-03-31", "reason": "개편"} | facts
        )
        assert refusal(answer) == (422, code), facts
    ended = (
        api.as_("city")
        .post(f"/bodies/{id}/end", {"on": "2026-03-31", "reason": "개편", "hand_to": taker})
        .json()
    )
    assert (ended["valid_to"], ended["end_reason"]) == ("2026-03-31", "개편")
    assert ended["handed_to_id"] == taker
    assert sorted(one["to"] for one in ended["seats"]) == ["2026-03-05", "2026-03-31"]
    api.clock.set("2026-04-01T09:00")
    over = api.as_("city").get(f"/bodies/{id}").json()
    assert (over["in_force"], over["allowed_actions"]) == (False, [])
    assert id not in listed(api, "city")
    for answer in (
        patched(api, "city", id, {"name_ko": "x"}, over["version"]),
        api.as_("city").post(f"/bodies/{id}/seats", {"seats": [asked_seat()]}),
        api.as_("city").post(f"/bodies/{id}/end", {"on": "2026-04-02", "reason": "x"}),
    ):
        assert refusal(answer) == (409, "not_allowed_in_state")


def test_a_repeated_request_enters_a_body_and_its_seats_once(api: Api) -> None:
    body = {"kind": "section", "name_ko": "가상과", "area": "city"}
    key = {"headers": {"Idempotency-Key": "one-body"}}
    first, again = (api.as_("city").post("/bodies", body, **key) for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    seats = {"seats": [asked_seat()]}
    key = {"headers": {"Idempotency-Key": "one-seat"}}
    for _ in range(2):
        answer = api.as_("city").post(f"/bodies/{first.json()['id']}/seats", seats, **key)
        assert (answer.status_code, len(answer.json()["seats"])) == (201, 1)


def _rows(api: Api, query: Any) -> list[Any]:
    with api.engine.connect() as connection:
        return list(connection.execute(query))


def test_what_happens_to_a_body_is_recorded_without_a_name(api: Api) -> None:
    id = entered(api, SUPERVISOR, kind="council", area=DISTRICT)["id"]
    patched(api, SUPERVISOR, id, {"name_ko": "새 이름"})
    body = seated(api, id, {"name": "가상이름"}, {"name": "가상이름"}, by=SUPERVISOR)
    api.as_(SUPERVISOR).post(f"/seats/{body['seats'][0]['id']}/end", {"on": "2026-03-09"})
    api.as_(SUPERVISOR).post(f"/bodies/{id}/end", {"on": "2026-03-31", "reason": "끝"})
    events = _rows(api, select(t.event).where(t.event.c.subject_id == UUID(id)))
    assert sorted(one.name for one in events) == [
        "BodyAdded", "BodyChanged", "BodyEnded", "SeatAdded", "SeatAdded", "SeatEnded",
        "SeatEnded",
    ]  # fmt: skip
    assert {one.subject_type for one in events} == {"body"}
    assert "가상이름" not in repr([one.data for one in events])
    entries = _rows(api, select(t.audit_entry).where(t.audit_entry.c.action == "body.write"))
    assert len(entries) == 5
    assert {(one.district_code, one.outcome) for one in entries} == {(DISTRICT, "ok")}
    entered(api)
    citys = [
        one.district_code
        for one in _rows(api, select(t.audit_entry).where(t.audit_entry.c.action == "body.write"))
    ]
    assert citys.count(None) == 1


def test_what_others_answered_for_meanwhile_is_not_taken_over_by_a_later_end(api: Api) -> None:
    first = entered(api, fields=["care"])["id"]
    city = api.as_("city")
    city.post(f"/bodies/{first}/end", {"on": "2026-03-05", "reason": "개편"})
    second = entered(api, fields=["care"], valid_from="2026-03-06")["id"]
    city.post(f"/bodies/{second}/end", {"on": "2026-03-10", "reason": "개편"})
    longer = city.post(f"/bodies/{first}/end", {"on": "2026-03-12", "reason": "연장"})
    assert refusal(longer) == (409, "answered_elsewhere")


@pytest.mark.both_stores
def test_bodies_never_stand_in_a_ring_however_long(api: Api) -> None:
    line = [entered(api, kind="team")["id"] for _ in range(11)]
    for low, top in pairwise(line[1:]):
        assert patched(api, "city", low, {"parent_id": top}).status_code == 200
    assert patched(api, "city", line[10], {"parent_id": line[0]}).status_code == 200
    ring = patched(api, "city", line[0], {"parent_id": line[1]})
    assert refusal(ring) == (422, "parent_invalid")


def test_a_seat_that_was_to_come_leaves_a_trace_when_its_body_ends_before(api: Api) -> None:
    id = entered(api, kind="forum")["id"]
    body = seated(api, id, {"from": "2026-04-15", "part": "chair"})
    api.as_("city").post(f"/bodies/{id}/end", {"on": "2026-03-31", "reason": "개편"})
    assert api.as_("city").get(f"/bodies/{id}").json()["seats"] == []
    (event,) = _rows(api, select(t.event).where(t.event.c.name == "SeatEnded"))
    assert event.data["seat_id"] == body["seats"][0]["id"]
    assert event.data["on"] == "2026-03-31"
