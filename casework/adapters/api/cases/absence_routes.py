"""Absences: who is away, and who deputises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.cases import absence_bodies as bodies
from casework.adapters.api.cases import responses as r
from casework.adapters.api.shared.bodies import Day
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import StaleVersion
from casework.workflows.cases import absences
from casework.workflows.cases.absences import SUPERVISE
from casework.workflows.context import Context

router = SubjectRouter(prefix="/absences", tags=["caseload"])
FIELDS = {"from_": "from_on", "to": "to_on", "deputy_id": "deputy_id"}


def _view(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "worker_id": row["worker_id"],
        "from": row["from_on"],
        "to": row["to_on"],
        "ended_on": row["ended_on"],
        "deputy_id": row["deputy_id"],
    }


def _change(call: Call, use_case: Callable[[Context], UUID]) -> Response:
    return call.change(
        use_case, SUPERVISE, lambda reading, made: _shown(reading.absences.get(made))
    )


def _shown(absence: Any) -> WithETag:
    names = ("id", "worker_id", "from_on", "to_on", "ended_on", "deputy_id")
    return WithETag(_view({name: getattr(absence, name) for name in names}), absence.version)


@router.post("", **operation(SUPERVISE, r.Absence, status=201, refuses=(409,)))
def record_absence(body: bodies.RecordAbsence, call: Caller) -> Response:
    """Record who is away and who deputises.

    The deputy sees and gets what the absent one would; nothing is reassigned. A deputy who is
    away too passes it on to their own; where that ends in nobody, the supervisor has it.
    """
    command = absences.AbsenceCommand(
        worker_id=body.worker_id, from_on=body.from_, to_on=body.to, deputy_id=body.deputy_id
    )
    return _change(call, lambda ctx: absences.record_absence(ctx, command))


@router.get("", **operation(SUPERVISE, page_of(r.Absence)))
def list_absences(
    call: Caller,
    paged: Paged,
    worker: Annotated[UUID | None, Query(description="Who is away.")] = None,
    on: Annotated[Day | None, Query(description="A day on which they are away.")] = None,
) -> Response:
    """The district's absences, latest first.

    Of one person, or those that cover a day.
    """
    return call.pages(
        SUPERVISE,
        paged,
        lambda reading, paging: reading.absences.listed(worker, on, paging),
        _view,
    )


@router.get("/{id}", **operation(SUPERVISE, r.Absence, refuses=(404,)))
def get_absence(id: UUID, call: Caller) -> Response:
    """An absence.

    Its ``ETag`` is what a correction names in ``If-Match``.
    """
    return call.look(SUPERVISE, lambda reading: _shown(reading.absences.get(id)))


@router.patch("/{id}", **operation(SUPERVISE, r.Absence, refuses=(404, 409, 412, 428)))
def correct_absence(id: UUID, body: bodies.CorrectAbsence, call: Caller) -> Response:
    """Put right the days or the deputy.

    Needs ``If-Match``. Of an absence that is not over.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    given = body.model_dump(exclude_none=True)
    changes = {FIELDS[name]: value for name, value in given.items()}
    return _change(call, lambda ctx: absences.correct_absence(ctx, id, changes))


@router.post("/{id}/end", **operation(SUPERVISE, r.Absence, refuses=(404, 409, 412)))
def end_absence(id: UUID, body: bodies.EndAbsence, call: Caller) -> Response:
    """End an absence early.

    On its last day; a day before its first calls it off.
    """
    return _change(call, lambda ctx: absences.end_absence(ctx, id, body.on))
