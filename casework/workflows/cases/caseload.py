"""Caseload use cases: holds, reopening, transfers, handovers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.casefile.case import AssignmentReason, Case
from casework.domain.cases import handover, holding, reopening
from casework.domain.errors import Invalid
from casework.workflows.context import Context
from casework.workflows.ports.results import HandedOverCases, TransferredCase
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.residents.deaths import take_back_with_case
from casework.workflows.residents.residents import add_reason

# How many cases are read and written at once.
AT_ONCE: Final = 100


def hold_case(
    ctx: Context,
    case_id: UUID,
    reason: str,
    until: date,
    note: str | None,
    *,
    hold_referrals: bool = False,
) -> UUID:
    """Hold a case up to and including a day, and its running referrals where that is meant."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        holding.hold_case(file, reason, until, note, ctx.act, hold_referrals=hold_referrals)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def resume_case(ctx: Context, case_id: UUID) -> UUID:
    """End the hold of a case early."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        holding.resume_case(file, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def reopen_case(ctx: Context, case_id: UUID, note: str, *, confirm: bool = False) -> UUID:
    """Reopen a closed case, unless the resident has another that is open.

    It is again the worker's who carried it, if that worker still serves its centre; else it waits
    for one, as an arrived case does. A death with which it was closed is taken back; of another,
    ``confirm`` says that it is known.
    """
    with ctx.work("case.supervise") as work:
        resident = work.residents.of_case(case_id)
        file = work.files.whole(case_id, with_plan=True)
        ctx.expect(file.case.version)
        take_back_with_case(ctx, work, resident, file)
        carrier = work.accounts.still_carries(file.case.worker_id, file.case.centre_code)
        reopening.reopen(file, note, ctx.act, carrier, confirmed=confirm)
        add_reason(ctx, work, note, file.case.resident_id)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def transfer_case(ctx: Context, case_id: UUID, centre_code: str, reason: str) -> TransferredCase:
    """Move a case with its resident to another centre, perhaps of another district.

    The result names the open referrals whose offerings do not cover the new centre.
    """
    with ctx.work("case.supervise") as work:
        resident = work.residents.of_case(case_id)
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        centre = work.directory.centre(centre_code)
        if centre is None:
            raise Invalid("no such centre", code="unknown_centre", field="centre_code")
        handover.transfer(file, resident, centre, ctx.act)
        add_reason(ctx, work, reason, resident.id)
        stops = [
            {
                "id": str(referral.id),
                "service_code": referral.service_code,
                "provider_id": str(referral.provider_id),
            }
            for referral in file.open_referrals()
            if not work.directory.covers(referral.offering_id, centre.code)
        ]
        work.files.save(file, ctx.now)
        work.residents.save(resident, None)
        work.residents.move_with_resident(resident)
        made = TransferredCase(id=case_id, stops_at_border=stops)
        work.commit(made)
        return made


def hand_over(
    ctx: Context, from_worker_id: UUID, to_worker_ids: Sequence[UUID], reason: str
) -> HandedOverCases:
    """Assign a leaver's open cases to one worker, or round-robin to several of the same centre."""
    with ctx.work("case.supervise") as work:
        workers = [_worker(work, id, "to_worker_id") for id in to_worker_ids]
        leaver = work.accounts.worker_within_scope(from_worker_id, work.scope, active=False)
        if leaver is None:
            raise Invalid("no such worker", code="unknown_worker", field="from_worker_id")
        cases = hand_over_cases(ctx, work, from_worker_id, workers, "to_worker_id")
        add_reason(ctx, work, reason, *(one.resident_id for one in cases))
        made = HandedOverCases(case_ids=[one.id for one in cases])
        work.commit(made)
        return made


def hand_over_cases(
    ctx: Context, work: Work, from_worker_id: UUID, workers: Sequence[Account], field: str
) -> list[Case]:
    """Assign every open case of a worker to others in turn, each of whom must serve its centre.

    ``field`` names the receivers in a refusal.
    """
    moved: list[Case] = []
    carried = work.files.carried_by(from_worker_id)
    for start in range(0, len(carried), AT_ONCE):
        files = work.files.several(carried[start : start + AT_ONCE])
        for n, file in enumerate(files, len(moved)):
            worker = workers[n % len(workers)]
            _must_serve(worker, file.case.centre_code, field)
            handover.assign(file, worker.id, ctx.act, why=AssignmentReason.HANDOVER)
        work.files.save_several(files, ctx.now)
        moved += [file.case for file in files]
    return moved


def _worker(work: Work, id: UUID, field: str) -> Account:
    found = work.accounts.worker_within_scope(id, work.scope)
    if found is None:
        raise Invalid("no such worker in your district", code="unknown_worker", field=field)
    return found


def _must_serve(worker: Account, centre_code: str | None, field: str) -> None:
    """Refuse a worker who does not serve the centre, and so could not open the work."""
    if worker.centre_code != centre_code:
        raise Invalid(
            "this worker serves another centre", code="worker_of_other_centre", field=field
        )


def resume_after_hold(ctx: Context, case_id: UUID) -> bool:
    """Record that a case's hold expired; False where another run recorded it."""
    with ctx.work("case.write") as work:
        file = work.files.of_case(case_id)
        if file.case.resume_at is None or file.case.resume_at > ctx.now:
            return False
        holding.resume_case_after_hold(file, ctx.act)
        work.files.save(file, ctx.now)
        work.commit()
        return True
