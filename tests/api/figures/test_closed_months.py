"""A closed month is frozen: later entries are shown beside it, never in it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from casework.domain.figures.figures import Month, Period, spent_in
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import ALL_PEOPLE
from tests.api.acts import a_case, a_referral, a_supported_case, moved, surveyed
from tests.api.asking import Ask, check_nobody_and_wrong_roles, everything, refusal
from tests.api.conftest import (
    DISTRICT,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    OTHER_DISTRICT,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.figures.test_figures import figures, group, row

MARCH = "/figures/months/2026-03"
BY_MONTH = {"from": "2026-03-01", "to": "2026-04-30", "by": "month"}


def close(api: Api, who: str = SUPERVISOR, month: str = "2026-03", **with_it: Any) -> Any:
    """Close a month."""
    return api.as_(who).post(f"/figures/months/{month}/close", **with_it)


def entered_late(api: Api, who: str = WORKER) -> None:
    """An application of 30 March that is only entered now."""
    a_case(api, who, applied_on=date(2026, 3, 30))


def the_referral(api: Api) -> UUID:
    """The one request there is."""
    (referral,) = api.as_(SUPERVISOR).items("/referrals")
    return UUID(referral["id"])


@pytest.fixture
def closed(api: Api) -> Api:
    """March with two applications and a request that was answered late, closed on 2 April."""
    api.clock.set("2026-03-20T10:00")
    referral = a_referral(api)
    surveyed(api, a_case(api, NEIGHBOUR), NEIGHBOUR)
    api.clock.set("2026-03-31T10:00")
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-04-02T09:00")
    answer = close(api)
    assert answer.status_code == 201, answer.text
    return api


def test_a_closed_month_says_what_was_frozen(closed: Api) -> None:
    shown = closed.as_(SUPERVISOR).get(MARCH).json()
    assert (shown["month"], shown["district"]) == ("2026-03", DISTRICT)
    assert shown["closed_at"] == "2026-04-02T09:00:00+09:00"
    assert shown["closed_by"] == str(closed.id_of(SUPERVISOR))
    assert shown["applications"] == 2
    assert (row(shown, "response")["late"], row(shown, "response")["on_time_share"]) == (1, 0.0)
    assert row(shown, "response")["median_working_days"] == 7  # from Friday the 20th to the 31st
    assert shown["corrections"] == []
    assert closed.as_(SUPERVISOR).items("/figures/months") == [
        {name: shown[name] for name in ("month", "district", "closed_at", "closed_by")}
    ]


def test_what_is_entered_later_is_a_correction_and_the_number_stays(closed: Api) -> None:
    entered_late(closed)
    shown = closed.as_(SUPERVISOR).get(MARCH).json()
    correction = {"figure": "applications", "frozen": 2, "now": 3, "difference": 1}
    assert (shown["applications"], shown["corrections"]) == (2, [correction])
    by_month = group(figures(closed, **BY_MONTH), "2026-03")
    assert (by_month["applications"], by_month["corrections"]) == (2, [correction])
    assert by_month["closed_in"] == [DISTRICT]
    # Without grouping by month, the figures are live; and so are the cases behind them.
    assert figures(closed)["applications"] == 3
    behind = closed.as_(SUPERVISOR).items("/figures/cases", month="2026-03", figure="applications")
    assert len(behind) == 3


def test_what_was_entered_in_error_is_a_correction_downwards(closed: Api) -> None:
    referral = the_referral(closed)
    moved(closed, referral, "enter-in-error", SUPERVISOR, reason="another person")
    found = closed.as_(SUPERVISOR).get(MARCH).json()["corrections"]
    assert {"figure": "late", "kind": "response", "held_by": "provider",
            "frozen": 1, "now": 0, "difference": -1} in found  # fmt: skip
    states = {one["status"]: one["difference"] for one in found if one["figure"] == "referrals"}
    assert states == {"accepted": -1, "entered_in_error": 1}


def test_what_happens_in_april_corrects_nothing_in_march(closed: Api) -> None:
    referral = the_referral(closed)
    moved(closed, referral, "start", PROVIDER)
    a_supported_case(closed)
    assert closed.as_(SUPERVISOR).get(MARCH).json()["corrections"] == []
    moved(closed, referral, "complete", PROVIDER, outcome="ended_early")
    assert closed.as_(SUPERVISOR).get(MARCH).json()["corrections"] == []


def test_a_service_that_is_said_later_to_have_begun_in_march_is_a_correction(closed: Api) -> None:
    referral = the_referral(closed)
    moved(closed, referral, "start", PROVIDER, started_on=date(2026, 3, 31))
    found = closed.as_(SUPERVISOR).get(MARCH).json()
    assert found["people_served"] == 0
    assert {one["figure"]: one["difference"] for one in found["corrections"]
            if one["figure"] == "people_served"} == {"people_served": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-31T23:59:59", (409, "month_not_over")),
        ("2026-04-01T00:00:00", None),
        ("2026-04-01T00:00:01", None),
    ],
)
def test_a_month_can_be_closed_when_it_is_over_in_seoul(
    api: Api, moment: str, expected: tuple[int, str] | None
) -> None:
    api.clock.set("2026-03-31T10:00")
    a_case(api)
    api.clock.set(moment)
    before, answer = everything(api), close(api)
    if expected is not None:
        assert refusal(answer) == expected
        assert everything(api) == before
        assert refusal(api.as_(SUPERVISOR).get(MARCH)) == (404, "not_found")
    else:
        assert (answer.status_code, answer.json()["applications"]) == (201, 1)


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-3", "1999-12", "march"])
def test_what_is_no_month_is_refused(api: Api, month: str) -> None:
    for answer in (close(api, month=month), api.as_(SUPERVISOR).get(f"/figures/months/{month}")):
        assert refusal(answer) == (422, "month_invalid")
        assert answer.json()["errors"][0]["field"] == "month"


def test_a_month_is_closed_once(closed: Api) -> None:
    entered_late(closed)
    before = everything(closed)
    assert refusal(close(closed)) == (409, "month_closed")
    assert refusal(close(closed, f"head.{DISTRICT}")) == (409, "month_closed")
    assert everything(closed) == before
    assert close(closed, month="2026-02").status_code == 201


def test_under_one_key_it_is_closed_once_and_shown_again(api: Api) -> None:
    api.clock.set("2026-04-02T09:00")
    key = {"Idempotency-Key": "end of march"}
    first, again = close(api, headers=key), close(api, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(api.as_(SUPERVISOR).items("/figures/months")) == 1


def test_each_district_closes_its_own(closed: Api) -> None:
    assert refusal(closed.as_(FAR_SUPERVISOR).get(MARCH)) == (404, "not_found")
    assert closed.as_(FAR_SUPERVISOR).items("/figures/months") == []
    params = {"district": DISTRICT}
    hidden = closed.as_(FAR_SUPERVISOR).get(MARCH, params=params)
    assert refusal(hidden) == (404, "not_found")
    a_case(closed, STRANGER, applied_on=date(2026, 3, 30))
    assert close(closed, FAR_SUPERVISOR).json()["applications"] == 1
    assert closed.as_(SUPERVISOR).get(MARCH).json()["applications"] == 2
    everywhere = closed.as_("city").items("/figures/months")
    assert [one["district"] for one in everywhere] == [DISTRICT, OTHER_DISTRICT]


def test_a_worker_and_an_agency_see_their_own_part_of_what_is_frozen(closed: Api) -> None:
    entered_late(closed)
    own = closed.as_(WORKER).get(MARCH).json()
    assert (own["applications"], len(own["corrections"])) == (1, 1)
    neighbour = closed.as_(NEIGHBOUR).get(MARCH).json()
    assert (neighbour["applications"], neighbour["corrections"]) == (1, [])
    assert group(figures(closed, NEIGHBOUR, **BY_MONTH), "2026-03")["applications"] == 1
    agency = closed.as_(PROVIDER)
    assert agency.get(MARCH).json()["errors"][0]["field"] == "district"
    shown = agency.get(MARCH, params={"district": DISTRICT}).json()
    assert [(one["kind"], one["late"]) for one in shown["clocks"]] == [("response", 1)]
    assert (shown["applications"], shown["corrections"]) == (None, [])
    beta = closed.as_("provider.beta").get(MARCH, params={"district": DISTRICT}).json()
    assert (beta["clocks"], beta["referrals"]) == ([], [])


@pytest.mark.parametrize(("number", "counts"), [(0, set()), (4, {None, 5})])
def test_the_city_sees_of_a_closed_month_no_count_under_five(
    closed: Api, drawn: Callable[[int], None], number: int, counts: set[int | None]
) -> None:
    drawn(number)
    shown = closed.as_("city").get(MARCH, params={"district": DISTRICT}).json()
    assert (shown["applications"], shown["corrections"]) == (None, None)
    assert {one[name] for one in shown["clocks"] for name in ("on_time", "late")} == counts


def test_the_city_is_told_of_a_closed_month_as_it_was_closed_whatever_it_asks(
    closed: Api, drawn: Callable[[int], None]
) -> None:
    drawn(0)
    for _ in range(9):
        entered_late(closed)
    whole = {"from": "2026-03-01", "to": "2026-03-31"}
    assert figures(closed, SUPERVISOR, **whole)["applications"] == 11
    assert figures(closed, "city", **whole)["applications"] is None  # two, as frozen


def test_what_moves_on_after_a_month_is_no_correction_of_it(closed: Api) -> None:
    closed.clock.set("2026-04-06T10:00")
    (referral,) = closed.as_(PROVIDER).items("/referrals")
    moved(closed, UUID(referral["id"]), "start", PROVIDER)
    closed.clock.set("2026-05-04T10:00")
    march = group(figures(closed, SUPERVISOR, **BY_MONTH), "2026-03")
    assert [one["status"] for one in march["referrals"]] == ["accepted"]
    assert march["corrections"] == []


def test_a_month_that_one_district_closed_is_frozen_for_that_one_alone(
    closed: Api, drawn: Callable[[int], None]
) -> None:
    drawn(2)
    for who in (WORKER, STRANGER):
        for _ in range(8):
            entered_late(closed, who)
    shown = group(figures(closed, "city", **BY_MONTH), "2026-03")
    assert (shown["applications"], shown["closed_in"]) == (10, [DISTRICT])  # 2 frozen and 8 live


def test_a_part_of_a_closed_month_is_counted_as_it_is_now(closed: Api) -> None:
    entered_late(closed)
    part = BY_MONTH | {"from": "2026-03-02"}
    shown = group(figures(closed, **part), "2026-03")
    assert (shown["applications"], shown["closed_in"], shown["corrections"]) == (3, [], [])


def test_only_a_supervisor_closes(api: Api) -> None:
    api.clock.set("2026-04-02T09:00")
    never = (WORKER, PROVIDER, f"assessor.{DISTRICT}", "city", "auditor", "admin")
    ask = Ask("POST", f"{MARCH}/close", None, {}, never)
    check_nobody_and_wrong_roles(api, [ask])


def test_what_is_frozen_gives_every_grouping_that_was_there(closed: Api) -> None:
    """The cells of a closed month add up to what was counted when it was closed."""
    ctx = closed.context(SUPERVISOR)
    with ctx.reading("figures.read") as reading:
        (stored,) = reading.figures.closed([DISTRICT], ["2026-03"])
        month = Month.parse("2026-03")
        asked = Question(period=Period(month.first, month.last), by="month")
        now = reading.figures.every_cell(asked, ALL_PEOPLE, spent_in(ctx.clockwork))
    assert stored.cells == {cell: n for cell, n in now.items() if cell.month is not None}
    assert {cell.centre for cell in stored.cells} >= {HERE}


@pytest.mark.both_stores
def test_of_two_who_close_at_once_one_does(api: Api) -> None:
    api.clock.set("2026-04-02T09:00")
    whos = (SUPERVISOR, f"head.{DISTRICT}")
    for who in whos:
        api.actor(who)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda who: close(api, who), whos))
    assert sorted(one.status_code for one in answers) == [201, 409]
    assert {one.json().get("code") for one in answers} == {None, "month_closed"}
    assert len(api.as_(SUPERVISOR).items("/figures/months")) == 1
