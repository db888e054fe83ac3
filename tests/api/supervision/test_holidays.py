"""The calendar: which days are closed, declaring one, and the clocks it moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.workflows.cases import caseload
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.supervision import standards
from tests.api.acts import a_case, a_referral, a_supported_case, clock, moved
from tests.api.asking import check_wrong, fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)
from tests.api.recounting import audited, due, events, planned, shipped, stored, why

TUESDAY = "2026-03-03T10:00"  # five working days end on Tuesday, 10 March
MEMORIAL = {"on": "2026-03-06", "closed": True, "name": "지역 추모일"}


def declared(api: Api, by: str = "admin", **facts: Any) -> dict[str, Any]:
    """Declare a day, usually Friday, 6 March, as a holiday everywhere."""
    answer = api.as_(by).post("/holidays", MEMORIAL | facts)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def a_survey(api: Api, at: str = TUESDAY, by: str = WORKER) -> UUID:
    """A clock of five working days."""
    api.clock.set(at)
    return clock(api, "survey", a_case(api, by))


def days(api: Api, by: str = WORKER, **params: Any) -> dict[str, dict[str, Any]]:
    """The calendar by day."""
    return {one["on"]: one for one in api.as_(by).items("/holidays", **params)}


# Reading the calendar


def test_everyone_who_is_signed_in_reads_the_calendar(api: Api) -> None:
    assert refusal(api.client.get(f"{BASE}/holidays")) == (401, "unauthenticated")
    for username in (WORKER, SUPERVISOR, ASSESSOR, PROVIDER, "city", "auditor", "admin"):
        found = days(api, username, year=2026)
        assert found["2026-09-25"]["name"] == "추석"
        assert found["2026-09-25"]["name_en"] == "Chuseok"
        assert found["2026-03-02"]["closed"] is True
        assert "2026-03-03" not in found


def test_without_a_year_it_is_this_year_and_pages_come_in_order(api: Api) -> None:
    paged = api.as_(WORKER).items("/holidays", limit=4)
    assert [one["on"] for one in paged] == sorted(days(api, year=2026))
    api.clock.set("2027-05-01T10:00")
    assert set(days(api)) == set(days(api, year=2027))
    assert "2027-02-09" in days(api)


@pytest.mark.parametrize(
    ("year", "known"), [(2014, False), (2015, True), (2045, True), (2046, False)]
)
def test_the_calendar_says_nothing_of_years_it_does_not_know(
    api: Api, year: int, known: bool
) -> None:
    answer = api.as_(WORKER).get("/holidays", params={"year": year})
    assert answer.status_code == (200 if known else 422)
    if not known:
        assert fields_of(answer) == ["year"]


def test_the_calendar_of_an_unknown_district_is_refused(api: Api) -> None:
    answer = api.as_(WORKER).get("/holidays", params={"district": "99999"})
    assert refusal(answer) == (422, "unknown_district")


def test_a_declared_day_stands_in_the_calendar_and_one_taken_off_says_so(api: Api) -> None:
    made = declared(api)
    assert (made["on"], made["closed"], made["name"]) == ("2026-03-06", True, "지역 추모일")
    assert days(api, year=2026)["2026-03-06"]["id"] == made["id"]
    declared(api, on="2026-03-02", closed=False, name="삼일절 대체 휴일")
    assert days(api, year=2026)["2026-03-02"]["closed"] is False


def test_a_district_reads_its_own_word_on_a_day_and_others_do_not(api: Api) -> None:
    declared(api, SUPERVISOR, district_code=DISTRICT, name="해운대 축제")
    assert days(api, year=2026, district=DISTRICT)["2026-03-06"]["name"] == "해운대 축제"
    assert "2026-03-06" not in days(api, year=2026, district=OTHER_DISTRICT)
    assert "2026-03-06" not in days(api, year=2026)
    declared(api)
    assert days(api, year=2026, district=DISTRICT)["2026-03-06"]["name"] == "해운대 축제"
    assert days(api, year=2026)["2026-03-06"]["name"] == "지역 추모일"


# Who may declare


def test_only_administrator_and_supervisor_declare_and_nothing_changes(api: Api) -> None:
    before = stored(api)
    assert refusal(api.client.post(f"{BASE}/holidays", json=MEMORIAL)) == (401, "unauthenticated")
    for username in (WORKER, ASSESSOR, PROVIDER, "city", "auditor"):
        assert refusal(api.as_(username).post("/holidays", MEMORIAL)) == (403, "forbidden")
    assert stored(api) == before


def test_a_supervisor_declares_for_the_own_district_and_no_other(api: Api) -> None:
    before = stored(api)
    for scope in ({}, {"district_code": None}, {"district_code": OTHER_DISTRICT}):
        answer = api.as_(SUPERVISOR).post("/holidays", MEMORIAL | scope)
        assert refusal(answer) == (403, "district_out_of_scope")
    assert stored(api) == before
    declared(api, SUPERVISOR, district_code=DISTRICT)


def test_what_cannot_be_a_holiday_is_refused_by_its_field(api: Api) -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"on": "2026-02-30"}, "on"),
        ({"on": "2014-12-31"}, "on"),
        ({"on": "2046-01-01"}, "on"),
        ({"on": "03.06.2026"}, "on"),
        ({"on": 20260306}, "on"),
        ({"closed": "yes"}, "closed"),
        ({"closed": None}, "closed"),
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"district_code": "99999"}, "district_code"),
        ({"year": 2026}, "year"),
    ]
    check_wrong(api, lambda wrong: api.as_("admin").post("/holidays", MEMORIAL | wrong), wrongs)


# The clocks it touches


def test_a_holiday_inside_a_running_clock_moves_it_and_its_steps_and_says_which(api: Api) -> None:
    survey = a_survey(api)
    assert due(api, survey) == "2026-03-10T23:59:59+09:00"
    assert planned(api, survey) == {
        -1: "03-09T09:00", 0: "03-11T00:00", 1: "03-11T09:00", 2: "03-13T09:00",
    }  # fmt: skip
    made = declared(api)
    assert made["recounted"] == [
        {
            "id": str(survey),
            "kind": "survey",
            "due_at": {
                "before": "2026-03-10T23:59:59+09:00",
                "after": "2026-03-11T23:59:59+09:00",
            },
            "standard_id": str(shipped(api, "survey")),
            "cancelled": False,
        }
    ]
    assert (made["changed"], made["replanned"], made["failed"]) == (1, 0, 0)
    assert due(api, survey) == "2026-03-11T23:59:59+09:00"
    assert planned(api, survey) == {
        -1: "03-10T09:00", 0: "03-12T00:00", 1: "03-12T09:00", 2: "03-16T09:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("on", "after"),
    [
        ("2026-03-03", None),  # the day it began is not counted
        ("2026-03-04", "2026-03-11"),
        ("2026-03-07", None),  # a Saturday is left out already
        ("2026-03-09", "2026-03-11"),
        ("2026-03-10", "2026-03-11"),  # the due day itself
        ("2026-03-11", None),  # the day after
    ],
)
def test_it_touches_a_clock_from_the_day_after_its_start_to_its_due_day(
    api: Api, on: str, after: str | None
) -> None:
    survey = a_survey(api)
    made = declared(api, on=on)
    assert [one["id"] for one in made["recounted"]] == ([str(survey)] if after else [])
    assert due(api, survey).startswith(after or "2026-03-10")


@pytest.mark.parametrize(
    ("on", "replanned"), [("2026-03-11", 1), ("2026-03-13", 1), ("2026-03-16", 0)]
)
def test_a_step_does_not_stand_on_a_day_that_was_closed_meanwhile(
    api: Api, on: str, replanned: int
) -> None:
    survey = a_survey(api)  # tier 1 on the 11th, tier 2 on the 13th
    before = planned(api, survey)
    made = declared(api, on=on)
    assert (made["recounted"], made["replanned"]) == ([], replanned)
    assert (planned(api, survey) != before) is bool(replanned)
    assert not [at for tier, at in planned(api, survey).items() if tier > 0 and at[:5] == on[5:]]


def test_a_day_taken_off_the_list_counts_again(api: Api) -> None:
    survey = a_survey(api)
    first = declared(api)
    again = declared(api, closed=False)
    assert again["id"] == first["id"]
    assert again["recounted"][0]["due_at"] == {
        "before": "2026-03-11T23:59:59+09:00", "after": "2026-03-10T23:59:59+09:00",
    }  # fmt: skip
    assert due(api, survey) == "2026-03-10T23:59:59+09:00"


def test_a_holiday_of_the_law_can_be_taken_off(api: Api) -> None:
    survey = a_survey(api, "2026-09-22T10:00")
    assert due(api, survey).startswith("2026-10-01")
    declared(api, on="2026-09-24", closed=False, name="추석 전날")
    assert due(api, survey).startswith("2026-09-30")


def test_the_same_day_again_replaces_what_was_said_and_moves_nothing_twice(api: Api) -> None:
    survey = a_survey(api)
    assert api.as_("admin").post("/holidays", MEMORIAL).status_code == 201
    again = api.as_("admin").post("/holidays", MEMORIAL | {"name": "추모일"})
    assert again.status_code == 200
    assert (again.json()["recounted"], again.json()["replanned"]) == ([], 0)
    assert due(api, survey).startswith("2026-03-11")
    with api.engine.connect() as connection:
        assert connection.scalars(select(t.holiday_override.c.name)).all() == ["추모일"]


def test_a_holiday_of_a_district_leaves_the_others_as_they_are(api: Api) -> None:
    here, there = a_survey(api), a_survey(api, by=STRANGER)
    before = due(api, there, STRANGER), planned(api, there)
    made = declared(api, SUPERVISOR, district_code=DISTRICT)
    assert [one["id"] for one in made["recounted"]] == [str(here)]
    assert (due(api, there, STRANGER), planned(api, there)) == before
    assert due(api, here).startswith("2026-03-11")


def test_one_everywhere_does_not_overrule_what_a_district_said_of_the_day(api: Api) -> None:
    here, there = a_survey(api), a_survey(api, by=STRANGER)
    declared(api, SUPERVISOR, district_code=DISTRICT, closed=False, name="해운대 정상 근무")
    made = declared(api)
    assert [one["id"] for one in made["recounted"]] == [str(there)]
    assert due(api, here).startswith("2026-03-10")


def test_clocks_that_begin_afterwards_count_by_it_at_once(api: Api) -> None:
    a_survey(api)
    declared(api)
    assert due(api, a_survey(api)).startswith("2026-03-11")


def test_a_clock_of_hours_goes_through_the_holiday(api: Api) -> None:
    api.clock.set("2026-03-05T15:00")
    answer = clock(api, "response", a_referral(api, priority="emergency"))
    before = due(api, answer), planned(api, answer)
    assert before[0] == "2026-03-05T19:00:00+09:00"
    assert str(answer) not in [one["id"] for one in declared(api)["recounted"]]
    assert (due(api, answer), planned(api, answer)) == before


def test_pauses_survive_and_a_day_inside_one_counts_once(api: Api) -> None:
    survey = a_survey(api)
    case = UUID(api.as_(WORKER).get(f"/deadlines/{survey}").json()["case_id"])
    until = seoul("2026-03-06T10:00").date()
    api.clock.set("2026-03-05T10:00")
    caseload.hold_case(api.context(WORKER), case, "hospitalised", until, None)
    assert due(api, survey).startswith("2026-03-12")  # the 5th and the 6th are left out
    assert declared(api)["recounted"] == []
    made = declared(api, on="2026-03-09", name="또 하루")
    assert made["recounted"][0]["due_at"]["after"].startswith("2026-03-13")
    explained = why(api, survey)
    assert [one["until"] for one in explained["pauses"]] == ["2026-03-06"]
    assert {"on": "2026-03-06", "why": "paused: hospitalised"} in explained["left_out"]
    assert {"on": "2026-03-09", "why": "또 하루"} in explained["left_out"]


def test_when_a_request_lapses_moves_with_the_calendar(api: Api) -> None:
    api.clock.set(TUESDAY)
    referral = a_referral(api)

    def lapses() -> str:
        with api.engine.connect() as connection:
            at = connection.scalar(select(t.referral.c.lapse_at).where(t.referral.c.id == referral))
        return str(at)

    assert lapses() == "2026-03-17 15:00:00+00:00"  # the midnight after the tenth working day
    made = declared(api, on="2026-03-12")
    assert made["recounted"] == []
    assert made["replanned"] == 2  # and the plan's notice, whose second tier is counted past it
    assert lapses() == "2026-03-18 15:00:00+00:00"


def test_an_ended_clock_is_left_as_it_ended(api: Api) -> None:
    api.clock.set(TUESDAY)
    referral = a_referral(api)
    answer = clock(api, "response", referral)
    moved(api, referral, "accept", PROVIDER)
    made = declared(api, on="2026-03-05")
    assert str(answer) not in [one["id"] for one in made["recounted"]]
    assert due(api, answer).startswith("2026-03-06")


def test_a_day_taken_off_that_puts_the_due_date_into_the_past_breaches_at_once(api: Api) -> None:
    survey = a_survey(api, "2026-09-22T10:00")
    api.clock.set("2026-10-01T10:00")
    assert api.as_(WORKER).get(f"/deadlines/{survey}").json()["overdue"] is False
    declared(api, on="2026-09-24", closed=False, name="추석 전날")
    shown = api.as_(WORKER).get(f"/deadlines/{survey}").json()
    assert (shown["overdue"], shown["breached_at"]) == (True, "2026-09-30T23:59:59+09:00")
    assert shown["due_at"] == shown["breached_at"]


# Audit entries


def test_the_clock_explains_the_day_and_the_recount_by_name_in_both_languages(api: Api) -> None:
    survey = a_survey(api)
    api.clock.set("2026-03-04T09:00")
    made = declared(api)
    explained = why(api, survey)
    assert {"on": "2026-03-06", "why": "지역 추모일"} in explained["left_out"]
    (recount,) = explained["recounts"]
    assert recount == {
        "at": "2026-03-04T09:00:00+09:00", "because": "holiday", "reason_id": made["id"],
        "on": "2026-03-06", "closed": True, "name": "지역 추모일",
        "due_at_before": "2026-03-10T23:59:59+09:00",
    }  # fmt: skip
    assert explained["basis"] == "city service target"
    assert explained["standard"]["kind"] == "survey"
    assert "2026-03-06 (지역 추모일) was declared closed" in explained["sentence"]
    korean = why(api, survey, language="ko")["sentence"]
    assert "2026-03-06(지역 추모일) 휴무일 지정" in korean


def test_a_clock_over_chuseok_names_chuseok(api: Api) -> None:
    explained = why(api, a_survey(api, "2026-09-22T10:00"))
    assert {"on": "2026-09-25", "why": "추석"} in explained["left_out"]
    assert "Chuseok" in explained["sentence"]
    assert explained["recounts"] == []


def test_what_was_declared_and_each_recount_stand_in_events_and_audit(api: Api) -> None:
    survey = a_survey(api)
    shown = api.as_(WORKER).get(f"/deadlines/{survey}").json()
    made = declared(api)
    (event,) = events(api, "HolidayDeclared")
    assert (event["on"], event["closed"], event["by"]) == ("2026-03-06", True, "admin")
    assert str(event["subject"]) == made["id"]
    (recount,) = events(api, "DeadlineRecounted")
    assert (recount["because"], recount["reason_id"]) == ("holiday", made["id"])
    assert recount["clocks"][0]["id"] == str(survey)
    assert "추모일" not in str(recount)
    timeline = api.as_(WORKER).items(f"/residents/{shown['resident_id']}/timeline")
    assert timeline[0]["event"] == "DeadlineRecounted"
    assert ("ok", [shown["resident_id"]]) in audited(api, "standard.write")


def test_the_case_and_its_etag_show_that_something_changed(api: Api) -> None:
    survey = a_survey(api)
    case = api.as_(WORKER).get(f"/deadlines/{survey}").json()["case_id"]
    before = api.as_(WORKER).get(f"/cases/{case}").headers["etag"]
    declared(api)
    assert api.as_(WORKER).get(f"/cases/{case}").headers["etag"] != before


def test_the_same_key_declares_once_and_answers_the_same(api: Api) -> None:
    a_survey(api)
    headers = {"Idempotency-Key": "a-day"}
    first = api.as_("admin").post("/holidays", MEMORIAL, headers=headers)
    after = stored(api)
    again = api.as_("admin").post("/holidays", MEMORIAL, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(first.json()["recounted"]) == 1
    assert stored(api) == after
    other = api.as_("admin").post("/holidays", MEMORIAL | {"closed": False}, headers=headers)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_one_case_that_cannot_be_recounted_stops_nobody_and_is_found_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = a_survey(api), a_survey(api)
    whose = api.as_(WORKER).get(f"/deadlines/{broken}").json()["case_id"]
    usual = standards._renew

    def breaking(ctx: Any, some: Mapping[UUID, Any], *rest: Any) -> Any:
        if whose in map(str, some):
            raise RuntimeError("broken")
        return usual(ctx, some, *rest)

    monkeypatch.setattr(standards, "_renew", breaking)
    made = declared(api)
    assert (made["changed"], made["failed"]) == (1, 1)
    assert [one["id"] for one in made["recounted"]] == [str(sound)]
    monkeypatch.setattr(standards, "_renew", usual)
    again = declared(api)
    assert [one["id"] for one in again["recounted"]] == [str(broken)]
    assert due(api, broken).startswith("2026-03-11")


def test_a_declaration_that_is_not_committed_never_happened(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_survey(api)
    before = stored(api)

    def fails(*_: Any) -> Work:
        raise RuntimeError("broken")

    monkeypatch.setattr(standards, "_begin", fails)
    assert api.as_("admin").post("/holidays", MEMORIAL).status_code == 500
    assert stored(api) == before


def test_plan_clocks_of_every_subject_are_counted(api: Api) -> None:
    api.clock.set(TUESDAY)
    supported = a_supported_case(api)
    link = clock(api, "link", supported.service)
    first_check = clock(api, "first_check", supported.case)
    made = declared(api, on="2026-06-03", name="이미 휴일")
    assert made["recounted"] == []
    made = declared(api, on=due(api, first_check)[:10], name="기한 당일")
    assert [one["kind"] for one in made["recounted"]] == ["first_check"]
    made = declared(api, on=due(api, link)[:10], name="기한 당일")
    assert "link" in [one["kind"] for one in made["recounted"]]


def test_a_far_supervisor_learns_nothing_of_clocks_elsewhere(api: Api) -> None:
    a_survey(api)
    made = declared(api, FAR_SUPERVISOR, district_code=OTHER_DISTRICT)
    assert (made["changed"], made["recounted"]) == (0, [])
