"""Standards: how long each clock runs, as data, and which one applies.

The law fixes only the checks (Enforcement Rule 10) and the days of submissions (Rules 3 and 6).
Everything else is a service target of the city or a district, with its basis and author.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.clocks.calendar import Target, Unit, WorkingCalendar, due_at


class ClockKind(StrEnum):
    """The clocks: of a resident's care, and the five of the city's programme."""

    SURVEY = "survey"
    ASSESSMENT = "assessment"
    PLAN = "plan"
    DECISION = "decision"
    NOTIFY_PLAN = "notify_plan"
    DISCHARGE = "discharge"
    LINK = "link"
    RESPONSE = "response"
    WAITLIST = "waitlist"
    START = "start"
    PROGRESS = "progress"
    DISPOSITION = "disposition"
    SIGNAL = "signal"
    FIRST_CHECK = "first_check"
    CHECK = "check"
    TASK = "task"
    ACCEPTANCE = "acceptance"
    MINUTES = "minutes"
    SUBMISSION = "submission"
    ADJUSTMENT = "adjustment"


class Priority(StrEnum):
    """How pressing a case or a referral is."""

    ROUTINE = "routine"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class CareField(StrEnum):
    """The fields of care to which services, needs and referrals belong."""

    MEDICAL = "medical"
    HEALTH = "health"
    NURSING = "nursing"
    CARE = "care"
    HOUSING = "housing"
    FAMILY = "family"


class ClockStatus(StrEnum):
    """Where a clock stands at an instant; overdue is never a status."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    CANCELLED = "cancelled"


class ClockSubjectType(StrEnum):
    """What a clock is on."""

    CASE = "case"
    PLANNED_SERVICE = "planned_service"
    REFERRAL = "referral"
    TASK = "task"
    MEETING = "meeting"
    SUBMISSION = "submission"
    REGIONAL_PLAN = "regional_plan"


class Part(StrEnum):
    """The parts that hold a clock, or are notified of it.

    The last four are those of the programme: the body that owes a task, the side that gave it, the
    body that met, and the city or district that owes something as a whole.
    """

    WORKER = "worker"
    PROVIDER = "provider"
    SUPERVISOR = "supervisor"
    ASSESSOR = "assessor"
    HEAD = "head"
    OWNER = "owner"
    GIVER = "giver"
    BODY = "body"
    AREA = "area"


CARE_SUBJECTS: Final = tuple(ClockSubjectType)[:3]
CASE, PLANNED_SERVICE, REFERRAL = CARE_SUBJECTS
WORKER, PROVIDER, SUPERVISOR, ASSESSOR, HEAD, OWNER, GIVER, BODY, AREA = Part
# What stands for a district's code where something is the whole city's.
CITY_AREA: Final = "city"

SUBJECT_OF: Final = dict.fromkeys(ClockKind, CASE) | {
    ClockKind.LINK: PLANNED_SERVICE,
    ClockKind.RESPONSE: REFERRAL,
    ClockKind.WAITLIST: REFERRAL,
    ClockKind.START: REFERRAL,
    ClockKind.PROGRESS: REFERRAL,
    ClockKind.DISPOSITION: REFERRAL,
    ClockKind.TASK: ClockSubjectType.TASK,
    ClockKind.ACCEPTANCE: ClockSubjectType.TASK,
    ClockKind.MINUTES: ClockSubjectType.MEETING,
    ClockKind.SUBMISSION: ClockSubjectType.SUBMISSION,
    ClockKind.ADJUSTMENT: ClockSubjectType.REGIONAL_PLAN,
}
CARE_KINDS: Final = tuple(kind for kind in ClockKind if SUBJECT_OF[kind] in CARE_SUBJECTS)
PROGRAMME_KINDS: Final = tuple(kind for kind in ClockKind if kind not in CARE_KINDS)
# Due on a day that a person or the law named: no standard says how long they run.
FIXED_DAY_KINDS: Final = (
    ClockKind.DISCHARGE,
    ClockKind.TASK,
    ClockKind.SUBMISSION,
    ClockKind.ADJUSTMENT,
)
HELD_BY: Final = dict.fromkeys(ClockKind, WORKER) | {
    ClockKind.ASSESSMENT: ASSESSOR,
    ClockKind.DECISION: SUPERVISOR,
    ClockKind.RESPONSE: PROVIDER,
    ClockKind.WAITLIST: PROVIDER,
    ClockKind.START: PROVIDER,
    ClockKind.PROGRESS: PROVIDER,
    ClockKind.TASK: OWNER,
    ClockKind.ACCEPTANCE: GIVER,
    ClockKind.MINUTES: BODY,
    ClockKind.SUBMISSION: AREA,
    ClockKind.ADJUSTMENT: AREA,
}
STATUTORY: Final = {
    ClockKind.FIRST_CHECK: Target(3, Unit.MONTHS),
    ClockKind.CHECK: Target(6, Unit.MONTHS),
}
STATUTORY_BASIS: Final = "Enforcement Rule 10"
CITY_BASIS: Final = "city service target"
DISTRICT_BASIS: Final = "district service target"
# An emergency without a target of its own gets the urgent one, never the routine one.
FALLS_BACK: Final = {
    Priority.EMERGENCY: (Priority.EMERGENCY, Priority.URGENT),
    Priority.URGENT: (Priority.URGENT,),
    Priority.ROUTINE: (Priority.ROUTINE,),
}


@dataclass(frozen=True, slots=True)
class EscalationTier:
    """One tier of escalation: so long after the due day (or instant), these roles are notified."""

    tier: int
    after: Target
    to: Part


BY_DAYS: Final = (
    EscalationTier(1, Target(1, Unit.WORKING_DAYS), WORKER),
    EscalationTier(1, Target(1, Unit.WORKING_DAYS), PROVIDER),
    EscalationTier(2, Target(3, Unit.WORKING_DAYS), SUPERVISOR),
)
BY_HOURS: Final = (
    EscalationTier(1, Target(0, Unit.HOURS), WORKER),
    EscalationTier(1, Target(0, Unit.HOURS), PROVIDER),
    EscalationTier(2, Target(4, Unit.HOURS), SUPERVISOR),
)


@dataclass(frozen=True, slots=True)
class Standard:
    """A target for one kind of clock, as wide or as narrow as its other fields say.

    Its author is who set it last; a shipped standard has none.
    """

    id: UUID
    kind: ClockKind
    target: Target
    basis: str
    field: CareField | None = None
    service_code: str | None = None
    priority: Priority | None = None
    district_code: str | None = None
    lapse_after: Target | None = None
    escalation: tuple[EscalationTier, ...] | None = None
    set_at: datetime | None = None
    set_by: UUID | None = None
    ended_at: datetime | None = None
    version: int = 1

    @property
    def in_force(self) -> bool:
        """Whether clocks are set by it; one that ended stays for those it has set."""
        return self.ended_at is None

    @property
    def escalation_tiers(self) -> tuple[EscalationTier, ...]:
        """Its own tiers, or the usual ones for its unit."""
        return escalation_tiers_of(self.kind, self.target, self.escalation)

    @property
    def scope(self) -> str:
        """What it is for, as one text: at most one standard in force has it."""
        parts = (self.kind, self.priority, self.service_code, self.field, self.district_code)
        return "/".join(part or "*" for part in parts)

    @property
    def is_widest(self) -> bool:
        """Whether it fits every clock of its kind."""
        return self.scope == f"{self.kind}/*/*/*/*"


def escalation_tiers_of(
    kind: ClockKind, target: Target, escalation: tuple[EscalationTier, ...] | None
) -> tuple[EscalationTier, ...]:
    """The tiers that were given, or the usual ones for the kind and the target's unit.

    In the programme whoever holds the clock is told first, and then the side that gave it.
    """
    if escalation is not None:
        return escalation
    if kind in PROGRAMME_KINDS:
        return (
            EscalationTier(1, Target(1, Unit.WORKING_DAYS), HELD_BY[kind]),
            EscalationTier(2, Target(3, Unit.WORKING_DAYS), GIVER),
        )
    return BY_HOURS if target.unit is Unit.HOURS else BY_DAYS


@dataclass(frozen=True, slots=True)
class ClockSubject:
    """What a clock is about: whose it is, where it is seen, and what picks its standard.

    In the programme it is about no case, no resident and no centre.
    """

    case_id: UUID | None
    resident_id: UUID | None
    centre_code: str | None
    district_code: str
    worker_id: UUID | None
    body_id: UUID | None = None
    provider_id: UUID | None = None
    field: CareField | None = None
    service_code: str | None = None
    priority: Priority = Priority.ROUTINE

    @classmethod
    def of_programme(
        cls, *, area: str, body_id: UUID | None = None, account_id: UUID | None = None
    ) -> ClockSubject:
        """What a body owes, or an area as a whole: ``city`` or a district's code.

        ``account_id`` is the one person of the body whose it is, if it is one person's.
        """
        return cls(
            case_id=None,
            resident_id=None,
            centre_code=None,
            district_code=area,
            worker_id=account_id,
            body_id=body_id,
        )

    @classmethod
    def for_counting(
        cls,
        *,
        district_code: str,
        priority: Priority,
        service_code: str | None = None,
        field: CareField | None = None,
    ) -> ClockSubject:
        """A subject without a case, for calculating when a clock would be due."""
        nobody = UUID(int=0)
        return cls(
            case_id=nobody,
            resident_id=nobody,
            centre_code="",
            district_code=district_code,
            worker_id=None,
            field=field,
            service_code=service_code,
            priority=priority,
        )


def most_specific(
    standards: Iterable[Standard], kind: ClockKind, about: ClockSubject
) -> Standard | None:
    """The standard that applies, or None where the clock is off.

    Priority counts before service, service before field, field before district: an emergency
    is not slowed by a wider target that a district or a service has of its own.
    """
    candidates = [
        (rank, standard)
        for standard in standards
        if standard.kind == kind
        and standard.in_force
        and (rank := _rank(standard, about)) is not None
    ]
    return max(candidates, key=lambda pair: pair[0])[1] if candidates else None


def _rank(standard: Standard, about: ClockSubject) -> tuple[int, bool, bool, bool] | None:
    chain = FALLS_BACK[about.priority]
    if standard.priority is None:
        urgency = 0
    elif standard.priority in chain:
        urgency = len(chain) - chain.index(standard.priority)
    else:
        return None
    for wanted, given in (
        (standard.service_code, about.service_code),
        (standard.field, about.field),
        (standard.district_code, about.district_code),
    ):
        if wanted is not None and wanted != given:
            return None
    return (
        urgency,
        standard.service_code is not None,
        standard.field is not None,
        standard.district_code is not None,
    )


def within_the_law(
    calendar: WorkingCalendar, kind: ClockKind, started_at: datetime, due: datetime
) -> datetime:
    """A statutory clock is due no later than the law says, whatever else was set."""
    law = STATUTORY.get(kind)
    return due if law is None else min(due, due_at(calendar, started_at, law))
