"""Response schemas of figures, closed months, unmet needs and time by holder.

A part that cannot be counted is null; for the city so is a count of which nothing is shown, how
long clocks took, and one of two figures that count the same.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.figures.bodies import GroupedBy, UnmetBy, UnmetReason
from casework.adapters.api.shared.responses import (
    Cause,
    Holder,
    ResponseBody,
    Subject,
    absent,
)
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind
from casework.domain.figures.figures import Figure


class PlanFigures(ResponseBody):
    """Plans by what became of them. For the city the clock of a plan tells those submitted."""

    submitted: int | None
    approved: int | None
    returned: int | None


class ReferralFigures(ResponseBody):
    """Referrals of one field and state; the city is told those of a field, in whatever state."""

    field: CareField
    status: ReferralStatus | None
    count: int | None


class Times(ResponseBody):
    """How long clocks took that ended. The city is told the share alone, and no time."""

    on_time_share: float | None = Field(
        description="Share of those that ended, that ended on time; 0 to 1."
    )
    median_working_days: float | None
    p90_working_days: int | None


class ClockFigures(Times):
    """Clocks of one kind and holder. What runs now is left out of a month."""

    kind: ClockKind
    held_by: Holder
    ended: int | None = Field(description="How many ended in the period.")
    on_time: int | None
    late: int | None
    excused: int | None
    cancelled_late: int | None
    running: int | None = absent()
    overdue: int | None = absent("How many are overdue now.")


class HolderFigures(Times):
    """How long things lay with one holder."""

    held_by: Holder
    ended: int | None = Field(description="How many clocks ended in the period.")
    working_days: int | None


class LateEntryFigures(ResponseBody):
    """Clocks of one kind and holder that ended by an act that was entered later."""

    kind: ClockKind
    held_by: Holder
    count: int | None


class CauseFigures(ResponseBody):
    """How often a cause was given."""

    cause: Cause
    count: int | None


class UnmetNeedFigures(ResponseBody):
    """Unmet needs of one service and reason."""

    field: CareField
    service: str
    reason: UnmetReason
    count: int | None


class FigureParts(ResponseBody):
    """The parts of an answer."""

    applications: int | None
    plans: PlanFigures | None
    referrals: list[ReferralFigures]
    clocks: list[ClockFigures]
    holders: list[HolderFigures]
    entered_late: list[LateEntryFigures]
    causes: list[CauseFigures]
    unmet_needs: list[UnmetNeedFigures] | None
    people_served: int | None


class Correction(ResponseBody):
    """A number of a closed month that would be another today."""

    figure: Figure
    field: CareField = absent()
    kind: ClockKind = absent()
    held_by: Holder = absent()
    status: ReferralStatus = absent()
    service: str = absent()
    reason: UnmetReason = absent()
    cause: Cause = absent()
    frozen: int
    now: int
    difference: int


class FigureGroup(FigureParts):
    """The parts of one group; a month says where it is closed, and what came later."""

    key: str
    name: str | None
    closed_in: list[str] = absent()
    corrections: list[Correction] | None = absent()


class FigureScope(ResponseBody):
    """What the numbers are of; null does not narrow."""

    district: str | None
    centre: str | None
    field: CareField | None
    provider: UUID | None
    under_five_hidden: bool


class Figures(FigureParts):
    """Counts, shares and times of a period."""

    from_: date = Field(alias="from")
    to: date
    as_of: AwareDatetime
    scope: FigureScope
    by: GroupedBy | None = Field(description="What the groups are of.")
    groups: list[FigureGroup] = absent()


class CountedSubject(ResponseBody):
    """One that was counted, with its case."""

    case_id: UUID | None
    case_number: str | None
    resident_id: UUID
    centre_code: str
    subject: Subject


class ClosedMonthRow(ResponseBody):
    """A month that is closed."""

    month: str
    district: str
    closed_at: AwareDatetime
    closed_by: UUID | None


class ClosedMonth(ClosedMonthRow, FigureParts):
    """A closed month as it was frozen, and what came later."""

    corrections: list[Correction] | None


class UnmetNeed(ResponseBody):
    """A planned service that nobody was found for."""

    planned_service_id: UUID
    case_id: UUID
    case_number: str
    case_status: CaseStatus
    service_code: str
    field: CareField
    centre_code: str
    reason: UnmetReason
    since: AwareDatetime


class UnmetNeedGroup(ResponseBody):
    """Unmet needs of one group."""

    key: str
    name: str | None
    count: int | None
    oldest_since: AwareDatetime | None


class UnmetNeedSummary(ResponseBody):
    """Unmet needs, counted."""

    by: UnmetBy = Field(description="What the groups are of.")
    from_: date = Field(alias="from")
    to: date
    total: int | None
    groups: list[UnmetNeedGroup]


class HolderTime(ResponseBody):
    """The days that a case lay with one holder."""

    held_by: Holder
    days: int
    working_days: int


class CaseTime(ResponseBody):
    """How the days of a case were spent."""

    from_: date = Field(alias="from")
    to: date
    days: int
    by_holder: list[HolderTime]
    shared: int
    paused: int
    nobody: int
