"""How agencies answered recently: what may be said of one without telling of anybody it served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from casework.domain.directory.matching import ResponseRate
from casework.domain.figures.figures import median_of

MEASURED_OVER: Final = timedelta(days=90)
# Fewer answers than these in the window say nothing about an agency, and much about somebody.
ENOUGH_ANSWERS: Final = 5


@dataclass(frozen=True, slots=True)
class Answers:
    """So many requests that took so many working days, and whether they were accepted by now."""

    days: int
    accepted: bool
    count: int


def measured(answers: Iterable[Answers], as_of: datetime) -> ResponseRate | None:
    """What they say of the agency, None where they are too few."""
    days: Counter[int] = Counter()
    accepted = 0
    for one in answers:
        days[one.days] += one.count
        accepted += one.count if one.accepted else 0
    total = sum(days.values())
    median = median_of(days)
    if total < ENOUGH_ANSWERS or median is None:
        return None
    return ResponseRate(
        answers=total, median_days=median, accepted_share=accepted / total, as_of=as_of
    )
