"""Deadlines: clocks, the one overdue predicate, and the steps that are planned for each."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from casework.domain.clocks.calendar import (
    Pause,
    Target,
    Unit,
    WorkingCalendar,
    day_in_seoul,
    days_left_out,
    due_at,
    end_of,
    morning_of,
    moved_by_pauses,
)
from casework.domain.clocks.explaining import RULES, Explanation, why_it_stays
from casework.domain.clocks.instants import after_due, first_morning
from casework.domain.clocks.late_entry import USUAL_LATE_ENTRY, LateEntry
from casework.domain.clocks.no_answer import lapses_at
from casework.domain.clocks.standards import (
    HELD_BY,
    PROGRAMME_KINDS,
    PROVIDER,
    SUBJECT_OF,
    CareField,
    ClockKind,
    ClockStatus,
    ClockSubject,
    ClockSubjectType,
    EscalationTier,
    Part,
    Priority,
    Standard,
    escalation_tiers_of,
    most_specific,
    within_the_law,
)

REMINDER: Final = -1
BREACH: Final = 0
TIER_NAMES: Final = {REMINDER: "reminder", BREACH: "breach"}


@dataclass(frozen=True, slots=True)
class Step:
    """What is to happen for a clock at an instant, if it is still running then.

    One that is ``passed_over`` would have happened before the clock came in: it never does.
    """

    tier: int
    due_at: datetime
    at: datetime
    tell: tuple[Part, ...]
    passed_over: bool = False


@dataclass(slots=True, kw_only=True)
class Escalation:
    """A step as it stands in the ledger: planned until ``raised_at`` is set.

    ``passed_over`` says that a higher step was due with it, or that it lay in the past when the
    clock was taken over; ``quiet`` that the act which ended the clock, or took it over, left it
    here without a notice. ``review_id`` is the review that acknowledged it.
    """

    id: UUID
    deadline_id: UUID
    tier: int
    due_at: datetime
    at: datetime
    tell: list[Part]
    raised_at: datetime | None = None
    passed_over: bool = False
    quiet: bool = False
    run_id: UUID | None = None
    review_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class Deadline:
    """A clock on a part of a resident's care, or of the city's programme.

    One of the programme is about no case, resident or centre: it is of an area, and of a body.
    It keeps what its standard said when it was set: target, basis, tiers, when it lapses.
    ``breached_at`` and the raised steps are written by whichever run sees the breach first; an
    aggregate that saves its clocks never writes them. ``can_wait`` False marks what must happen
    before a discharge, and comes first in the worklist. ``recorded_at`` is when the act that met
    it was recorded; ``acted_on`` the day of that act, where it was entered later.
    """

    id: UUID
    kind: ClockKind
    subject_type: ClockSubjectType
    subject_id: UUID
    case_id: UUID | None
    resident_id: UUID | None
    centre_code: str | None
    district_code: str
    worker_id: UUID | None
    provider_id: UUID | None
    held_by: Part
    field: CareField | None
    service_code: str | None
    priority: Priority
    standard_id: UUID | None
    basis: str
    target: Target
    started_at: datetime
    due_at: datetime
    escalation: tuple[EscalationTier, ...] | None = None
    lapse_after: Target | None = None
    pauses: tuple[Pause, ...] = ()
    paused_until: datetime | None = None
    extended_until: date | None = None
    extensions: tuple[dict[str, Any], ...] = ()
    deferred_until: date | None = None
    excused: bool = False
    met_at: datetime | None = None
    recorded_at: datetime | None = None
    acted_on: date | None = None
    cancelled_at: datetime | None = None
    breached_at: datetime | None = None
    can_wait: bool = True
    body_id: UUID | None = None
    planned: tuple[Step, ...] | None = dataclasses.field(default=None, compare=False)

    @property
    def is_running(self) -> bool:
        """Neither met nor cancelled; a paused clock still runs."""
        return self.met_at is None and self.cancelled_at is None

    @property
    def is_of_programme(self) -> bool:
        """Whether it is about no resident's care."""
        return self.kind in PROGRAMME_KINDS

    @property
    def stamp(self) -> int:
        """A number that changes when someone decides about the clock, for ``If-Match``."""
        instants = (self.due_at, self.paused_until, self.met_at, self.cancelled_at)
        facts = (
            [at and at.timestamp() for at in instants],
            self.worker_id,
            self.deferred_until,
            self.excused,
            *([self.body_id] if self.body_id else []),
        )
        return zlib.crc32(repr(facts).encode()) % 10**9

    def is_paused(self, now: datetime) -> bool:
        """Whether a pause covers this instant, recorded as ended or not."""
        return self.is_running and self.paused_until is not None and now < self.paused_until

    def is_overdue(self, now: datetime) -> bool:
        """The one predicate: running, not paused, and past its due date."""
        return self.is_running and not self.is_paused(now) and now > self.due_at

    def status(self, now: datetime) -> ClockStatus:
        """Where it stands at an instant, whether or not that is recorded."""
        if self.met_at is not None:
            return ClockStatus.MET
        if self.cancelled_at is not None:
            return ClockStatus.CANCELLED
        return ClockStatus.PAUSED if self.is_paused(now) else ClockStatus.RUNNING

    def meet(
        self, at: datetime, *, recorded_at: datetime | None = None, acted_on: date | None = None
    ) -> None:
        """It was done. Steps that were already due stay in the ledger; the others are dropped."""
        self.met_at, self.planned = at, ()
        self.recorded_at, self.acted_on = recorded_at or at, acted_on

    def cancel(self, at: datetime) -> None:
        """It no longer matters whether it is done."""
        self.cancelled_at, self.planned = at, ()


class Clockwork:
    """The standards and the calendars together: sets clocks, recounts them, plans their steps.

    ``calendars`` holds a district's own calendar where it differs from ``calendar``;
    ``late_entry`` says how acts are taken that are dated before they are recorded.
    """

    def __init__(
        self,
        standards: Sequence[Standard],
        calendar: WorkingCalendar,
        calendars: Mapping[str, WorkingCalendar] | None = None,
        late_entry: LateEntry = USUAL_LATE_ENTRY,
    ) -> None:
        self.standards, self.late_entry = tuple(standards), late_entry
        self._by_id = {standard.id: standard for standard in standards}
        self._calendar = calendar
        self._calendars = dict(calendars or {})
        self._applies: dict[tuple[str | None, ...], Standard | None] = {}

    def calendar_of(self, district_code: str | None) -> WorkingCalendar:
        """The days worked in a district."""
        return self._calendars.get(district_code or "", self._calendar)

    def standard_for(self, kind: ClockKind, about: ClockSubject) -> Standard | None:
        """The most specific standard, or None where this clock is off."""
        key = (kind, about.field, about.service_code, about.priority, about.district_code)
        if key not in self._applies:
            self._applies[key] = most_specific(self.standards, kind, about)
        return self._applies[key]

    def begin(
        self,
        kind: ClockKind,
        *,
        id: UUID,
        subject_id: UUID,
        about: ClockSubject,
        started_at: datetime,
        target: Target | None = None,
        basis: str | None = None,
    ) -> Deadline | None:
        """A new running clock, or None where no standard switches this kind on.

        ``target`` overrides the standard's for the clocks that are due on a set day.
        """
        standard = self.standard_for(kind, about)
        target = target or (standard.target if standard else None)
        if target is None:
            return None
        deadline = Deadline(
            id=id,
            kind=kind,
            subject_type=SUBJECT_OF[kind],
            subject_id=subject_id,
            case_id=about.case_id,
            resident_id=about.resident_id,
            centre_code=about.centre_code,
            district_code=about.district_code,
            worker_id=about.worker_id,
            body_id=about.body_id,
            provider_id=about.provider_id,
            held_by=HELD_BY[kind],
            field=about.field,
            service_code=about.service_code,
            priority=about.priority,
            standard_id=standard.id if standard else None,
            basis=basis or (standard.basis if standard else ""),
            target=target,
            started_at=started_at,
            due_at=started_at,
            escalation=standard.escalation if standard else None,
            lapse_after=standard.lapse_after if standard else None,
        )
        self.recount(deadline)
        return deadline

    def meet(self, deadline: Deadline, on: date | None, recorded_at: datetime) -> None:
        """It was done on a day (None for today), and that is recorded now."""
        calendar = self.calendar_of(deadline.district_code)
        at = self.late_entry.met_at(calendar, on, recorded_at)
        late = on is not None and on < day_in_seoul(recorded_at)
        deadline.meet(at, recorded_at=recorded_at, acted_on=on if late else None)

    def recount(self, deadline: Deadline) -> None:
        """Recalculate due date, end of the pause and steps from start, target and pauses."""
        deadline.due_at = self.count(deadline)
        ends = [pause.ends_at for pause in deadline.pauses]
        deadline.paused_until = max(ends) if ends else None
        deadline.planned = self.steps(deadline)

    def due_of(self, kind: ClockKind, about: ClockSubject, started_at: datetime) -> datetime | None:
        """When a clock of that kind would be due; None where no standard switches it on.

        A discharge is due on the very day it starts from.
        """
        if kind is ClockKind.DISCHARGE:
            return end_of(day_in_seoul(started_at))
        standard = self.standard_for(kind, about)
        if standard is None:
            return None
        calendar = self.calendar_of(about.district_code)
        due = due_at(calendar, started_at, standard.target)
        return within_the_law(calendar, kind, started_at, due)

    def count(self, deadline: Deadline) -> datetime:
        """The due date that start, target, pauses and extension give: an independent recount."""
        calendar = self.calendar_of(deadline.district_code)
        due = due_at(calendar, deadline.started_at, deadline.target, deadline.pauses)
        extension = _extension(calendar, deadline)
        if extension is not None:
            due = max(due, extension)
        return within_the_law(calendar, deadline.kind, deadline.started_at, due)

    def steps(self, deadline: Deadline) -> tuple[Step, ...]:
        """Reminder, breach and tiers, each at its instant; none of them inside a pause."""
        if not deadline.is_running or deadline.excused:
            return ()
        calendar = self.calendar_of(deadline.district_code)
        due = deadline.due_at
        planned = [Step(BREACH, due, due + timedelta(seconds=1), ())]
        tells: dict[tuple[int, datetime], list[Part]] = {}
        for escalation_tier in escalation_tiers_of(
            deadline.kind, deadline.target, deadline.escalation
        ):
            if escalation_tier.to != PROVIDER or deadline.held_by == PROVIDER:
                at = after_due(calendar, due, escalation_tier.after)
                tells.setdefault((escalation_tier.tier, at), []).append(escalation_tier.to)
        planned += [Step(tier, due, at, tuple(to)) for (tier, at), to in tells.items()]
        reminder = self._reminder(deadline, calendar)
        if reminder is not None:
            planned.append(reminder)
        moved = [_deferred(calendar, deadline, step) for step in planned]
        return tuple(step for step in moved if step.tier != REMINDER or step.at < due)

    def lapses_at(self, deadline: Deadline, recorded_at: datetime) -> datetime | None:
        """When the referral of a clock is given up for want of an answer (``no_answer.py``)."""
        return lapses_at(
            self.calendar_of(deadline.district_code),
            deadline.started_at,
            deadline.due_at,
            deadline.lapse_after,
            deadline.pauses,
            recorded_at=recorded_at,
        )

    def standard(self, id: UUID | None) -> Standard | None:
        """The standard of that id, in force or not."""
        return self._by_id.get(id) if id else None

    def explain(self, deadline: Deadline) -> Explanation:
        """Start, rule, basis, each day left out and why, pauses and extensions."""
        calendar = self.calendar_of(deadline.district_code)
        counted = due_at(calendar, deadline.started_at, deadline.target, deadline.pauses)
        return Explanation(
            start=deadline.started_at,
            rule=RULES[deadline.target.unit],
            basis=deadline.basis,
            target=deadline.target,
            left_out=days_left_out(
                calendar,
                deadline.started_at,
                min(counted, deadline.due_at),
                deadline.target,
                deadline.pauses,
            ),
            pauses=deadline.pauses,
            extensions=deadline.extensions,
            due_at=deadline.due_at,
            standard=self.standard(deadline.standard_id),
            closed=why_it_stays(calendar, deadline.target, deadline.due_at),
        )

    def _reminder(self, deadline: Deadline, calendar: WorkingCalendar) -> Step | None:
        """09:00 on the last working day before the due day, if that falls after the start."""
        if deadline.target.unit is Unit.HOURS:
            return None
        at = morning_of(calendar.step(day_in_seoul(deadline.due_at), -1))
        extended_at = [extension["at"] for extension in deadline.extensions[-1:]]
        if at <= max([deadline.started_at, *extended_at]):
            return None
        return Step(REMINDER, deadline.due_at, at, (deadline.held_by,))


def _extension(calendar: WorkingCalendar, deadline: Deadline) -> datetime | None:
    """The end of the day it was last extended to; pauses since then move that day as well."""
    until = deadline.extended_until
    if until is None:
        return None
    made_on = day_in_seoul(deadline.extensions[-1]["at"]) if deadline.extensions else until
    return end_of(moved_by_pauses(calendar, made_on, until, deadline.pauses))


def _deferred(calendar: WorkingCalendar, deadline: Deadline, step: Step) -> Step:
    """Move a step out of the pause or the waiting time of a review that would swallow it."""
    at = step.at
    for pause in sorted(deadline.pauses, key=lambda p: p.began_at):
        if pause.began_at <= at < pause.ends_at:
            at = first_morning(calendar, pause.ends_at)
    if deadline.deferred_until is not None and step.tier > BREACH:
        at = max(at, morning_of(calendar.roll(deadline.deferred_until)))
    return dataclasses.replace(step, at=at)
