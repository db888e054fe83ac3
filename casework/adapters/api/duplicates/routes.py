"""Likely duplicates: the supervisor's queue, merges and their undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from casework.adapters.api.duplicates import bodies as s
from casework.adapters.api.duplicates import views as render
from casework.adapters.api.residents.views import resident
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.route import GuardedRoute
from casework.domain.duplicates.suspicions import SuspicionState
from casework.workflows.context import Context
from casework.workflows.duplicates import duplicates, merging
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["duplicates"])
REVIEW, SUPERVISE = "duplicate.review", "case.supervise"
PAIR = {
    "id": "0190…",
    "reasons": ["near_name"],
    "state": "open",
    "residents": [
        {"id": "0190…", "name": "홍길동", "birth_date": "1941-03-05", "centre_code": "2611051000"},
        {"id": "0190…", "name": None, "birth_date": None, "centre_code": "2635051000"},
    ],
    "allowed_actions": ["decide"],
}
MERGE = {
    "id": "0190…",
    "status": "merged",
    "survivor_id": "0190…",
    "duplicate_id": "0190…",
    "reason": "…",
    "merged_at": "2026-03-27T10:00:00+09:00",
    "undone_at": None,
    "allowed_actions": ["undo"],
}


@router.get(
    "/duplicates",
    operation_id="list_duplicates",
    summary="Pairs that may be one person, newest first",
    **operation(REVIEW, {"items": [PAIR], "next_cursor": None}),
)
def list_duplicates(
    call: Caller, paged: Paged, state: Annotated[s.State | None, Query()] = None
) -> Response:
    """Those of which one is of the asker's district; of the other's, name and birth date only
    where that one is, too.
    """
    return call.pages(
        REVIEW,
        paged,
        lambda reading, paging: reading.duplicates.listed(state, paging),
        lambda row: dict(render.suspicion(row)),
    )


@router.post(
    "/duplicates/{id}/decide",
    operation_id="decide_duplicate",
    summary="Say whether the two are one person",
    **operation(REVIEW, PAIR | {"state": "different"}, refuses=(404, 409, 412)),
)
def decide(id: UUID, body: s.DecideDuplicate, call: Caller) -> Response:
    """``same`` merges nothing yet: say which of the two is to be the survivor by a merge."""
    return call.change(
        lambda ctx: duplicates.decide(ctx, id, SuspicionState(body.decision), body.note),
        REVIEW,
        lambda reading, made: render.suspicion(reading.duplicates.shown(made["id"])),
    )


def _merged(call: Call, use_case: Callable[[Context], Any]) -> Response:
    def show(reading: Reading, made: dict[str, Any]) -> WithETag:
        shown = render.merge(reading.merges.get(made["id"]))
        it, contacts = reading.residents.with_contacts(shown["survivor_id"])
        shown["survivor"] = resident(it, contacts, reading.cases.of_resident(it.id), call.ctx.actor)
        return shown

    return call.change(use_case, SUPERVISE, show)


@router.post(
    "/residents/{id}/merge",
    operation_id="merge_residents",
    summary="Merge a duplicate into a resident",
    **operation(SUPERVISE, MERGE, status=201, refuses=(404, 409, 412)),
)
def merge(id: UUID, body: s.MergeResidents, call: Caller) -> Response:
    """The resident survives: reads and writes of the duplicate's id are about the survivor, who
    gets its cases, consents, notes and contacts. Refused where both have an open case.
    """
    return _merged(
        call, lambda ctx: merging.merge_residents(ctx, id, body.duplicate_id, body.reason)
    )


@router.get(
    "/merges/{id}",
    operation_id="get_merge",
    summary="A merge",
    **operation(SUPERVISE, MERGE, refuses=(404,)),
)
def get_merge(id: UUID, call: Caller) -> Response:
    """Who was merged into whom, when, by whom and why."""
    return call.look(SUPERVISE, lambda reading: render.merge(reading.merges.get(id)))


@router.post(
    "/merges/{id}/undo",
    operation_id="undo_merge",
    summary="Let the two be two again",
    **operation(SUPERVISE, MERGE | {"status": "undone"}, refuses=(404, 409, 412)),
)
def undo(id: UUID, call: Caller, body: s.UndoMerge | None = None) -> Response:
    """What the merge moved goes back; what was recorded since stays with the survivor."""
    reason = body.reason if body else None
    return _merged(call, lambda ctx: merging.undo_merge(ctx, id, reason))
