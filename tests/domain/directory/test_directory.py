"""The directory's own rules: what holds on a day, and which figures can be relied on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from casework.domain.directory import designations as des
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import EntryState, covers_day
from casework.domain.directory.entries import Subject, change_of, steps_from
from casework.domain.directory.overview import Availability, OfferedPlaces, availability
from casework.domain.errors import Conflict, Invalid
from tests.factories.town import Town, seoul

NOW = seoul("2026-03-10")
A_MOMENT = timedelta(microseconds=1)
FRESH_FOR = timedelta(days=7)
AGENCY = UUID(int=7)


def offered(
    available: int,
    *,
    age: timedelta = timedelta(),
    is_open: bool = True,
    for_waiting: int = 0,
    full_until: str | None = None,
) -> OfferedPlaces:
    return OfferedPlaces(
        is_open=is_open, available=available, for_waiting=for_waiting, waiting=0, as_of=NOW - age,
        full_until=date.fromisoformat(full_until) if full_until else None,
    )  # fmt: skip


def designated(first: str | None, last: str | None, id: int = 1, code: str = "x") -> Designation:
    return Designation(
        id=UUID(int=id), provider_id=AGENCY, code=code, designated_by="the city",
        valid_from=date.fromisoformat(first) if first else None,
        valid_to=date.fromisoformat(last) if last else None,
    )  # fmt: skip


def test_first_and_last_day_both_count() -> None:
    first, last = date(2026, 3, 2), date(2026, 3, 4)
    days = [date(2026, 3, day) for day in range(1, 6)]
    assert [covers_day(day, first, last) for day in days] == [False, True, True, True, False]
    assert [covers_day(day, None, last) for day in days] == [True, True, True, True, False]
    assert [covers_day(day, first, None) for day in days] == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("those", "expected"),
    [
        ([], Availability.NONE),
        ([offered(9, is_open=False)], Availability.NONE),
        ([offered(0)], Availability.FULL),
        ([offered(0), offered(1)], Availability.OPEN),
        ([offered(0), offered(1, is_open=False)], Availability.FULL),
        ([offered(2, for_waiting=2)], Availability.FULL),
        ([offered(3, for_waiting=2)], Availability.OPEN),
        ([offered(3, full_until="2026-03-10")], Availability.FULL),
        ([offered(3, full_until="2026-03-09")], Availability.OPEN),
        ([offered(5, age=FRESH_FOR)], Availability.OPEN),
        ([offered(5, age=FRESH_FOR + A_MOMENT)], Availability.STALE),
        ([offered(0), offered(0, age=FRESH_FOR + A_MOMENT)], Availability.STALE),
        ([offered(1), offered(0, age=FRESH_FOR + A_MOMENT)], Availability.OPEN),
        ([offered(0), offered(0, age=FRESH_FOR * 2, is_open=False)], Availability.FULL),
    ],
)
def test_a_service_stands_by_what_can_be_relied_on(
    those: list[OfferedPlaces], expected: Availability
) -> None:
    assert availability(those, NOW, FRESH_FOR) is expected
    for one in those:
        a_day = timedelta(days=1)
        assert availability([replace(one, as_of=NOW - a_day * 2)], NOW, a_day) in (
            Availability.STALE,
            Availability.NONE,
        )


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [
        ("2026-03-06", None, False),
        ("2026-03-05", None, True),
        (None, "2026-03-01", False),
        (None, "2026-03-02", True),
        (None, None, True),
    ],
)
def test_one_designation_of_a_code_holds_at_a_time(
    first: str | None, last: str | None, overlaps: bool
) -> None:
    there = designated("2026-03-02", "2026-03-05")
    made = designated(first, last, id=2)
    assert made.overlaps(there) is there.overlaps(made) is overlaps
    assert not designated(first, last, id=2, code="y").overlaps(there)
    if overlaps:
        with pytest.raises(Conflict) as refused:
            des.check_designation(made, [there])
        assert refused.value.code == "designation_exists"
    else:
        des.check_designation(made, [there])


def test_a_designation_ends_on_its_first_day_at_the_earliest() -> None:
    town, there = Town("2026-03-10"), designated("2026-03-02", None)
    act = town.act()
    ended = des.ended_designation(there, date(2026, 3, 2), [there], act)
    assert ended.valid_to == date(2026, 3, 2)
    with pytest.raises(Invalid) as refused:
        des.ended_designation(there, date(2026, 3, 1), [there], act)
    assert refused.value.code == "date_too_early"


def test_a_service_that_is_not_listed_is_not_one_that_nobody_takes_on() -> None:
    for is_listed, expected in ((True, Availability.NONE), (False, Availability.NO_ENTRY)):
        assert availability([], NOW, FRESH_FOR, is_listed=is_listed) is expected
    assert availability([offered(1)], NOW, FRESH_FOR, is_listed=True) is Availability.OPEN


def test_each_state_has_its_steps() -> None:
    assert steps_from(EntryState.PROPOSED) == ["confirm"]
    assert steps_from(EntryState.CONFIRMED) == ["publish", "withdraw"]
    assert steps_from(EntryState.PUBLISHED) == ["withdraw"]


def test_a_change_names_only_what_differs() -> None:
    act = Town("2026-03-10").act()
    agency = Subject("provider", AGENCY, AGENCY)
    change = change_of(agency, "changed", {"a": 1, "b": [1]}, {"a": 1, "b": [2]}, act)
    assert (change.before, change.after) == ({"b": [1]}, {"b": [2]})
    new = change_of(agency, "added", {}, {"a": None}, act)
    assert (new.before, new.after) == ({"a": None}, {"a": None})
