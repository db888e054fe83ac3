"""Gaps in coverage: where no agency accepts, where all are full, and where it is too far."""

from __future__ import annotations

from math import degrees
from uuid import UUID

from casework.domain.directory.coverage import Agency, cover
from casework.domain.directory.directory import Centre

CENTRE = Centre(code="2635051000", district_code="26350", name="가상동", lat=35.0, lon=129.0)
FIFTEEN_MINUTES = 15 / 60 * 24 / 1.4  # kilometres


def agency(number: int, kilometres: float, *, accepts: bool = True) -> Agency:
    lat = CENTRE.lat + degrees(kilometres / 6371)
    return Agency(id=UUID(int=number), name="가상기관", point=(lat, 129.0), is_accepting=accepts)


def test_nobody_is_there_where_nothing_is_open() -> None:
    found = cover(CENTRE, [])
    assert (found.gap, found.open, found.accepting, found.nearest) == ("nobody", 0, 0, None)
    assert (found.distance_km, found.minutes) == (None, None)


def test_it_is_full_where_what_is_open_has_no_place() -> None:
    found = cover(CENTRE, [agency(1, 1, accepts=False)])
    assert (found.gap, found.open, found.accepting, found.minutes) == ("full", 1, 0, None)


def test_it_is_too_far_beyond_fifteen_minutes() -> None:
    for off, hole in ((-0.001, None), (0.0, None), (0.001, "far")):
        found = cover(CENTRE, [agency(1, FIFTEEN_MINUTES + off)])
        assert found.gap == hole, off
        assert found.minutes == (16 if hole else 15)


def test_the_nearest_is_that_of_those_that_accept() -> None:
    near_but_full, far, near = agency(1, 0.1, accepts=False), agency(2, 6), agency(3, 5)
    found = cover(CENTRE, [near_but_full, far, near])
    assert found.nearest == near
    assert (found.open, found.accepting, found.gap) == (3, 2, "far")
    assert cover(CENTRE, [agency(9, 1), agency(8, 1)]).nearest == agency(8, 1)
