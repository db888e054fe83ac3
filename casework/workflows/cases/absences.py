"""Absence use cases: recorded, corrected and ended by a supervisor of the district."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.cases import absences
from casework.domain.cases.absences import Absence
from casework.domain.errors import Invalid, require
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work

SUPERVISE = "case.supervise"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceCommand:
    """Who is away from when to when, and who deputises."""

    worker_id: UUID
    from_on: date
    to_on: date
    deputy_id: UUID


def record_absence(ctx: Context, command: AbsenceCommand) -> UUID:
    """Record that somebody is away, and the deputy: of the same role and place."""
    with ctx.work(SUPERVISE) as work:
        work.absences.alone(command.worker_id, command.deputy_id)
        person = _person(work, command.worker_id, "worker_id")
        absence = Absence(
            id=ctx.new_id(),
            worker_id=person.id,
            from_on=command.from_on,
            to_on=command.to_on,
            deputy_id=_deputy(work, person, command.deputy_id),
            centre_code=person.centre_code,
            district_code=person.district_code or "",
            recorded_at=ctx.now,
            recorded_by=ctx.actor.id,
        )
        absences.check_absence(absence, _others(work, absence, absence.from_on), ctx.act)
        work.absences.add(absence)
        work.commit(absence.id)
        return absence.id


def correct_absence(ctx: Context, id: UUID, changes: dict[str, Any]) -> UUID:
    """Put right days or deputy; ``changes`` has the fields of an absence."""
    with ctx.work(SUPERVISE) as work:
        absence = work.absences.get(id, lock=True)
        ctx.expect(absence.version)
        deputy_id = changes.get("deputy_id", absence.deputy_id)
        work.absences.alone(absence.worker_id, absence.deputy_id, deputy_id)
        if deputy_id != absence.deputy_id:
            _deputy(work, _person(work, absence.worker_id, "worker_id", active=False), deputy_id)
        others = _others(work, absence, changes.get("from_on", absence.from_on))
        absences.correct(absence, others, changes, ctx.act)
        work.absences.save(absence)
        work.commit(id)
        return id


def end_absence(ctx: Context, id: UUID, on: date) -> UUID:
    """End an absence early, or call it off."""
    with ctx.work(SUPERVISE) as work:
        absence = work.absences.get(id, lock=True)
        ctx.expect(absence.version)
        absences.end(absence, on, ctx.act)
        work.absences.save(absence)
        work.commit(id)
        return id


def _others(work: Work, absence: Absence, since: date) -> list[Absence]:
    return work.absences.of_district(absence.district_code, since)


def _person(work: Work, id: UUID, field: str, *, active: bool = True) -> Account:
    found = work.accounts.colleague(id, work.scope, active=active)
    if found is None:
        raise Invalid("nobody of your district", code="unknown_worker", field=field)
    return found


def _deputy(work: Work, person: Account, deputy_id: UUID) -> UUID:
    """The deputy's id; one who could not open the work is refused."""
    deputy = _person(work, deputy_id, "deputy_id")
    require(
        deputy.role is person.role,
        "a deputy has the same role",
        code="deputy_of_other_role",
        field="deputy_id",
    )
    require(
        deputy.centre_code == person.centre_code,
        "this worker serves another centre",
        code="worker_of_other_centre",
        field="deputy_id",
    )
    return deputy.id
