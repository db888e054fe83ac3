"""Likely duplicates: found in the background for the supervisors' queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from casework.domain.duplicates.suspicions import SuspicionState, suspect
from casework.workflows.context import Context
from casework.workflows.residents.similar_residents import find_similar

BATCH: Final = 100
REVIEW: Final = "duplicate.review"


def find(ctx: Context, limit: int = BATCH) -> tuple[int, int] | None:
    """Check some queued residents for duplicates in the whole city.

    Returns how many were checked and how many pairs are new; None where the queue is empty. A
    registration never waits for it, so that its timing discloses nothing out of scope.
    """
    with ctx.work(REVIEW) as work:
        residents = work.duplicates.take(limit)
        pairs = [
            suspect(one, similar.resident, similar.reasons, ctx.act)
            for one in residents
            for similar in find_similar(ctx, work, one, work.residents.rrn(one.id))
            if similar.is_suspicious
        ]
        if not residents:
            return None
        work.about(*(id for pair in pairs for id in (pair.resident_id, pair.other_id)))
        found = work.duplicates.add(pairs)
        work.commit()
        return len(residents), found


def find_all(ctx: Context, limit: int = BATCH) -> Iterator[tuple[int, int]]:
    """Check batch by batch until the queue is empty; each batch is committed."""
    while (done := find(ctx, limit)) is not None:
        yield done


def queue_everyone(ctx: Context, limit: int = 1000) -> Iterator[UUID]:
    """Queue every resident for the duplicate check; yields the last one of each batch."""
    after: UUID | None = None
    while True:
        with ctx.work(REVIEW) as work:
            after = work.duplicates.queue_checks(after, limit)
            if after is None:
                return
            work.commit()
        yield after


def waiting(ctx: Context) -> int:
    """How many residents are queued for the duplicate check."""
    with ctx.work(REVIEW) as work:
        return work.duplicates.waiting()


def decide(ctx: Context, suspicion_id: UUID, verdict: SuspicionState, note: str | None) -> UUID:
    """Decide whether the two residents of a pair are one person."""
    with ctx.work(REVIEW) as work:
        pair = work.duplicates.get(suspicion_id, lock=True)
        ctx.expect(pair.version)
        pair.decide(verdict, note, ctx.act)
        work.duplicates.save(pair)
        work.commit(pair.id)
        return pair.id
