"""Recounting running clocks after a change of a standard or a calendar.

Start, pauses and extensions of a clock stay; so do the steps that were raised. What differs from
what is stored is found and written: it is idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.clocks.calendar import Unit, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork, Deadline, Step
from casework.domain.clocks.standards import USUAL_LAPSE, ClockKind, ClockSubject, Standard
from casework.domain.supervision.codes import Because
from casework.domain.supervision.events import DeadlineRecounted

HOLIDAY, STANDARD = Because


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountReason:
    """Why clocks are recounted: the standard that is to apply, or the day declared."""

    because: Because
    subject_id: UUID
    standard: Standard | None = None
    on: date | None = None
    closed: bool | None = None
    district_code: str | None = None


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A running clock with what the store holds beside it: planned steps, when it lapses."""

    clock: Deadline
    planned: Set[tuple[int, datetime, datetime]] = frozenset()
    raised: Set[tuple[int, datetime]] = frozenset()
    lapse_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedClock:
    """A clock that was recounted: when it was due, and when it is."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    kind: ClockKind
    before: datetime
    after: datetime
    is_listed: bool


@dataclass(slots=True, kw_only=True)
class Recount:
    """The record of one recount. ``changes`` are the clocks that are named in its answer."""

    id: UUID
    because: Because
    subject_id: UUID
    started_at: datetime
    started_by: UUID | None
    ended_at: datetime | None = None
    found: int = 0
    replanned: int = 0
    failed: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)


def concerns(reason: RecountReason, clock: Deadline, clockwork: Clockwork) -> bool:
    """Whether a running clock is to be looked at: its standard now, or any that is counted.

    A clock with a day of its own, such as a discharge, is left to that day. A standard that is no
    longer in force gives its clocks to the one that applies instead, if one does.
    """
    if not clock.is_running:
        return False
    if reason.standard is None:
        return reason.district_code in (None, clock.district_code)
    applies = applying(clock, clockwork)
    if clock.target.unit is Unit.ON_DATE or applies is None:
        return False
    took_over = not reason.standard.in_force and clock.standard_id == reason.standard.id
    return applies.id == reason.standard.id or took_over


def applying(clock: Deadline, clockwork: Clockwork) -> Standard | None:
    """The standard by which this clock would be set now."""
    about = ClockSubject(
        case_id=clock.case_id,
        resident_id=clock.resident_id,
        centre_code=clock.centre_code,
        district_code=clock.district_code,
        worker_id=clock.worker_id,
        provider_id=clock.provider_id,
        field=clock.field,
        service_code=clock.service_code,
        priority=clock.priority,
    )
    return clockwork.standard_for(clock.kind, about)


def would_move(
    reason: RecountReason, found: RunningClock, clockwork: Clockwork
) -> MovedClock | None:
    """What a recount would make of a clock, which stays as it is; None where nothing differs."""
    clock = replace(found.clock)
    _take_terms(reason, clock, clockwork)
    clockwork.recount(clock)
    before, after = found.clock.due_at, clock.due_at
    other_terms = _terms(clock) != _terms(found.clock)
    if before != after and reason.on is not None and not _spans(clock, reason.on, before):
        return None
    lapses = clock.kind in USUAL_LAPSE and clockwork.lapses_at(clock) != found.lapse_at
    is_listed = other_terms or before != after
    if not (is_listed or lapses or _plans_differ(found, clock.planned or ())):
        return None
    return MovedClock(
        id=clock.id,
        case_id=clock.case_id,
        resident_id=clock.resident_id,
        kind=clock.kind,
        before=before,
        after=after,
        is_listed=is_listed,
    )


def renew(file: CaseFile, ids: Iterable[UUID], reason: RecountReason, act: Act) -> list[MovedClock]:
    """Recount clocks of a case and record each that moved."""
    done = []
    for id in ids:
        clock = file.deadlines.get(id)
        if clock is None or not concerns(reason, clock, act.clockwork):
            continue
        before, terms = clock.due_at, _terms(clock)
        _take_terms(reason, clock, act.clockwork)
        file.recount(clock, act)
        _renew_lapse(file, clock, act)
        is_listed = clock.due_at != before or _terms(clock) != terms
        if is_listed:
            _record(file, clock, reason, before, act)
        done.append(
            MovedClock(
                id=clock.id,
                case_id=clock.case_id,
                resident_id=clock.resident_id,
                kind=clock.kind,
                before=before,
                after=clock.due_at,
                is_listed=is_listed,
            )
        )
    return done


def _take_terms(reason: RecountReason, clock: Deadline, clockwork: Clockwork) -> None:
    """What the standard that applies now says, in place of what the clock was set by."""
    standard = applying(clock, clockwork) if reason.standard is not None else None
    if standard is not None:
        clock.standard_id, clock.target, clock.basis = (
            standard.id,
            standard.target,
            standard.basis,
        )
        clock.escalation, clock.lapse_after = standard.escalation, standard.lapse_after


def _terms(clock: Deadline) -> tuple[Any, ...]:
    return clock.standard_id, clock.target, clock.basis, clock.escalation, clock.lapse_after


def _spans(clock: Deadline, on: date, before: datetime) -> bool:
    """Whether a day lies in what the clock counts, as it was or as it would be."""
    return day_in_seoul(clock.started_at) < on <= day_in_seoul(max(before, clock.due_at))


def _plans_differ(found: RunningClock, steps: tuple[Step, ...]) -> bool:
    """Whether other steps than those that wait would be planned; the raised ones stay."""
    planned = {(step.tier, step.due_at, step.at) for step in steps}
    return {one for one in planned if one[:2] not in found.raised} != found.planned


def _renew_lapse(file: CaseFile, clock: Deadline, act: Act) -> None:
    referral = file.referrals.get(clock.subject_id)
    if referral is None or clock.kind not in USUAL_LAPSE:
        return
    lapse_at = act.clockwork.lapses_at(clock)
    if lapse_at != referral.lapse_at:
        referral.lapse_at = lapse_at


def _record(
    file: CaseFile, clock: Deadline, reason: RecountReason, before: datetime, act: Act
) -> None:
    file.record(
        DeadlineRecounted(
            file.meta(clock, act),
            because=reason.because,
            reason_id=reason.subject_id,
            on=reason.on,
            closed=reason.closed,
            before=before,
        )
    )
