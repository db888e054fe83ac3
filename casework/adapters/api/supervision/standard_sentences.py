"""Why a standard applies, and how a clock came to be recounted: Korean or English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from casework.adapters.api.shared.clock_sentence import holiday_name
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.standards import STATUTORY, ClockKind, ClockSubject, Standard
from casework.domain.supervision.recounting import HOLIDAY
from casework.locale import text


def why_standard(of: Standard | None, kind: ClockKind, about: ClockSubject, language: str) -> str:
    """Why it is this standard that applies, in ``ko`` or ``en``."""
    if kind is ClockKind.DISCHARGE:
        return text("sentence.standard.discharge", language)
    if of is None:
        return text("sentence.standard.off", language)
    parts = [_scope(of, language)]
    if of.priority is not None and of.priority != about.priority:
        wanted, applied = _priority(about.priority, language), _priority(of.priority, language)
        parts.append(
            text("sentence.standard.other_priority", language, wanted=wanted, applied=applied)
        )
    if kind in STATUTORY:
        parts.append(text("sentence.standard.statutory", language))
    return "; ".join(parts)


def _scope(of: Standard, language: str) -> str:
    named: list[str] = []
    if of.priority:
        priority = _priority(of.priority, language)
        named.append(text("sentence.standard.of_priority", language, priority=priority))
    if of.service_code:
        named.append(text("sentence.standard.of_service", language, service=of.service_code))
    elif of.field:
        named.append(text("sentence.standard.of_field", language, field=of.field))
    if of.district_code:
        named.append(text("sentence.standard.of_district", language, district=of.district_code))
    if not named:
        return text("sentence.standard.common", language)
    return text("sentence.standard.most_specific", language, scope=", ".join(named))


def _priority(code: str, language: str) -> str:
    return text(f"word.priority.{code}", language)


def recounts_said(recounts: Iterable[Mapping[str, Any]], language: str) -> str:
    """How a clock was recounted, each time in a sentence; empty where it never was."""
    return "".join(f" {_recount(one, language)}" for one in recounts)


def _recount(of: Mapping[str, Any], language: str) -> str:
    on = day_in_seoul(of["at"])
    if of["because"] != HOLIDAY:
        return text("sentence.standard.recalculated", language, on=on)
    name = holiday_name(of["name"] or "", language)
    if of["closed"]:
        return text("sentence.standard.declared_closed", language, on=on, day=of["on"], name=name)
    return text("sentence.standard.declared_open", language, on=on, day=of["on"], name=name)
