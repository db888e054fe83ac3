"""The care plan, from draft to decision and notification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import Conference, VersionStatus
from casework.domain.errors import StaleVersion, require
from casework.domain.planning import deciding, planning, settling
from casework.domain.planning.conferences import check_members
from casework.workflows.context import Context
from casework.workflows.planning.conferences import add_conference, known_conference
from casework.workflows.ports.results import RecordInCase, SubmittedPlan
from casework.workflows.ports.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCommand:
    """A decision as it was sent; exactly one of three fields says how it was taken."""

    version: int
    hash: str
    approve: bool
    reason: str | None = None
    held_on: date | None = None
    members: list[dict[str, str]] | None = None
    conference_id: UUID | None = None
    without_meeting_reason: str | None = None
    decided_on: date | None = None


def put_draft(ctx: Context, case_id: UUID, draft: planning.Draft) -> UUID:
    """Write the draft. Where one exists, the actor must have seen it (``If-Match``)."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.plan_revision)
        if ctx.expected_version is None and file.version_in(VersionStatus.DRAFT):
            raise StaleVersion(
                "a draft exists; say which one you saw", code="precondition_required"
            )
        _check_providers(work, draft)
        planning.put_draft(file, draft, ctx.catalogue, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def _check_providers(work: Work, draft: planning.Draft) -> None:
    """Refuse a draft with an agency that is not in the directory."""
    items = [item for _, item in draft.items]
    known = work.directory.known_providers(one.provider_id for one in items if one.provider_id)
    for n, item in enumerate(items):
        require(
            item.provider_id is None or item.provider_id in known,
            "no such provider",
            code="unknown_provider",
            field=f"services.{n}.provider_id",
        )


def submit_plan(ctx: Context, case_id: UUID) -> SubmittedPlan:
    """Freeze the draft for decision."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.plan_revision)
        version = planning.submit(file, ctx.act)
        work.files.save(file, ctx.now)
        made = SubmittedPlan(id=case_id, version=version.number, hash=version.hash or "")
        work.commit(made)
        return made


def decide_plan(ctx: Context, case_id: UUID, command: DecisionCommand) -> UUID:
    """Approve or return the submitted version, bound to its number and hash."""
    with ctx.work("plan.decide") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.plan_revision)
        known = command.conference_id
        decision = deciding.Decision(
            number=command.version,
            hash=command.hash,
            approve=command.approve,
            reason=command.reason,
            conference=_conference(ctx, work, file, command),
            agenda=work.conferences.agenda(known) if known is not None else None,
            without_meeting_reason=command.without_meeting_reason,
            decided_on=command.decided_on,
        )
        deciding.decide(file, decision, ctx.act)
        work.files.save(file, ctx.now)
        if known is not None and known_conference(work, known) != decision.conference:
            raise StaleVersion("the day of the meeting was put right meanwhile")
        work.commit(case_id)
        return case_id


def _conference(
    ctx: Context, work: Work, file: CaseFile, command: DecisionCommand
) -> Conference | None:
    """The meeting that decided: a new record, a known one, or none with its reason."""
    ways = (command.held_on, command.conference_id, command.without_meeting_reason)
    require(
        sum(way is not None for way in ways) == 1,
        "say how it was decided: a conference, its id, or why without one",
        code="how_decided",
        field="conference",
    )
    if command.conference_id is not None:
        return known_conference(work, command.conference_id)
    if command.held_on is None:
        require(
            (command.without_meeting_reason or "").strip(),
            "say why without a meeting",
            code="reason_required",
            field="without_meeting_reason",
        )
        return None
    check_members(command.members or [], "conference.members")
    return add_conference(
        ctx, work, file.case.district_code, command.held_on, command.members or []
    )


def notify_plan(ctx: Context, case_id: UUID, on: date, to: str) -> UUID:
    """Record that the resident or applicant was notified of the plan."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        planning.notify(file, on, to, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def settle_service(ctx: Context, service_id: UUID, how: str, note: str | None) -> RecordInCase:
    """Settle a planned service without a referral; returns its case."""
    with ctx.work("case.write") as work:
        file = work.files.of_planned_service(service_id)
        service = file.service(service_id)
        ctx.expect(service.version)
        settling.settle(file, service, how, note, ctx.act)
        work.files.save(file, ctx.now)
        made = RecordInCase(id=service_id, case_id=file.case.id)
        work.commit(made)
        return made
