"""Setting standards and holidays, and recounting the running clocks that they affect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.recounts import Because
from casework.domain.errors import NotFound
from casework.domain.events import EventMetadata
from casework.domain.supervision import recounting, setting_standards
from casework.domain.supervision.events import HolidayDeclared, StandardRecalculated
from casework.domain.supervision.recounting import (
    HOLIDAY,
    STANDARD,
    MovedClock,
    Recount,
    RecountReason,
    RunningClock,
)
from casework.domain.supervision.setting_standards import Holiday
from casework.workflows.context import Context
from casework.workflows.ports.results import BegunRecount
from casework.workflows.ports.unit_of_work import Work

SET = "standard.write"
Failed = Callable[[UUID, Exception], None]
# The clocks to be recounted, by their cases; those of the programme by themselves.
Clocks = Mapping[UUID, list[UUID]]
Renewing = Callable[[Context, Clocks, RecountReason], list[MovedClock]]
# How many cases are recounted in one transaction.
AT_ONCE: Final = 100


def add_standard(ctx: Context, facts: Mapping[str, Any], *, usual_lapse: bool) -> UUID:
    """Add a standard; it applies to clocks that start from now on."""
    with ctx.work(SET) as work:
        work.standards.check_district(facts.get("district_code"), "district_code")
        standard = setting_standards.new_standard(
            facts, ctx.catalogue, ctx.act, usual_lapse=usual_lapse
        )
        work.standards.add(standard)
        work.record([setting_standards.added_event(standard, ctx.act)])
        work.commit(standard.id)
        return standard.id


def change_standard(ctx: Context, standard_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """Change a standard; running clocks keep the terms they were set by."""
    with ctx.work(SET) as work:
        standard = work.standards.get(standard_id, lock=True)
        ctx.expect(standard.version)
        names = setting_standards.change_standard(standard, changes, ctx.act)
        if names:
            changed = setting_standards.changed_standard(standard, changes, ctx.act)
            work.standards.save(changed)
            work.record([setting_standards.changed_event(changed, names, ctx.act)])
        work.commit(standard_id)
        return standard_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCommand:
    """A day that is closed, or open after all, in one district or everywhere."""

    on: date
    closed: bool
    name: str
    district_code: str | None


def declare_holiday(ctx: Context, command: DayCommand) -> BegunRecount:
    """Declare a day; its recount follows separately."""
    with ctx.work(SET) as work:
        setting_standards.check_holiday(command.on, command.district_code, ctx.actor)
        work.standards.check_district(command.district_code, "district_code")
        holiday, is_new = work.standards.declare(
            Holiday(
                id=ctx.new_id(),
                day=command.on,
                closed=command.closed,
                name=command.name,
                district_code=command.district_code,
                declared_at=ctx.now,
                declared_by=ctx.actor.id,
            )
        )
        declared = HolidayDeclared(
            EventMetadata.of(ctx.act, holiday.id),
            on=holiday.day,
            closed=holiday.closed,
            district_code=command.district_code,
        )
        work.record([declared])
        recount = _begin(ctx, work, HOLIDAY, holiday.id)
        made = BegunRecount(subject_id=holiday.id, recount_id=recount, is_new=is_new)
        work.commit_begun(made)
        return made


def begin_recalculation(ctx: Context, standard_id: UUID) -> BegunRecount:
    """Apply a standard to running clocks too; its recount follows separately."""
    with ctx.work(SET) as work:
        standard = work.standards.get(standard_id)
        work.record([StandardRecalculated(EventMetadata.of(ctx.act, standard.id))])
        recount = _begin(ctx, work, STANDARD, standard.id)
        made = BegunRecount(subject_id=standard_id, recount_id=recount)
        work.commit_begun(made)
        return made


def _begin(ctx: Context, work: Work, because: Because, subject_id: UUID) -> UUID:
    recount = Recount(
        id=ctx.new_id(),
        because=because,
        subject_id=subject_id,
        started_at=ctx.now,
        started_by=ctx.actor.id,
    )
    work.standards.begin(recount)
    return recount.id


def check_recalculable(ctx: Context, standard_id: UUID) -> UUID:
    """Refuse a standard outside the actor's scope."""
    with ctx.work(SET) as work:
        work.standards.get(standard_id)
        work.commit(standard_id)
        return standard_id


def try_recalculation(ctx: Context, standard_id: UUID) -> Recount:
    """The result of a recalculation, as a dry run."""
    with ctx.work(SET) as work:
        standard = work.standards.get(standard_id)
        reason = RecountReason(because=STANDARD, subject_id=standard.id, standard=standard)
        running = work.standards.running(reason)
    found = _concerned(ctx, reason, running)
    moved = [one for one in map(_would(ctx, reason), found) if one is not None]
    recount = Recount(
        id=ctx.new_id(),
        because=STANDARD,
        subject_id=standard_id,
        started_at=ctx.now,
        started_by=ctx.actor.id,
        ended_at=ctx.now,
        found=len(found),
    )
    _add(recount, moved)
    with ctx.work(SET) as work:
        work.about(*(one.resident_id for one in moved if one.resident_id is not None))
        work.commit()
    return recount


def begun_recount(ctx: Context, recount_id: UUID) -> Recount:
    """A recount as it stands; without an end it is still to be carried out, or to go on."""
    with ctx.work(SET) as work:
        return work.standards.recount(recount_id)


def carry_out(ctx: Context, recount: Recount, note_failure: Failed) -> None:
    """Recount the clocks that the reason concerns, a hundred cases in a transaction.

    A clock of the programme stands for itself, as a case does. Where one of them fails, each is
    recounted in a transaction of its own. A failure is counted and does not stop the others; the
    next recount finds it again. One that ``note_failure`` raises ends it: carried out again, it
    goes on with what is left.
    """
    with ctx.work(SET) as work:
        reason = _reason(work, recount)
        running = work.standards.running(reason)
    found = _concerned(ctx, reason, running)
    would = [one for one in map(_would(ctx, reason), found) if one is not None]
    recount.found, recount.failed = len(found), 0
    of_cases: Clocks = {
        case_id: [one.id for one in of_case]
        for case_id, of_case in groupby(would, key=lambda one: one.case_id)
        if case_id is not None
    }
    of_programme: Clocks = {one.id: [one.id] for one in would if one.case_id is None}
    for clocks, renew in ((of_cases, _renew), (of_programme, _renew_of_programme)):
        units = iter(clocks.items())
        while some := dict(islice(units, AT_ONCE)):
            try:
                _add(recount, renew(ctx, some, reason))
            except Exception:  # which one it is, is found by renewing each
                _renew_each(ctx, recount, some, reason, note_failure, renew)
    recount.ended_at = ctx.now
    save_recount(ctx, recount)


def _renew_each(
    ctx: Context,
    recount: Recount,
    some: Clocks,
    reason: RecountReason,
    note_failure: Failed,
    renew: Renewing,
) -> None:
    for unit_id, ids in some.items():
        try:
            _add(recount, renew(ctx, {unit_id: ids}, reason))
        except Exception as error:  # one failure must not stop the others
            note_failure(unit_id, error)
            recount.failed += len(ids)


def save_recount(ctx: Context, recount: Recount) -> None:
    """Save how far a recount is."""
    with ctx.work(SET) as work:
        work.standards.save_recount(recount)
        work.commit()


def _reason(work: Work, recount: Recount) -> RecountReason:
    if recount.because == STANDARD:
        standard = work.standards.get(recount.subject_id)
        return RecountReason(because=STANDARD, subject_id=standard.id, standard=standard)
    day = work.standards.holiday(recount.subject_id)
    return RecountReason(
        because=HOLIDAY,
        subject_id=day.id,
        on=day.day,
        closed=day.closed,
        district_code=day.district_code,
    )


def _concerned(
    ctx: Context, reason: RecountReason, found: list[RunningClock]
) -> list[RunningClock]:
    return [one for one in found if recounting.concerns(reason, one.clock, ctx.clockwork)]


def _would(ctx: Context, reason: RecountReason) -> Callable[[RunningClock], MovedClock | None]:
    return lambda one: recounting.would_move(reason, one, ctx.clockwork)


def _renew(ctx: Context, some: Clocks, reason: RecountReason) -> list[MovedClock]:
    with ctx.work(SET) as work:
        files = work.files.several(list(some))
        if len(files) < len(some):
            raise NotFound("no such case")
        moved = [
            one
            for file in files
            for one in recounting.renew(file, some[file.case.id], reason, ctx.act)
        ]
        work.files.save_several(files, ctx.now)
        work.commit()
        return moved


def _renew_of_programme(ctx: Context, some: Clocks, reason: RecountReason) -> list[MovedClock]:
    with ctx.work(SET) as work:
        unit = work.deadlines.of_programme(list(some))
        if len(unit.deadlines) < len(some):
            raise NotFound("no such deadline")
        moved = recounting.renew(unit, list(some), reason, ctx.act)
        work.deadlines.save_programme(unit, ctx.now)
        work.commit()
        return moved


def _add(recount: Recount, moved: list[MovedClock]) -> None:
    """Add the moved clocks to the record; those with only moved steps are counted."""
    for one in moved:
        if one.is_listed:
            recount.changes.append(
                {
                    "id": one.id,
                    "kind": one.kind,
                    "before": one.before,
                    "after": one.after,
                    "standard_id": one.standard_id,
                    "ends": one.ends,
                }
            )
        else:
            recount.replanned += 1
