"""Why an offering stands where it stands, factor by factor, for a person: Korean or English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.directory.matching import Factor, MatchReason

Said = tuple[str, str]  # English, Korean
UNKNOWN: Final = "unknown"


def said(reason: MatchReason, language: str) -> str:
    """What a factor is in this case, in ``ko`` or ``en``."""
    english, korean = _SAYS[reason.factor](reason.value, reason.rank)
    return korean if language == "ko" else english


def _eligible(value: Mapping[str, Any], _rank: int) -> Said:
    if not value["rules"]:
        return "No rule is known for this service.", "이 서비스에 알려진 자격 기준이 없음."
    return {
        "met": ("Every known rule is met.", "알려진 자격 기준을 모두 충족."),
        "not_met": ("A rule is not met.", "충족하지 않는 자격 기준이 있음."),
        UNKNOWN: ("A fact is not known.", "확인되지 않은 사실이 있음."),
    }[value["verdict"]]


def _comes_home(value: Mapping[str, Any], _rank: int) -> Said:
    where = {
        "home": ("It comes to the home", "가정으로 방문"),
        "site": ("It is given at a site", "기관에서 제공"),
        None: ("Where it is given is unknown", "제공 장소를 알 수 없음"),
    }[value["given_at"]]
    counts = ("", "") if value["counts"] else (", which was not asked about", ", 순서에 반영 안 함")
    return f"{where[0]}{counts[0]}.", f"{where[1]}{counts[1]}."


def _language(value: Mapping[str, Any], rank: int) -> Said:
    wanted = value["wanted"]
    if wanted is None:
        return "No language was asked for.", "요청한 언어 없음."
    return {
        1: (f"The language {wanted} is spoken.", f"{wanted} 사용 가능."),
        2: (f"Whether {wanted} is spoken is unknown.", f"{wanted} 사용 여부를 알 수 없음."),
        3: (f"The language {wanted} is not among those named.", f"밝힌 언어에 {wanted} 없음."),
    }[rank]


def _free_place(value: Mapping[str, Any], _rank: int) -> Said:
    """What somebody new could have, which is not what nobody holds: that is the rank's reason."""
    free, of, waiting = value["free"], value["maximum"], value["waiting"]
    english, korean = f"{free} of {of} places free", f"정원 {of} 중 빈자리 {free}"
    english, korean = f"{english}, {waiting} waiting", f"{korean}, 대기 {waiting}"
    until = value["full_until"]
    if until is None:
        return f"{english}.", f"{korean}."
    return f"{english}; full until {until}.", f"{korean}, {until}까지 정원 초과."


def _fresh(value: Mapping[str, Any], _rank: int) -> Said:
    on, days = day_in_seoul(value["as_of"]), value["fresh_for_days"]
    if value["stale"]:
        return (
            f"The figure is of {on}, older than {days} days.",
            f"{on} 기준 수치로 {days}일이 지남.",
        )
    return f"The figure is of {on}.", f"{on} 기준 수치."


def _in_time(value: Mapping[str, Any], rank: int) -> Said:
    wanted, expected = value["needed_by"], value["answer_expected_on"]
    if wanted is None:
        return "No day was named.", "필요한 날을 밝히지 않음."
    start = ("when it could begin is unknown.", "시작 가능일은 알 수 없음.")
    if expected is None:
        unknown = ("How fast it answers is unknown", "응답 속도를 알 수 없음")
        return f"{unknown[0]}; {start[0]}", f"{unknown[1]}; {start[1]}"
    late = rank > 1
    word = ("after", "이후") if late else ("by", "까지")
    return (
        f"An answer is expected on {expected}, {word[0]} {wanted}; {start[0]}",
        f"{wanted} {word[1]}: {expected} 응답 예상; {start[1]}",
    )


def _answers(value: Mapping[str, Any], _rank: int) -> Said:
    days = value["median_working_days"]
    if days is None:
        return _TOO_FEW
    return (
        f"Half of {value['answers']} answers came within {days:g} working days.",
        f"응답 {value['answers']}건의 중앙값은 근무일 {days:g}일.",
    )


def _accepts(value: Mapping[str, Any], _rank: int) -> Said:
    share = value["accepted_share"]
    if share is None:
        return _TOO_FEW
    return (
        f"{share:.0%} of {value['answers']} requests were accepted.",
        f"요청 {value['answers']}건 중 {share:.0%} 수락.",
    )


def _travel(value: Mapping[str, Any], _rank: int) -> Said:
    way, minutes = f"{value['distance_km']:.1f} km", value["minutes"]
    return (
        f"{way} from the centre's point, about {minutes} min by car.",
        f"읍면동 중심점에서 {way}, 차로 약 {minutes}분.",
    )


_TOO_FEW: Final = (
    "Unknown: too few answers in the last 90 days.",
    "알 수 없음: 최근 90일의 응답이 너무 적음.",
)
_SAYS: Final[dict[Factor, Callable[[Mapping[str, Any], int], Said]]] = {
    Factor.ELIGIBLE: _eligible,
    Factor.COMES_HOME: _comes_home,
    Factor.LANGUAGE: _language,
    Factor.FREE_PLACE: _free_place,
    Factor.FRESH: _fresh,
    Factor.IN_TIME: _in_time,
    Factor.ANSWERS: _answers,
    Factor.ACCEPTS: _accepts,
    Factor.TRAVEL: _travel,
}
