"""Figures: hand-counted, within scope, and without personal records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.bench.statements import statements
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.cases import caseload
from casework.workflows.planning import planning
from casework.workflows.supervision.reviews import review_deadline
from tests.api.acts import (
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    clock,
    make_room,
    moved,
    surveyed,
)
from tests.api.asking import ABSENT, fields_of, refusal
from tests.api.comparing import COMPARED
from tests.api.conftest import (
    ASSESSOR,
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

OF_CLOCKS = ("on_time", "late", "excused", "cancelled_late", "running", "overdue")
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def figures(api: Api, who: str = SUPERVISOR, /, **params: Any) -> dict[str, Any]:
    """The figures of March, unless others are asked for."""
    answer = api.as_(who).get(
        "/figures", params=MARCH | params if "month" not in params else params
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def row(answer: dict[str, Any], kind: str) -> dict[str, Any]:
    """The row of a clock; every value None where it has no row."""
    rows = [one for one in answer["clocks"] if one["kind"] == kind]
    assert len(rows) == 1, answer["clocks"]
    return dict(rows[0])


def group(answer: dict[str, Any], key: str) -> dict[str, Any]:
    """The group of a key."""
    (found,) = [one for one in answer["groups"] if one["key"] == key]
    return dict(found)


def review(api: Api, referral: UUID, **verdict: Any) -> None:
    """Decide about an overdue request."""
    review_deadline(
        api.context(SUPERVISOR), clock(api, "response", referral), ReviewDecision(**verdict)
    )


def answered(api: Api, referral: UUID, moment: str, by: str = PROVIDER) -> None:
    """The agency accepts at a moment."""
    api.clock.set(moment)
    moved(api, referral, "accept", by)


@pytest.fixture
def march(api: Api) -> dict[str, UUID]:
    """Seven requests of 3 March, due on the 6th, that each ended in another way.

    Working days: two (accepted on Thursday the 5th), six (on the 11th, extended to then), four
    (on the 9th), eleven (lapsed on the 18th); the other three are excused, cancelled in time and
    cancelled too late.
    """
    api.clock.set("2026-03-03T10:00")
    names = ("soon", "extended", "late", "lapsed", "excused", "cancelled", "in_vain")
    found = {name: a_referral(api) for name in names}
    api.clock.set("2026-03-04T10:00")
    moved(api, found["cancelled"], "cancel", WORKER, reason="no_longer_needed")
    answered(api, found["soon"], "2026-03-05T10:00")
    api.clock.set("2026-03-09T09:00")
    review(api, found["excused"], action="chase", cause="other", reason="asked again")
    review(api, found["excused"], action="excuse", cause="provider_slow")
    day = api.context(SUPERVISOR).act.today
    review(api, found["extended"], action="extend", cause="no_capacity", until=day.replace(day=11))
    answered(api, found["late"], "2026-03-09T10:00")
    answered(api, found["excused"], "2026-03-10T10:00")
    moved(api, found["in_vain"], "cancel", WORKER, reason="redirected")
    answered(api, found["extended"], "2026-03-11T23:59:59")
    api.clock.set("2026-03-18T09:00")
    api.application.sweep(api.application.context())
    return found


# Hand-counted


def test_the_share_the_median_and_the_percentile_are_as_counted_by_hand(
    api: Api, march: dict[str, UUID]
) -> None:
    assert row(figures(api), "response") == {
        "kind": "response", "held_by": "provider", "ended": 4, "on_time": 2, "late": 2,
        "excused": 1, "cancelled_late": 1, "running": 0, "overdue": 0, "on_time_share": 0.5,
        "median_working_days": 5.0, "p90_working_days": 11,
    }  # fmt: skip


def test_everything_else_is_counted_too(api: Api, march: dict[str, UUID]) -> None:
    answer = figures(api)
    assert answer["applications"] == 7
    assert answer["plans"] == {"submitted": 7, "approved": 7, "returned": 0}
    assert {(one["field"], one["status"]): one["count"] for one in answer["referrals"]} == {
        ("care", "accepted"): 4, ("care", "cancelled"): 2, ("care", "lapsed"): 1,
    }  # fmt: skip
    assert answer["causes"] == [
        {"cause": "no_capacity", "count": 1},
        {"cause": "provider_slow", "count": 1},
    ]
    assert answer["people_served"] == 0
    assert row(answer, "survey")["median_working_days"] == 0
    providers = [one for one in answer["holders"] if one["held_by"] == "provider"]
    assert providers == [
        {"held_by": "provider", "ended": 4, "working_days": 23, "on_time_share": 0.5,
         "median_working_days": 5.0, "p90_working_days": 11}
    ]  # fmt: skip
    assert answer["scope"] == {
        "district": DISTRICT, "centre": None, "field": None, "provider": None,
        "under_five_hidden": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "on_time"),
    [("2026-03-06T23:59:58", True), ("2026-03-06T23:59:59", True), ("2026-03-07T00:00:00", False)],
)
def test_on_time_is_up_to_the_last_second_of_the_due_day(
    api: Api, moment: str, on_time: bool
) -> None:
    api.clock.set("2026-03-03T10:00")
    answered(api, a_referral(api), moment)
    assert row(figures(api), "response")["on_time"] == on_time
    assert row(figures(api), "response")["late"] == (not on_time)


def test_a_pause_is_left_out_of_the_time_that_something_took(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    api.clock.set("2026-03-04T10:00")
    until = api.context(WORKER).act.today.replace(day=10)
    caseload.hold_case(api.context(WORKER), supported.case, "hospitalised", until, None)
    answered(api, referral, "2026-03-12T10:00")  # 4 to 10 left out: the 11th and the 12th
    shown = row(figures(api), "response")
    assert (shown["on_time"], shown["median_working_days"]) == (1, 2.0)


def test_what_was_entered_in_error_was_never_there(api: Api, march: dict[str, UUID]) -> None:
    moved(api, march["late"], "enter-in-error", SUPERVISOR, reason="the wrong person")
    answer = figures(api)
    assert row(answer, "response")["late"] == 1
    assert {"field": "care", "status": "entered_in_error", "count": 1} in answer["referrals"]


def test_running_and_overdue_are_those_of_the_lists(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    referrals = [a_referral(api) for _ in range(3)]
    a_case(api)
    api.clock.set("2026-03-07T09:00")
    review(api, referrals[0], action="excuse", cause="other", reason="a flood")
    moved(api, referrals[1], "accept", PROVIDER)
    shown = api.as_(SUPERVISOR).items("/overdue")
    for by in (SUPERVISOR, WORKER):
        counted = {one["kind"]: one["overdue"] for one in figures(api, by)["clocks"]}
        assert counted == {kind: sum(one["kind"] == kind for one in shown) for kind in counted}
        assert counted["response"] == 2  # the excused one stays overdue
    assert row(figures(api), "start")["running"] == 1
    assert row(figures(api, PROVIDER), "response")["overdue"] == 2


def test_people_are_counted_once_however_many_services_they_get(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    supported = a_supported_case(api)
    for provider, by in (("alpha", PROVIDER), ("beta", OTHER_PROVIDER)):
        referral = a_referral(api, supported, provider)
        moved(api, referral, "accept", by)
        moved(api, referral, "start", by)
    assert figures(api)["people_served"] == 1
    by_provider = figures(api, by="provider")
    assert [one["people_served"] for one in by_provider["groups"]] == [1, 1]
    assert {one["name"] for one in by_provider["groups"]} == {"alpha 돌봄", "beta 돌봄"}
    assert group(figures(api, by="field"), "care")["people_served"] == 1


@pytest.mark.parametrize(
    ("since", "until", "served"),
    [("01", "09", 0), ("01", "10", 1), ("12", "12", 1), ("16", "31", 1), ("17", "31", 0)],
)
def test_someone_is_served_from_the_first_to_the_last_day_of_the_service(
    api: Api, since: str, until: str, served: int
) -> None:
    api.clock.set("2026-03-09T10:00")
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-18T10:00")
    today = api.context(PROVIDER).act.today
    moved(api, referral, "start", PROVIDER, started_on=today.replace(day=10))
    moved(api, referral, "complete", PROVIDER, outcome="ended_early",
          ended_on=today.replace(day=16))  # fmt: skip
    period = {"from": f"2026-03-{since}", "to": f"2026-03-{until}"}
    assert figures(api, **period)["people_served"] == served


def test_a_referral_stands_where_it_stood_when_the_period_was_over(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    referral = a_referral(api)
    api.clock.set("2026-03-04T10:00")
    moved(api, referral, "waitlist", PROVIDER)
    api.clock.set("2026-03-05T10:00")
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-09T10:00")
    today = api.context(PROVIDER).act.today
    moved(api, referral, "start", PROVIDER, started_on=today.replace(day=6))
    moved(api, referral, "hold", PROVIDER, reason="away", until=today.replace(day=12))
    api.clock.set("2026-03-10T10:00")
    stood = {}
    for day in (3, 4, 5, 6, 9, 10):
        answer = figures(api, **{"from": "2026-03-03", "to": f"2026-03-{day:02}"})
        (one,) = answer["referrals"]
        stood[day] = one["status"]
    assert stood == {
        3: "requested", 4: "waitlisted", 5: "accepted", 6: "in_progress", 9: "in_progress",
        10: "on_hold",
    }  # fmt: skip


# Months


@pytest.mark.parametrize(
    ("moment", "month"),
    [("2026-03-31T23:59:59", "2026-03"), ("2026-04-01T00:00:00", "2026-04")],
)
def test_a_month_ends_at_midnight_in_seoul(api: Api, moment: str, month: str) -> None:
    api.clock.set("2026-03-31T10:00")
    case = a_case(api)
    api.clock.set(moment)
    surveyed(api, case)
    months = {"from": "2026-03-01", "to": "2026-04-30", "by": "month"}
    ended = {
        one["key"]: [clock["ended"] for clock in one["clocks"] if clock["kind"] == "survey"]
        for one in figures(api, **months)["groups"]
    }
    assert ended == {"2026-03": [], "2026-04": []} | {month: [1]}
    for asked in ("2026-03", "2026-04"):
        shown = figures(api, month=asked)["clocks"]
        assert sum(one["ended"] for one in shown if one["kind"] == "survey") == (asked == month)


def test_the_groups_by_month_add_up_to_the_whole(api: Api, march: dict[str, UUID]) -> None:
    api.clock.set("2026-04-02T10:00")
    a_referral(api)
    answer = figures(api, **{"from": "2026-03-01", "to": "2026-04-02", "by": "month"})
    assert [one["key"] for one in answer["groups"]] == ["2026-03", "2026-04"]
    assert answer["applications"] == 8
    assert [one["applications"] for one in answer["groups"]] == [7, 1]
    assert row(group(answer, "2026-03"), "response")["ended"] == 4
    assert "running" not in row(group(answer, "2026-03"), "response")


# Scope


def test_a_worker_counts_a_centre_a_supervisor_a_district(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    for by, cases in ((WORKER, 3), (NEIGHBOUR, 2), (STRANGER, 1)):
        for _ in range(cases):
            a_case(api, by)
    assert {who: figures(api, who)["applications"] for who in
            (WORKER, NEIGHBOUR, STRANGER, SUPERVISOR, FAR_SUPERVISOR)} == {
        WORKER: 3, NEIGHBOUR: 2, STRANGER: 1, SUPERVISOR: 5, FAR_SUPERVISOR: 1,
    }  # fmt: skip
    by_centre = figures(api, by="centre")
    assert {one["key"]: one["applications"] for one in by_centre["groups"]} == {
        HERE: 3, NEXT_DOOR: 2,
    }  # fmt: skip
    assert group(by_centre, HERE)["name"]
    assert figures(api, centre=NEXT_DOOR)["applications"] == 2
    assert figures(api, district=DISTRICT)["applications"] == 5


def test_an_agency_counts_its_own_however_long_ago(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    ours, theirs = a_referral(api), a_referral(api, provider="beta")
    answered(api, ours, "2026-03-04T10:00")
    answered(api, theirs, "2026-03-04T11:00", OTHER_PROVIDER)
    moved(api, ours, "fail", PROVIDER, reason="provider_unable")
    api.clock.set("2026-06-01T10:00")
    answer = figures(api, PROVIDER)
    assert {one["kind"]: one["ended"] for one in answer["clocks"]} == {"response": 1}
    assert [one["status"] for one in answer["referrals"]] == ["failed"]
    assert (answer["applications"], answer["plans"], answer["unmet_needs"]) == (None, None, None)
    assert answer["scope"]["provider"] == str(api.providers["alpha"].id)
    assert answer == figures(api, PROVIDER, provider=str(api.providers["alpha"].id))


def test_outside_ones_scope_there_is_nothing(api: Api) -> None:
    beta = str(api.providers["beta"].id)
    for who, params in (
        (WORKER, {"district": OTHER_DISTRICT}), (WORKER, {"centre": NEXT_DOOR}),
        (SUPERVISOR, {"district": OTHER_DISTRICT}), (SUPERVISOR, {"centre": FAR}),
        (SUPERVISOR, {"centre": "1"}), (PROVIDER, {"provider": beta}),
        ("city", {"district": "99999"}),
    ):  # fmt: skip
        for path in ("/figures", "/unmet-needs", "/unmet-needs/summary", "/figures/cases"):
            if path == "/figures/cases" and who != SUPERVISOR:
                continue
            if "unmet" in path and (who == PROVIDER or (who, path) == ("city", "/unmet-needs")):
                continue
            more = {"figure": "late"} if path == "/figures/cases" else {}
            answer = api.as_(who).get(path, params=params | more)
            assert refusal(answer) == (404, "not_found"), (who, path, params)


def test_who_may_see_what(api: Api) -> None:
    roles = (WORKER, SUPERVISOR, ASSESSOR, PROVIDER, "city", "auditor", "admin")
    allowed = {
        "/figures": (WORKER, SUPERVISOR, PROVIDER, "city"),
        "/figures/months": (WORKER, SUPERVISOR, PROVIDER, "city"),
        "/figures/cases?figure=late": (SUPERVISOR,),
        "/unmet-needs": (WORKER, SUPERVISOR),
        "/unmet-needs/summary": (WORKER, SUPERVISOR, "city"),
    }
    for path, who in allowed.items():
        for role in roles:
            answer = api.as_(role).get(path)
            assert answer.status_code == (200 if role in who else 403), (role, path, answer.text)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2026-13-01"}, "from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2010-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "2021-01-01", "to": "2026-01-01", "by": "month"}, "to"),
        ({"month": "2026-13"}, "month"),
        ({"month": "2026-3"}, "month"),
        ({"month": "2026-03", "from": "2026-03-01"}, "month"),
        ({"by": "worker"}, "by"),
        ({"field": "gardening"}, "field"),
        ({"provider": "alpha"}, "provider"),
        ({"worker": "x"}, "worker"),
    ],
)
def test_what_cannot_be_asked_is_refused(api: Api, params: dict[str, str], field: str) -> None:
    assert fields_of(api.as_(SUPERVISOR).get("/figures", params=params)) == [field]


# The city


def test_the_city_sees_no_count_under_five(api: Api, drawn: Callable[[int], None]) -> None:
    drawn(2)
    api.clock.set("2026-03-03T10:00")
    for by, cases in ((WORKER, 8), (STRANGER, 4)):
        for _ in range(cases):
            a_case(api, by)
    assert figures(api, "city")["applications"] == 15
    assert figures(api, "city")["people_served"] is None
    assert figures(api, "city")["clocks"] == [], "what runs is not told"
    applied = {DISTRICT: 10, OTHER_DISTRICT: None}  # eight as ten, and four as five
    shown = figures(api, "city", by="district")
    assert {one["key"]: one["applications"] for one in shown["groups"]} == applied
    for district, count in applied.items():
        assert figures(api, "city", district=district)["applications"] == count
    a_case(api, STRANGER)
    of_five = figures(api, "city", district=OTHER_DISTRICT)["applications"]
    assert of_five is None, "nothing appears when there are five"


@pytest.mark.parametrize(("number", "shown"), [(0, None), (4, 5)])
def test_what_shows_nothing_has_no_row(
    api: Api, drawn: Callable[[int], None], number: int, shown: int | None
) -> None:
    drawn(number)
    api.clock.set("2026-03-03T10:00")
    a_case(api)
    told = figures(api, "city", by="district")
    assert (told["applications"], told["clocks"]) == (shown, [])
    assert [one["key"] for one in told["groups"]] == [DISTRICT] * (shown is not None)
    assert told["entered_late"] == []


def test_a_longer_period_is_the_sum_of_its_months(api: Api) -> None:
    for day in ("2026-03-03", "2026-04-03", "2026-05-04"):
        api.clock.set(f"{day}T10:00")
        for _ in range(3):
            a_case(api)
    whole = {"from": "2026-03-01", "to": "2026-05-31"}
    months = figures(api, "city", by="month", **whole)
    assert [one["key"] for one in months["groups"]] == ["2026-03", "2026-04", "2026-05"]
    counts = [one["applications"] or 0 for one in months["groups"]]
    assert (figures(api, "city", **whole)["applications"] or 0) == sum(counts)
    assert figures(api, "city", **whole) | {"as_of": ""} == figures(api, "city", **whole) | {
        "as_of": ""
    }, "the same draw each time"


def test_the_share_does_not_tell_the_city_what_is_hidden(
    api: Api, drawn: Callable[[int], None]
) -> None:
    drawn(2)
    api.clock.set("2026-03-03T10:00")
    make_room(api)
    referrals = [a_referral(api) for _ in range(7)]
    for one in referrals[:6]:
        answered(api, one, "2026-03-04T10:00")
    answered(api, referrals[6], "2026-03-09T10:00")
    shown = row(figures(api, "city"), "response")
    assert (shown["on_time"], shown["late"], shown["ended"]) == (5, None, None)
    assert shown["on_time_share"] is shown["median_working_days"] is None
    assert row(figures(api), "response")["on_time_share"] == 0.8571


def test_the_city_asks_in_whole_months_and_of_all(api: Api) -> None:
    city = api.as_("city")
    for params, field in (
        ({"from": "2026-03-02", "to": "2026-03-31"}, "from"),
        ({"from": "2026-03-01", "to": "2026-03-30"}, "from"),
        ({"centre": HERE}, "centre"), ({"field": "care"}, "field"),
        ({"district": DISTRICT, "by": "field"}, "by"), ({"by": "centre"}, "by"),
    ):  # fmt: skip
        answer = city.get("/figures", params=params)
        assert fields_of(answer) == [field], params
    assert city.get("/figures").status_code == 200


# Drill-down


def numbers(answer: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Every number of an answer, with the query that lists its cases."""
    found: list[tuple[dict[str, Any], int]] = [
        ({"figure": "applications"}, answer["applications"]),
        ({"figure": "people_served"}, answer["people_served"]),
        *(({"figure": f"plans_{name}"}, count) for name, count in answer["plans"].items()),
    ]
    for part in ("referrals", "causes", "unmet_needs"):
        for one in answer[part]:
            of = {name: value for name, value in one.items() if name != "count"}
            found.append(({"figure": part} | of, one["count"]))
    for one in answer["clocks"]:
        of = {"kind": one["kind"], "held_by": one["held_by"]}
        found += [({"figure": figure} | of, one[figure]) for figure in OF_CLOCKS]
    return found


def test_behind_every_number_are_as_many_rows(api: Api, march: dict[str, UUID]) -> None:
    supported = a_supported_case(api)
    planning.settle_service(api.context(WORKER), supported.service, "unmet_need", None)
    moved(api, march["soon"], "start", PROVIDER)
    for narrow in ({}, {"centre": HERE}, {"field": "care"}):
        params = MARCH | narrow
        opened = 0
        answer = figures(api, **narrow)
        if narrow.get("field"):
            answer |= {"applications": 0, "plans": {}}
        for question, count in numbers(answer):
            if narrow.get("field") and question["figure"] == "applications":
                continue
            rows = api.as_(SUPERVISOR).items("/figures/cases", **params | question | {"limit": 2})
            assert len({one["subject"]["id"] for one in rows}) == len(rows) == count, question
            opened += bool(rows)
        assert opened > 10


def test_who_was_shown_behind_a_number_is_written_down(api: Api, march: dict[str, UUID]) -> None:
    rows = api.as_(SUPERVISOR).items("/figures/cases", **MARCH, figure="late", kind="response")
    assert len(rows) == 2
    with api.engine.connect() as connection:
        entries = select(t.audit_entry).order_by(t.audit_entry.c.id.desc())
        entry = connection.execute(entries).first()
    assert entry is not None
    assert (entry.action, entry.outcome) == ("figures.open", "ok")
    assert sorted(entry.subjects) == sorted(one["resident_id"] for one in rows)
    assert api.as_(SUPERVISOR).get(f"/cases/{rows[0]['case_id']}").status_code == 200


def test_a_supervisor_opens_nothing_of_another_district(api: Api, march: dict[str, UUID]) -> None:
    for figure in ("late", "applications", "referrals", "running", "plans_approved"):
        far = api.as_(FAR_SUPERVISOR).items("/figures/cases", **MARCH, figure=figure)
        near = api.as_(SUPERVISOR).items("/figures/cases", **MARCH, figure=figure)
        assert (far, len(near) > 0) == ([], True), figure


def test_a_filter_that_the_number_cannot_be_told_by_is_refused(api: Api) -> None:
    for params, field in (
        ({"figure": "applications", "kind": "survey"}, "kind"),
        ({"figure": "late", "cause": "other"}, "cause"),
        ({"figure": "people_served", "held_by": "worker"}, "held_by"),
        ({"figure": "nothing"}, "figure"), ({}, "figure"),
        ({"figure": "late", "on": "time"}, "on"),
    ):  # fmt: skip
        assert fields_of(api.as_(SUPERVISOR).get("/figures/cases", params=params)) == [field]


@pytest.mark.parametrize(
    ("who", "params"),
    [
        (SUPERVISOR, {}),
        (SUPERVISOR, {"by": "month", "from": "2025-06-15"}),
        ("city", {"by": "district", "from": "2025-06-01", "to": "2026-03-31"}),
    ],
)
def test_figures_cost_the_same_whatever_there_is_to_count(
    api: Api, who: str, params: dict[str, str]
) -> None:
    """The statements of a request after which nothing waits to be counted; the first counts it."""
    COMPARED[0] = False
    costs = []
    figures(api)  # who never asked is read in a transaction of their own
    for _ in range(2):
        for _ in range(4):
            a_referral(api)
        sent_by = []
        for _ in range(2):
            with statements(api.application.engine) as sent:
                figures(api, who, **params)
            sent_by.append(len(sent))
        costs.append(min(sent_by))
    assert costs[0] == costs[1] <= 12, costs


# Time by holder


def test_the_days_of_a_case_are_told_by_holder(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    case = a_case(api, resident=a_resident(api))
    api.clock.set("2026-03-05T10:00")  # Thursday: two days with the worker
    surveyed(api, case)
    api.clock.set("2026-03-12T10:00")  # seven with the assessor, five of them worked
    answer = api.as_(WORKER).get(f"/cases/{case}/time")
    assert answer.json() == {
        "from": "2026-03-03", "to": "2026-03-12", "days": 9, "shared": 0, "paused": 0, "nobody": 0,
        "by_holder": [
            {"held_by": "worker", "days": 2, "working_days": 2},
            {"held_by": "assessor", "days": 7, "working_days": 5},
            {"held_by": "supervisor", "days": 0, "working_days": 0},
            {"held_by": "provider", "days": 0, "working_days": 0},
        ],
    }  # fmt: skip
    assert api.as_(ASSESSOR).get(f"/cases/{case}/time").json() == answer.json()
    for who in (NEIGHBOUR, FAR_SUPERVISOR):
        hidden = api.as_(who).get(f"/cases/{case}/time")
        assert refusal(hidden) == (404, "not_found")
        assert hidden.content == api.as_(who).get(f"/cases/{ABSENT}/time").content
