"""Why a standard applies, and how a clock came to be counted anew: Korean or English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from casework.adapters.api.shared.clock_sentence import holiday_name
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.standards import (
    STATUTORY,
    STATUTORY_BASIS,
    ClockKind,
    ClockSubject,
    Priority,
    Standard,
)
from casework.domain.supervision.recounting import HOLIDAY

PRIORITIES: Final = {
    Priority.ROUTINE: ("routine", "일반"),
    Priority.URGENT: ("urgent", "긴급"),
    Priority.EMERGENCY: ("emergency", "응급"),
}


def why_standard(of: Standard | None, kind: ClockKind, about: ClockSubject, language: str) -> str:
    """Why it is this standard that applies, in ``ko`` or ``en``."""
    korean = language == "ko"
    if kind is ClockKind.DISCHARGE:
        return (
            "퇴원일 당일이며 기준이 없음" if korean else "due on the day of discharge; no standard"
        )
    if of is None:
        return "이 기한을 쓰는 기준이 없음" if korean else "off: no standard switches it on"
    parts = [_korean_scope(of) if korean else _english_scope(of)]
    if of.priority is not None and of.priority != about.priority:
        asked = PRIORITIES[Priority(about.priority)][korean]
        own = PRIORITIES[Priority(of.priority)][korean]
        parts.append(
            f"{asked} 기준이 없어 {own} 기준 적용"
            if korean
            else f"there is no target for {asked}, so that for {own} applies"
        )
    if kind in STATUTORY:
        parts.append(
            "법정 기한을 넘지 않음" if korean else f"never later than {STATUTORY_BASIS} allows"
        )
    return "; ".join(parts)


def _english_scope(of: Standard) -> str:
    named = [
        of.priority and f"priority {of.priority}",
        of.service_code and f"the service {of.service_code}",
        of.field and not of.service_code and f"the field {of.field}",
        of.district_code and f"the district {of.district_code}",
    ]
    said = ", ".join(one for one in named if one)
    if not said:
        return "no narrower one fits: the one for everything of its kind"
    return f"the most specific that fits: for {said}"


def _korean_scope(of: Standard) -> str:
    named = [
        of.priority and f"우선순위 {PRIORITIES[Priority(of.priority)][1]}",
        of.service_code and f"서비스 {of.service_code}",
        of.field and not of.service_code and f"분야 {of.field}",
        of.district_code and f"구·군 {of.district_code}",
    ]
    said = ", ".join(one for one in named if one)
    return f"가장 구체적인 기준: {said}" if said else "더 구체적인 기준이 없어 공통 기준 적용"


def recounts_said(recounts: Iterable[Mapping[str, Any]], language: str) -> str:
    """How a clock was counted anew, each time in a sentence; empty where it never was."""
    say = _recount_ko if language == "ko" else _recount_en
    return "".join(f" {say(one)}" for one in recounts)


def _recount_en(of: Mapping[str, Any]) -> str:
    on = f"{day_in_seoul(of['at'])}"
    if of["because"] != HOLIDAY:
        return f"Recalculated on {on} by its standard."
    named = f"{of['on']} ({holiday_name(of['name'] or '')})"
    word = "closed" if of["closed"] else "open"
    return f"Recounted on {on}: {named} was declared {word}."


def _recount_ko(of: Mapping[str, Any]) -> str:
    on = f"{day_in_seoul(of['at'])}"
    if of["because"] != HOLIDAY:
        return f"{on} 기준에 따라 다시 산정함."
    word = "휴무일" if of["closed"] else "근무일"
    return f"{on} 다시 산정함: {of['on']}({of['name']}) {word} 지정."
