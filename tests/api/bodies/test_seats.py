"""Seats over the API: terms, chairs, accounts, numbers, and names that are shown no longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.asking import fields_of, refusal
from tests.api.bodies.acts import ORDINANCE, asked_seat, entered, seated
from tests.api.conftest import (
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    SUPERVISOR,
    Api,
)

ABSENT = "01900000-0000-7000-8000-000000000000"


def test_seats_are_given_together_and_read_back(api: Api) -> None:
    council = entered(api, kind="council", valid_from="2026-02-10")["id"]
    body = seated(
        api, council,
        {"name": "부구청장", "part": "chair", "by": "ex_officio", "from": "2026-02-10"},
        {"part": "vice_chair", "from": "2026-02-10"},
        {"part": "secretary", "to": "2026-05-01"},
    )  # fmt: skip
    told = [(one["part"], one["by"], one["from"], one["to"]) for one in body["seats"]]
    assert told == [
        ("chair", "ex_officio", "2026-02-10", None),
        ("vice_chair", "appointed", "2026-02-10", "2028-02-09"),
        ("secretary", "appointed", "2026-03-02", "2026-05-01"),
    ]
    assert [one["ends_soon"] for one in body["seats"]] == [False, False, True]
    assert api.as_("auditor").get(f"/bodies/{council}").json()["seats"] == body["seats"]


@pytest.mark.both_stores
def test_of_seats_that_are_refused_none_is_given(api: Api) -> None:
    rules = {"seats": {"min": 1, "max": 2, "basis": ORDINANCE}}
    council = entered(api, kind="council", rules=rules)["id"]
    mine = {"account_id": str(api.id_of("city"))}
    chair = {"part": "chair"}
    for seats, expected in (
        ([{}, {}, {}], (422, "too_many_seats")),
        ([chair, chair], (409, "seat_taken")),
        ([mine, mine], (409, "account_seated")),
        ([{}, {"account_id": ABSENT}], (422, "unknown_account")),
        ([{}, {"name": "담당 900101-1234567"}], (422, "personal_data")),
        ([{}, {"to": "2026-03-01"}], (422, "date_too_early")),
        ([{}, {"to": "2028-03-02"}], (422, "term_exceeded")),
        ([{}, {"from": "2026-03-01"}], (422, "body_not_in_force")),
    ):
        answer = api.as_("city").post(
            f"/bodies/{council}/seats", {"seats": [asked_seat(**one) for one in seats]}
        )
        assert refusal(answer) == expected, seats
    assert api.as_("city").get(f"/bodies/{council}").json()["seats"] == []
    assert len(seated(api, council, chair, mine)["seats"]) == 2
    again = api.as_("city").post(f"/bodies/{council}/seats", {"seats": [asked_seat(**chair)]})
    assert refusal(again) == (422, "too_many_seats")


def test_sixty_seats_are_given_at_once_and_not_one_more(api: Api) -> None:
    forum = entered(api, kind="forum")["id"]
    assert len(seated(api, forum, *[{}] * 60)["seats"]) == 60
    many = {"seats": [asked_seat()] * 61}
    assert fields_of(api.as_("city").post(f"/bodies/{forum}/seats", many)) == ["seats"]
    assert fields_of(api.as_("city").post(f"/bodies/{forum}/seats", {"seats": []})) == ["seats"]


def test_a_chair_follows_another_on_the_day_after(api: Api) -> None:
    council = entered(api, kind="council")["id"]
    (first,) = seated(api, council, {"part": "chair"})["seats"]
    ended = api.as_("city").post(f"/seats/{first['id']}/end", {"on": "2026-03-20"})
    assert (ended.json()["id"], ended.json()["seats"][0]["to"]) == (council, "2026-03-20")
    for day, expected in (("2026-03-20", 409), ("2026-03-21", 201)):
        wanted = {"seats": [asked_seat(part="chair", **{"from": day})]}
        answer = api.as_("city").post(f"/bodies/{council}/seats", wanted)
        assert answer.status_code == expected, answer.text
    longer = api.as_("city").post(f"/seats/{first['id']}/end", {"on": "2026-03-21"})
    assert refusal(longer) == (422, "after_its_end")
    assert refusal(api.as_("city").post(f"/seats/{ABSENT}/end", {"on": "2026-03-21"})) == (
        404,
        "not_found",
    )


@pytest.mark.both_stores
def test_a_supervisor_seats_accounts_of_the_own_district_and_finds_no_others(api: Api) -> None:
    own = entered(api, SUPERVISOR, kind="unit", area=DISTRICT)["id"]
    seated(api, own, {"account_id": str(api.id_of(SUPERVISOR))}, by=SUPERVISOR)
    answers = [
        api.as_(SUPERVISOR).post(f"/bodies/{own}/seats", {"seats": [asked_seat(account_id=id)]})
        for id in (ABSENT, str(api.id_of(FAR_SUPERVISOR)), str(api.id_of("city")))
    ]
    assert {refusal(one) for one in answers} == {(422, "unknown_account")}
    assert len({one.content for one in answers}) == 1
    citys = entered(api, kind="forum")["id"]
    both = [{"account_id": str(api.id_of(one))} for one in (FAR_SUPERVISOR, PROVIDER, "city")]
    assert len(seated(api, citys, *both)["seats"]) == 3


def test_the_seats_of_a_day_are_those_that_were_held_on_it(api: Api) -> None:
    forum = entered(api, kind="forum", valid_from="2026-02-01")["id"]
    seated(api, forum, {"name": "먼저", "from": "2026-02-01", "to": "2026-03-10"},
           {"name": "나중", "from": "2026-03-11"})  # fmt: skip
    for day, expected in (
        ("2026-02-01", ["먼저"]), ("2026-03-10", ["먼저"]), ("2026-03-11", ["나중"]),
    ):  # fmt: skip
        (body,) = api.as_("city").items("/bodies", on=day)
        assert [(one["name"], one["in_force"]) for one in body["seats"]] == [
            (name, True) for name in expected
        ]
    body = api.as_("city").get(f"/bodies/{forum}").json()
    assert [(one["name"], one["in_force"]) for one in body["seats"]] == [
        ("먼저", True), ("나중", False),
    ]  # fmt: skip


def test_a_name_is_shown_until_five_years_after_the_seat_ended(api: Api) -> None:
    forum = entered(api, kind="forum", valid_from="2020-01-01")["id"]
    seated(api, forum, {"from": "2020-01-01", "to": "2021-03-04"})
    for now, name in (
        ("2026-03-03T09:00", "가상 위원"), ("2026-03-04T23:59", "가상 위원"),
        ("2026-03-05T00:00", None),
    ):  # fmt: skip
        api.clock.set(now)
        (body,) = api.as_("auditor").items("/bodies", on="2021-03-04")
        (seat,) = body["seats"]
        assert (seat["name"], seat["is_masked"]) == (name, name is None), now
        assert seat["agency"] == "가상 기관"


def test_an_installation_says_for_how_long_names_are_shown(api: Api) -> None:
    forum = entered(api, kind="forum", valid_from="2020-01-01")["id"]
    seated(api, forum, {"from": "2020-01-01", "to": "2026-02-27"})
    app = api.client.app
    app.state.services = replace(app.state.services, seat_names_years=0)  # type: ignore[attr-defined]
    (body,) = api.as_("city").items("/bodies", on="2026-02-27")
    assert body["seats"][0]["name"] is None


def test_a_far_districts_seats_stay_out_of_sight(api: Api) -> None:
    far = entered(api, FAR_SUPERVISOR, kind="council", area=OTHER_DISTRICT)["id"]
    seated(api, far, {"name": "먼위원"}, by=FAR_SUPERVISOR)
    assert "먼위원" not in api.as_(SUPERVISOR).get("/bodies").text
    assert "먼위원" in api.as_("city").get("/bodies").text


def test_with_a_name_the_account_is_shown_no_longer(api: Api) -> None:
    forum = entered(api, kind="forum", valid_from="2020-01-01")["id"]
    account = str(api.id_of("city"))
    seated(api, forum, {"from": "2020-01-01", "to": "2021-03-04", "account_id": account})
    for now, expected in (("2026-03-04T23:59", account), ("2026-03-05T00:00", None)):
        api.clock.set(now)
        (body,) = api.as_("auditor").items("/bodies", on="2021-03-04")
        assert body["seats"][0]["account_id"] == expected, now


@pytest.mark.both_stores
def test_in_a_districts_body_nobody_of_another_district_has_a_seat(api: Api) -> None:
    unit = entered(api, kind="unit", area=DISTRICT)["id"]
    far = {"seats": [asked_seat(account_id=str(api.id_of(FAR_SUPERVISOR)))]}
    none = {"seats": [asked_seat(account_id=ABSENT)]}
    answers = [api.as_("city").post(f"/bodies/{unit}/seats", one) for one in (far, none)]
    assert refusal(answers[0]) == (422, "unknown_account")
    assert answers[0].content == answers[1].content
    both = [{"account_id": str(api.id_of(one))} for one in (SUPERVISOR, "city")]
    assert len(seated(api, unit, *both)["seats"]) == 2
