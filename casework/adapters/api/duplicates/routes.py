"""Likely duplicates: the supervisor's queue, merges and their undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.duplicates import bodies as s
from casework.adapters.api.duplicates import responses as r
from casework.adapters.api.duplicates import views as render
from casework.adapters.api.residents.views import resident
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.duplicates.suspicions import SuspicionState
from casework.workflows.context import Context
from casework.workflows.duplicates import duplicates, merging
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["duplicates"])
REVIEW, SUPERVISE = "duplicate.review", "case.supervise"


@router.get("/duplicates", **operation(REVIEW, page_of(r.DuplicatePair)))
def list_duplicates(
    call: Caller, paged: Paged, state: Annotated[s.State | None, Query()] = None
) -> Response:
    """Pairs that may be one person, newest first.

    Those of which one is of the caller's district.

    Of the other one, name and birth date are shown only where that one is, too.
    """
    return call.pages(
        REVIEW,
        paged,
        lambda reading, paging: reading.duplicates.listed(state, paging),
        lambda row: dict(render.suspicion(row)),
    )


@router.post(
    "/duplicates/{id}/decide", **operation(REVIEW, r.DuplicatePair, refuses=(404, 409, 412))
)
def decide_duplicate(id: UUID, body: s.DecideDuplicate, call: Caller) -> Response:
    """Say whether the two are one person.

    ``same`` merges nothing yet: say which of the two is to be the survivor by a merge.
    """
    return call.change(
        lambda ctx: duplicates.decide(ctx, id, SuspicionState(body.decision), body.note),
        REVIEW,
        lambda reading, made: render.suspicion(reading.duplicates.shown(made)),
    )


def _merged(call: Call, use_case: Callable[[Context], Any]) -> Response:
    def show(reading: Reading, made: UUID) -> WithETag:
        shown = render.merge(reading.merges.get(made))
        it, contacts = reading.residents.with_contacts(shown["survivor_id"])
        shown["survivor"] = resident(it, contacts, reading.cases.of_resident(it.id), call.ctx.actor)
        return shown

    return call.change(use_case, SUPERVISE, show)


@router.post(
    "/residents/{id}/merge",
    **operation(SUPERVISE, r.MergedResidents, status=201, refuses=(404, 409, 412)),
)
def merge_residents(id: UUID, body: s.MergeResidents, call: Caller) -> Response:
    """Merge a duplicate into a resident.

    The resident survives, and gets the duplicate's cases, consents, notes and contacts, and what
    it says where the resident's record says nothing. Where the two differ, ``keep`` says which is
    right, and where it does not, the refusal shows what each of the two says. Agencies with an
    open referral are told what changed.

    Reads and writes of the duplicate's id are about the survivor. Refused where both have an open
    case.
    """
    return _merged(
        call,
        lambda ctx: merging.merge_residents(
            ctx, id, body.duplicate_id, body.reason, body.by_name()
        ),
    )


@router.get("/merges/{id}", **operation(SUPERVISE, r.MergeRecord, refuses=(404,)))
def get_merge(id: UUID, call: Caller) -> Response:
    """A merge.

    Who was merged into whom, when, by whom and why.
    """
    return call.look(SUPERVISE, lambda reading: render.merge(reading.merges.get(id)))


@router.post(
    "/merges/{id}/undo", **operation(SUPERVISE, r.MergedResidents, refuses=(404, 409, 412))
)
def undo_merge(id: UUID, call: Caller, body: s.UndoMerge | None = None) -> Response:
    """Let the two be two again.

    What the merge moved goes back; what was recorded since stays with the survivor.
    """
    reason = body.reason if body else None
    return _merged(call, lambda ctx: merging.undo_merge(ctx, id, reason))
