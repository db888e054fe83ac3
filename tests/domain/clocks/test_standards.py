"""Which standard applies: the most specific."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import RFC_4122, UUID

import pytest

from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.shipped_standards import SHIPPED, shipped
from casework.domain.clocks.standards import (
    BY_DAYS,
    BY_HOURS,
    FIXED_DAY_KINDS,
    STATUTORY,
    CareField,
    ClockKind,
    ClockSubject,
    Priority,
    Standard,
    most_specific,
)

SOMEONE = UUID(int=1)
ENDED = datetime(2026, 3, 6, tzinfo=UTC)
ABOUT = ClockSubject(
    case_id=SOMEONE,
    resident_id=SOMEONE,
    centre_code="2635051000",
    district_code="26350",
    worker_id=None,
    field=CareField.CARE,
    service_code="CARE-MEALS",
)


def standard(days, **facts):
    """A standard for the response clock, identified by its days."""
    target = Target(days, Unit.WORKING_DAYS)
    return Standard(
        id=UUID(int=days), kind=ClockKind.RESPONSE, target=target, basis="test", **facts
    )


def chosen(standards, **about):
    """The days of the standard that applies, in whatever order they are given."""
    found = {
        one.target.amount if one else None
        for some in permutations(standards)
        for one in [most_specific(some, ClockKind.RESPONSE, replace(ABOUT, **about))]
    }
    (amount,) = found
    return amount


def test_the_shipped_targets_are_those_of_the_model():
    working, hours, months = Unit.WORKING_DAYS, Unit.HOURS, Unit.MONTHS
    rows = {
        "survey": [(5, working), (1, working), (1, working)],
        "assessment": [(10, working), (2, working), (2, working)],
        "plan": [(5, working), (2, working), (2, working)],
        "decision": [(5, working), (1, working), (1, working)],
        "notify_plan": [(5, working), (5, working), (5, working)],
        "link": [(3, working), (1, working), (1, working)],
        "response": [(3, working), (1, working), (4, hours)],
        "waitlist": [(10, working), (2, working), (2, working)],
        "start": [(10, working), (2, working), (24, hours)],
        "disposition": [(3, working), (1, working), (1, working)],
        "signal": [(1, working), (4, hours), (4, hours)],
        "first_check": [(3, months)] * 3,
        "check": [(6, months)] * 3,
        "acceptance": [(5, working)] * 3,
        "minutes": [(10, working)] * 3,
    }
    assert set(rows) == set(ClockKind) - {*FIXED_DAY_KINDS, "progress"}
    for kind, targets in rows.items():
        for priority, target in zip(Priority, targets, strict=True):
            found = most_specific(shipped(), ClockKind(kind), replace(ABOUT, priority=priority))
            assert found is not None
            assert found.target == Target(*target), (kind, priority)
    for kind in (*FIXED_DAY_KINDS, ClockKind.PROGRESS):
        assert most_specific(shipped(), kind, ABOUT) is None


def test_the_law_fixes_only_the_checks():
    assert set(STATUTORY) == {ClockKind.FIRST_CHECK, ClockKind.CHECK}
    for one in shipped():
        law = one.kind in STATUTORY
        assert one.basis == ("Enforcement Rule 10" if law else "city service target")


def test_the_shipped_standards_have_fixed_ids_each_its_own():
    assert shipped() == SHIPPED
    assert len({one.id for one in SHIPPED}) == len(SHIPPED)
    assert SHIPPED[0].id == UUID("01900000-0000-7000-a966-43170d7f39f0")
    assert {one.id.version for one in SHIPPED} == {7}
    assert {one.id.variant for one in SHIPPED} == {RFC_4122}


def test_a_shipped_id_follows_from_what_the_standard_is_for_and_from_nothing_else():
    # Whatever else is shipped, in any order: existing databases hold these.
    ids = {one.scope: str(one.id) for one in SHIPPED}
    assert ids["survey/*/*/*/*"] == "01900000-0000-7000-a966-43170d7f39f0"
    assert ids["response/emergency/*/*/*"] == "01900000-0000-7000-99b1-a20065f3dfdf"
    assert ids["check/*/*/*/*"] == "01900000-0000-7000-910d-934463d00d09"


def test_a_standard_that_ended_applies_to_nothing():
    assert chosen([standard(9), replace(standard(1, field=CareField.CARE), ended_at=ENDED)]) == 9
    assert chosen([replace(standard(9), ended_at=ENDED)]) is None


def test_only_an_unanswered_request_and_a_place_on_a_waiting_list_lapse():
    working = Unit.WORKING_DAYS
    lapses = {"response": Target(10, working), "waitlist": Target(30, working)}
    for one in shipped():
        assert one.lapse_after == lapses.get(one.kind), one.kind


def test_the_shipped_standards_are_as_wide_as_can_be():
    for one in shipped():
        assert (one.field, one.service_code, one.district_code) == (None, None, None)
        assert one.priority in (None, "urgent", "emergency")
        assert one.escalation is None


@pytest.mark.parametrize(
    "facts",
    [
        {"district_code": "26350"},
        {"field": "care"},
        {"service_code": "CARE-MEALS"},
        {"priority": "urgent"},
    ],
)
def test_the_narrower_one_wins_where_it_fits_and_is_nothing_elsewhere(facts):
    wide, narrow = standard(9), standard(1, **facts)
    fits = {"priority": "urgent"} if "priority" in facts else {}
    assert chosen([wide, narrow], **fits) == 1
    (name,) = facts
    elsewhere = {"priority": "routine"} if name == "priority" else {name: "elsewhere"}
    assert chosen([wide, narrow], **elsewhere) == 9
    assert chosen([narrow], **elsewhere) is None


def test_priority_counts_before_service_before_field_before_district():
    everything = [
        standard(1, priority="urgent"),
        standard(2, service_code="CARE-MEALS"),
        standard(3, field=CareField.CARE),
        standard(4, district_code="26350"),
        standard(5),
    ]
    for left_out in range(5):
        about = {"priority": "urgent"}
        assert chosen(everything[left_out:], **about) == left_out + 1
    both = standard(6, field=CareField.CARE, district_code="26350")
    assert chosen([*everything[2:], both]) == 6
    assert chosen([*everything[1:], both]) == 2


def test_an_emergency_falls_back_to_the_urgent_target_and_not_to_the_routine_one():
    routine, urgent = standard(9), standard(2, priority="urgent")
    assert chosen([routine, urgent], priority="emergency") == 2
    own = standard(1, priority="emergency")
    assert chosen([routine, urgent, own], priority="emergency") == 1
    assert chosen([routine, urgent, own], priority="urgent") == 2
    assert chosen([routine, urgent, own], priority="routine") == 9
    assert chosen([routine, own], priority="urgent") == 9
    assert chosen([routine], priority="emergency") == 9


def test_an_emergency_is_not_slowed_by_a_service_of_its_own():
    service = standard(9, service_code="CARE-MEALS", field=CareField.CARE, district_code="26350")
    assert chosen([service, standard(1, priority="urgent")], priority="emergency") == 1


def test_a_routine_target_concerns_nothing_urgent():
    only = standard(7, priority="routine")
    assert chosen([standard(9), only]) == 7
    assert chosen([standard(9), only], priority="urgent") == 9


def test_another_kind_is_another_matter():
    assert most_specific([standard(1)], ClockKind.START, ABOUT) is None


def test_the_usual_tiers_go_by_the_unit():
    assert standard(1).escalation_tiers == BY_DAYS
    assert replace(standard(1), target=Target(4, Unit.HOURS)).escalation_tiers == BY_HOURS
    assert replace(standard(1), escalation=()).escalation_tiers == ()
    assert [
        (escalation_tier.tier, escalation_tier.after.amount, escalation_tier.to)
        for escalation_tier in BY_DAYS
    ] == [
        (1, 1, "worker"),
        (1, 1, "provider"),
        (2, 3, "supervisor"),
    ]
    assert [
        (escalation_tier.tier, escalation_tier.after.amount, escalation_tier.to)
        for escalation_tier in BY_HOURS
    ] == [
        (1, 0, "worker"),
        (1, 0, "provider"),
        (2, 4, "supervisor"),
    ]
