"""Reviewing what is overdue."""

from __future__ import annotations

from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.cases import handover
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import REFERRAL
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.referring import referring
from casework.domain.supervision import reviewing
from casework.workflows.cases.running import known_worker
from casework.workflows.context import Context
from casework.workflows.directory.matching import record_judgement
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.referring.referring import known_offering


def review_deadline(ctx: Context, deadline_id: UUID, verdict: reviewing.ReviewDecision) -> UUID:
    """Review one overdue clock, with the move that the decision requires."""
    with ctx.work("overdue.review") as work:
        file = _file_of(work, deadline_id, with_plan=verdict.action == "redirect")
        deadline = file.deadlines[deadline_id]
        ctx.expect(deadline.stamp)
        done = reviewing.review(file, deadline, verdict, ctx.act)
        if verdict.action == "reassign":
            handover.assign(file, known_worker(work, file, verdict.worker_id), ctx.act)
        elif verdict.action == "redirect":
            _redirect(ctx, work, file, deadline, verdict)
        work.files.save(file, ctx.now)
        work.deadlines.acknowledge(deadline, done.id)
        work.commit(deadline_id)
        return deadline_id


def _file_of(work: Work, deadline_id: UUID, *, with_plan: bool) -> CaseFile:
    """The case file of a clock; what is of the programme is reviewed by the side that gave it."""
    try:
        return work.files.of_deadline(deadline_id, with_plan=with_plan)
    except NotFound:
        if work.deadlines.get(deadline_id).is_of_programme:
            raise Conflict(
                "what is of the programme is reviewed by who gave it",
                code="reviewed_by_giver",
            ) from None
        raise


def _redirect(
    ctx: Context, work: Work, file: CaseFile, deadline: Deadline, verdict: reviewing.ReviewDecision
) -> None:
    if deadline.subject_type != REFERRAL:
        raise Invalid("only a referral can be redirected", code="not_a_referral", field="action")
    if verdict.offering_id is None:
        raise Invalid("name the offering to ask", code="offering_required", field="offering_id")
    referral = file.referral(deadline.subject_id)
    consent = work.residents.consent(referral.consent_id) if referral.consent_id else None
    offering = known_offering(work, verdict.offering_id)
    record_judgement(ctx, work, referring.redirect(file, referral, offering, ctx.act, consent))
