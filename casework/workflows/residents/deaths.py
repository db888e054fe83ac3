"""The death of a resident: recorded for itself or with a case, and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from casework.domain.casefile.case import ClosingReason
from casework.domain.casefile.casefile import CaseFile
from casework.domain.duplicates.merged_facts import notices_of_change
from casework.domain.residents import death
from casework.domain.residents.resident import Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.residents.residents import add_reason, open_case_of


def record_death(ctx: Context, resident_id: UUID, on: date) -> UUID:
    """Record that a resident died; an open case is still to be closed."""
    with ctx.work("case.write") as work:
        resident = work.residents.get(resident_id, lock=True)
        ctx.expect(resident.version)
        open_case_of(work, resident.id)  # no referral of it is sent while this is written
        was = replace(resident)
        happened = death.record_death(resident, on, ctx.act)
        _tell_agencies(ctx, work, was, resident)
        work.residents.save(resident, None)
        work.record([happened])
        work.commit(resident.id)
        return resident.id


def take_back_death(ctx: Context, resident_id: UUID, reason: str) -> UUID:
    """Take back a death that was recorded in error; the reason goes to the notes."""
    with ctx.work("case.supervise") as work:
        resident = work.residents.get(resident_id, lock=True)
        ctx.expect(resident.version)
        was = replace(resident)
        _take_back(ctx, work, resident)
        _tell_agencies(ctx, work, was, resident)
        add_reason(ctx, work, reason, resident.id)
        work.commit(resident.id)
        return resident.id


def record_with_case(ctx: Context, work: Work, resident: Resident, file: CaseFile) -> None:
    """Closing a case with ``death`` records it, where it is not recorded yet."""
    if resident.died_on is None:
        on = file.case.effective_on or ctx.act.today
        happened = death.record_death(resident, on, ctx.act)
        work.residents.save(resident, None)
        work.record([happened])


def take_back_with_case(ctx: Context, work: Work, resident: Resident, file: CaseFile) -> None:
    """A case that was closed with ``death`` is reopened: who closed it was mistaken."""
    if file.case.closed_reason is ClosingReason.DEATH and resident.died_on is not None:
        _take_back(ctx, work, resident)
        file.died_on = None


def _tell_agencies(ctx: Context, work: Work, was: Resident, now: Resident) -> None:
    """Those who serve the resident, or were asked to, are to stop; or to go on after all."""
    requests = work.merges.open_requests([now.id])
    work.merges.tell(notices_of_change([(one, was, now) for one in requests], ctx.act))


def _take_back(ctx: Context, work: Work, resident: Resident) -> None:
    happened = death.take_back_death(resident, ctx.act)
    work.residents.save(resident, None)
    work.record([happened])
