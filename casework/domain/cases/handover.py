"""Handover of cases: to another worker, and with the resident to another centre."""

from __future__ import annotations

from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import AssignmentReason
from casework.domain.casefile.case_moves import check_possible
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseAssigned, CaseTransferred
from casework.domain.clocks.standards import HELD_BY, SUPERVISOR, WORKER
from casework.domain.directory.directory import Centre
from casework.domain.errors import Conflict
from casework.domain.residents.resident import Resident


def assign(
    file: CaseFile, worker_id: UUID | None, act: Act, *, why: AssignmentReason | None = None
) -> None:
    """Assign the case and its clocks to a worker; it leaves the queue of arrived cases.

    ``why`` says what it is a part of, where it is one.
    """
    case = file.case
    check_possible(file, "assign", act)
    before, case.worker_id, case.arrived_at = case.worker_id, worker_id, None
    for deadline in file.running():
        deadline.worker_id, deadline.held_by = worker_id, HELD_BY[deadline.kind]
        file.touch(deadline)
    file.record(CaseAssigned(file.meta(case, act), worker_id=worker_id, before=before, why=why))


def transfer(file: CaseFile, resident: Resident, to: Centre, act: Act) -> None:
    """The resident moved: everything follows to the new centre, and waits there for a worker.

    Ids, children and clocks stay; what the worker held is the supervisor's until then.
    """
    case = file.case
    check_possible(file, "transfer", act)
    if to.code == case.centre_code:
        raise Conflict("the case is there", code="already_there", state=case.status)
    before = case.centre_code
    resident.centre_code, resident.district_code = to.code, to.district_code
    case.centre_code, case.district_code = to.code, to.district_code
    case.worker_id, case.arrived_at = None, act.at
    for referral in file.referrals.values():
        referral.centre_code, referral.district_code = to.code, to.district_code
    for deadline in file.running():
        deadline.centre_code, deadline.district_code = to.code, to.district_code
        deadline.worker_id = None
        if deadline.held_by == WORKER:
            deadline.held_by = SUPERVISOR
        file.touch(deadline)
    file.record(CaseTransferred(file.meta(case, act), centre_code=to.code, before=before))
