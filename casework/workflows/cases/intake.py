"""Registering residents, their consents and notes; opening cases; surveys and assessments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.access.policy import Role
from casework.domain.cases import intake
from casework.workflows.context import Context
from casework.workflows.ports.results import RecordInCase
from casework.workflows.referring.referring import known_consent
from casework.workflows.residents.residents import open_case_of


def open_case(
    ctx: Context, resident_id: UUID, application: dict[str, Any], consent_id: UUID | None
) -> UUID:
    """Open a case on an application; a worker who opens it is assigned to it."""
    with ctx.work("case.write") as work:
        resident = work.residents.get(resident_id, lock=True)
        consent = known_consent(work, consent_id, "consent_id") if consent_id else None
        standing = open_case_of(work, resident.id)
        if standing is not None:
            raise intake.second_case(standing, ctx.act)
        worker_id = ctx.actor.id if ctx.actor.role == Role.WORKER else None
        file = intake.open_case(
            resident, intake.CareApplication(**application, consent=consent), ctx.act, worker_id
        )
        work.files.add(file)
        work.commit(file.case.id)
        return file.case.id


def record_pre_survey(
    ctx: Context,
    case_id: UUID,
    *,
    dementia_medicine: bool,
    activities: dict[str, int],
    guidance: str | None,
) -> UUID:
    """Record the pre-survey; its score decides the route."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        intake.record_pre_survey(file, dementia_medicine, activities, guidance, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def record_assessment(ctx: Context, case_id: UUID, finding: intake.Finding) -> RecordInCase:
    """Record an assessment; the first is the determination."""
    with ctx.work("assessment.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        assessment = intake.record_assessment(file, finding, ctx.act)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=assessment.id, case_id=case_id)
        work.commit(made)
        return made
