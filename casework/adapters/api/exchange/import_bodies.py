"""Imported rows as the single operations take them, and request bodies of imports."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, ValidationError

from casework.adapters.api.casefile.parts import Channel, Determination, Ground
from casework.adapters.api.cases import bodies as intake
from casework.adapters.api.directory.bodies import Count, Degrees, Slug
from casework.adapters.api.planning.bodies import Unit as PlanUnit
from casework.adapters.api.residents import bodies as resident_bodies
from casework.adapters.api.shared.bodies import (
    ONE_LINE,
    Body,
    Code,
    Day,
    FormerNumber,
    Goal,
    Phone,
    Quantity,
    Short,
    Words,
)
from casework.domain.clocks.standards import Priority
from casework.domain.directory.directory import ProviderKind
from casework.domain.exchange.importing import Dismissal, FileKind
from casework.workflows.ports.exchange import Unreadable

Outcome = Literal["accepted", "refused", "duplicate", "unmatched"]
External = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w./-]+$"), ONE_LINE
]

Per = Literal["once", "day", "week", "month"]
TakenState = Literal[
    "requested", "waitlisted", "accepted", "in_progress", "on_hold", "completed", "declined",
    "failed", "withdrawn", "cancelled",
]  # fmt: skip


class ProviderRow(Body):
    """An agency."""

    slug: Slug
    name: Short
    kind: ProviderKind
    phone: Phone
    district_code: Code
    lat: Degrees
    lon: Degrees


class OfferingRow(Body):
    """What an agency offers."""

    provider: Slug
    service_code: Code
    capacity: Count
    available: Count
    waiting: Count = 0
    unit: Code
    is_open: StrictBool = True
    centres: list[Code] = Field(default=[], max_length=300)


class ResidentRow(resident_bodies.RegisterResident):
    """A resident, as they are registered one by one."""

    external_id: External | None = None


class CaseRow(Body):
    """An application of somebody who is registered."""

    resident_id: UUID | None = None
    external_id: External | None = None
    name: Short | None = None
    birth_date: Day | None = None
    channel: Channel
    applied_on: Day
    discharge_on: Day | None = None
    urgent: StrictBool = False
    urgent_reason: Words | None = None
    ex_officio_ground: Ground | None = None


class AssessmentRow(intake.RecordAssessment):
    """What an assessor found, of somebody whom the sender names their way."""

    external_id: External | None = None
    name: Short | None = None
    birth_date: Day | None = None
    centre_code: Code | None = None


class RunningCaseRow(Body):
    """A case that ran before the system came in, with one service of its plan and its referral."""

    resident_id: UUID | None = None
    external_id: External | None = None
    name: Short | None = None
    birth_date: Day | None = None
    centre_code: Code | None = None
    worker: Short | None = None
    former_number: FormerNumber | None = None
    channel: Channel
    applied_on: Day
    consent_given_on: Day | None = None
    consent_given_by: Short | None = None
    urgent: StrictBool = False
    urgent_reason: Words | None = None
    ex_officio_ground: Ground | None = None
    surveyed_on: Day | None = None
    determined_on: Day | None = None
    determination: Determination | None = None
    approved_on: Day
    goals: list[Goal] = Field(default=[], max_length=50)
    heard_on: Day | None = None
    heard_from: Short | None = None
    notified_on: Day | None = None
    notified_to: Short | None = None
    first_checked_on: Day | None = None
    last_checked_on: Day | None = None
    next_check_on: Day | None = None
    findings: Words | None = None
    service_code: Code | None = None
    content: Words | None = None
    quantity: Quantity | None = None
    unit: PlanUnit | None = None
    per: Per | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    agency: Slug | None = None
    state: TakenState | None = None
    priority: Priority = Priority.ROUTINE
    requested_on: Day | None = None
    answered_on: Day | None = None
    started_on: Day | None = None
    ended_on: Day | None = None
    hold_until: Day | None = None
    reason: Code | None = None
    outcome: Code | None = None
    disposition: Code | None = None
    note: Words | None = None
    outside_area_reason: Words | None = None


class AssignImportRow(Body):
    """Whom a result is about."""

    resident_id: UUID


class DismissImportRow(Body):
    """Why a result is put aside."""

    reason: Dismissal


ROWS: Final[dict[FileKind, type[Body]]] = {
    FileKind.PROVIDERS: ProviderRow,
    FileKind.OFFERINGS: OfferingRow,
    FileKind.RESIDENTS: ResidentRow,
    FileKind.CASES: CaseRow,
    FileKind.ASSESSMENTS: AssessmentRow,
    FileKind.RUNNING_CASES: RunningCaseRow,
}
# What a single operation says besides the facts.
NO_FACTS: Final = {
    FileKind.RESIDENTS: {"contacts", "confirm_new", "rrn"},
    FileKind.ASSESSMENTS: {"corrects", "reason"},
}


class RowForms:
    """The forms of rows."""

    def read(self, kind: FileKind, values: dict[str, Any]) -> dict[str, Any]:
        """Validated by the model of the request body."""
        try:
            row = ROWS[kind].model_validate(values)
        except ValidationError as error:
            raise Unreadable([_told(dict(one)) for one in error.errors()]) from None
        return row.model_dump(exclude=NO_FACTS.get(kind, set()))


def _told(error: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a field, without what stood in it."""
    place = [str(part) for part in error["loc"]]
    field = place[0] if place else ""
    code = "required" if error["type"] == "missing" else "invalid"
    return {"field": field, "code": code, "message": str(error["msg"])}
