"""Running a case: checks, signals, assignment, closing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.casefile.case import ClosingReason
from casework.domain.casefile.casefile import CaseFile
from casework.domain.cases import checks, closing, handover
from casework.domain.errors import Invalid
from casework.workflows.context import Context
from casework.workflows.ports.results import RecordInCase
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.residents.deaths import record_with_case


def record_check(
    ctx: Context, case_id: UUID, findings: checks.Findings, *, confirmed: bool = False
) -> RecordInCase:
    """Record a check of the resident's situation; a second of one day where ``confirmed``."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        check = checks.record_check(file, findings, ctx.act, confirmed=confirmed)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=check.id, case_id=case_id)
        work.commit(made)
        return made


def raise_signal(ctx: Context, case_id: UUID, kind: str, note: str | None) -> RecordInCase:
    """Raise a signal that something changed with the resident."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        signal = checks.raise_signal(file, kind, note, ctx.act)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=signal.id, case_id=case_id)
        work.commit(made)
        return made


def answer_signal(ctx: Context, signal_id: UUID, note: str) -> RecordInCase:
    """Answer a signal with what is done about it; returns its case."""
    with ctx.work("case.write") as work:
        file = work.files.of_signal(signal_id)
        signal = file.signals[signal_id]
        ctx.expect(signal.version)
        checks.answer_signal(file, signal, note, ctx.act)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=signal_id, case_id=file.case.id)
        work.commit(made)
        return made


def assign_case(ctx: Context, case_id: UUID, worker_id: UUID) -> UUID:
    """Assign a case to a worker of its centre."""
    with ctx.work("case.supervise") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        handover.assign(file, known_worker(work, file, worker_id), ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def known_worker(work: Work, file: CaseFile, worker_id: UUID | None) -> UUID:
    """The worker, who must be one of the case's centre and active."""
    if worker_id is None:
        raise Invalid("name the worker", code="worker_required", field="worker_id")
    if work.accounts.worker_of(worker_id, file.case.centre_code) is None:
        raise Invalid("no such worker in this centre", code="unknown_worker", field="worker_id")
    return worker_id


def close_case(ctx: Context, case_id: UUID, what: dict[str, Any]) -> UUID:
    """Close a case; ``what`` holds the fields of the domain's Closing."""
    with ctx.work("case.write") as work:
        died = what["reason"] == ClosingReason.DEATH
        resident = work.residents.of_case(case_id) if died else None
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        effective_on = what.pop("effective_on", None) or ctx.act.today
        closing.close(file, closing.Closing(effective_on=effective_on, **what), ctx.act)
        if resident is not None:
            record_with_case(ctx, work, resident, file)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id
