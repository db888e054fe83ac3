"""What goes out of matching and coverage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from casework.adapters.api.directory.matching_sentences import said
from casework.adapters.api.shared.views import instant
from casework.domain.directory.coverage import CentreCoverage
from casework.domain.directory.eligibility import JudgedRule, facts_shown
from casework.domain.directory.matching import DETOUR, SPEED_KMH, Factor, Match, MatchReason
from casework.workflows.directory.matching import Matched

# Kilometres to the metre: a centre's point is known to some ten metres.
METRES: Final = 3
ESTIMATE: Final = {"from": "centre_point", "detour_factor": DETOUR, "speed_kmh": SPEED_KMH}


def matched(found: Matched, language: str) -> dict[str, Any]:
    """The offerings in order, and what the minutes rest on."""
    return {
        "centre_code": found.centre.code,
        "estimate": ESTIMATE,
        "items": [_match(one, found.judged, language) for one in found.found],
    }


def _match(it: Match, judged: Sequence[JudgedRule], language: str) -> dict[str, Any]:
    provider = it.candidate.provider
    return {
        "offering_id": it.candidate.offering.id,
        "provider": {"id": provider.id, "name": provider.name, "phone": provider.phone},
        "distance_km": round(it.distance_km, METRES),
        "minutes": it.minutes,
        "within_15_minutes": it.is_near,
        "last_day": it.candidate.offering.last_day,
        "why": [_reason(one, judged, language) for one in it.why],
    }


def _reason(it: MatchReason, judged: Sequence[JudgedRule], language: str) -> dict[str, Any]:
    value = {name: _plain(one) for name, one in it.value.items()}
    if it.factor is Factor.ELIGIBLE:
        value["rules"] = [facts_shown(one) for one in judged]
    return {"factor": it.factor, "rank": it.rank, "value": value, "says": said(it, language)}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, METRES)
    return instant(value) if isinstance(value, datetime) else value


def coverage_gap(it: CentreCoverage) -> dict[str, Any]:
    """A centre with poor coverage, and the nearest agency that accepts, if any does."""
    nearest = it.nearest
    return {
        "centre_code": it.centre.code,
        "name": it.centre.name,
        "district_code": it.centre.district_code,
        "hole": it.gap,
        "open": it.open,
        "accepting": it.accepting,
        "nearest": {"id": nearest.id, "name": nearest.name} if nearest else None,
        "distance_km": None if it.distance_km is None else round(it.distance_km, METRES),
        "minutes": it.minutes,
    }
