"""Matching: candidates near a resident, ranked by factors that explain the order.

The factors count one after the other, and the next only where the one before is equal: meant for
such a person, not tried for this one in vain, what was wished for, a free place, a figure that is
fresh, how fast and how often the agency says yes, and the way there. What is measured is put in
classes, so that an hour's difference in answering does not send a nurse across the city. Whatever
is not known stands between the good and the bad, and is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Final
from uuid import UUID

from casework.domain.clocks.calendar import WorkingCalendar, day_in_seoul
from casework.domain.directory.capacity import free_places, is_marked_full, is_stale
from casework.domain.directory.directory import Offering, Provider, distance_km
from casework.domain.directory.eligibility import JudgedRule, RuleResult, overall_result
from casework.domain.directory.past import Setback

# Roads are longer than the crow flies, and hillier in Busan than elsewhere; a car in the city's
# traffic, parking included. Both are estimates, and enter the minutes only.
DETOUR: Final = 1.4
SPEED_KMH: Final = 24.0
NEAR_MINUTES: Final = 15
# Far below a metre's worth of time: what floating point adds to a whole minute is no minute more.
MINUTE_DIGITS: Final = 6
FAST_DAYS, SLOW_DAYS = 1.0, 3.0
OFTEN, SELDOM = 0.8, 0.5
KOREAN: Final = "ko"
# Mobilities with which somebody is better served at home.
NEEDS_HOME_VISIT: Final = frozenset({"limited", "housebound"})
BEST_FIRST: Final = (RuleResult.MET, RuleResult.UNKNOWN, RuleResult.NOT_MET)


class GivenAt(StrEnum):
    """Where a service is given."""

    HOME = "home"
    SITE = "site"


class Factor(StrEnum):
    """What the order goes by, the weightiest first."""

    ELIGIBLE = "eligible"
    HISTORY = "history"
    COMES_HOME = "comes_home"
    LANGUAGE = "language"
    FREE_PLACE = "free_place"
    FRESH = "fresh"
    IN_TIME = "in_time"
    ANSWERS = "answers"
    ACCEPTS = "accepts"
    TRAVEL = "travel"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRate:
    """An agency's recent answers: number of requests, median working days, share accepted."""

    answers: int
    median_days: float
    accepted_share: float
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateOffering:
    """An open offering that covers the resident's centre."""

    offering: Offering
    provider: Provider
    measured: ResponseRate | None
    fresh_for: timedelta
    given_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRequest:
    """For whom and what is asked, besides the service: at which point, when, and how."""

    point: tuple[float, float]
    now: datetime
    calendar: WorkingCalendar
    judged: Sequence[JudgedRule] = field(default_factory=tuple)
    mobility: str | None = None
    language: str | None = None
    needed_by: date | None = None
    # What came of asking for this resident before, by agency.
    before: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)

    @property
    def at_home(self) -> bool:
        """Whether a service that comes to the home goes first."""
        return self.mobility in NEEDS_HOME_VISIT


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchReason:
    """A factor with what it is in this case and the class that gives: 1 comes first."""

    factor: Factor
    value: dict[str, Any]
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A candidate with its way, and why it stands where it stands."""

    candidate: CandidateOffering
    distance_km: float
    why: tuple[MatchReason, ...]

    @property
    def minutes(self) -> int:
        """The way by car, as estimated from the centre's point."""
        return minutes_for(self.distance_km)

    @property
    def is_near(self) -> bool:
        """Whether it is within fifteen minutes of the centre's point."""
        return is_near(self.distance_km)

    @property
    def key(self) -> tuple[object, ...]:
        """The order: each factor's rank, then the id."""
        return (*(one.rank for one in self.why), str(self.candidate.offering.id))


def minutes_for(kilometres: float) -> int:
    """Whole minutes by car for a great-circle distance; one that has begun counts."""
    return ceil(round(kilometres * DETOUR / SPEED_KMH * 60, MINUTE_DIGITS))


def is_near(kilometres: float) -> bool:
    """Whether a great-circle distance is driven within fifteen minutes."""
    return minutes_for(kilometres) <= NEAR_MINUTES


def answer_expected_on(measured: ResponseRate, wish: MatchRequest) -> date:
    """The working day by which half of the agency's answers come, were it asked now."""
    days = ceil(measured.median_days)
    return wish.calendar.roll(wish.calendar.step(day_in_seoul(wish.now), days))


def matches(candidates: Iterable[CandidateOffering], wish: MatchRequest) -> list[Match]:
    """The candidates in the order in which to ask them."""
    ways = [
        (one, distance_km(wish.point, (one.provider.lat, one.provider.lon))) for one in candidates
    ]
    metres = [_metres(way) for _, way in ways]
    found = [
        Match(
            candidate=one,
            distance_km=way,
            why=(*_reasons(one, wish), _travel(way, metres)),
        )
        for one, way in ways
    ]
    return sorted(found, key=lambda match: match.key)


def _metres(kilometres: float) -> int:
    return round(kilometres * 1000)


def _reasons(one: CandidateOffering, wish: MatchRequest) -> tuple[MatchReason, ...]:
    return (
        _eligible(wish),
        _history(one, wish),
        _comes_home(one, wish),
        _language(one, wish),
        _free_place(one, wish),
        _fresh(one, wish),
        _in_time(one, wish),
        _answering(one.measured),
        _accepting(one.measured),
    )


def _eligible(wish: MatchRequest) -> MatchReason:
    verdict = overall_result(wish.judged)
    value = {"verdict": verdict.value, "rules": len(wish.judged)}
    return MatchReason(factor=Factor.ELIGIBLE, value=value, rank=1 + BEST_FIRST.index(verdict))


def _history(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    """What came of asking this agency for this resident: who was tried in vain comes last."""
    before = wish.before.get(one.provider.id)
    value = before or {one.value: 0 for one in Setback} | {"last_on": None}
    return MatchReason(factor=Factor.HISTORY, value=value, rank=1 if before is None else 2)


def _comes_home(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    """Where it makes a difference: at home, where nobody knows, elsewhere."""
    classes = {GivenAt.HOME: 1, None: 2, GivenAt.SITE: 3}
    given_at = GivenAt(one.given_at) if one.given_at else None
    value = {"given_at": given_at, "mobility": wish.mobility, "counts": wish.at_home}
    return MatchReason(
        factor=Factor.COMES_HOME, value=value, rank=classes[given_at] if wish.at_home else 1
    )


def _language(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    """Listed; nobody said which; not among those listed. Of Korean there is no doubt."""
    spoken = one.provider.languages
    value = {"wanted": wish.language, "spoken": spoken}
    if wish.language is None or wish.language in (spoken or (KOREAN,)):
        return MatchReason(factor=Factor.LANGUAGE, value=value, rank=1)
    return MatchReason(factor=Factor.LANGUAGE, value=value, rank=2 if spoken is None else 3)


def _free_place(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    """Free for somebody new: not for those who wait, and not where it is marked full."""
    of, today = one.offering, day_in_seoul(wish.now)
    free = free_places(of, today)
    until = of.full_until if is_marked_full(of, today) else None
    value = {
        "free": free,
        "available": of.available,
        "maximum": of.capacity,
        "waiting": of.waiting,
        "full_until": until,
    }
    return MatchReason(factor=Factor.FREE_PLACE, value=value, rank=1 if free > 0 else 2)


def _fresh(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    stale = is_stale(one.offering, one.fresh_for, wish.now)
    value = {"as_of": one.offering.as_of, "fresh_for_days": one.fresh_for.days, "stale": stale}
    return MatchReason(factor=Factor.FRESH, value=value, rank=2 if stale else 1)


def _in_time(one: CandidateOffering, wish: MatchRequest) -> MatchReason:
    """Whether an answer is to be expected by the day; when it would begin nobody can know."""
    expected = answer_expected_on(one.measured, wish) if one.measured else None
    value = {"needed_by": wish.needed_by, "answer_expected_on": expected}
    if wish.needed_by is None:
        rank = 1
    elif expected is None:
        rank = 2
    else:
        rank = 1 if expected <= wish.needed_by else 3
    return MatchReason(factor=Factor.IN_TIME, value=value, rank=rank)


def _answering(measured: ResponseRate | None) -> MatchReason:
    """Within a working day; within three, or unknown; later."""
    if measured is None:
        return MatchReason(factor=Factor.ANSWERS, value={"median_working_days": None}, rank=2)
    days = measured.median_days
    value = {"median_working_days": days, "answers": measured.answers, "as_of": measured.as_of}
    rank = 1 if days <= FAST_DAYS else 2 if days <= SLOW_DAYS else 3
    return MatchReason(factor=Factor.ANSWERS, value=value, rank=rank)


def _accepting(measured: ResponseRate | None) -> MatchReason:
    """Four of five; half of them, or unknown; fewer."""
    if measured is None:
        return MatchReason(factor=Factor.ACCEPTS, value={"accepted_share": None}, rank=2)
    share = measured.accepted_share
    value = {"accepted_share": share, "answers": measured.answers, "as_of": measured.as_of}
    rank = 1 if share >= OFTEN else 2 if share >= SELDOM else 3
    return MatchReason(factor=Factor.ACCEPTS, value=value, rank=rank)


def _travel(way: float, all_metres: Sequence[int]) -> MatchReason:
    """The nearest is first; whole metres apart."""
    value = {"distance_km": way, "minutes": minutes_for(way)}
    nearer = {metres for metres in all_metres if metres < _metres(way)}
    return MatchReason(factor=Factor.TRAVEL, value=value, rank=1 + len(nearer))
