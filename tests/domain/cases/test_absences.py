"""Who is away, who deputises, and who has the work where a deputy is away too."""

from datetime import date
from typing import Any

import pytest

from casework.domain.access.standing_in import StandIns
from casework.domain.cases.absences import Absence, check_absence, correct, end
from casework.domain.errors import Conflict, Invalid
from tests.domain.helpers import field_of, refused
from tests.factories import Town
from tests.factories.town import new_id

A, B, C, D = (new_id() for _ in range(4))
TODAY = "2026-04-01"


def act(on=TODAY):
    return Town(f"{on}T10:00").act()


def absence(from_on, to_on, worker=A, deputy=B, **facts):
    usual: dict[str, Any] = {
        "id": new_id(),
        "worker_id": worker,
        "from_on": date.fromisoformat(from_on),
        "to_on": date.fromisoformat(to_on),
        "deputy_id": deputy,
        "centre_code": "2635051000",
        "district_code": "26350",
        "recorded_at": Town().now,
        "recorded_by": None,
    }
    return Absence(**(usual | facts))


@pytest.mark.parametrize(
    ("from_on", "to_on", "code", "field"),
    [
        ("2026-03-30", "2026-03-31", "date_too_early", "to"),
        ("2026-03-30", "2026-04-01", None, None),
        ("2026-04-01", "2026-04-01", None, None),
        ("2026-04-02", "2026-04-02", None, None),
        ("2026-04-02", "2026-04-01", "ends_before_start", "to"),
        ("2026-04-02", "2027-04-01", None, None),
        ("2026-04-02", "2027-04-02", "absence_too_long", "to"),
        ("2026-04-02", "2036-04-02", "absence_too_long", "to"),
        ("2027-03-31", "2027-04-01", None, None),
        ("2027-04-01", "2027-04-02", "absence_too_far", "from"),
    ],
)
def test_an_absence_ends_after_it_began_lasts_a_year_at_most_and_is_not_all_past(
    from_on, to_on, code, field
):
    away = absence(from_on, to_on)
    if code is None:
        check_absence(away, [], act())
    else:
        with refused(Invalid, code, away) as caught:
            check_absence(away, [], act())
        assert field_of(caught) == field


@pytest.mark.parametrize(("to_on", "is_long"), [("2029-02-28", False), ("2029-03-01", True)])
def test_a_year_from_a_leap_day_ends_with_february(to_on, is_long):
    away = absence("2028-02-29", to_on)
    if is_long:
        with refused(Invalid, "absence_too_long", away):
            check_absence(away, [], act("2028-02-01"))
    else:
        check_absence(away, [], act("2028-02-01"))


def test_nobody_deputises_for_themselves():
    away = absence("2026-04-01", "2026-04-03", A, A)
    with refused(Invalid, "own_deputy", away) as caught:
        check_absence(away, [], act())
    assert field_of(caught) == "deputy_id"


@pytest.mark.parametrize(
    ("from_on", "to_on", "overlaps"),
    [
        ("2026-04-03", "2026-04-05", False),
        ("2026-04-03", "2026-04-06", True),
        ("2026-04-07", "2026-04-07", True),
        ("2026-04-08", "2026-04-20", True),
        ("2026-04-09", "2026-04-20", False),
    ],
)
def test_two_absences_of_one_person_have_no_day_in_common(from_on, to_on, overlaps):
    one, other = absence("2026-04-06", "2026-04-08"), absence(from_on, to_on, deputy=C)
    if overlaps:
        with refused(Conflict, "absence_overlaps", other) as caught:
            check_absence(other, [one], act())
        assert caught.value.facts["absence_id"] == one.id
    else:
        check_absence(other, [one], act())
    check_absence(absence(from_on, to_on, worker=D, deputy=C), [one], act())


@pytest.mark.parametrize(("from_on", "goes_round"), [("2026-04-08", True), ("2026-04-09", False)])
def test_two_do_not_stand_in_for_each_other_on_one_day(from_on, goes_round):
    one, other = absence("2026-04-06", "2026-04-08"), absence(from_on, "2026-04-20", B, A)
    if goes_round:
        with refused(Conflict, "mutual_deputies", other):
            check_absence(other, [one], act())
    else:
        check_absence(other, [one], act())


def test_nor_do_three_in_a_circle_on_the_one_day_they_share():
    others = [absence("2026-04-06", "2026-04-08", A, B), absence("2026-04-08", "2026-04-12", B, C)]
    third = absence("2026-04-01", "2026-04-30", C, A)
    with refused(Conflict, "mutual_deputies", third):
        check_absence(third, others, act())
    check_absence(absence("2026-04-01", "2026-04-30", C, D), others, act())
    check_absence(absence("2026-04-01", "2026-04-07", C, A), others, act())


def test_an_absence_is_put_right_until_it_is_over():
    away = absence("2026-04-06", "2026-04-08")
    correct(away, [], {"to_on": date(2026, 4, 10), "deputy_id": C}, act("2026-04-08"))
    assert (away.to_on, away.deputy_id) == (date(2026, 4, 10), C)
    with refused(Conflict, "absence_over", away):
        correct(away, [], {"deputy_id": D}, act("2026-04-11"))
    with refused(Conflict, "absence_over", away):
        end(away, date(2026, 4, 9), act("2026-04-11"))


@pytest.mark.parametrize(
    ("on", "code"),
    [
        ("2026-04-04", "date_too_early"),
        ("2026-04-05", None),
        ("2026-04-06", None),
        ("2026-04-10", None),
        ("2026-04-11", "absence_ends_before"),
    ],
)
def test_an_absence_ends_early_on_its_last_day_or_never_began(on, code):
    away = absence("2026-04-06", "2026-04-10")
    if code:
        with refused(Invalid, code, away):
            end(away, date.fromisoformat(on), act("2026-04-08"))
        return
    end(away, date.fromisoformat(on), act("2026-04-08"))
    assert away.covers(date(2026, 4, 6)) is (on >= "2026-04-06")
    assert away.covers(date(2026, 4, 10)) is (on == "2026-04-10")


def test_an_absence_to_come_is_called_off_today():
    away = absence("2026-04-06", "2026-04-10")
    end(away, date(2026, 4, 1), act())
    assert not any(away.covers(date(2026, 4, day)) for day in range(1, 11))


def test_the_work_is_with_the_first_deputy_in_turn_who_is_there():
    away = StandIns({A: B, B: C})
    assert [away.acting_for(one) for one in (A, B, C, D)] == [C, C, C, D]
    assert (away.work_of(C), away.work_of(B)) == ([A, B], [])
    assert away.left_to_nobody == []


def test_where_the_chain_ends_in_nobody_it_is_left_to_the_supervisor():
    assert StandIns({A: B, B: C}, frozenset({C})).left_to_nobody == [A, B]
    assert StandIns({A: B, B: A}).left_to_nobody == [A, B]
    assert StandIns({A: B}, frozenset({B})).acting_for(A) is None
