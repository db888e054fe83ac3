"""Why a clock shows its date, in one sentence that a person reads: Korean or English."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Final

from casework.domain.clocks.calendar import ONE_DAY, SEOUL, Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Explanation

# The calendar knows the holidays by their Korean names; a name that is new here stays Korean.
HOLIDAYS: Final = {
    "신정연휴": "New Year's Day",
    "설날": "Seollal",
    "삼일절": "Independence Movement Day",
    "노동절": "Labour Day",
    "어린이날": "Children's Day",
    "부처님오신날": "Buddha's Birthday",
    "석가탄신일": "Buddha's Birthday",
    "현충일": "Memorial Day",
    "제헌절": "Constitution Day",
    "광복절": "Liberation Day",
    "추석": "Chuseok",
    "개천절": "National Foundation Day",
    "한글날": "Hangeul Day",
    "기독탄신일": "Christmas Day",
    "국군의 날": "Armed Forces Day",
    "임시공휴일": "temporary public holiday",
    "대통령 선거일": "presidential election",
    "국회의원 선거일": "general election",
    "지방선거일": "local elections",
}
AROUND: Final = {" 대체 휴일": " (substitute holiday)", " 전날": "", " 다음날": ""}
WEEKEND: Final = {"saturday": "토요일", "sunday": "일요일"}
REASONS: Final = {
    "hospitalised": "입원",
    "away": "부재",
    "resident_asked": "본인 요청",
    "provider_paused": "제공기관 사정",
    "hold": "보류",
    "other": "기타",
}
UNITS: Final = {
    Unit.HOURS: ("hour", "시간"),
    Unit.WORKING_DAYS: ("working day", "근무일"),
    Unit.DAYS: ("day", "일"),
    Unit.MONTHS: ("month", "개월"),
}
Stretch = tuple[date, date, str]


def sentence(of: Explanation, language: str) -> str:
    """One sentence in ``ko`` or ``en``: the period, what was left out, and the date it gives."""
    return _korean(of) if language == "ko" else _english(of)


def _english(of: Explanation) -> str:
    due = _moment(of.due_at, of.target)
    if of.target.unit is Unit.ON_DATE:
        return f"Due on {due}, a fixed day that is never moved."
    unit = UNITS[of.target.unit][0] + ("s" if of.target.amount != 1 else "")
    parts = [f"{of.target.amount} {unit} from {_moment(of.start, of.target)}"]
    left = [f"{_days_en(first, last)} ({why})" for first, last, why in _stretches(of, _why_en)]
    if left:
        parts.append(f"leaving out {_listed(left)}")
    elif of.target.unit is Unit.HOURS:
        parts.append("nights and holidays included")
    parts += [f"extended to {one['until']:%Y-%m-%d}" for one in of.extensions[-1:]]
    return f"{', '.join(parts)}: due {due}."


def _korean(of: Explanation) -> str:
    due = _moment(of.due_at, of.target)
    if of.target.unit is Unit.ON_DATE:
        return f"정해진 날짜이며 옮겨지지 않음: 기한 {due}."
    period = _period_ko(of.target)
    parts = [f"{_moment(of.start, of.target)}부터 {period}"]
    left = [f"{_days_ko(first, last)}({why})" for first, last, why in _stretches(of, _why_ko)]
    if left:
        parts.append(f"{', '.join(left)} 제외")
    elif of.target.unit is Unit.HOURS:
        parts.append("야간과 휴일 포함")
    parts += [f"{one['until']:%Y-%m-%d}까지 연장" for one in of.extensions[-1:]]
    return f"{', '.join(parts)}: 기한 {due}."


def _period_ko(target: Target) -> str:
    unit = UNITS[target.unit][1]
    return f"{unit} {target.amount}일" if unit == "근무일" else f"{target.amount}{unit}"


def _moment(at: datetime, target: Target) -> str:
    """A day, or for a clock of hours the minute."""
    if target.unit is Unit.HOURS:
        return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    return day_in_seoul(at).isoformat()


def _stretches(of: Explanation, say: Callable[[str], str]) -> Iterator[Stretch]:
    """Days left out, joined where they follow each other for the same reason."""
    begun: Stretch | None = None
    for on, reason in of.left_out:
        said = say(reason)
        if begun is not None and begun[2] == said and on == begun[1] + ONE_DAY:
            begun = (begun[0], on, said)
            continue
        if begun is not None:
            yield begun
        begun = (on, on, said)
    if begun is not None:
        yield begun


def _why_en(reason: str) -> str:
    if reason.startswith("paused: "):
        return reason.replace("_", " ")
    if reason in WEEKEND:
        return "weekend"
    return " and ".join(dict.fromkeys(holiday_name(one) for one in reason.split("; ")))


def holiday_name(name: str) -> str:
    """The English name of a holiday, where there is one."""
    for ending, english in AROUND.items():
        if name.endswith(ending):
            return holiday_name(name.removesuffix(ending)) + english
    return HOLIDAYS.get(name, name)


def _why_ko(reason: str) -> str:
    if reason.startswith("paused: "):
        cause = reason.removeprefix("paused: ")
        return f"중지: {REASONS.get(cause, cause)}"
    if reason in WEEKEND:
        return "주말"
    return reason


def _days_en(first: date, last: date) -> str:
    if first == last:
        return f"{first.day} {first:%B}"
    if first.month == last.month:
        return f"{first.day}–{last.day} {last:%B}"
    return f"{first.day} {first:%B} – {last.day} {last:%B}"


def _days_ko(first: date, last: date) -> str:
    if first == last:
        return f"{first.month}월 {first.day}일"
    if first.month == last.month:
        return f"{first.month}월 {first.day}~{last.day}일"
    return f"{first.month}월 {first.day}일~{last.month}월 {last.day}일"


def _listed(parts: Iterable[str]) -> str:
    *firsts, last = parts
    return f"{', '.join(firsts)} and {last}" if firsts else last
