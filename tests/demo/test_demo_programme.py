"""The bodies with which a seeded city begins: what is public, what is invented, who sits where."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Any

import pytest

from casework.adapters import reference
from casework.adapters.calendar import korean_calendar
from casework.demo.accounts import demo_accounts
from casework.demo.ids import SeededIds
from casework.demo.programme import programme
from casework.domain.access.policy import SYSTEM
from casework.domain.act import Act
from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CareField
from casework.domain.programme.bodies import Body
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart, Source
from casework.domain.programme.seats import Seat

NOW = datetime(2026, 11, 30, tzinfo=SEOUL)


@cache
def entered(now: datetime = NOW) -> list[Any]:
    ids = SeededIds(Random(1), now)
    act = Act(by=SYSTEM, at=now, new_id=ids, clockwork=Clockwork(SHIPPED, korean_calendar()))
    districts, centres = reference.districts(), reference.centres()
    accounts = demo_accounts(districts, centres, [], "hash", ids, now)
    return programme(districts, accounts, act)


def bodies(now: datetime = NOW) -> list[Body]:
    return [one for one in entered(now) if isinstance(one, Body)]


def seats_of(body: Body, now: datetime = NOW) -> list[Seat]:
    return [one for one in entered(now) if isinstance(one, Seat) and one.body_id == body.id]


def test_a_city_begins_with_the_bodies_that_are_known_of() -> None:
    assert Counter(one.kind for one in bodies()) == {
        "promotion_team": 1, "section": 6, "team": 21, "working_body": 1, "forum": 1,
        "council": 17, "unit": 16,
    }  # fmt: skip
    (promotion,) = [one for one in bodies() if one.kind is BodyKind.PROMOTION_TEAM]
    assert (promotion.teams_stated, promotion.source) == (21, Source.OFFICIAL)
    assert promotion.valid_from == date(2025, 10, 23)
    chair, deputy = seats_of(promotion)[:2]
    assert [(one.part, one.name) for one in (chair, deputy)] == [
        (SeatPart.CHAIR, "행정부시장"), (SeatPart.VICE_CHAIR, "사회복지국장"),
    ]  # fmt: skip
    known = {one.id: one for one in bodies()}
    for one in bodies():
        if one.kind is BodyKind.TEAM:
            assert known[one.parent_id].kind is BodyKind.SECTION  # type: ignore[index]
            assert (one.source, one.name_ko.startswith("가상")) == (Source.INVENTED, True)


def test_every_field_has_a_section_and_disability_welfare_has_its_service() -> None:
    fields = [field for one in bodies() for field in one.fields]
    assert sorted(fields) == sorted(CareField)
    by_name = {one.name_ko: one for one in bodies()}
    assert by_name["장애인복지과"].services == ("CARE-DISABILITY",)
    assert set(by_name["노인복지과"].services) == {"CARE-AIOT", "CARE-ELDER", "CARE-SAFETY"}
    services = {one.code for one in reference.services()}
    assert {code for one in bodies() for code in one.services} <= services


def test_each_area_has_a_council_of_eighteen_or_twenty_of_whom_nobody_is_real() -> None:
    councils = [one for one in bodies() if one.kind is BodyKind.COUNCIL]
    assert len({one.area for one in councils}) == 17
    for council in councils:
        seats = seats_of(council)
        assert len(seats) == (20 if council.area == "city" else 18)
        assert {one.source for one in seats} == {Source.INVENTED}
        assert sum(one.part is SeatPart.CHAIR for one in seats) == 1
        assert council.rules == {}
        for one in seats:
            assert (one.ends_on is None) == (one.seated_by is SeatedBy.EX_OFFICIO)


def test_the_units_of_two_districts_are_known_and_the_rest_say_that_they_are_invented() -> None:
    units = {one.area: one for one in bodies() if one.kind is BodyKind.UNIT}
    assert len(units) == 16
    assert (units["26530"].name_ko, units["26530"].valid_from) == (
        "사상구 돌봄정책과", date(2025, 9, 1),
    )  # fmt: skip
    assert (units["26350"].name_ko, units["26350"].valid_from) == (
        "해운대구 통합돌봄팀", date(2026, 1, 1),
    )  # fmt: skip
    for area, unit in units.items():
        known = area in ("26530", "26350")
        assert ("가상" in unit.name_ko, unit.source is Source.INVENTED) == (not known, not known)


def test_the_citys_demo_account_has_a_seat_in_every_section() -> None:
    with_account = {one.body_id for one in entered() if isinstance(one, Seat) and one.account_id}
    for one in bodies():
        if one.kind is BodyKind.SECTION:
            assert one.id in with_account, one.name_ko


@pytest.mark.parametrize("day", ["2024-02-29", "2028-02-09", "2028-02-10", "2035-12-31"])
def test_on_any_day_the_councils_are_appointed(day: str) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=SEOUL)
    today = now.date()
    for council in bodies(now):
        if council.kind is BodyKind.COUNCIL:
            assert council.is_in_force(today)
            assert all(one.is_in_force(today) for one in seats_of(council, now))
