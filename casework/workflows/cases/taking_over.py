"""Taking over cases that ran before the system came in, row by row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from casework.domain.casefile.case import Channel, Determination
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases import further_rows, intake
from casework.domain.cases import taking_over as domain
from casework.domain.clocks.standards import Priority
from casework.domain.directory.directory import Offering
from casework.domain.errors import Invalid, require
from casework.domain.referring.taking_over import RunningReferral
from casework.domain.residents.resident import Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.residents.residents import NewConsent, take_consents

OF_APPLICATION = ("channel", "applied_on", "urgent", "urgent_reason", "ex_officio_ground")
OF_CASE = (
    "approved_on", "surveyed_on", "determined_on", "goals", "heard_on", "notified_on",
    "notified_to", "first_checked_on", "last_checked_on", "next_check_on", "former_number",
)  # fmt: skip
OF_SERVICE = ("service_code", "quantity", "unit", "per", "starts_on", "ends_on")
OF_REFERRAL = (
    "requested_on", "answered_on", "started_on", "ended_on", "hold_until", "reason", "outcome",
    "note", "disposition", "outside_area_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRow:
    """A row of a file: a case, and one service of its plan with its referral."""

    running: domain.RunningCase
    service: domain.RunningService | None


def take_over(ctx: Context, resident_id: UUID, fields: Mapping[str, Any]) -> UUID:
    """Take a row over: its case, where it is not there yet, and its service.

    What stands there already is refused and stays; nobody is told of anything.
    """
    with ctx.work("case.supervise") as work:
        resident = work.residents.get(resident_id, lock=True)
        row = _row(work, fields)
        file = _standing(ctx, work, resident, row.running.application.applied_on)
        if file is not None and further_rows.stands_there(file, row.service):
            raise further_rows.already_taken_over(file, ctx.act)
        domain.check_running(resident, row.running, ctx.act)
        _check_centre(resident, fields["centre_code"])
        worker_id = _worker(work, resident, fields["worker"])
        if file is None:
            running = _with_consent(ctx, work, resident, row.running, fields)
            file = domain.take_over(resident, running, ctx.act, worker_id)
            _add(ctx, file, row)
            work.files.add(file)
        else:
            _check_further(ctx, work, file, row, {**fields, "worker": worker_id})
            _add(ctx, file, row)
            work.files.save(file, ctx.now)
        work.commit(file.case.id)
        return file.case.id


def _check_centre(resident: Resident, centre_code: str | None) -> None:
    require(
        centre_code in (None, resident.centre_code),
        "the resident is registered in another centre",
        code="centre_differs",
        field="centre_code",
    )


def _standing(ctx: Context, work: Work, resident: Resident, applied_on: date) -> CaseFile | None:
    """The case that was taken over before, open or closed since; refuses any other open one."""
    open_id = work.residents.open_case(resident.id)
    id = open_id or work.residents.taken_over(resident.id, applied_on)
    if id is None:
        return None
    file = work.files.to_correct(id)
    if file.case.taken_over_at is None:
        raise intake.second_case(file, ctx.act)
    return file


def _check_further(
    ctx: Context, work: Work, file: CaseFile, row: TakenRow, said: Mapping[str, Any]
) -> None:
    consent_id = file.case.consent_id
    consent = work.residents.consent(consent_id) if consent_id is not None else None
    further_rows.check_further(file, said, consent, ctx.act)
    if row.service is not None:
        further_rows.check_beside(file, row.service)


def _add(ctx: Context, file: CaseFile, row: TakenRow) -> None:
    if row.service is not None:
        domain.take_over_service(file, row.service, ctx.catalogue, ctx.act)


def _worker(work: Work, resident: Resident, username: str | None) -> UUID | None:
    if username is None:
        return None
    found = work.accounts.worker_named(username, resident.centre_code)
    if found is None:
        raise Invalid("no such worker in this centre", code="unknown_worker", field="worker")
    return found.id


def _with_consent(
    ctx: Context, work: Work, resident: Resident, running: domain.RunningCase,
    fields: Mapping[str, Any],
) -> domain.RunningCase:  # fmt: skip
    """The consent that the channel needs is recorded with the case; its day must be named."""
    purpose = intake.CONSENT_FOR_CHANNEL.get(Channel(running.application.channel))
    if purpose is None:
        return running
    given_on = fields["consent_given_on"]
    require(
        given_on is not None,
        f"this channel needs a consent for {purpose}",
        code="consent_required",
        field="consent_given_on",
    )
    given_by = fields["consent_given_by"] or resident.name
    given = NewConsent(purpose=purpose, given_by=given_by, given_on=given_on)
    (consent,) = take_consents(ctx, work, resident.id, {"consent_": given})
    return replace(running, application=replace(running.application, consent=consent))


def _row(work: Work, fields: Mapping[str, Any]) -> TakenRow:
    application = intake.CareApplication(**{name: fields[name] for name in OF_APPLICATION})
    determination = fields["determination"]
    running = domain.RunningCase(
        application=application,
        determination=Determination(determination) if determination else None,
        heard_from=fields["heard_from"] or "",
        findings=fields["findings"] or "",
        **{name: fields[name] for name in OF_CASE},
    )
    return TakenRow(running=running, service=_service(work, fields))


def _service(work: Work, fields: Mapping[str, Any]) -> domain.RunningService | None:
    """What the row says of a service; refuses a part of one."""
    said = {name for name in (*OF_SERVICE, *OF_REFERRAL, "agency", "state") if fields[name]}
    if not said:
        return None
    for name in OF_SERVICE:
        require(name in said, "a service needs it", code="required", field=name)
    return domain.RunningService(
        content=fields["content"] or "",
        referral=_referral(work, fields),
        **{name: fields[name] for name in OF_SERVICE},
    )


def _referral(work: Work, fields: Mapping[str, Any]) -> RunningReferral | None:
    if not any(fields[name] for name in (*OF_REFERRAL, "agency", "state")):
        return None
    for name in ("agency", "state", "requested_on"):
        require(fields[name], "a referral needs it", code="required", field=name)
    return RunningReferral(
        offering=_offering(work, fields),
        status=ReferralStatus(fields["state"]),
        priority=Priority(fields["priority"]),
        **{name: fields[name] for name in OF_REFERRAL},
    )


def _offering(work: Work, fields: Mapping[str, Any]) -> Offering:
    found = work.directory.offering_of(fields["agency"], fields["service_code"])
    if found is None:
        raise Invalid(
            "no agency of that code offers the service", code="unknown_offering", field="agency"
        )
    return found
