"""The overdue sweep: raises every due step, lapses and resumes referrals.

It queries what is due and not yet raised, never what fell due since the last run: a missed tick
delays steps but never skips one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from casework.domain.access.policy import SYSTEM
from casework.workflows.cases.caseload import resume_after_hold
from casework.workflows.context import Context
from casework.workflows.ports.supervision import SweepStore
from casework.workflows.referring.referring import lapse_or_resume
from casework.workflows.supervision.batches import Batches

JOB = "overdue"
BATCHES = Batches()


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The result of a run."""

    run_id: UUID
    as_of: datetime
    dry_run: bool
    found: int
    changed: int
    failed: int
    held: int


def sweep_overdue(
    ctx: Context,
    store: SweepStore,
    *,
    as_of: datetime | None = None,
    dry_run: bool = False,
    slot: datetime | None = None,
    limit_flood: Callable[[UUID], int] = lambda _run: 0,
    note_failure: Callable[[UUID, Exception], None] = lambda _id, _error: None,
    clock: Callable[[], datetime] | None = None,
) -> SweepResult | None:
    """Run the sweep as of an instant (now if None); None where another took this slot.

    ``limit_flood`` judges the run's notices and returns how many it holds back.
    ``clock`` tells when the run has ended; without one it ends when it began.
    """
    moment = as_of or ctx.now
    run_id = store.begin_run(
        JOB, moment, ctx.now, dry_run=dry_run, slot=slot, started_by=ctx.actor.id
    )
    if run_id is None:
        return None
    try:
        counts = _run(ctx, store, run_id, moment, dry_run=dry_run, note_failure=note_failure)
        counts["held"] = limit_flood(run_id) if counts["changed"] else 0
        store.end_run(run_id, clock() if clock else ctx.now, counts)
    except Exception as error:
        with suppress(Exception):  # with the database gone, the error cannot be recorded either
            store.fail_run(run_id, type(error).__name__)
        raise
    return SweepResult(run_id=run_id, as_of=moment, dry_run=dry_run, **counts)


def _run(
    ctx: Context,
    store: SweepStore,
    run_id: UUID,
    as_of: datetime,
    *,
    dry_run: bool,
    note_failure: Callable[[UUID, Exception], None],
) -> dict[str, int]:
    found = store.count(as_of)
    raised = moved = failed = 0
    if not dry_run:
        raised = _raise_all(store, run_id, as_of) if found.steps else 0
    if not dry_run and found.moves:
        moved, failed = _move_all(replace(ctx, actor=SYSTEM, now=as_of), store, as_of, note_failure)
    return {"found": found.total, "changed": raised + moved, "failed": failed}


def _raise_all(store: SweepStore, run_id: UUID, as_of: datetime) -> int:
    """Batch by batch, each its own transaction, until nothing is left that is not locked."""
    raised, size = 0, BATCHES.first
    while (batch := store.raise_due(run_id, as_of, size)).steps:
        raised += batch.clocks
        size = BATCHES.after(size, batch.seconds, was_full=batch.steps >= size)
    return raised


def _move_all(
    ctx: Context,
    store: SweepStore,
    as_of: datetime,
    note_failure: Callable[[UUID, Exception], None],
) -> tuple[int, int]:
    """Lapses first, then resumptions; each in its own transaction, so that none stops another."""
    moved = failed = 0
    for find, move in (
        (store.to_lapse, lapse_or_resume),
        (store.to_resume, lapse_or_resume),
        (store.cases_to_resume, resume_after_hold),
    ):
        for id in find(as_of):
            try:
                moved += move(ctx, id)
            except Exception as error:  # one failure must not stop the others
                note_failure(id, error)
                failed += 1
    return moved, failed
