"""Corrections of a referral: the days of its moves, and its priority."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from casework.domain.referring import correcting
from casework.workflows.context import Context
from casework.workflows.ports.results import Corrected
from casework.workflows.ports.unit_of_work import Work


def correct_referral(
    ctx: Context, referral_id: UUID, days: Mapping[str, date], reason: str
) -> Corrected:
    """Put right on which days a referral was asked, answered, started or ended."""
    with ctx.work("referral.send") as work:
        file = work.files.to_correct(_case_of(work, referral_id))
        referral = file.referral(referral_id)
        ctx.expect(referral.version)
        moved = correcting.correct_days(file, referral, days, reason, ctx.act)
        work.files.save(file, ctx.now)
        made = Corrected(id=referral_id, recounted=moved)
        work.commit(made)
        return made


def change_priority(ctx: Context, referral_id: UUID, priority: str, reason: str) -> Corrected:
    """Raise or lower the priority of a referral; its running clocks are counted anew."""
    with ctx.work("referral.send") as work:
        file = work.files.of_referral(referral_id)
        referral = file.referral(referral_id)
        ctx.expect(referral.version)
        moved = correcting.change_priority(file, referral, priority, reason, ctx.act)
        work.files.save(file, ctx.now)
        made = Corrected(id=referral_id, recounted=moved)
        work.commit(made)
        return made


def _case_of(work: Work, referral_id: UUID) -> UUID:
    return work.files.of_referral(referral_id).case.id
