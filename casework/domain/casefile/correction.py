"""Corrections: what was wrong, why it is put right, and the clocks that are counted anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import Assessment, Case, Check
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlanVersion
from casework.domain.casefile.recounts import Because, DeadlineRecounted, RecountedClock
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.calendar import day_in_seoul, end_of
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.terms import take_terms
from casework.domain.errors import Invalid, require


class CorrectedSubject(StrEnum):
    """Of what something was put right."""

    CASE = "case"
    ASSESSMENT = "assessment"
    REFERRAL = "referral"
    CHECK = "check"
    PLAN_VERSION = "plan_version"


@dataclass(slots=True, kw_only=True)
class Correction:
    """What was put right: ``before`` has the former values by the names of their fields."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    subject_type: CorrectedSubject
    subject_id: UUID
    before: dict[str, Any]
    reason: str
    corrected_at: datetime
    corrected_by: UUID | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what was put right."""
        return tuple(self.before)


_SUBJECTS = {
    Case: CorrectedSubject.CASE,
    Assessment: CorrectedSubject.ASSESSMENT,
    Referral: CorrectedSubject.REFERRAL,
    Check: CorrectedSubject.CHECK,
    PlanVersion: CorrectedSubject.PLAN_VERSION,
}


def put_right(
    file: CaseFile,
    subject: Case | Assessment | Referral | Check | PlanVersion,
    wanted: Mapping[str, Any],
    reason: str,
    act: Act,
) -> Correction:
    """Set what is to be otherwise, and keep what it was; refuses a correction without a reason."""
    require(reason.strip(), "say why", code="reason_required", field="reason")
    before = {name: getattr(subject, name) for name in wanted}
    correction = Correction(
        id=act.new_id(),
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        subject_type=_SUBJECTS[type(subject)],
        subject_id=subject.id,
        before={name: _plain(value) for name, value in before.items()},
        reason=reason,
        corrected_at=act.at,
        corrected_by=act.by.id,
    )
    file.added.append(correction)
    for name, value in wanted.items():
        setattr(subject, name, value)
    return correction


def differing(subject: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted and not so yet."""
    return {name: value for name, value in wanted.items() if getattr(subject, name) != value}


def not_after(on: date, followed: Iterable[date], field: str) -> None:
    """Refuse a date after what followed it."""
    first = min(followed, default=None)
    if first is not None and on > first:
        raise Invalid(f"after {first}, which followed it", code="date_too_late", field=field)


def counts_from(on: date, recorded_at: datetime) -> datetime:
    """The instant from which an act of a day counts, that was recorded at an instant."""
    return recorded_at if on == day_in_seoul(recorded_at) else end_of(on)


def recount(
    file: CaseFile,
    clock: Deadline,
    correction: Correction,
    act: Act,
    *,
    met_on: date | None = None,
    runs_again: bool = False,
) -> list[RecountedClock]:
    """Count a clock anew whose start or terms were put right, or the day it was met ``on``.

    One that ``runs_again`` was met by what never was. Raised steps stay in the ledger,
    ``breached_at`` too. Writes down what moved, if it did.
    """
    before = clock.due_at
    was_met = clock.met_at
    if runs_again:
        file.run_again(clock)
    if met_on is not None and clock.recorded_at is not None:
        act.clockwork.meet(clock, met_on, clock.recorded_at)
    if clock.is_running:
        file.recount(clock, act)
    else:
        act.clockwork.recount(clock)
        file.touch(clock)
    if (clock.due_at, clock.met_at) == (before, was_met):
        return []
    file.record(
        DeadlineRecounted(
            file.meta(clock, act),
            because=Because.CORRECTION,
            reason_id=correction.id,
            on=None,
            closed=None,
            before=before,
        )
    )
    return [
        RecountedClock(
            deadline_id=clock.id, kind=clock.kind, due_at_before=before, due_at=clock.due_at
        )
    ]


def recount_terms(
    file: CaseFile, clock: Deadline, correction: Correction, act: Act
) -> list[RecountedClock]:
    """Count a clock by the standard that applies now; it ends where none does."""
    if not take_terms(clock, act.clockwork):
        file.end(clock, act, met=False)
        return []
    return recount(file, clock, correction, act)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
