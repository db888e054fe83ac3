"""What a standard and a holiday may say, and what the law does not let them say."""

from dataclasses import replace
from datetime import date
from itertools import product
from uuid import UUID

import pytest

from casework.domain.access.policy import Role
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import (
    BY_DAYS,
    BY_HOURS,
    FIXED_DAY_KINDS,
    STATUTORY,
    ClockKind,
    EscalationTier,
    Part,
    Standard,
)
from casework.domain.errors import Forbidden, Invalid
from casework.domain.supervision.setting_standards import (
    MAX_AMOUNT,
    change_standard,
    changed_standard,
    check_holiday,
    check_standard,
    new_standard,
)
from tests.domain.helpers import field_of, refused
from tests.factories import Town
from tests.factories.town import CATALOGUE

HERE = "26350"
WORKING, DAYS, HOURS, MONTHS = Unit.WORKING_DAYS, Unit.DAYS, Unit.HOURS, Unit.MONTHS


THREE_DAYS = Target(3, WORKING)


def standard(kind="response", target=THREE_DAYS, **facts):
    return Standard(id=UUID(int=1), kind=kind, target=target, basis="test", **facts)


def asked(town=None, by=None, usual_lapse=True, **facts):
    """A new standard as a supervisor of the district asks for it."""
    town = town or Town()
    facts = {"kind": "response", "target": Target(3, WORKING), "district_code": HERE} | facts
    by = by or replace(town.supervisor, district_code=HERE)
    return new_standard(facts, CATALOGUE, town.act(by), usual_lapse=usual_lapse)


def test_what_is_shipped_may_be_set():
    for one in SHIPPED:
        check_standard(one)
        check_standard(replace(one, escalation=one.escalation_tiers))


@pytest.mark.parametrize("unit", MAX_AMOUNT)
def test_an_amount_is_one_to_the_most_of_its_unit(unit):
    for amount, allowed in (
        (0, False),
        (1, True),
        (MAX_AMOUNT[unit], True),
        (MAX_AMOUNT[unit] + 1, False),
    ):
        one = standard("survey", Target(amount, unit))
        if allowed:
            check_standard(one)
        else:
            with refused(Invalid, "amount_out_of_range", one) as caught:
                check_standard(one)
            assert field_of(caught) == "target.amount"


@pytest.mark.parametrize(("kind", "unit"), list(product(STATUTORY, MAX_AMOUNT)))
def test_the_law_is_counted_in_months_and_never_exceeded(kind, unit):
    law = STATUTORY[kind].amount
    for amount in (law - 1, law, law + 1):
        one = standard(kind, Target(amount, unit))
        if unit is MONTHS and amount <= law:
            check_standard(one)
        else:
            with refused(Invalid, "statutory_limit", one, article="Enforcement Rule 10"):
                check_standard(one)


@pytest.mark.parametrize("kind", ClockKind)
def test_only_an_unanswered_request_lapses(kind):
    one = standard(kind, Target(1, MONTHS), lapse_after=Target(3, MONTHS))
    if kind in (ClockKind.RESPONSE, ClockKind.WAITLIST):
        check_standard(one)
    elif kind not in FIXED_DAY_KINDS:
        with refused(Invalid, "never_lapses", one):
            check_standard(one)


@pytest.mark.parametrize(
    ("target", "lapse", "allowed"),
    [
        (Target(3, WORKING), Target(2, WORKING), False),
        (Target(3, WORKING), Target(3, WORKING), True),
        (Target(3, WORKING), Target(4, DAYS), False),  # from a Thursday, four days end before
        (Target(3, WORKING), Target(5, DAYS), True),
        (Target(24, HOURS), Target(1, WORKING), True),
        (Target(25, HOURS), Target(24, HOURS), False),
    ],
)
def test_nothing_lapses_before_it_is_due_on_whatever_day_it_begins(target, lapse, allowed):
    one = standard(target=target, lapse_after=lapse)
    if allowed:
        check_standard(one)
    else:
        with refused(Invalid, "lapse_before_due", one):
            check_standard(one)


@pytest.mark.parametrize(
    "escalation_tiers",
    [
        (),
        BY_DAYS,
        (*BY_DAYS, EscalationTier(3, Target(5, WORKING), Part.HEAD)),
        (
            EscalationTier(1, Target(1, DAYS), Part.WORKER),
            EscalationTier(3, Target(1, MONTHS), Part.HEAD),
        ),
        (
            EscalationTier(1, Target(1, WORKING), Part.WORKER),
            EscalationTier(2, Target(6, DAYS), Part.SUPERVISOR),
        ),
    ],
)
def test_tiers_that_rise_may_be_set(escalation_tiers):
    check_standard(standard(escalation=escalation_tiers))


def test_hours_are_for_targets_in_hours_and_may_be_followed_by_days():
    mixed = (*BY_HOURS, EscalationTier(3, Target(1, WORKING), Part.HEAD))
    check_standard(standard(target=Target(4, HOURS), escalation=mixed))
    with refused(Invalid, "escalation_unit"):
        check_standard(standard(escalation=BY_HOURS))


@pytest.mark.parametrize(
    ("escalation_tiers", "code", "field"),
    [
        ([(2, 3, WORKING), (1, 1, WORKING)], "escalation_not_rising", "escalation.1.tier"),
        ([(1, 3, WORKING), (2, 3, WORKING)], "escalation_not_rising", "escalation.1.after"),
        ([(1, 3, WORKING), (2, 2, WORKING)], "escalation_not_rising", "escalation.1.after"),
        # Rises from a Monday on, but not over a weekend.
        ([(1, 2, WORKING), (2, 3, DAYS)], "escalation_not_rising", "escalation.1.after"),
        ([(1, 1, WORKING), (1, 2, WORKING)], "tier_twice", "escalation.1.after"),
        ([(1, 1, WORKING), (1, 1, WORKING)], "tier_twice", "escalation.1"),
        ([(0, 1, WORKING)], "tier_out_of_range", "escalation.0.tier"),
        ([(4, 1, WORKING)], "tier_out_of_range", "escalation.0.tier"),
        ([(1, 0, WORKING)], "amount_out_of_range", "escalation.0.after.amount"),
        ([(1, 367, WORKING)], "amount_out_of_range", "escalation.0.after.amount"),
    ],
)
def test_tiers_that_do_not_rise_are_refused(escalation_tiers, code, field):
    told = tuple(
        EscalationTier(tier, Target(amount, unit), Part.WORKER)
        for tier, amount, unit in escalation_tiers
    )
    with refused(Invalid, code) as caught:
        check_standard(standard(escalation=told))
    assert field_of(caught) == field


def test_a_standard_for_a_service_is_of_its_field():
    assert asked(service_code="MED-VISIT").field == "medical"
    assert asked(service_code="MED-VISIT", field="medical").field == "medical"
    with refused(Invalid, "field_of_service"):
        asked(service_code="MED-VISIT", field="care")
    with refused(Invalid, "unknown_service"):
        asked(service_code="NO-SUCH")


def test_the_basis_says_whose_it_is_unless_another_is_given():
    admin = replace(Town().supervisor, role=Role.ADMIN, district_code=None)
    assert asked().basis == "district service target"
    assert asked(by=admin, district_code=None).basis == "city service target"
    assert asked(basis="협약").basis == "협약"
    assert asked(kind="check", target=Target(5, MONTHS)).basis == "Enforcement Rule 10"


def test_the_usual_lapse_applies_where_nothing_was_said_and_it_is_no_earlier_than_the_target():
    assert asked().lapse_after == Target(10, WORKING)
    assert asked(kind="waitlist").lapse_after == Target(30, WORKING)
    assert asked(kind="start").lapse_after is None
    assert asked(usual_lapse=False).lapse_after is None
    assert asked(target=Target(11, WORKING)).lapse_after is None


def test_a_supervisor_sets_only_for_the_own_district():
    town = Town()
    by = replace(town.supervisor, district_code=HERE)
    for district in (None, "26110"):
        with refused(Forbidden, "district_out_of_scope"):
            asked(town, by, district_code=district)
        with refused(Forbidden, "district_out_of_scope"):
            check_holiday(date(2026, 3, 6), district, by)
        with refused(Forbidden, "district_out_of_scope"):
            change_standard(standard(district_code=district), {"basis": "x"}, town.act(by))
    check_holiday(date(2026, 3, 6), HERE, by)


def test_a_change_names_what_differs_and_its_author():
    town = Town()
    by = replace(town.supervisor, district_code=HERE)
    one = asked(town, by)
    wanted = {"target": Target(2, WORKING), "basis": one.basis, "lapse_after": None}
    assert change_standard(one, wanted, town.act(by)) == ["target", "lapse_after"]
    done = changed_standard(one, wanted, town.wait(days=1).act(by))
    assert (done.target, done.set_by) == (Target(2, WORKING), by.id)
    assert done.set_at == town.now
    assert done.id == one.id


def test_what_fits_everything_is_needed_but_for_progress():
    town = Town()
    act = town.act(replace(town.supervisor, role=Role.ADMIN))
    for one in SHIPPED:
        if one.is_widest:
            with refused(Invalid, "standard_needed", one):
                change_standard(one, {"in_force": False}, act)
        else:
            assert change_standard(one, {"in_force": False}, act) == ["in_force"]
    off = standard("progress", Target(1, MONTHS))
    assert change_standard(off, {"in_force": False}, act) == ["in_force"]


@pytest.mark.parametrize(
    ("on", "known"),
    [
        (date(2014, 12, 31), False),
        (date(2015, 1, 1), True),
        (date(2045, 12, 31), True),
        (date(2046, 1, 1), False),
    ],
)
def test_a_holiday_lies_in_a_year_that_the_calendar_knows(on, known):
    admin = replace(Town().supervisor, role=Role.ADMIN)
    if known:
        check_holiday(on, None, admin)
    else:
        with refused(Invalid, "year_unknown") as caught:
            check_holiday(on, None, admin)
        assert field_of(caught) == "on"
