"""Seats: terms, chairs, how many at a time, and how long a name is shown."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from casework.domain.access.policy import Actor, Role
from casework.domain.act import Act
from casework.domain.errors import Conflict, Invalid, NotAllowedInState
from casework.domain.programme.bodies import Body
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart
from casework.domain.programme.seats import (
    Seat,
    added_seats,
    end_of_term,
    ended_seat,
    ended_with,
    never_held,
)
from tests.domain.helpers import refused
from tests.factories.town import Town

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
CITY = Actor(id=UUID(int=1), role=Role.CITY)


def act(on: date = TODAY) -> Act:
    return Town(on.isoformat()).act(CITY)


def council(**facts: Any) -> Body:
    known: dict[str, Any] = {
        "id": UUID(int=9), "kind": BodyKind.COUNCIL, "name_ko": "가상 협의체", "area": "city",
        "valid_from": date(2020, 1, 1),
    }  # fmt: skip
    return Body(**known | facts)


def asked(**facts: Any) -> dict[str, Any]:
    return {
        "name": "가상 위원", "agency": "가상 기관", "part": SeatPart.MEMBER,
        "seated_by": SeatedBy.APPOINTED, "account_id": None, "begins_on": TODAY, "ends_on": None,
    } | facts  # fmt: skip


def seat(begins_on: date = TODAY, ends_on: date | None = None, **facts: Any) -> Seat:
    known = asked(begins_on=begins_on, ends_on=ends_on) | facts
    return Seat(id=uuid4(), body_id=UUID(int=9), area="city", **known)


@pytest.mark.parametrize(
    ("begins", "years", "last"),
    [
        ("2026-02-10", 2, "2028-02-09"),
        ("2026-03-01", 2, "2028-02-29"),
        ("2025-03-01", 2, "2027-02-28"),
        ("2026-01-01", 1, "2026-12-31"),
        ("2024-02-29", 2, "2026-02-28"),
        ("2024-02-29", 4, "2028-02-28"),
    ],
)
def test_a_term_ends_the_day_before_the_corresponding_day(
    begins: str, years: int, last: str
) -> None:
    assert end_of_term(date.fromisoformat(begins), years) == date.fromisoformat(last)


def test_who_is_appointed_has_the_seat_for_the_term_and_an_official_while_in_office() -> None:
    made = added_seats(
        council(), [], [asked(), asked(seated_by=SeatedBy.EX_OFFICIO),
                        asked(ends_on=date(2027, 1, 1))], act(),
    )  # fmt: skip
    assert [one.ends_on for one in made] == [date(2028, 3, 9), None, date(2027, 1, 1)]
    assert added_seats(council(kind=BodyKind.FORUM), [], [asked()], act())[0].ends_on is None


def test_nobody_is_appointed_for_longer_than_the_term() -> None:
    last = date(2028, 3, 9)
    for ends in (last - DAY, last):
        assert added_seats(council(), [], [asked(ends_on=ends)], act())
    with refused(Invalid, "term_exceeded"):
        added_seats(council(), [], [asked(ends_on=last + DAY)], act())


def test_a_seat_lies_within_the_time_of_its_body() -> None:
    first, last = TODAY - DAY, TODAY + 9 * DAY
    body = council(valid_from=first, valid_to=last)
    for begins in (first, last):
        (made,) = added_seats(body, [], [asked(begins_on=begins)], act())
        assert made.ends_on == last
    for begins in (first - DAY, last + DAY):
        with refused(Invalid, "body_not_in_force"):
            added_seats(body, [], [asked(begins_on=begins)], act())
    with refused(Invalid, "date_too_early"):
        added_seats(body, [], [asked(ends_on=TODAY - DAY)], act())
    with refused(NotAllowedInState, "not_allowed_in_state"):
        added_seats(body, [], [asked()], act(last + DAY))


def test_a_body_has_one_chair_at_a_time() -> None:
    chair = seat(TODAY - 9 * DAY, TODAY + 5 * DAY, part=SeatPart.CHAIR)
    for begins, is_free in ((4, False), (5, False), (6, True)):
        wanted = [asked(part=SeatPart.CHAIR, begins_on=TODAY + begins * DAY)]
        if is_free:
            assert added_seats(council(), [chair], wanted, act())
        else:
            with refused(Conflict, "seat_taken"):
                added_seats(council(), [chair], wanted, act())
    with refused(Conflict, "seat_taken"):
        added_seats(council(), [], [asked(part=SeatPart.CHAIR)] * 2, act())
    deputy = asked(part=SeatPart.VICE_CHAIR)
    assert added_seats(council(), [chair], [deputy, deputy], act())


def test_an_account_has_one_seat_of_a_body_at_a_time() -> None:
    mine: dict[str, Any] = {"account_id": UUID(int=5)}
    with refused(Conflict, "account_seated"):
        added_seats(council(), [seat(**mine)], [asked(**mine)], act())
    over = seat(TODAY - 9 * DAY, TODAY - DAY, **mine)
    assert added_seats(council(), [over], [asked(**mine)], act())
    assert added_seats(council(), [], [asked(), asked()], act())


def test_the_most_seats_are_counted_on_each_day_by_those_held_on_it() -> None:
    """Against a count of every day, for seats that begin and end around each other."""
    rule = {"seats": {"value": {"min": 1, "max": 2}, "basis": "조례"}}
    body = council(rules=rule)
    spans = [(begins, begins + length) for begins, length in product(range(4), range(3))]
    for first, second, third in product(spans, repeat=3):
        held = [seat(TODAY + a * DAY, TODAY + b * DAY) for a, b in (first, second)]
        wanted = asked(begins_on=TODAY + third[0] * DAY, ends_on=TODAY + third[1] * DAY)
        most = max(sum(a <= day <= b for a, b in (first, second, third)) for day in range(7))
        if most <= 2:
            assert added_seats(body, held, [wanted], act())
        else:
            with refused(Invalid, "too_many_seats", seats=3, most=2):
                added_seats(body, held, [wanted], act())


def test_forty_have_a_seat_in_a_council_by_default_and_not_one_more() -> None:
    assert len(added_seats(council(), [], [asked()] * 40, act())) == 40
    with refused(Invalid, "too_many_seats"):
        added_seats(council(), [], [asked()] * 41, act())
    assert len(added_seats(council(kind=BodyKind.FORUM), [], [asked()] * 60, act())) == 60


def test_a_seat_ends_earlier_and_never_later() -> None:
    held = seat(TODAY - 9 * DAY, TODAY + 9 * DAY)
    assert ended_seat(held, TODAY, act()).ends_on == TODAY
    assert ended_seat(held, held.begins_on, act()).ends_on == held.begins_on
    with refused(Invalid, "date_too_early"):
        ended_seat(held, held.begins_on - DAY, act())
    assert ended_seat(held, TODAY + 9 * DAY, act()) == held
    with refused(Invalid, "after_its_end"):
        ended_seat(held, TODAY + 10 * DAY, act())
    assert ended_seat(seat(), TODAY + 999 * DAY, act()).ends_on == TODAY + 999 * DAY
    with refused(NotAllowedInState, "not_allowed_in_state"):
        ended_seat(held, TODAY, act(TODAY + 10 * DAY))


def test_seats_end_with_their_body() -> None:
    body = council(valid_to=TODAY)
    short, long, endless = seat(TODAY, TODAY), seat(TODAY, TODAY + DAY), seat(TODAY)
    later = seat(TODAY + DAY)
    ended = ended_with(body, [short, long, endless, later])
    assert [(one.id, one.ends_on) for one in ended] == [(long.id, TODAY), (endless.id, TODAY)]
    assert never_held(body, [short, long, endless, later]) == [later]
    assert (ended_with(council(), [endless]), never_held(council(), [later])) == ([], [])


def test_a_seat_that_ends_within_sixty_days_is_shown_to_end_soon() -> None:
    for days, soon in ((59, True), (60, True), (61, False)):
        assert seat(TODAY, TODAY + days * DAY).ends_soon(TODAY) is soon
    assert not seat().ends_soon(TODAY)
    over, to_come = seat(TODAY - 9 * DAY, TODAY - DAY), seat(TODAY + DAY, TODAY + 2 * DAY)
    assert not over.ends_soon(TODAY)
    assert not to_come.ends_soon(TODAY)


def test_a_name_is_shown_until_five_years_after_the_seat_ended() -> None:
    held = seat(date(2020, 1, 1), date(2021, 3, 10))
    for day, shown in (("2026-03-09", True), ("2026-03-10", True), ("2026-03-11", False)):
        assert held.shows_name(date.fromisoformat(day), 5) is shown, day
    assert held.shows_name(date(2021, 3, 10), 0)
    assert not held.shows_name(date(2021, 3, 11), 0)
    assert seat().shows_name(date(2199, 1, 1), 0)


def test_seats_of_days_on_which_no_new_one_is_held_are_not_counted_again() -> None:
    rules = {"seats": {"value": {"min": 1, "max": 2}, "basis": "가상 조례 제5조"}}
    before = [seat(date(2025, 1, 1), TODAY - DAY) for _ in range(5)]
    assert len(added_seats(council(rules=rules), before, [asked(), asked()], act())) == 2
    with refused(Invalid, "too_many_seats"):
        added_seats(council(rules=rules), before, [asked(begins_on=TODAY - DAY)], act())
    with refused(Invalid, "too_many_seats"):
        added_seats(council(rules=rules), before, [asked()] * 3, act())


def test_a_seat_begins_and_is_ended_at_most_three_years_ahead() -> None:
    last = TODAY + timedelta(days=3 * 366)
    assert added_seats(council(), [], [asked(begins_on=last)], act())[0].begins_on == last
    assert ended_seat(seat(), last, act()).ends_on == last
    with refused(Invalid, "date_too_far"):
        added_seats(council(), [], [asked(begins_on=last + DAY)], act())
    with refused(Invalid, "date_too_far"):
        ended_seat(seat(), last + DAY, act())
