"""Shared request bodies: shapes and lengths only; the domain validates the values."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from casework.domain.text import clean_line, clean_text


def _as_day(given: object) -> object:
    """A day is ISO text; the year is limited to the range of the calendars."""
    if not (isinstance(given, str) and re.fullmatch(r"(1[89]|2[01])\d\d-\d\d-\d\d", given)):
        raise PydanticCustomError("day", "a day from 1800 to 2199, written YYYY-MM-DD")
    return given


def _as_number(given: object) -> object:
    """Refuse a string that looks like a number."""
    if isinstance(given, str):
        raise PydanticCustomError("number", "a number, not text")
    return given


def _line(given: object) -> object:
    """Clean typed text of one line, before its length and form are judged."""
    return clean_line(given) if isinstance(given, str) else given


def _text(given: object) -> object:
    """Clean typed text that may have several lines."""
    return clean_text(given) if isinstance(given, str) else given


ONE_LINE: Final = BeforeValidator(_line)
LINES: Final = BeforeValidator(_text)
Day = Annotated[date, BeforeValidator(_as_day)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=120), ONE_LINE]
Secret = Annotated[str, Field(min_length=1, max_length=1024)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
Phone = Annotated[
    str,
    StringConstraints(max_length=30, pattern=r"^\+?[0-9][0-9 ()-]{5,28}$"),
    ONE_LINE,
]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000), LINES]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_as_number),
    Field(gt=0, le=100_000, max_digits=9, decimal_places=3),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}),
]


class Body(BaseModel):
    """A body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class OnBehalf(Body):
    """On whose word a worker answers for a provider."""

    channel: Literal["phone", "fax", "visit"]
    person: Short


class ArticleBasis(Body):
    """Disclosure on Act 14(2)."""

    kind: Literal["article_14_2"]


class ConsentBasis(Body):
    """Disclosure on a consent to share with providers."""

    kind: Literal["consent"]
    consent_id: UUID


class CreateReferral(Body):
    """A request to one provider for one planned service."""

    planned_service_id: UUID
    offering_id: UUID
    priority: Literal["routine", "urgent", "emergency"]
    basis: Annotated[ArticleBasis | ConsentBasis, Field(discriminator="kind")]
    message: Words | None = None
    send: bool = True
    requested_on: Day | None = None
    outside_area_reason: Words | None = None
    replaces: UUID | None = None


class EmptyBody(Body):
    """A body that says nothing more."""


class SendReferral(Body):
    """The day on which the provider was asked, today where it is left out."""

    requested_on: Day | None = None


class AcceptReferral(Body):
    """The provider takes it on."""

    answered_on: Day | None = None
    expected_start_on: Day | None = None
    note: Words | None = None
    on_behalf: OnBehalf | None = None


class WaitlistReferral(Body):
    """Not now, but in turn."""

    answered_on: Day | None = None
    expected_on: Day | None = None
    note: Words | None = None
    on_behalf: OnBehalf | None = None


class DeclineReferral(Body):
    """The provider cannot; ``replace_with`` refers to the next one in the same request.

    With the reason ``at_capacity`` its offering counts as full until the end of ``full_until``.
    """

    reason: Code
    answered_on: Day | None = None
    note: Words | None = None
    on_behalf: OnBehalf | None = None
    full_until: Day | None = None
    replace_with: UUID | None = None


class StartReferral(Body):
    """The service began."""

    started_on: Day
    on_behalf: OnBehalf | None = None


class DeliveredQuantity(Body):
    """How much was given."""

    quantity: Quantity
    unit: Code


class ReportProgress(Body):
    """How it goes."""

    reported_on: Day
    note: Words
    delivered: DeliveredQuantity | None = None
    on_behalf: OnBehalf | None = None


class RaiseSignal(Body):
    """Something changed with the resident."""

    kind: Literal["hospitalised", "fall", "nobody_home", "worse", "died", "other"]
    note: Words | None = None


class HoldReferral(Body):
    """A pause with its last day."""

    reason: Code
    until: Day
    note: Words | None = None
    on_behalf: OnBehalf | None = None


class ResumeReferral(Body):
    """The pause is over early."""

    on_behalf: OnBehalf | None = None


class CompleteReferral(Body):
    """The service ended."""

    outcome: Code
    ended_on: Day
    note: Words | None = None
    on_behalf: OnBehalf | None = None


class FailReferral(Body):
    """It came to nothing."""

    reason: Code
    ended_on: Day | None = Field(
        default=None, description="The day on which it came to nothing; today if left out."
    )
    note: Words | None = None
    on_behalf: OnBehalf | None = None


class CorrectionOf(Body):
    """Why something that was recorded is put right."""

    reason: Words


class CorrectReferral(Body):
    """On which days it was really asked, answered, started or ended."""

    requested_on: Day | None = None
    answered_on: Day | None = None
    started_on: Day | None = None
    ended_on: Day | None = None
    reason: Words


class ChangePriority(Body):
    """How pressing it is from now on, and why."""

    priority: Literal["routine", "urgent", "emergency"]
    reason: Words


class EndReferral(Body):
    """Cancelling or withdrawing, with its reason."""

    reason: Code
    note: Words | None = None


class DisposeReferral(Body):
    """What happens instead."""

    disposition: Code
    offering_id: UUID | None = None
    replaced_by: UUID | None = None
    note: Words | None = None


class EnterReferralInError(Body):
    """It should never have been entered."""

    reason: Words


Line = Annotated[str, StringConstraints(min_length=1, max_length=300), ONE_LINE]


Number = Annotated[str, StringConstraints(max_length=30), ONE_LINE]


FormerNumber = Annotated[str, StringConstraints(min_length=1, max_length=60), ONE_LINE]


Points = Annotated[StrictInt, Field(ge=0, le=2)]


Goal = Annotated[str, StringConstraints(min_length=1, max_length=1000), LINES]


_DAY: Final = re.compile(r"(20[0-9]{2})-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    _DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _recent_day(value: Any) -> Any:
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


RecentDay = Annotated[date, BeforeValidator(_recent_day)]


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


Due = Literal["overdue", "today", "week", "all"]


Holder = Literal["worker", "provider", "supervisor", "assessor", "owner", "giver", "body", "area"]


Cause = Literal[
    "no_capacity",
    "provider_slow",
    "waiting_for_assessment",
    "waiting_for_decision",
    "resident_unreachable",
    "resident_choice",
    "staff_absent",
    "waiting_for_council",
    "waiting_for_other_body",
    "waiting_for_money",
    "waiting_for_ordinance",
    "other",
]


GroupedBy = Literal[
    "centre", "field", "provider", "worker", "kind", "held_by", "cause", "body", "area"
]
