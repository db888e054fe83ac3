"""Response schemas of deadlines, reviews, worklists, jobs, standards and holidays.

What a role may not see is null, or an empty list.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import responses as shared_responses
from casework.adapters.api.shared.responses import (
    Agency,
    Cause,
    Duration,
    FixedDay,
    Holder,
    Pause,
    ResponseBody,
    Subject,
    absent,
)
from casework.adapters.api.supervision.bodies import Action
from casework.domain.casefile.recounts import Because
from casework.domain.casefile.states import HoldReason
from casework.domain.clocks.standards import CareField, ClockKind, Priority
from casework.workflows.ports.supervision import WorkKind

NotifiedRole = Literal["worker", "provider", "supervisor", "head", "owner", "giver", "body", "area"]


class DeadlineReview(ResponseBody):
    """What was decided about a clock."""

    action: Action = Field(description="What was decided.")
    cause: Cause
    reason: str | None
    until: date | None
    at: AwareDatetime
    by: UUID | None = Field(description="Identifier of the account that decided.")


class HoldingBody(ResponseBody):
    """The body of the city's programme that holds a clock."""

    id: UUID
    name: str | None


class DeadlineDetail(shared_responses.Deadline):
    """A clock with whose it is, and what was last decided about it.

    One of the city's programme has no resident, no case and no centre.
    """

    resident_id: UUID | None
    case_id: UUID | None
    case_number: str | None
    centre_code: str | None
    district_code: str = Field(description="`city` where it is the whole city's.")
    worker_id: UUID | None
    body: HoldingBody | None
    provider_id: UUID | None
    field: CareField | None
    service_code: str | None
    priority: Priority
    excused: bool | None
    extended_until: date | None
    deferred_until: date | None
    last_review: DeadlineReview | None
    allowed_actions: list[str]


class LeftOutDay(ResponseBody):
    """A day that was not counted."""

    on: date
    why: str = Field(description="Name of the holiday, weekend, or why it was paused.")


class Extension(ResponseBody):
    """An extension of a clock."""

    until: date
    at: AwareDatetime
    cause: Cause | None


class StandardOfDeadline(ResponseBody):
    """The standard that a clock was set by."""

    id: UUID
    kind: ClockKind
    field: CareField | None
    service_code: str | None
    priority: Priority | None
    district_code: str | None
    in_force: bool


class RecountOfDeadline(ResponseBody):
    """That a clock was counted again."""

    at: AwareDatetime
    because: Because
    reason_id: UUID
    on: date | None
    closed: bool | None
    name: str | None = Field(description="Name of the holiday.")
    due_at_before: AwareDatetime


class Explanation(ResponseBody):
    """Why a clock shows its date."""

    start: AwareDatetime
    rule: str
    basis: str
    target: Duration | FixedDay
    left_out: list[LeftOutDay] = Field(description="The days that were not counted.")
    pauses: list[Pause]
    extensions: list[Extension]
    standard: StandardOfDeadline | None
    recounts: list[RecountOfDeadline]
    due_at: AwareDatetime
    sentence: str


class EscalationStep(ResponseBody):
    """A step that was raised, or told again after the last; and what was decided about it."""

    tier: int | None = Field(description="Tier of the step; null where it was told again.")
    is_repeated: bool = Field(
        description="Whether the supervisor was told again that it is overdue still."
    )
    passed_over: bool
    quiet: bool
    due_at: AwareDatetime
    at: AwareDatetime
    raised_at: AwareDatetime | None
    to: list[NotifiedRole] = Field(description="The roles that were notified.")
    review: DeadlineReview | None


class PersonToCall(ResponseBody):
    """A resident, and how to reach them; the address is for those who read residents."""

    id: UUID
    name: str
    phone: str | None
    died_on: date | None
    address: str | None


class WorkItem(ResponseBody):
    """Something to do: a clock, or a note to come back to, which has no deadline."""

    kind: WorkKind
    held_by: Holder
    case_id: UUID | None
    case_number: str | None
    centre_code: str | None
    worker_id: UUID | None
    field: CareField | None
    deadline_id: UUID | None
    note_id: UUID | None = Field(description="Identifier of the note to come back to.")
    text: str | None = Field(description="The first line of the note to come back to.")
    subject: Subject
    resident: PersonToCall | None = Field(description="Null in the city's programme.")
    body: HoldingBody | None
    provider: Agency | None
    due_at: AwareDatetime
    overdue: bool
    place_offered_at: AwareDatetime | None
    working_days_late: int


class NotifiedStep(ResponseBody):
    """Who was notified at one tier."""

    tier: int
    to: list[NotifiedRole] = Field(description="The roles that were notified.")
    at: AwareDatetime


class OverdueItem(WorkItem):
    """An overdue clock with its tier, who was notified when, and the last review."""

    tier: int | None
    told: list[NotifiedStep]
    last_review: DeadlineReview | None
    excused: bool


class OverdueGroup(ResponseBody):
    """Overdue clocks of one group."""

    key: str | None
    name: str | None
    count: int
    new: int
    excused: int = Field(description="How many of them are excused.")
    oldest_due_at: AwareDatetime
    median_working_days_late: float


class FallingDue(ResponseBody):
    """How many clocks of a worker fall due soon."""

    worker_id: UUID | None
    name: str | None
    count: int


class OverdueSummary(ResponseBody):
    """What is overdue, counted, and what falls due soon."""

    by: shared.GroupedBy = Field(description="What the groups are of.")
    total: int
    excused: int = Field(description="How many of them are excused.")
    groups: list[OverdueGroup]
    cases_without_worker: int
    upcoming: list[FallingDue]


class ReviewResult(ResponseBody):
    """What became of one review."""

    deadline_id: UUID
    status: int = Field(description="HTTP status that this part would have had by itself.")
    code: str = absent()


class ReviewResults(ResponseBody):
    """What became of each review."""

    results: list[ReviewResult]


class RunResult(ResponseBody):
    """What a run found and did."""

    run_id: UUID
    as_of: AwareDatetime
    dry_run: bool = Field(description="Whether it only counted.")
    found: int | None
    changed: int | None
    failed: int | None
    held: int | None = Field(description="How many notices were held back.")


class RunRecord(RunResult):
    """A run as it was recorded; without an end it has not ended."""

    job: str
    slot: AwareDatetime | None
    started_by: UUID | None
    error: str | None
    started_at: AwareDatetime
    ended_at: AwareDatetime | None


class Job(ResponseBody):
    """A job as it stands."""

    name: str
    does: str
    every_minutes: int
    next_tick_at: AwareDatetime
    last_tick_at: AwareDatetime | None
    late: bool = Field(description="Whether no scheduler has ticked for more than three ticks.")
    last_run: RunRecord | None
    last_success: RunRecord | None
    in_flight: list[RunRecord]


class EscalationTier(ResponseBody):
    """So long after the due date, this role is notified."""

    tier: int
    after: Duration = Field(description="How long after the due date.")
    to: NotifiedRole = Field(description="The role that is notified.")


class Standard(StandardOfDeadline):
    """A standard. Without `set_by` it is as shipped."""

    target: Duration
    lapse_after: Duration | None
    escalation: list[EscalationTier] | None
    basis: str
    set_at: AwareDatetime | None
    set_by: UUID | None
    version: int
    allowed_actions: list[str]


class EffectiveStandard(ResponseBody):
    """Which standard applies, and why."""

    kind: ClockKind
    target: Duration | None
    standard_id: UUID | None
    why: str
    basis: str | None
    lapse_after: Duration | None
    escalation: list[EscalationTier]
    limit: Duration | None = Field(description="What the law allows at most.")


class LongestHold(ResponseBody):
    """How long a hold lasts at most for a reason."""

    reason: HoldReason
    limit: Duration = Field(description="The longest hold, from the day on which it is recorded.")


class DueDates(ResponseBody):
    """When a clock was due, and when it is."""

    before: AwareDatetime
    after: AwareDatetime


class RecountedDeadline(ResponseBody):
    """A clock that was counted again."""

    id: UUID
    kind: ClockKind
    due_at: DueDates
    standard_id: UUID | None = Field(description="The standard it is counted by now.")
    cancelled: bool = Field(description="Whether no standard applies any more, so that it ended.")


class RecountResult(ResponseBody):
    """What a recount changed."""

    changed: int
    replanned: int
    failed: int
    deadlines: list[RecountedDeadline]


class Recalculation(RecountResult):
    """What a recalculation of a standard found and changed."""

    standard_id: UUID
    dry_run: bool
    found: int


class Holiday(ResponseBody):
    """A day that is closed, or open after all. With an identifier, it was declared."""

    id: UUID | None
    on: date
    closed: bool
    name: str
    name_en: str
    district_code: str | None


class DeclaredHoliday(Holiday, RecountResult):
    """A day that was declared, and the clocks that it moved."""

    recounted: list[RecountedDeadline]
