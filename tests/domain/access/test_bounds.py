"""The bounds of a scope: a district, a centre or an agency."""

from __future__ import annotations

from uuid import uuid4

import pytest

from casework.domain.access.policy import EVERYTHING, NOBODY, Actor, Relation, Role, Scope

HERE, DISTRICT, AGENCY = "1111051500", "11110", uuid4()
WHO = Actor(
    id=uuid4(), role=Role.WORKER, centre_code=HERE, district_code=DISTRICT, provider_id=AGENCY
)
NOWHERE = Actor(id=uuid4(), role=Role.WORKER)


@pytest.mark.parametrize(
    ("relation", "bounds"),
    [
        (Relation.CENTRE, (DISTRICT, HERE, None)),
        (Relation.DISTRICT, (DISTRICT, None, None)),
        (Relation.CASES_SENT, (None, None, None)),
        (Relation.OWN_AGENCY, (None, None, AGENCY)),
        (Relation.LED_AGENCY, (None, None, AGENCY)),
        (Relation.CITY, (None, None, None)),
        (Relation.ALL, (None, None, None)),
    ],
)
def test_each_relation_has_its_bounds(relation: Relation, bounds: object) -> None:
    found = Scope(WHO, relation).bounds
    assert (found.district, found.centre, found.provider) == bounds


@pytest.mark.parametrize("relation", [Relation.CENTRE, Relation.DISTRICT])
def test_who_belongs_nowhere_is_bounded_by_no_place_that_exists(relation: Relation) -> None:
    bounds = Scope(NOWHERE, relation).bounds
    assert not bounds.hold_district(DISTRICT)
    assert not bounds.hold_district(None)
    assert Scope(NOWHERE, Relation.OWN_AGENCY).bounds.provider == NOBODY


def test_a_district_lies_within_its_own_bounds_and_within_none() -> None:
    here = Scope(WHO, Relation.DISTRICT).bounds
    assert here.hold_district(DISTRICT)
    assert not here.hold_district("11140")
    assert not here.hold_district(None)
    assert EVERYTHING.bounds.hold_district("11140")
    assert EVERYTHING.bounds.hold_district(None)


def test_a_centre_lies_within_itself_its_district_and_none() -> None:
    for relation, neighbour_is_in in ((Relation.CENTRE, False), (Relation.DISTRICT, True)):
        here = Scope(WHO, relation).bounds
        assert here.hold_centre(HERE, DISTRICT)
        assert here.hold_centre("1111053000", DISTRICT) == neighbour_is_in
        assert not here.hold_centre("1114055000", "11140")
        assert not Scope(NOWHERE, relation).bounds.hold_centre(HERE, DISTRICT)
    assert EVERYTHING.bounds.hold_centre("1114055000", "11140")


def test_the_city_is_told_numbers_and_the_system_everything() -> None:
    assert Scope(WHO, Relation.CITY).counts_alone
    assert not Scope(WHO, Relation.CITY).is_unbounded
    assert EVERYTHING.is_unbounded
    assert not EVERYTHING.counts_alone
