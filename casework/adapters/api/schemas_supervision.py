"""What comes in for worklist, supervision and jobs: shapes, lists and bounds."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StrictBool

from casework.adapters.api.schemas import Body, Words
from casework.domain.clocks.standards import Kind

_DAY: Final = re.compile(r"(20[0-9]{2})-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    _DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _day(value: Any) -> Any:
    """Refuse what Pydantic would make a date of, such as a number of seconds."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("a date of this century as YYYY-MM-DD")
    if isinstance(value, int | float):
        raise ValueError("a date as YYYY-MM-DD")
    return value


def _instant(value: Any) -> Any:
    """RFC 3339 with its offset, and nothing else that Pydantic would understand."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _INSTANT.fullmatch(value)):
        raise ValueError("an instant of RFC 3339 with its offset, in this century")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Due = Literal["overdue", "today", "week", "all"]
WorkKind = Kind | Literal["come_back"]
CareField = Literal["medical", "health", "nursing", "care", "housing", "family"]
Holder = Literal["worker", "provider", "supervisor", "assessor"]
Action = Literal["chase", "extend", "reassign", "redirect", "excuse"]
Cause = Literal[
    "no_capacity",
    "provider_slow",
    "waiting_for_assessment",
    "waiting_for_decision",
    "resident_unreachable",
    "resident_choice",
    "staff_absent",
    "other",
]
GroupedBy = Literal["centre", "field", "provider", "worker", "kind", "held_by", "cause"]


class Review(Body):
    """What a supervisor decides about an overdue clock, and why it was late."""

    action: Action
    cause: Cause
    reason: Words | None = None
    until: Day | None = None
    worker_id: UUID | None = None
    offering_id: UUID | None = None


class ReviewOne(Review):
    """One of several reviews."""

    deadline_id: UUID


def _each_once(reviews: list[ReviewOne]) -> list[ReviewOne]:
    if len({one.deadline_id for one in reviews}) < len(reviews):
        raise ValueError("a deadline is named twice")
    return reviews


class Reviews(Body):
    """Up to 100 reviews of as many deadlines; each succeeds or fails by itself."""

    reviews: Annotated[
        list[ReviewOne], Field(min_length=1, max_length=100), AfterValidator(_each_once)
    ]


class Run(Body):
    """When the sweep is to believe it is, and whether it only counts."""

    as_of: Instant | None = None
    dry_run: StrictBool = False
