"""Why an offering has its rank, factor by factor, as text: Korean or English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.matching import Factor, MatchReason
from casework.domain.directory.past import Setback
from casework.locale import text


def said(reason: MatchReason, language: str) -> str:
    """What a factor is in this case, in ``ko`` or ``en``."""
    return _SAYS[reason.factor](reason.value, reason.rank, language)


def _eligible(value: Mapping[str, Any], _rank: int, language: str) -> str:
    if not value["rules"]:
        return text("sentence.match.eligible.no_rules", language)
    return text(f"sentence.match.eligible.{value['verdict']}", language)


def _history(value: Mapping[str, Any], rank: int, language: str) -> str:
    if rank == 1:
        return text("sentence.match.history.none", language)
    figures = {name.value: value[name] for name in Setback}
    return text("sentence.match.history.some", language, on=value["last_on"], **figures)


def _comes_home(value: Mapping[str, Any], _rank: int, language: str) -> str:
    where = text(f"sentence.match.given_at.{value['given_at'] or 'unknown'}", language)
    if value["counts"]:
        return text("sentence.match.counts", language, where=where)
    return text("sentence.match.counts_not", language, where=where)


def _language(value: Mapping[str, Any], rank: int, language: str) -> str:
    wanted = value["wanted"]
    if wanted is None:
        return text("sentence.match.language.none", language)
    if rank == 1:
        return text("sentence.match.language.spoken", language, language=wanted)
    if value["spoken"] is None:
        return text("sentence.match.language.unknown", language, language=wanted)
    return text("sentence.match.language.not_named", language, language=wanted)


def _free_place(value: Mapping[str, Any], _rank: int, language: str) -> str:
    """What somebody new could have, which is not what nobody holds: that is the rank's reason."""
    figures = {name: value[name] for name in ("free", "maximum", "waiting")}
    until = value["full_until"]
    if until is None:
        return text("sentence.match.places", language, **figures)
    return text("sentence.match.places_full_until", language, until=until, **figures)


def _fresh(value: Mapping[str, Any], _rank: int, language: str) -> str:
    on, days = day_in_seoul(value["as_of"]), value["fresh_for_days"]
    if value["stale"]:
        return text("sentence.match.figure_stale", language, on=on, days=days)
    return text("sentence.match.figure", language, on=on)


def _in_time(value: Mapping[str, Any], rank: int, language: str) -> str:
    wanted, expected = value["needed_by"], value["answer_expected_on"]
    if wanted is None:
        return text("sentence.match.in_time.no_day", language)
    if expected is None:
        return text("sentence.match.in_time.unknown", language)
    if rank > 1:
        return text("sentence.match.in_time.after", language, expected=expected, wanted=wanted)
    return text("sentence.match.in_time.by", language, expected=expected, wanted=wanted)


def _answers(value: Mapping[str, Any], _rank: int, language: str) -> str:
    days = value["median_working_days"]
    if days is None:
        return text("sentence.match.too_few_answers", language)
    return text("sentence.match.answers", language, answers=value["answers"], days=f"{days:g}")


def _accepts(value: Mapping[str, Any], _rank: int, language: str) -> str:
    share = value["accepted_share"]
    if share is None:
        return text("sentence.match.too_few_answers", language)
    return text("sentence.match.accepts", language, answers=value["answers"], share=f"{share:.0%}")


def _travel(value: Mapping[str, Any], _rank: int, language: str) -> str:
    km, minutes = f"{value['distance_km']:.1f}", value["minutes"]
    return text("sentence.match.travel", language, km=km, minutes=minutes)


_SAYS: Final[dict[Factor, Callable[[Mapping[str, Any], int, str], str]]] = {
    Factor.ELIGIBLE: _eligible,
    Factor.HISTORY: _history,
    Factor.COMES_HOME: _comes_home,
    Factor.LANGUAGE: _language,
    Factor.FREE_PLACE: _free_place,
    Factor.FRESH: _fresh,
    Factor.IN_TIME: _in_time,
    Factor.ANSWERS: _answers,
    Factor.ACCEPTS: _accepts,
    Factor.TRAVEL: _travel,
}
