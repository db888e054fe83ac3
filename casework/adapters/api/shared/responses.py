"""Shared response schemas, and their base class.

They describe the responses in the OpenAPI document. They validate nothing while a request is
handled; the tests validate every response of the suite against its schema.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypeAliasType

from casework.adapters.api.shared import bodies
from casework.domain.clocks.calendar import Unit
from casework.domain.clocks.standards import ClockKind
from casework.domain.planning.warnings import WarningCode


def absent(description: str | None = None) -> Any:
    """A field that is left out of some answers. Where it is there, it has its type."""
    return Field(default_factory=lambda: None, description=description)


class ResponseBody(BaseModel):
    """A body without unknown fields. Built when the document is first requested."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Page(ResponseBody):
    """One page of a list."""

    next_cursor: str | None


@cache
def page_of(row: type[ResponseBody]) -> type[ResponseBody]:
    """The type of a list of ``row``, named after it: ``Referral`` makes ``ReferralPage``."""
    return create_model(
        f"{row.__name__}Page",
        __base__=Page,
        __module__=row.__module__,
        __doc__="One page of a list; `next_cursor` is null on the last one.",
        items=(list[row], ...),  # type: ignore[valid-type]
    )


Holder = TypeAliasType("Holder", bodies.Holder)
Cause = TypeAliasType("Cause", bodies.Cause)


class NothingMore(ResponseBody):
    """The change was made; there is nothing more to say."""


class Named(ResponseBody):
    """Somebody or something, by identifier and name."""

    id: UUID
    name: str


class Agency(Named):
    """An agency, and how to reach it."""

    phone: str


class Subject(ResponseBody):
    """What a clock, an event or a count is about."""

    type: str
    id: UUID


class Duration(ResponseBody):
    """An amount of one unit."""

    amount: int
    unit: Literal[Unit.HOURS, Unit.WORKING_DAYS, Unit.DAYS, Unit.MONTHS]


class FixedDay(ResponseBody):
    """One day that is never moved."""

    on: date
    unit: Literal[Unit.ON_DATE] = Field(description="Always `on_date`.")


class Pause(ResponseBody):
    """A stretch that is left out of a period."""

    from_: date = Field(alias="from")
    until: date
    reason: str
    resumed_at: AwareDatetime | None


class Deadline(ResponseBody):
    """A clock as it stands."""

    id: UUID
    kind: ClockKind
    subject: Subject
    held_by: Holder
    started_at: AwareDatetime
    due_at: AwareDatetime
    status: str = Field(description="`running`, `paused`, `met` or `cancelled`.")
    overdue: bool
    met_at: AwareDatetime | None
    recorded_at: AwareDatetime | None = Field(
        description="When the act that met it was recorded; null where none did."
    )
    acted_on: date | None
    cancelled_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    target: Duration | FixedDay
    basis: str


class CatalogueWarning(ResponseBody):
    """What the catalogue says against a planned service. It refuses nothing."""

    code: WarningCode
    planned_service_id: UUID
    service_code: str
    fact: dict[str, Any] = Field(description="What is planned or known; depends on the code.")
    limit: dict[str, Any] | None = Field(
        description="What the catalogue says; null where nothing but the fact is to be said."
    )
    says: str = Field(description="The same in a sentence, by `Accept-Language`.")


class RecountedClock(ResponseBody):
    """A clock that was counted anew."""

    deadline_id: UUID
    kind: ClockKind
    due_at_before: AwareDatetime
    due_at: AwareDatetime


class EventActor(ResponseBody):
    """Who did it. The account is left out for those who may not know it."""

    id: UUID | None = Field(
        description="Identifier of the account; null where the reader may not know it."
    )
    role: str


class Event(ResponseBody):
    """One thing that happened. Its data depend on the event."""

    id: UUID
    event: str
    at: AwareDatetime
    recorded_at: AwareDatetime = Field(
        description="When it was recorded; the day of an act that was entered later is in its data."
    )
    subject: Subject
    by: EventActor
    data: dict[str, Any]


class HintLeft(ResponseBody):
    """A resident who may be the same person, by identifier."""

    id: UUID
    reasons: list[str]


class OutOfSight(ResponseBody):
    """The change was made; what it was made to is not, or no longer, in the reader's scope."""

    id: UUID = absent("Identifier of what was changed.")
    code: str = absent("Code of the service that was changed.")
    case_id: UUID = absent()
    provider_id: UUID = absent()
    version: int = absent("Number of the version.")
    hash: str = absent()
    consents: list[UUID] = absent("Identifiers of the consents.")
    hints: list[HintLeft] = absent()


class FieldError(ResponseBody):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field, such as `consents.1.given_on`.")
    message: str = Field(description="What is wrong with it.")
    code: str = absent()


class Candidate(ResponseBody):
    """A resident who may be the same person."""

    id: UUID
    name: str
    birth_date: date
    died_on: date | None
    centre_code: str
    reasons: list[str]


class TwoValues(ResponseBody):
    """What each of two records says of one fact; null where it is not shown to the caller."""

    survivor: str | bool | None
    duplicate: str | bool | None


class RefusedAnswer(ResponseBody):
    """Why one of several answers was refused."""

    referral_id: UUID
    status: int = Field(description="HTTP status that this part would have had by itself.")
    code: str


class Problem(ResponseBody):
    """A refusal (RFC 9457). `code` is stable; which facts stand beside it depends on the code."""

    type: str = Field(description="A URN with the code.")
    title: str
    status: int = Field(description="HTTP status.")
    detail: str
    code: str
    state: str = absent("Where the subject of the request stands.")
    allowed_actions: list[str] = absent("What would be possible instead.")
    errors: list[FieldError] = absent()
    candidates: list[Candidate] = absent()
    fields: dict[str, TwoValues] = absent("The facts in which the two records differ.")
    results: list[RefusedAnswer] = absent()
    resident_id: UUID = absent()
    survivor_id: UUID = absent()
    standard_id: UUID = absent()
    absence_id: UUID = absent("Identifier of the absence that stands against it.")
    case_id: UUID = absent("Identifier of the case that stands against it.")
    case_ids: list[UUID] = absent()
    referral_ids: list[UUID] = absent()
    planned_service_id: UUID = absent()
    referrals: list[UUID] = absent("Identifiers of the referrals that stand against it.")
    cases: int = absent("How many open cases there are.")
    tasks: int = absent("How many tasks are open.")
    seats: int = absent("How many seats there would be.")
    most: int = absent("How many seats there are at most.")
    held_on: date = absent()
    died_on: date = absent()
    corrected_by_note_id: UUID = absent()
    article: str = absent("The article of the law that allows no more.")
    limit: Duration = absent("What is allowed at most.")
