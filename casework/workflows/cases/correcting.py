"""Corrections of a case: its application, its pre-survey, its assessments, its checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from casework.domain.cases import checks_in_error, correcting, correcting_checks
from casework.domain.cases.intake import Finding
from casework.domain.errors import Invalid
from casework.workflows.context import Context
from casework.workflows.ports.results import Corrected, CorrectedInCase, RecordInCase
from casework.workflows.referring.referring import known_consent


def correct_application(
    ctx: Context, case_id: UUID, changes: Mapping[str, Any], reason: str
) -> Corrected:
    """Put right what an application says; names the clocks that were counted anew."""
    with ctx.work("case.write") as work:
        resident = work.residents.of_case(case_id)
        file = work.files.to_correct(case_id)
        ctx.expect(file.case.version)
        consent_id = changes.get("consent_id", file.case.consent_id)
        consent = known_consent(work, consent_id, "consent_id") if consent_id else None
        moved = correcting.correct_application(file, resident, changes, reason, ctx.act, consent)
        work.files.save(file, ctx.now)
        made = Corrected(id=case_id, recounted=moved)
        work.commit(made)
        return made


def correct_pre_survey(ctx: Context, case_id: UUID, facts: Mapping[str, Any], reason: str) -> UUID:
    """Put the answers of a pre-survey right, until the determination."""
    with ctx.work("case.write") as work:
        file = work.files.to_correct(case_id)
        ctx.expect(file.case.version)
        correcting.correct_pre_survey(file, **facts, reason=reason, act=ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def correct_assessment(
    ctx: Context, case_id: UUID, assessment_id: UUID, finding: Finding, reason: str
) -> RecordInCase:
    """Put an assessment right; the determination until a plan is submitted."""
    with ctx.work("assessment.write") as work:
        file = work.files.to_correct(case_id)
        ctx.expect(file.case.version)
        assessment = file.assessments.get(assessment_id)
        if assessment is None:
            raise Invalid(
                "no such assessment of this case", code="unknown_assessment", field="corrects"
            )
        correcting.correct_assessment(file, assessment, finding, reason, ctx.act)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=assessment_id, case_id=case_id)
        work.commit(made)
        return made


def correct_check(
    ctx: Context, check_id: UUID, changes: Mapping[str, Any], reason: str
) -> CorrectedInCase:
    """Put a check right: its day, what it found, and when the next one is."""
    with ctx.work("case.write") as work:
        file = work.files.to_correct_check(check_id)
        ctx.expect(file.case.version)
        check = file.checks[check_id]
        moved = correcting_checks.correct_check(file, check, changes, reason, ctx.act)
        work.files.save(file, ctx.now)
        made = CorrectedInCase(id=check_id, case_id=file.case.id, recounted=moved)
        work.commit(made)
        return made


def enter_check_in_error(ctx: Context, check_id: UUID, reason: str) -> CorrectedInCase:
    """Say of a check that it never was; names the clocks that run again."""
    with ctx.work("case.supervise") as work:
        file = work.files.to_correct_check(check_id)
        ctx.expect(file.case.version)
        check = file.checks[check_id]
        moved = checks_in_error.enter_check_in_error(file, check, reason, ctx.act)
        work.files.save(file, ctx.now)
        made = CorrectedInCase(id=check_id, case_id=file.case.id, recounted=moved)
        work.commit(made)
        return made
