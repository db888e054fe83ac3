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
from casework.domain.casefile.recounts import Because, DeadlineRecounted
from casework.domain.clocks.calendar import Unit, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork, Deadline, Step
from casework.domain.clocks.no_answer import USUAL_LAPSE
from casework.domain.clocks.standards import ClockKind, Standard
from casework.domain.clocks.terms import applying, take_terms
from casework.domain.supervision.programme_clocks import ProgrammeClocks

HOLIDAY, STANDARD = Because.HOLIDAY, Because.STANDARD


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
    waits_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedClock:
    """A clock that was recounted: when it was due, and when it is.

    ``standard_id`` is the one it is counted by now; ``ends`` that there is none, so that it ended.
    """

    id: UUID
    case_id: UUID | None
    resident_id: UUID | None
    kind: ClockKind
    before: datetime
    after: datetime
    is_listed: bool
    standard_id: UUID | None = None
    ends: bool = False

    @classmethod
    def of(cls, clock: Deadline, before: datetime, *, is_listed: bool, ends: bool) -> MovedClock:
        """A clock as it is now, and when it was due before."""
        return cls(
            id=clock.id,
            case_id=clock.case_id,
            resident_id=clock.resident_id,
            kind=clock.kind,
            before=before,
            after=clock.due_at,
            is_listed=is_listed,
            standard_id=None if ends else clock.standard_id,
            ends=ends,
        )


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
    longer in force gives its clocks to the one that applies instead; where none does, they end.
    """
    if not clock.is_running:
        return False
    if reason.standard is None:
        return reason.district_code in (None, clock.district_code)
    if clock.target.unit is Unit.ON_DATE:
        return False
    applies = applying(clock, clockwork)
    took_over = not reason.standard.in_force and clock.standard_id == reason.standard.id
    return took_over or (applies is not None and applies.id == reason.standard.id)


def would_move(
    reason: RecountReason, found: RunningClock, clockwork: Clockwork
) -> MovedClock | None:
    """What a recount would make of a clock, which stays as it is; None where nothing differs."""
    clock = replace(found.clock)
    before = found.clock.due_at
    if not _take_terms(reason, clock, clockwork):
        return MovedClock.of(clock, before, is_listed=True, ends=True)
    clockwork.recount(clock)
    other_terms = _terms(clock) != _terms(found.clock)
    if before != clock.due_at and reason.on is not None and not _spans(clock, reason.on, before):
        return None
    lapses = _lapses_otherwise(found, clock, clockwork)
    is_listed = other_terms or before != clock.due_at
    if not (is_listed or lapses or _plans_differ(found, clock.planned or ())):
        return None
    return MovedClock.of(clock, before, is_listed=is_listed, ends=False)


def renew(
    file: CaseFile | ProgrammeClocks, ids: Iterable[UUID], reason: RecountReason, act: Act
) -> list[MovedClock]:
    """Recount clocks of a case, or of the programme.

    Each is recorded that moved, or that ended for want of a standard.
    """
    done = []
    for id in ids:
        clock = file.deadlines.get(id)
        if clock is None or not concerns(reason, clock, act.clockwork):
            continue
        before, terms = clock.due_at, _terms(clock)
        ends = not _take_terms(reason, clock, act.clockwork)
        if ends:
            _end(file, clock, act)
        else:
            file.recount(clock, act)
        is_listed = ends or clock.due_at != before or _terms(clock) != terms
        if is_listed:
            _record(file, clock, reason, before, act)
        done.append(MovedClock.of(clock, before, is_listed=is_listed, ends=ends))
    return done


def _end(file: CaseFile | ProgrammeClocks, clock: Deadline, act: Act) -> None:
    """No standard asks for it any more; nothing lapses by it either."""
    file.end(clock, act, met=False)
    if isinstance(file, ProgrammeClocks):
        return
    referral = file.referrals.get(clock.subject_id)
    if referral is not None and clock.kind in USUAL_LAPSE:
        referral.lapse_at = None


def _take_terms(reason: RecountReason, clock: Deadline, clockwork: Clockwork) -> bool:
    """Take what the standard that applies now says; returns whether the clock goes on."""
    return reason.standard is None or take_terms(clock, clockwork)


def _terms(clock: Deadline) -> tuple[Any, ...]:
    return clock.standard_id, clock.target, clock.basis, clock.escalation, clock.lapse_after


def _spans(clock: Deadline, on: date, before: datetime) -> bool:
    """Whether a day lies in what the clock counts, as it was or as it would be."""
    return day_in_seoul(clock.started_at) < on <= day_in_seoul(max(before, clock.due_at))


def _plans_differ(found: RunningClock, steps: tuple[Step, ...]) -> bool:
    """Whether other steps than those that wait would be planned; the raised ones stay."""
    planned = {(step.tier, step.due_at, step.at) for step in steps}
    return {one for one in planned if one[:2] not in found.raised} != found.planned


def _lapses_otherwise(found: RunningClock, clock: Deadline, clockwork: Clockwork) -> bool:
    """Whether the referral of a clock, as it would be, is given up at another instant."""
    if clock.kind not in USUAL_LAPSE:
        return False
    return clockwork.lapses_at(clock, found.waits_since or clock.started_at) != found.lapse_at


def _record(
    file: CaseFile | ProgrammeClocks,
    clock: Deadline,
    reason: RecountReason,
    before: datetime,
    act: Act,
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
