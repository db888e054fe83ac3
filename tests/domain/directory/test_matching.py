"""The order of a match: each factor where it tips, and every factor before the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import asin, cos, degrees, pi, radians, sin
from typing import Any

import pytest

from casework.adapters.calendar import korean_calendar
from casework.domain.clocks.calendar import SEOUL
from casework.domain.directory.directory import Provider
from casework.domain.directory.eligibility import Comparison, Rule, judge
from casework.domain.directory.matching import (
    CandidateOffering,
    Factor,
    Match,
    MatchRequest,
    ResponseRate,
    is_near,
    matches,
    minutes_for,
)
from tests.factories.directory import OfferingFactory

FRESH_FOR = timedelta(days=7)
NOW = datetime(2026, 3, 27, 9, 0, tzinfo=SEOUL)  # a Friday
HERE = (35.0, 129.0)
CALENDAR = korean_calendar()
SECOND = timedelta(seconds=1)
FIFTEEN_MINUTES = 15 / 60 * 24 / 1.4  # kilometres


def north(metres: float) -> tuple[float, float]:
    """A point so many metres north of HERE, on a sphere of 6371 km."""
    return HERE[0] + degrees(metres / 1000 / 6371), HERE[1]


def provider(point: tuple[float, float] = HERE, **facts: Any) -> Provider:
    offering = OfferingFactory()
    usual: dict[str, Any] = {
        "id": offering.provider_id, "slug": "a", "name": "가상기관", "kind": "clinic",
        "phone": "051-000-0000", "district_code": "26350",
    }  # fmt: skip
    return Provider(lat=point[0], lon=point[1], **(usual | facts))


def measured(days: float = 2.0, share: float = 0.6) -> ResponseRate:
    return ResponseRate(answers=9, median_days=days, accepted_share=share, as_of=NOW)


def candidate(metres: float = 0, **facts: Any) -> CandidateOffering:
    spoken = facts.pop("languages", None)
    names = ("given_at", "measured", "fresh_for")
    rest = {name: facts.pop(name) for name in names if name in facts}
    offering = OfferingFactory(**({"as_of": NOW} | facts))
    agency = provider(north(metres), languages=spoken)
    return CandidateOffering(
        offering=offering, provider=agency, **({"measured": None, "fresh_for": FRESH_FOR} | rest)
    )


def wish(**facts: Any) -> MatchRequest:
    usual: dict[str, Any] = {"point": HERE, "now": NOW, "calendar": CALENDAR}
    return MatchRequest(**(usual | facts))


def rank(one: Match, factor: Factor) -> int:
    return next(reason.rank for reason in one.why if reason.factor is factor)


def value(one: Match, factor: Factor) -> dict[str, Any]:
    return next(reason.value for reason in one.why if reason.factor is factor)


def rank_of(factor: Factor, one: CandidateOffering, **facts: Any) -> int:
    (found,) = matches([one], wish(**facts))
    return rank(found, factor)


# The distance


@pytest.mark.parametrize(
    ("kilometres", "minutes", "near"),
    [
        (0.0, 0, True),
        (0.001, 1, True),
        (24 / 60 / 1.4, 1, True),
        (24 / 60 / 1.4 + 0.001, 2, True),
        (FIFTEEN_MINUTES - 0.001, 15, True),
        (FIFTEEN_MINUTES, 15, True),
        (FIFTEEN_MINUTES + 0.001, 16, False),
        (40.0, 140, False),
    ],
)
def test_a_minute_that_has_begun_counts_and_fifteen_are_still_near(
    kilometres: float, minutes: int, near: bool
) -> None:
    assert minutes_for(kilometres) == minutes
    assert is_near(kilometres) is near


def test_whole_minutes_stay_whole_whatever_floating_point_adds() -> None:
    for minutes in range(1, 200):
        for way in (minutes / 60 * 24 / 1.4, minutes * 24 / 60 / 1.4, minutes * 2 / 7):
            assert minutes_for(way) == minutes


def test_the_distance_is_a_plain_great_circle_without_any_detour() -> None:
    there = (35.3, 129.4)
    a, b = (tuple(map(radians, one)) for one in (HERE, there))
    chord = 2 * asin(
        ((sin((b[0] - a[0]) / 2)) ** 2 + cos(a[0]) * cos(b[0]) * sin((b[1] - a[1]) / 2) ** 2) ** 0.5
    )
    one = CandidateOffering(
        offering=OfferingFactory(as_of=NOW),
        provider=provider(there),
        measured=None,
        fresh_for=FRESH_FOR,
    )
    (found,) = matches([one], wish())
    assert found.distance_km == pytest.approx(6371 * chord, abs=1e-9)
    assert value(found, Factor.TRAVEL) == {
        "distance_km": found.distance_km, "minutes": found.minutes,
    }  # fmt: skip
    assert matches([candidate(pi * 1000)], wish())[0].distance_km == pytest.approx(pi)


def test_the_nearest_comes_first_and_as_near_as_another_means_to_the_metre() -> None:
    far, near, as_near = candidate(2000.0), candidate(1000.2), candidate(999.8)
    found = matches([far, near, as_near], wish())
    assert [rank(one, Factor.TRAVEL) for one in found] == [1, 1, 2]
    tied = sorted((near, as_near), key=lambda one: str(one.offering.id))
    assert [one.candidate for one in found] == [*tied, far]


# Each factor where it tips


def test_a_rule_that_is_not_met_comes_last_and_one_that_is_not_known_between() -> None:
    old = Rule(fact="age", comparison=Comparison.AT_LEAST, values=("65",), basis="Act 2")
    for age, wanted in (("64", 3), ("65", 1), (None, 2)):
        assert rank_of(Factor.ELIGIBLE, candidate(), judged=judge([old], {"age": age})) == wanted
    assert rank_of(Factor.ELIGIBLE, candidate()) == 1


@pytest.mark.parametrize(
    ("mobility", "ranks"),
    [
        (None, [1, 1, 1]),
        ("independent", [1, 1, 1]),
        ("limited", [1, 2, 3]),
        ("housebound", [1, 2, 3]),
    ],
)
def test_where_somebody_hardly_goes_out_what_comes_to_the_home_is_first(
    mobility: str | None, ranks: list[int]
) -> None:
    found = [
        rank_of(Factor.COMES_HOME, candidate(given_at=where), mobility=mobility)
        for where in ("home", None, "site")
    ]
    assert found == ranks


def test_a_language_counts_where_it_is_asked_for_and_korean_goes_without_saying() -> None:
    for spoken, wanted, expected in (
        (None, None, 1),
        (["en"], None, 1),
        (None, "ko", 1),
        (None, "vi", 2),
        (["ko", "vi"], "vi", 1),
        (["ko", "en"], "vi", 3),
        (["vi"], "ko", 3),
    ):
        one = candidate(languages=spoken)
        assert rank_of(Factor.LANGUAGE, one, language=wanted) == expected, (spoken, wanted)


def test_one_free_place_is_enough_and_none_is_not() -> None:
    assert [rank_of(Factor.FREE_PLACE, candidate(available=n)) for n in (0, 1, 9)] == [2, 1, 1]


def test_a_figure_is_stale_once_it_is_older_than_it_may_be() -> None:
    edge = NOW - FRESH_FOR
    for as_of, wanted in ((NOW, 1), (edge + SECOND, 1), (edge, 1), (edge - SECOND, 2)):
        assert rank_of(Factor.FRESH, candidate(as_of=as_of)) == wanted, as_of
    short = candidate(as_of=NOW - timedelta(days=2), fresh_for=timedelta(days=1))
    assert rank_of(Factor.FRESH, short) == 2


@pytest.mark.parametrize(
    ("needed_by", "rank_wanted"),
    [
        (date(2026, 3, 30), 3),  # a Monday: one working day
        (date(2026, 3, 31), 1),  # the second working day
        (date(2026, 4, 1), 1),
        (None, 1),
    ],
)
def test_whether_it_answers_in_time_goes_by_working_days(
    needed_by: date | None, rank_wanted: int
) -> None:
    one = candidate(measured=measured(days=1.5))  # half a day is a day more
    assert rank_of(Factor.IN_TIME, one, needed_by=needed_by) == rank_wanted
    (found,) = matches([one], wish(needed_by=needed_by))
    assert value(found, Factor.IN_TIME)["answer_expected_on"] == date(2026, 3, 31)


def test_an_answer_of_the_same_day_is_not_expected_on_a_sunday() -> None:
    sunday = datetime(2026, 3, 29, 9, 0, tzinfo=SEOUL)
    (found,) = matches([candidate(measured=measured(days=0))], wish(now=sunday))
    assert value(found, Factor.IN_TIME)["answer_expected_on"] == date(2026, 3, 30)


def test_what_was_never_measured_is_unknown_and_neither_good_nor_bad() -> None:
    (found,) = matches([candidate()], wish(needed_by=date(2026, 4, 1)))
    for factor in (Factor.IN_TIME, Factor.ANSWERS, Factor.ACCEPTS):
        assert rank(found, factor) == 2
    assert value(found, Factor.ANSWERS) == {"median_working_days": None}
    assert value(found, Factor.ACCEPTS) == {"accepted_share": None}
    assert value(found, Factor.IN_TIME)["answer_expected_on"] is None


def test_answers_are_fast_to_a_working_day_and_slow_after_three() -> None:
    for days, wanted in ((0, 1), (1, 1), (1.5, 2), (3, 2), (3.5, 3)):
        assert rank_of(Factor.ANSWERS, candidate(measured=measured(days=days))) == wanted, days


def test_four_of_five_is_often_and_less_than_half_is_seldom() -> None:
    for share, wanted in ((1.0, 1), (4 / 5, 1), (0.79, 2), (1 / 2, 2), (0.49, 3), (0.0, 3)):
        assert rank_of(Factor.ACCEPTS, candidate(measured=measured(share=share))) == wanted, share


# One before the other

BETTER: list[tuple[Factor, dict[str, Any], dict[str, Any]]] = [
    (Factor.COMES_HOME, {"given_at": "home"}, {"given_at": "site"}),
    (Factor.LANGUAGE, {"languages": ["vi"]}, {"languages": ["ko"]}),
    (Factor.FREE_PLACE, {"available": 1}, {"available": 0}),
    (Factor.FRESH, {"as_of": NOW}, {"as_of": NOW - FRESH_FOR - SECOND}),
    (Factor.IN_TIME, {"measured": measured(days=3)}, {"measured": measured(days=3.5)}),
    (Factor.ACCEPTS, {"measured": measured(days=3, share=0.8)}, {}),
    (Factor.TRAVEL, {"metres": 10}, {"metres": 20}),
]


def test_a_factor_decides_before_all_that_follow_it() -> None:
    asked = wish(mobility="limited", language="vi", needed_by=date(2026, 4, 1))
    for n, (factor, good, bad) in enumerate(BETTER):
        worse_after: dict[str, Any] = {}
        better_after: dict[str, Any] = {}
        for _, best, worst in reversed(BETTER[n + 1 :]):
            worse_after |= worst
            better_after |= best
        first = candidate(**(worse_after | good))
        second = candidate(**(better_after | bad))
        found = matches([second, first], asked)
        assert found[0].candidate is first, factor
        assert rank(found[0], factor) < rank(found[1], factor), factor


def test_answering_fast_decides_before_accepting_often() -> None:
    fast, often = (
        candidate(measured=measured(days=1, share=0.1)),
        candidate(measured=measured(days=2, share=1.0)),
    )
    assert [one.candidate for one in matches([often, fast], wish())] == [fast, often]


def test_every_factor_is_named_in_the_order_in_which_it_counts() -> None:
    (found,) = matches([candidate()], wish())
    assert [one.factor for one in found.why] == list(Factor)
    assert all(one.value for one in found.why)


def test_the_order_does_not_depend_on_the_order_that_was_given() -> None:
    some = [candidate(metres=n % 3 * 100, available=n % 2) for n in range(9)]
    assert [one.candidate for one in matches(some, wish())] == [
        one.candidate for one in matches(reversed(some), wish())
    ]
    assert matches([], wish()) == []
